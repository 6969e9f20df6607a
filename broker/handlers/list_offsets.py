"""ListOffsets, key 2: the offset at a time, at the start or at the end of a partition.  Versions 0 to 11.

0 answers with up to n offsets · 1 one offset and its timestamp · 2 isolation level · 4 leader epochs · 6 flexible ·
7 time -3, the largest timestamp (KIP-734) · 8 time -4, the local start (KIP-405) · 9 time -5, the tiered end ·
10 timeout · 11 time -6, the first offset not yet tiered (KIP-1023).
"""

from collections import Counter

from broker.cluster.authorizer import Operation
from broker.handlers.topic_rows import topic_by_name
from broker.partitions.partition import Partition
from broker.requests.context import Context
from broker.storage.contract import BatchDamaged, Breathe, OffsetOutOfRange, StorageFailed, TimedOffset
from kproto.errors import ApiError, ErrorCode
from kproto.messages.list_offsets import (
    ListOffsetsPartition,
    ListOffsetsPartitionResponse,
    ListOffsetsRequest,
    ListOffsetsResponse,
    ListOffsetsTopicResponse,
)
from kproto.records.stored import read_stored_header

LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_NOT_TIERED = -1, -2, -3, -4, -5, -6
SINCE = {MAX_TIMESTAMP: 7, EARLIEST_LOCAL: 8, LATEST_TIERED: 9, EARLIEST_NOT_TIERED: 11}
"""Version from which on a special time may be asked for."""
NOTHING = TimedOffset(-1, -1, -1)


async def list_offsets(request: ListOffsetsRequest, ctx: Context) -> ListOffsetsResponse:
    """Each partition answers for itself; one asked for twice is refused."""
    asked_for = Counter((topic.name, row.partition_index) for topic in request.topics for row in topic.partitions)
    response = ListOffsetsResponse()
    for topic in request.topics:
        rows = []
        for row in topic.partitions:
            try:
                if asked_for[topic.name, row.partition_index] > 1:
                    raise ApiError(ErrorCode.INVALID_REQUEST)
                rows.append(await offset_of(request, topic.name, row, ctx))
            except ApiError as no:
                rows.append(ListOffsetsPartitionResponse(partition_index=row.partition_index, error_code=no.code))
            except StorageFailed as failure:
                code = ErrorCode.CORRUPT_MESSAGE if isinstance(failure, BatchDamaged) else ErrorCode.KAFKA_STORAGE_ERROR
                rows.append(ListOffsetsPartitionResponse(partition_index=row.partition_index, error_code=code))
        response.topics.append(ListOffsetsTopicResponse(name=topic.name, partitions=rows))
    return response


async def offset_of(
    request: ListOffsetsRequest, topic: str, row: ListOffsetsPartition, ctx: Context
) -> ListOffsetsPartitionResponse:
    partition = ctx.rooms.partitions.leading(topic_by_name(ctx, Operation.DESCRIBE, topic), row.partition_index)
    partition.must_be_in_epoch(row.current_leader_epoch)
    if ctx.version < SINCE.get(row.timestamp, 0) or row.timestamp < EARLIEST_NOT_TIERED:
        raise ApiError(ErrorCode.UNSUPPORTED_VERSION, f"no time {row.timestamp} in version {ctx.version}")
    end = readable_end(partition, request)
    if ctx.version == 0:
        return ListOffsetsPartitionResponse(
            partition_index=row.partition_index,
            old_style_offsets=await offsets_before(partition, row, end, ctx.breathe),
        )
    at = await looked_up(partition, row.timestamp, end, ctx.breathe)
    return ListOffsetsPartitionResponse(
        partition_index=row.partition_index, timestamp=at.timestamp_ms, offset=at.offset, leader_epoch=at.leader_epoch
    )


def readable_end(partition: Partition, request: ListOffsetsRequest) -> int:
    """Where the asker's view of the log ends: brokers (and debuggers, -2) see all of it."""
    if request.replica_id != -1:
        return partition.log.end_offset
    return partition.last_stable_offset if request.isolation_level == 1 else partition.high_watermark


async def looked_up(partition: Partition, timestamp_ms: int, end: int, breathe: Breathe) -> TimedOffset:
    match timestamp_ms:
        case -1:
            return TimedOffset(end, -1, partition.leadership.epoch)
        case -2 | -4 | -6:
            return await start_of(partition, breathe)
        case -5:
            return NOTHING
        case -3:
            found = await partition.log.find_max_time(breathe)
        case _:
            found = await partition.log.find_time(timestamp_ms, breathe)
    return found if found is not None and found.offset < end else NOTHING


async def start_of(partition: Partition, breathe: Breathe) -> TimedOffset:
    """The log start and the leader epoch of its batch: -1 of an old or a damaged one, the current one of none."""
    log = partition.log
    while (offset := log.start_offset) < log.end_offset:
        try:
            first = await log.read(offset, 0, log.end_offset, breathe)
        except BatchDamaged:
            return TimedOffset(offset, -1, -1)
        except OffsetOutOfRange:
            continue  # retention or DeleteRecords moved the start while the disk was waited for
        try:
            if batch := first.read():
                return TimedOffset(offset, -1, read_stored_header(memoryview(batch)).leader_epoch)
        finally:
            first.release()
        break  # compaction has left nothing
    return TimedOffset(offset, -1, partition.leadership.epoch)


async def offsets_before(partition: Partition, row: ListOffsetsPartition, end: int, breathe: Breathe) -> list[int]:
    """Version 0: offsets at or before the time, newest first, at most `max_num_offsets` of them."""
    start = partition.log.start_offset
    if row.timestamp == LATEST:
        candidates = [end, start] if start < end else [end]
    elif row.timestamp == EARLIEST:
        candidates = [start]
    else:
        found = await partition.log.find_time(row.timestamp, breathe)
        candidates = [start] if found is None or found.offset > start else []
    return candidates[: max(row.max_num_offsets, 0)]


def refused(request: ListOffsetsRequest, error: ApiError) -> ListOffsetsResponse:
    """The code in every row: the answer has no field on top."""
    return ListOffsetsResponse(
        topics=[
            ListOffsetsTopicResponse(
                name=topic.name,
                partitions=[
                    ListOffsetsPartitionResponse(partition_index=row.partition_index, error_code=error.code)
                    for row in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )
