"""Fetch, key 1: stored batches from an offset on; waits for `min_bytes`.  Versions 4 to 18.

4 isolation level · 5 log start offset · 7 sessions · 9 leader epochs · 11 rack · 12 flexible, diverging epochs · 13 topics by id ·
15 replica state in a tag · 16 addresses of new leaders · 17 directory ids · 18 the follower's high watermark.
No sessions are kept yet: every answer carries session id 0, which clients take for "fetch in full".
"""

from dataclasses import dataclass

import trio

from broker.cluster.authorizer import Operation, Resource
from broker.handlers.topic_rows import topic_of
from broker.partitions.partition import Partition
from broker.purgatory import ByteWaiter
from broker.requests.context import Context
from broker.storage.contract import OffsetOutOfRange, Slice, StorageFailed
from kproto.errors import ApiError, ErrorCode
from kproto.messages.fetch import (
    EpochEndOffset,
    FetchableTopicResponse,
    FetchPartition,
    FetchRequest,
    FetchResponse,
    FetchTopic,
    PartitionData,
)

READ_UNCOMMITTED, READ_COMMITTED = 0, 1


@dataclass(slots=True)
class Row:
    """One partition asked for, and what was found: an error, a diverging epoch, or a slice of the log."""

    topic: FetchTopic
    asked: FetchPartition
    partition: Partition | None = None
    bound: int = -1
    found: Slice | None = None
    diverging: EpochEndOffset | None = None
    error: ErrorCode = ErrorCode.NONE


async def fetch(request: FetchRequest, ctx: Context) -> FetchResponse:
    """Read every row; if that is too little, wait until enough has come or the time is up, and read again."""
    refuse_sessions(request)
    if request.isolation_level not in (READ_UNCOMMITTED, READ_COMMITTED):
        raise ApiError(ErrorCode.INVALID_REQUEST, f"isolation level {request.isolation_level}")
    rows = [Row(topic, asked) for topic in request.topics for asked in topic.partitions]
    give_up_at = trio.current_time() + request.max_wait_ms / 1000
    try:
        while True:
            size = await read_all(rows, request, ctx)
            left_ms = (give_up_at - trio.current_time()) * 1000
            if size >= request.min_bytes or left_ms <= 0 or any(settled(row) for row in rows):
                return answer(rows, request)
            waiter = ByteWaiter(request.min_bytes - size)
            waiter.watch(row.partition.high_watermark_moved for row in rows if row.partition is not None)
            if any(moved(row, request) for row in rows):
                waiter.wake()
            release(rows)
            await ctx.pause(waiter, within_ms=left_ms)
    except BaseException:
        release(rows)
        raise


def refuse_sessions(request: FetchRequest) -> None:
    """An epoch above 0 continues a session, and there is none.  Source: KIP-227."""
    if request.session_epoch > 0:
        raise ApiError(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)


async def read_all(rows: list[Row], request: FetchRequest, ctx: Context) -> int:
    """Read row after row until the answer is full; at least one batch comes, however large."""
    left = max_bytes = min(request.max_bytes, ctx.rooms.settings.fetch_max_bytes)
    for row in rows:
        row.found, row.diverging, row.error = None, None, ErrorCode.NONE
        try:
            row.partition = find(row, request, ctx)
            row.bound = bound(row.partition, request)
            row.diverging = diverging(row.partition, row.asked)
            if row.diverging is None and (left > 0 or left == max_bytes):
                row.found = await row.partition.log.read(
                    row.asked.fetch_offset, min(left, row.asked.partition_max_bytes), row.bound
                )
                left -= len(row.found)
        except ApiError as no:
            row.error = no.code
        except OffsetOutOfRange:
            row.error = ErrorCode.OFFSET_OUT_OF_RANGE
        except StorageFailed:
            row.error = ErrorCode.KAFKA_STORAGE_ERROR
    return max_bytes - left


def find(row: Row, request: FetchRequest, ctx: Context) -> Partition:
    """Raises: ApiError: unknown, denied, led elsewhere, fenced."""
    if replica_id(request) >= 0:
        ctx.may(Operation.CLUSTER_ACTION, Resource.cluster())
    topic = topic_of(ctx, Operation.READ, row.topic.topic, row.topic.topic_id)
    partition = ctx.rooms.partitions.leading(topic, row.asked.partition)
    partition.must_be_in_epoch(row.asked.current_leader_epoch)
    if replica_id(request) >= 0 and replica_id(request) not in partition.leadership.replicas:
        raise ApiError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    return partition


def replica_id(request: FetchRequest) -> int:
    """Who fetches: a broker's id, or -1 for a consumer; since version 15 it stands in a tag."""
    return max(request.replica_id, request.replica_state.replica_id)


def bound(partition: Partition, request: FetchRequest) -> int:
    """Where this reader's view of the log ends."""
    if replica_id(request) >= 0:
        return partition.log.end_offset
    if request.isolation_level == READ_COMMITTED:
        return partition.last_stable_offset
    return partition.high_watermark


def diverging(partition: Partition, asked: FetchPartition) -> EpochEndOffset | None:
    """Where the reader's log parted from ours, if it did.  Source: KIP-595."""
    if asked.last_fetched_epoch < 0:
        return None
    epoch, end_offset = partition.log.end_of_epoch(asked.last_fetched_epoch)
    if epoch == asked.last_fetched_epoch and end_offset >= asked.fetch_offset:
        return None
    return EpochEndOffset(epoch=epoch, end_offset=end_offset)


def settled(row: Row) -> bool:
    """Waiting would not help this row."""
    return row.error != ErrorCode.NONE or row.diverging is not None


def moved(row: Row, request: FetchRequest) -> bool:
    """Whether more became readable while other rows were read."""
    return row.partition is not None and bound(row.partition, request) != row.bound


def release(rows: list[Row]) -> None:
    for row in rows:
        if row.found is not None:
            row.found.release()
            row.found = None


def answer(rows: list[Row], request: FetchRequest) -> FetchResponse:
    remaining = iter(rows)
    return FetchResponse(
        responses=[
            FetchableTopicResponse(
                topic=topic.topic,
                topic_id=topic.topic_id,
                partitions=[partition_data(next(remaining)) for _ in topic.partitions],
            )
            for topic in request.topics
        ]
    )


def partition_data(row: Row) -> PartitionData:
    data = PartitionData(partition_index=row.asked.partition, error_code=row.error, high_watermark=-1, records=b"")
    if row.partition is not None and row.error == ErrorCode.NONE:
        data.high_watermark = row.partition.high_watermark
        data.last_stable_offset = row.partition.last_stable_offset
        data.log_start_offset = row.partition.log.start_offset
        if row.diverging is not None:
            data.diverging_epoch = row.diverging
        if row.found is not None:
            data.records = row.found
    return data


def refused(request: FetchRequest, error: ApiError) -> FetchResponse:
    """The code on top since version 7, and in every row for the versions before."""
    rows = [Row(topic, asked, error=error.code) for topic in request.topics for asked in topic.partitions]
    response = answer(rows, request)
    response.error_code = error.code
    return response
