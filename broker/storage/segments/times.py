"""Records by timestamp: indexes and headers say which batch, and only that one is opened.

Source: LogSegment.findOffsetByTimestamp, KIP-79, KIP-734.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from broker.storage.contract import StorageFailed, TimedOffset
from broker.storage.files import File
from broker.storage.segments.contents import BATCHES_A_STEP, IndexDamaged
from broker.storage.segments.scan import headers
from broker.storage.segments.segment import Segment
from kproto.errors import ApiError
from kproto.records.batch import BatchHeader
from kproto.records.stored import stored_records

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog

_RECORDS_A_STEP = 200


async def find_time(log: "SegmentLog", timestamp_ms: int) -> TimedOffset | None:
    """See `broker.storage.contract.Log.find_time`."""
    log.check()
    for segment in list(log.segments):
        newest_ms, _ = await _newest(log, segment)
        if newest_ms >= timestamp_ms and segment.next_offset > log.start_offset and segment in log.segments:
            found = await _find_time_in(log, segment, timestamp_ms)
            if found is not None:
                return found
    return None


async def _find_time_in(log: "SegmentLog", segment: Segment, timestamp_ms: int) -> TimedOffset | None:
    with _Held(log, segment) as file:
        stored = headers(file, await _place_of_time(log, segment, timestamp_ms), segment.size)
        for count, (position, header) in enumerate(stored, 1):
            if header.max_timestamp >= timestamp_ms and header.next_offset > log.start_offset:
                found = await _first_record(log, file, position, header, lambda ms: ms >= timestamp_ms)
                if found is not None:
                    return found
            if count % BATCHES_A_STEP == 0:
                await trio.lowlevel.checkpoint()
    return None


async def find_max_time(log: "SegmentLog") -> TimedOffset | None:
    """See `broker.storage.contract.Log.find_max_time`."""
    log.check()
    best: tuple[int, Segment] | None = None
    for segment in list(log.segments):
        if segment.next_offset > log.start_offset:
            newest_ms = await _newest_readable(log, segment)
            if newest_ms is not None and (best is None or newest_ms > best[0]):
                best = newest_ms, segment
    if best is None or best[1] not in log.segments:
        return None
    return await _find_max_in(log, best[1], best[0])


async def _find_max_in(log: "SegmentLog", segment: Segment, newest_ms: int) -> TimedOffset | None:
    with _Held(log, segment) as file:
        stored = headers(file, await _place_of_time(log, segment, newest_ms), segment.size)
        for count, (position, header) in enumerate(stored, 1):
            if header.max_timestamp == newest_ms and header.next_offset > log.start_offset:
                return await _first_record(log, file, position, header, lambda ms: ms == newest_ms)
            if count % BATCHES_A_STEP == 0:
                await trio.lowlevel.checkpoint()
    return None


async def _newest_readable(log: "SegmentLog", segment: Segment) -> int | None:
    """The largest timestamp among the batches that the log start has not passed."""
    newest_ms, offset = await _newest(log, segment)
    if offset >= log.start_offset and newest_ms >= 0:
        return newest_ms
    if segment not in log.segments:
        return None
    largest: int | None = None
    with _Held(log, segment) as file:
        for count, (_, header) in enumerate(headers(file, 0, segment.size), 1):
            if header.next_offset > log.start_offset and (largest is None or header.max_timestamp > largest):
                largest = header.max_timestamp
            if count % BATCHES_A_STEP == 0:
                await trio.lowlevel.checkpoint()
    return largest


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


async def _newest(log: "SegmentLog", segment: Segment) -> tuple[int, int]:
    try:
        return segment.newest()
    except IndexDamaged:
        await log.reader.rebuild(segment)
        return segment.max_timestamp_ms, segment.max_timestamp_offset
    except OSError as error:
        raise log.failed(error) from error


async def _place_of_time(log: "SegmentLog", segment: Segment, timestamp_ms: int) -> int:
    """A position below which all timestamps are smaller."""
    try:
        entry = segment.times.floor(timestamp_ms)
        return segment.place_of_time(entry) if entry is not None else 0
    except (IndexDamaged, OSError, ValueError):
        await log.reader.rebuild(segment)
        return 0


async def _first_record(
    log: "SegmentLog", file: File, position: int, header: BatchHeader, wanted: Callable[[int], bool]
) -> TimedOffset | None:
    """The first record of that batch, not below the log start, whose timestamp is wanted."""
    if header.is_log_append_time and header.magic > 1:
        offset = max(header.base_offset, log.start_offset)
        return TimedOffset(offset, header.max_timestamp, header.leader_epoch) if wanted(header.max_timestamp) else None
    try:
        for count, record in enumerate(stored_records(file.read(header.size, position)), 1):
            if record is not None and record.offset >= log.start_offset and wanted(record.timestamp_ms):
                return TimedOffset(record.offset, record.timestamp_ms, header.leader_epoch)
            if record is None or count % _RECORDS_A_STEP == 0:
                await trio.lowlevel.checkpoint()
    except ApiError as damage:
        raise StorageFailed(f"{log.name}, offset {header.base_offset}: {damage}") from damage
    return None
