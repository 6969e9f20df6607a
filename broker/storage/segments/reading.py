"""From an offset to a run of bytes: which segment, which position, how far, and whether the disk must be waited for."""

import logging
from typing import TYPE_CHECKING

import trio

from broker.storage.contract import OffsetOutOfRange, Slice, StorageFailed
from broker.storage.files import File
from broker.storage.segments.contents import Contents, IndexDamaged, LogDamaged
from broker.storage.segments.segment import Segment
from broker.storage.slices import BytesSlice, FileSlice

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog

log = logging.getLogger("barnabas.storage")

COPIED_BELOW_BYTES = 16 << 10
"""Smaller runs are read at once: sending them from the file costs more than the copy."""
TAIL_BYTES = 4 << 20
"""What was written last is in the page cache; behind that it is worth asking."""
READ_AHEAD_BYTES = 1 << 20
OPEN_RETIRED = 4
"""Older segments of one log whose files stay open for the next reader."""
_ATTEMPTS = 4


class Cold(Exception):
    """Bytes that may not be in memory; whoever wants them waits in a thread first."""

    def __init__(self, file: File, position: int, size: int) -> None:
        super().__init__(position)
        self.file = file
        self.position = position
        self.size = size


class Reader:
    """Reads of one log."""

    def __init__(self, log: "SegmentLog") -> None:
        self._log = log
        self._open: list[Segment] = []

    async def read(self, offset: int, max_bytes: int, below: int) -> Slice:
        """See `broker.storage.contract.Log.read`."""
        for attempt in range(_ATTEMPTS):
            try:
                return self._slice(offset, max_bytes, below, probe=attempt < _ATTEMPTS - 1)
            except Cold as cold:
                await self._read_ahead(cold)
            except OSError as error:
                raise self._log.failed(error) from error
            except IndexDamaged as damage:
                await self.rebuild(damage.contents)
        raise StorageFailed(f"{self._log.name}: offset {offset} cannot be found")

    def _slice(self, offset: int, max_bytes: int, below: int, *, probe: bool) -> Slice:
        log = self._log
        log.check()
        if not log.start_offset <= offset <= log.end_offset:
            raise OffsetOutOfRange(f"{log.name} holds {log.start_offset} to {log.end_offset}, not {offset}")
        if offset < below and offset < log.end_offset:
            for segment in log.segments_from(offset):
                if segment.base_offset >= below:
                    break
                tail = self._tail_of(segment)
                if probe and tail > 0:
                    _must_be_warm(segment.file, segment.indexed(offset), max_bytes, tail)
                place = segment.find(offset)
                if place is not None:
                    return _run(segment, place, max_bytes, below, tail if probe else 0)
        return BytesSlice(b"")

    def _tail_of(self, segment: Segment) -> int:
        """From which position on a segment is surely in memory still."""
        if segment is self._log.segments[-1]:
            return max(segment.size - TAIL_BYTES, 0)
        if segment not in self._open:
            self._open.append(segment)
            if len(self._open) > OPEN_RETIRED:
                self._open.pop(0).release()
        return segment.size

    async def _read_ahead(self, cold: Cold) -> None:
        cold.file.hold()
        try:
            await self._log.disk.in_thread(lambda: _touch(cold))
        except OSError as error:
            raise self._log.failed(error) from error
        finally:
            cold.file.release()

    async def rebuild(self, damaged: Contents) -> None:
        """Build a segment's indexes anew, in slices.  Raises: StorageFailed: its log is damaged."""
        log.warning("%s: the index of segment %d is damaged and built anew", self._log.name, damaged.base_offset)
        try:
            for _ in damaged.rebuild(self._log.settings.index_interval_bytes):
                await trio.lowlevel.checkpoint()
        except LogDamaged as damage:
            raise StorageFailed(str(damage)) from damage
        except OSError as error:
            raise self._log.failed(error) from error
        for segment in self._log.segments[:-1]:
            if segment is damaged:
                segment.retire()


def _run(segment: Segment, place: tuple[int, int, int], max_bytes: int, below: int, tail: int) -> Slice:
    """Batches from `place` on, none that ends at or above `below`; the last one may be cut."""
    position, size, _ = place
    end, next_offset = segment.size, segment.next_offset
    if below < next_offset:
        stop = segment.find(below)
        end, next_offset = (stop[0], stop[2]) if stop is not None else (end, next_offset)
    if position >= end:
        return BytesSlice(b"")
    length = min(end - position, max(max_bytes, size))
    _must_be_warm(segment.file, position + length - 1, 0, tail, begin=position)
    if position + length == end:
        segment.remember(next_offset, end)
    if length >= COPIED_BELOW_BYTES:
        return FileSlice(segment.file, position, length)
    data = segment.file.read(length, position)
    if len(data) < length:
        raise StorageFailed(f"{segment.path} is shorter than it was")
    return BytesSlice(data)


def _must_be_warm(file: File, position: int, size: int, tail: int, begin: int | None = None) -> None:
    """Raises: Cold, for the bytes from `begin` to `position`, and `size` more."""
    if position < tail and not file.is_warm(position):
        start = position if begin is None else begin
        raise Cold(file, start, min(position + 1 - start + max(size, 1), READ_AHEAD_BYTES))


def _touch(cold: Cold) -> None:
    """Read and forget: the pages stay in the page cache."""
    cold.file.read(cold.size, cold.position)
