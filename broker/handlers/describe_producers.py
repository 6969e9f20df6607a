"""DescribeProducers, key 61: who writes to partitions with a producer id, as its leader knows.  Version 0, KIP-664."""

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.topic_rules import check_name
from broker.handlers.group_calls import Turns
from broker.handlers.topic_rows import topic_by_name
from broker.requests.context import Context
from broker.storage.producers import ProducerState as Known
from kproto.errors import ApiError
from kproto.messages.describe_producers import (
    DescribeProducersRequest,
    DescribeProducersResponse,
    PartitionResponse,
    ProducerState,
    TopicResponse,
)


async def describe_producers(request: DescribeProducersRequest, ctx: Context) -> DescribeProducersResponse:
    """Each partition answers for itself, once however often it is named: its answer may be long."""
    turns, response = Turns(ctx), DescribeProducersResponse()
    for topic, indexes in named(request).items():
        rows = []
        for index in indexes:
            rows.append(row(topic, index, ctx))
            await turns.next()
        response.topics.append(TopicResponse(name=topic, partitions=rows))
    return response


def named(request: DescribeProducersRequest) -> dict[str, dict[int, None]]:
    topics: dict[str, dict[int, None]] = {}
    for topic in request.topics:
        topics.setdefault(topic.name, {}).update(dict.fromkeys(topic.partition_indexes))
    return topics


def row(topic: str, index: int, ctx: Context) -> PartitionResponse:
    try:
        ctx.may(Operation.READ, Resource.topic(topic))
        check_name(topic)
        partition = ctx.rooms.partitions.leading(topic_by_name(ctx, None, topic), index)
    except ApiError as no:
        return PartitionResponse(partition_index=index, error_code=no.code, error_message=no.message)
    return PartitionResponse(partition_index=index, active_producers=[told(each) for each in partition.log.producers])


def told(known: Known) -> ProducerState:
    """The last timestamp is that of its last batch; after a transaction marker alone, when it was seen."""
    return ProducerState(
        producer_id=known.producer_id,
        producer_epoch=known.epoch,
        last_sequence=known.last_sequence,
        last_timestamp=known.batches[-1].timestamp_ms if known.batches else known.seen_ms,
        coordinator_epoch=known.coordinator_epoch,
        current_txn_start_offset=known.transaction_start,
    )


def refused(request: DescribeProducersRequest, error: ApiError) -> DescribeProducersResponse:
    """The code in every row: the answer has no field on top."""
    return DescribeProducersResponse(
        topics=[
            TopicResponse(
                name=topic.name,
                partitions=[
                    PartitionResponse(partition_index=index, error_code=error.code, error_message=error.message)
                    for index in topic.partition_indexes
                ],
            )
            for topic in request.topics
        ]
    )
