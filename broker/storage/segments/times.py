"""Records by timestamp: indexes and headers say which batch, and only that one is opened.

Source: LogSegment.findOffsetByTimestamp, KIP-79, KIP-734.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from broker.storage.contract import BatchDamaged, Breathe, StorageFailed, TimedOffset
from broker.storage.files import File
from broker.storage.segments.contents import BATCHES_A_STEP, NO_TIMESTAMP, IndexDamaged
from broker.storage.segments.scan import headers
from broker.storage.segments.segment import Segment
from kproto.errors import ApiError
from kproto.records.batch import BatchHeader
from kproto.records.stored import stored_records

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog

_RECORDS_A_STEP = 200


async def find_time(log: "SegmentLog", timestamp_ms: int, breathe: Breathe) -> TimedOffset | None:
    """See `broker.storage.contract.Log.find_time`."""
    log.check()
    offset = log.start_offset
    while (segment := _segment_from(log, offset)) is not None:
        try:
            newest_ms, _ = await _newest(log, segment, breathe)
            if newest_ms >= timestamp_ms and segment in log.segments:
                found = await _find_time_in(log, segment, timestamp_ms, breathe)
                if found is not None:
                    return found
        except StorageFailed:
            if log.failure is not None or segment in log.segments:
                raise
        if segment in log.segments:
            offset = segment.next_offset  # else it was dropped or exchanged meanwhile: look at what is there now
    return None


def _segment_from(log: "SegmentLog", offset: int) -> Segment | None:
    """The first one that may hold something at or above `offset`."""
    return next((segment for segment in log.segments_from(offset) if segment.next_offset > offset), None)


async def _find_time_in(log: "SegmentLog", segment: Segment, timestamp_ms: int, breathe: Breathe) -> TimedOffset | None:
    with _Held(log, segment) as file:
        walk = _Walk(log, segment, file, breathe)
        await walk.begin_at_time(timestamp_ms)
        while (found := await walk.find(lambda header: header.max_timestamp >= timestamp_ms)) is not None:
            record = await _first_record(log, file, *found, lambda ms: ms >= timestamp_ms, breathe)
            if record is not None:
                return record
    return None


async def find_max_time(log: "SegmentLog", breathe: Breathe) -> TimedOffset | None:
    """See `broker.storage.contract.Log.find_max_time`."""
    log.check()
    found = await _find_max(log, breathe, _newest_readable)
    if found is None and log.segments:
        found = await _find_max(log, breathe, _newest_with_records)  # the newest one was of a batch without any
    return found


async def _find_max(
    log: "SegmentLog", breathe: Breathe, newest: "Callable[[SegmentLog, Segment, Breathe], Awaitable[int | None]]"
) -> TimedOffset | None:
    best: tuple[int, Segment] | None = None
    offset = log.start_offset
    while (segment := _segment_from(log, offset)) is not None:
        try:
            newest_ms = await newest(log, segment, breathe)
        except StorageFailed:
            if log.failure is not None or segment in log.segments:
                raise
        if segment in log.segments:
            offset = segment.next_offset
            if newest_ms is not None and (best is None or newest_ms > best[0]):
                best = newest_ms, segment
    if best is None or best[1] not in log.segments:
        return None
    return await _find_max_in(log, best[1], best[0], breathe)


async def _find_max_in(log: "SegmentLog", segment: Segment, newest_ms: int, breathe: Breathe) -> TimedOffset | None:
    with _Held(log, segment) as file:
        walk = _Walk(log, segment, file, breathe)
        await walk.begin_at_time(newest_ms)
        found = await walk.find(lambda header: header.max_timestamp == newest_ms and header.count > 0)
        if found is None:
            return None
        return await _first_record(log, file, *found, lambda ms: ms == newest_ms, breathe)


async def _newest_readable(log: "SegmentLog", segment: Segment, breathe: Breathe) -> int | None:
    """The largest timestamp among the batches that the log start has not passed."""
    newest_ms, offset = await _newest(log, segment, breathe)
    if offset >= log.start_offset and newest_ms >= 0:
        return newest_ms
    return await _newest_with_records(log, segment, breathe)


async def _newest_with_records(log: "SegmentLog", segment: Segment, breathe: Breathe) -> int | None:
    """As `_newest_readable`, among the batches of which compaction has left a record."""
    if segment not in log.segments:
        return None
    largest: int | None = None
    with _Held(log, segment) as file:
        walk = _Walk(log, segment, file, breathe)
        while (found := await walk.find(lambda header: header.count > 0)) is not None:
            if largest is None or found[1].max_timestamp > largest:
                largest = found[1].max_timestamp
    return largest


class _Walk:
    """From batch to batch of one segment, from its first one on; checked, and the disk waited for, as it goes."""

    def __init__(self, log: "SegmentLog", segment: Segment, file: File, breathe: Breathe) -> None:
        self._log = log
        self._segment = segment
        self._file = file
        self._breathe = breathe
        self._begin(0, segment.base_offset)

    def _begin(self, position: int, offset: int) -> None:
        self._position, self._offset, self._ready_until = position, offset, -1
        self._stored = headers(self._file, position, self._segment.size)

    async def begin_at_time(self, timestamp_ms: int) -> None:
        """Go where below all timestamps are smaller."""
        segment, reader = self._segment, self._log.reader
        try:
            entry = segment.times.floor(timestamp_ms)
            if entry is not None:
                offset = segment.base_offset + entry[1]
                await reader.ready(segment, segment.indexed(offset), offset, self._breathe)
                self._begin(segment.place_of_time(entry), offset)
        except (IndexDamaged, OSError, ValueError):
            await reader.rebuild(segment, self._breathe)
            self._begin(0, segment.base_offset)

    async def find(self, wanted: Callable[[BatchHeader], bool]) -> tuple[int, BatchHeader] | None:
        """The next wanted batch, not below the log start.  Raises: BatchDamaged: one that may have been wanted."""
        count = 0
        while self._position < self._segment.size:
            if self._position > self._ready_until:
                self._ready_until = await self._log.reader.ready(
                    self._segment, self._position, self._offset, self._breathe
                )
            if self._position > self._ready_until:
                return None  # the log was cut or dropped meanwhile
            found = next(self._stored, None)
            if found is None or self._segment.checked.damage_at(self._position) is not None:
                raise BatchDamaged(f"{self._log.name}: offset {self._offset} is damaged")
            at, header = found
            self._position, self._offset = at + header.size, header.next_offset
            if wanted(header) and header.next_offset > self._log.start_offset:
                return found
            count += 1
            if count % BATCHES_A_STEP == 0:
                await self._breathe()
        return None


class _Held:
    """A segment's file, kept open over waits; trouble with it is the log's."""

    def __init__(self, log: "SegmentLog", segment: Segment) -> None:
        self._log = log
        self._segment = segment
        self._file: File | None = None

    def __enter__(self) -> File:
        try:
            self._file = self._segment.file
        except OSError as error:
            raise self._log.failed(error) from error
        self._file.hold()
        return self._file

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        assert self._file is not None
        self._file.release()
        if isinstance(error, OSError):
            raise self._log.failed(error) from error


async def _newest(log: "SegmentLog", segment: Segment, breathe: Breathe) -> tuple[int, int]:
    try:
        if segment.max_timestamp_ms == NO_TIMESTAMP and segment is not log.segments[-1]:
            await log.reader.visit(segment, Segment.newest, breathe)
        return segment.newest() if segment in log.segments else (NO_TIMESTAMP, -1)
    except IndexDamaged:
        await log.reader.rebuild(segment, breathe)
        return segment.max_timestamp_ms, segment.max_timestamp_offset
    except OSError as error:
        raise log.failed(error) from error


async def _first_record(
    log: "SegmentLog", file: File, position: int, header: BatchHeader, wanted: Callable[[int], bool], breathe: Breathe
) -> TimedOffset | None:
    """The first record of that batch, not below the log start, whose timestamp is wanted."""
    if header.is_log_append_time and header.magic > 1 and header.count == header.last_offset_delta + 1:
        offset = max(header.base_offset, log.start_offset)
        return TimedOffset(offset, header.max_timestamp, header.leader_epoch) if wanted(header.max_timestamp) else None
    try:
        for count, record in enumerate(stored_records(file.read(header.size, position)), 1):
            if record is not None and record.offset >= log.start_offset and wanted(record.timestamp_ms):
                return TimedOffset(record.offset, record.timestamp_ms, header.leader_epoch)
            if record is None or count % _RECORDS_A_STEP == 0:
                await breathe()
    except ApiError as damage:
        raise StorageFailed(f"{log.name}, offset {header.base_offset}: {damage}") from damage
    return None
