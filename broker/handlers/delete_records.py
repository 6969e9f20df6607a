"""DeleteRecords, key 21: the log start of partitions moves up, and nothing below it is read again.  Versions 0 to 2.

1 throttled clients wait · 2 flexible. Offset -1 is the high watermark (KIP-107).
"""

from broker.cluster.authorizer import Operation
from broker.cluster.topic_rules import INTERNAL_TOPICS
from broker.handlers.group_calls import Turns
from broker.handlers.topic_rows import topic_by_name
from broker.requests.context import Context
from broker.storage.contract import LogId
from kproto.errors import ApiError, ErrorCode
from kproto.messages.delete_records import (
    DeleteRecordsPartition,
    DeleteRecordsPartitionResult,
    DeleteRecordsRequest,
    DeleteRecordsResponse,
    DeleteRecordsTopicResult,
)

NO_OFFSET = -1


async def delete_records(request: DeleteRecordsRequest, ctx: Context) -> DeleteRecordsResponse:
    """Each partition answers for itself, with its new log start, which is durable by then.

    The timeout is for followers; there are none whose log start would have to be waited for.
    """
    turns, response = Turns(ctx), DeleteRecordsResponse()
    told: list[tuple[LogId, DeleteRecordsPartitionResult]] = []
    for topic in request.topics:
        rows = []
        for row in topic.partitions:
            rows.append(moved(topic.name, row, ctx, told))
            await turns.next()
        response.topics.append(DeleteRecordsTopicResult(name=topic.name, partitions=rows))
    if told:
        failed = await ctx.rooms.partitions.keep_starts([log_id for log_id, _ in told])
        for _, result in filter(lambda each: each[0] in failed, told):
            result.error_code, result.low_watermark = ErrorCode.KAFKA_STORAGE_ERROR, NO_OFFSET
    return response


def moved(
    topic: str, row: DeleteRecordsPartition, ctx: Context, told: list[tuple[LogId, DeleteRecordsPartitionResult]]
) -> DeleteRecordsPartitionResult:
    """`told`: the rows that promise a log start."""
    try:
        image = topic_by_name(ctx, Operation.DELETE, topic)
        if topic in INTERNAL_TOPICS:
            raise ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION)
        partition = ctx.rooms.partitions.leading(image, row.partition_index)
        start = partition.delete_below(row.offset)
    except ApiError as no:
        return refused_row(row, no)
    result = DeleteRecordsPartitionResult(partition_index=row.partition_index, low_watermark=start)
    told.append((partition.log.id, result))
    return result


def refused_row(row: DeleteRecordsPartition, error: ApiError) -> DeleteRecordsPartitionResult:
    return DeleteRecordsPartitionResult(
        partition_index=row.partition_index, low_watermark=NO_OFFSET, error_code=error.code
    )


def refused(request: DeleteRecordsRequest, error: ApiError) -> DeleteRecordsResponse:
    """The code in every row: the answer has no field on top."""
    return DeleteRecordsResponse(
        topics=[
            DeleteRecordsTopicResult(name=topic.name, partitions=[refused_row(row, error) for row in topic.partitions])
            for topic in request.topics
        ]
    )
