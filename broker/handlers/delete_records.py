"""DeleteRecords, key 21: the log start of partitions moves up, and nothing below it is read again.  Versions 0 to 2.

1 throttled clients wait · 2 flexible. Offset -1 is the high watermark (KIP-107).
"""

from broker.cluster.authorizer import Operation
from broker.cluster.topic_rules import INTERNAL_TOPICS
from broker.handlers.group_calls import Turns
from broker.handlers.topic_rows import topic_by_name
from broker.requests.context import Context
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
    """Each partition answers for itself, with its new log start.

    The timeout is for followers; there are none whose log start would have to be waited for.
    """
    turns, response = Turns(ctx), DeleteRecordsResponse()
    for topic in request.topics:
        rows = []
        for row in topic.partitions:
            rows.append(moved(topic.name, row, ctx))
            await turns.next()
        response.topics.append(DeleteRecordsTopicResult(name=topic.name, partitions=rows))
    return response


def moved(topic: str, row: DeleteRecordsPartition, ctx: Context) -> DeleteRecordsPartitionResult:
    try:
        image = topic_by_name(ctx, Operation.DELETE, topic)
        if topic in INTERNAL_TOPICS:
            raise ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION)
        start = ctx.rooms.partitions.leading(image, row.partition_index).delete_below(row.offset)
    except ApiError as no:
        return refused_row(row, no)
    return DeleteRecordsPartitionResult(partition_index=row.partition_index, low_watermark=start)


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
