"""DescribeTopicPartitions, key 75: topics and their partitions, page by page.  Version 0 (KIP-966).

Topics come by name, a page ends with a cursor to go on from. There are no eligible leaders beyond the in-sync replicas;
the lists are empty, since Kafka's Java client cannot read null. No topic is created.
"""

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.image import PartitionImage, TopicImage
from broker.cluster.topic_rules import INTERNAL_TOPICS, wrong_name
from broker.handlers.brokers import operations, reachable
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.describe_topic_partitions import (
    Cursor,
    DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
)
from kproto.schema import ZERO_UUID

NO_LEADER = -1


async def describe_topic_partitions(
    request: DescribeTopicPartitionsRequest, ctx: Context
) -> DescribeTopicPartitionsResponse:
    """One page, from the cursor on; topics that may not be described come after it, or not at all if none was named."""
    cursor = request.cursor or Cursor(topic_name="", partition_index=0)
    names = sorted({name for name in names_of(request, ctx) if name >= cursor.topic_name})
    check_cursor(request, names)
    denied = [name for name in names if not ctx.allowed(Operation.DESCRIBE, Resource.topic(name))]
    response = page([name for name in names if name not in set(denied)], cursor, limit_of(request, ctx), ctx)
    if request.topics:
        response.topics += [refused_row(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED) for name in denied]
    return response


def names_of(request: DescribeTopicPartitionsRequest, ctx: Context) -> list[str]:
    return [topic.name for topic in request.topics] or list(ctx.rooms.image.topics)


def check_cursor(request: DescribeTopicPartitionsRequest, names: list[str]) -> None:
    """Raises: ApiError: INVALID_REQUEST."""
    cursor = request.cursor
    if cursor is None:
        return
    if request.topics and cursor.topic_name not in names:
        raise ApiError(
            ErrorCode.INVALID_REQUEST,
            f"DescribeTopicPartitionsRequest topic list should contain the cursor topic: {cursor.topic_name}",
        )
    if cursor.partition_index < 0:
        raise ApiError(
            ErrorCode.INVALID_REQUEST,
            f"DescribeTopicPartitionsRequest cursor partition must be valid: {cursor.partition_index}",
        )


def limit_of(request: DescribeTopicPartitionsRequest, ctx: Context) -> int:
    """How many partitions the answer may have; at least one, so that every page goes on."""
    return max(min(ctx.rooms.settings.max_request_partition_size_limit, request.response_partition_limit), 1)


def page(names: list[str], cursor: Cursor, limit: int, ctx: Context) -> DescribeTopicPartitionsResponse:
    """Until the limit is reached: the topic that is cut there comes with what fits, and is the next cursor."""
    response = DescribeTopicPartitionsResponse()
    brokers = set(reachable(ctx))
    for name in names:
        topic = ctx.rooms.image.topics.get(name)
        if topic is None:
            wrong = wrong_name(name) is not None
            code = ErrorCode.INVALID_TOPIC_EXCEPTION if wrong else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            response.topics.append(refused_row(name, code))
            continue
        first = cursor.partition_index if name == cursor.topic_name else 0
        end = min(first + limit, len(topic.partitions))
        response.topics.append(topic_row(topic, range(first, end), brokers, ctx))
        if end < len(topic.partitions):
            response.next_cursor = Cursor(topic_name=name, partition_index=end)
            break
        limit -= max(end - first, 0)
    return response


def topic_row(
    topic: TopicImage, indexes: range, brokers: set[int], ctx: Context
) -> DescribeTopicPartitionsResponseTopic:
    return DescribeTopicPartitionsResponseTopic(
        name=topic.name,
        topic_id=topic.id,
        is_internal=topic.name in INTERNAL_TOPICS,
        partitions=[partition_row(index, topic.partitions[index], brokers) for index in indexes],
        topic_authorized_operations=operations(ctx, Resource.topic(topic.name)),
    )


def partition_row(index: int, partition: PartitionImage, brokers: set[int]) -> DescribeTopicPartitionsResponsePartition:
    """A leader that this client cannot reach is none."""
    return DescribeTopicPartitionsResponsePartition(
        partition_index=index,
        leader_id=partition.leader if partition.leader in brokers else NO_LEADER,
        leader_epoch=partition.leader_epoch,
        replica_nodes=partition.replicas,
        isr_nodes=partition.isr,
        eligible_leader_replicas=[],
        last_known_elr=[],
        offline_replicas=partition.offline,
    )


def refused_row(name: str, code: ErrorCode) -> DescribeTopicPartitionsResponseTopic:
    """Neither id nor existence of a topic is told."""
    return DescribeTopicPartitionsResponseTopic(
        error_code=code, name=name, topic_id=ZERO_UUID, is_internal=name in INTERNAL_TOPICS
    )


def refused(request: DescribeTopicPartitionsRequest, error: ApiError) -> DescribeTopicPartitionsResponse:
    """The code in every row: the answer has no field on top."""
    return DescribeTopicPartitionsResponse(topics=[refused_row(topic.name, error.code) for topic in request.topics])
