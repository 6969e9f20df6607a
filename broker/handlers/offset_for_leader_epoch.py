"""OffsetForLeaderEpoch, key 23: where an epoch ends, so that a reader finds where its log parted.  Versions 0 to 4.

1 the epoch found · 2 the asker's own epoch (KIP-320) · 3 replica id · 4 flexible.
"""

from broker.cluster.authorizer import Operation, Resource
from broker.handlers.topic_rows import topic_by_name
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.offset_for_leader_epoch import (
    EpochEndOffset,
    OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
    OffsetForLeaderPartition,
    OffsetForLeaderTopicResult,
)


async def offset_for_leader_epoch(request: OffsetForLeaderEpochRequest, ctx: Context) -> OffsetForLeaderEpochResponse:
    """Each partition answers for itself."""
    return OffsetForLeaderEpochResponse(
        topics=[
            OffsetForLeaderTopicResult(
                topic=topic.topic, partitions=[end_of(topic.topic, row, ctx) for row in topic.partitions]
            )
            for topic in request.topics
        ]
    )


def end_of(topic: str, row: OffsetForLeaderPartition, ctx: Context) -> EpochEndOffset:
    try:
        image = topic_by_name(ctx, right(ctx), topic)
        partition = ctx.rooms.partitions.leading(image, row.partition)
        partition.must_be_in_epoch(row.current_leader_epoch)
    except ApiError as no:
        return EpochEndOffset(partition=row.partition, error_code=no.code, leader_epoch=-1, end_offset=-1)
    if row.leader_epoch > partition.leadership.epoch:
        epoch, end_offset = -1, -1
    else:
        epoch, end_offset = partition.end_of_epoch(row.leader_epoch)
    return EpochEndOffset(partition=row.partition, error_code=ErrorCode.NONE, leader_epoch=epoch, end_offset=end_offset)


def right(ctx: Context) -> Operation | None:
    """Brokers ask this of each other, consumers of topics that they may describe (KIP-320)."""
    return None if ctx.allowed(Operation.CLUSTER_ACTION, Resource.cluster()) else Operation.DESCRIBE


def refused(request: OffsetForLeaderEpochRequest, error: ApiError) -> OffsetForLeaderEpochResponse:
    """The code in every row: the answer has no field on top."""
    return OffsetForLeaderEpochResponse(
        topics=[
            OffsetForLeaderTopicResult(
                topic=topic.topic,
                partitions=[
                    EpochEndOffset(partition=row.partition, error_code=error.code, leader_epoch=-1, end_offset=-1)
                    for row in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )
