"""From an offset to a run of bytes: which segment, which position, how far, and whether the disk must be waited for."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from trio.lowlevel import checkpoint

from broker.storage.contract import BatchDamaged, Breathe, OffsetOutOfRange, StorageFailed
from broker.storage.files import File
from broker.storage.segments.checking import READ_AHEAD_BYTES, check, check_all
from broker.storage.segments.contents import LARGEST_RELATIVE_OFFSET, Contents, IndexDamaged, LogDamaged
from broker.storage.segments.segment import Segment
from broker.storage.slices import BytesSlice, FileSlice, Slice

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog

log = logging.getLogger("barnabas.storage")

COPIED_BELOW_BYTES = 16 << 10
"""Smaller runs are read at once: sending them from the file costs more than the copy."""
TAIL_BYTES = 4 << 20
"""What was written last is in the page cache; behind that it is worth asking."""
CHECK_AHEAD_BYTES = 1 << 20
"""Of what nobody has checked yet, so much is served at once."""
OPEN_RETIRED = 4
"""Older segments of one log whose files stay open for the next reader."""
_ATTEMPTS = 8
_PROBING = 4
"""Attempts after which nobody asks any more whether a page is in memory."""


class Cold(Exception):
    """Bytes that may not be in memory; whoever wants them waits in a thread first."""

    def __init__(self, file: File, position: int, size: int) -> None:
        super().__init__(position)
        self.file = file
        self.position = position
        self.size = size


class Unchecked(Exception):
    """Nobody has checked yet what `segment` holds there."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(str(segment.path))
        self.segment = segment


class Closed(Exception):
    """An older segment that nobody has read for a while: to open its files may take long."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(str(segment.path))
        self.segment = segment


class Reader:
    """Reads of one log."""

    def __init__(self, log: "SegmentLog") -> None:
        self._log = log
        self._open: list[Segment] = []
        self._missing_below: set[int] = set()
        """Where segments begin that do not follow the one before; told once."""

    def has_open(self, segment: Segment) -> bool:
        """Whether its files are kept open for the next reader."""
        return segment in self._open

    def begin_again(self) -> None:
        """The log has other segments now."""
        self._open.clear()

    async def read(self, offset: int, max_bytes: int, below: int, breathe: Breathe) -> Slice:
        """See `broker.storage.contract.Log.read`."""
        for attempt in range(_ATTEMPTS):
            try:
                return self._slice(offset, max_bytes, below, probe=attempt < _PROBING)
            except Cold as cold:
                await self._read_ahead(cold, breathe)
            except Closed as closed:
                await self._open_again(closed.segment, offset, breathe)
            except Unchecked as unchecked:
                await self.check(unchecked.segment, offset, max_bytes, breathe)
            except OSError as error:
                raise self._log.failed(error) from error
            except IndexDamaged as damage:
                await self.rebuild(damage.contents, breathe)
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
                if not segment.size:
                    continue  # compaction has left nothing of it
                tail, known = self._tail_of(segment), segment.size
                if tail > 0 or segment.checked.own_from > 0:
                    start = segment.start_for(offset)
                    if probe and tail > 0:
                        _must_be_warm(segment.file, start, max_bytes, tail)
                    known = _known_end(segment, start)
                place = segment.find(offset, known)
                if place is not None:
                    if segment.base_offset > offset:
                        self._must_follow(segment, offset)
                    return _run(segment, place, max_bytes, below, known, tail if probe else 0)
                if known < segment.size:
                    raise Unchecked(segment)
        return BytesSlice(b"")

    def _must_follow(self, segment: Segment, offset: int) -> None:
        """Segments begin where the one before ends, unless compaction took its last batches, or offsets jump too far.

        Raises: BatchDamaged: `offset` was in a file that is gone, or was cut shorter.
        """
        log, missing = self._log, segment.base_offset - offset
        if missing > LARGEST_RELATIVE_OFFSET or offset < log.cleaned_offset:
            return
        if "compact" not in log.settings.cleanup_policy:
            self._tell_missing(offset, segment.base_offset)
            raise BatchDamaged(f"{log.name}: offsets {offset} to {segment.base_offset - 1} are missing")

    def _tell_missing(self, offset: int, end: int) -> None:
        if end not in self._missing_below:
            self._missing_below.add(end)
            log.error(
                "%s in %s: offsets %d to %d are missing, as if a file had been removed or cut; the others are served",
                self._log.name,
                self._log.directory.parent,
                offset,
                end - 1,
            )

    def _tail_of(self, segment: Segment) -> int:
        """From which position on a segment is surely in memory still.  Raises: Closed."""
        if segment is self._log.segments[-1]:
            return max(segment.size - TAIL_BYTES, 0)
        if segment not in self._open:
            raise Closed(segment)
        return segment.size

    async def _open_again(self, segment: Segment, offset: int, breathe: Breathe) -> None:
        await self.visit(segment, lambda twin: twin.find(offset), breathe)
        if segment in self._log.segments and segment not in self._open:
            self._open.append(segment)
            if len(self._open) > OPEN_RETIRED:
                self._open.pop(0).release()

    async def visit(self, segment: Segment, look: Callable[[Segment], object], breathe: Breathe) -> None:
        """Do in a thread, on a twin, what is about to be done here: then files and pages are at hand."""
        await breathe()
        try:
            await self._log.disk.in_reading_thread(lambda: _look(segment.twin(), look))
        except OSError as error:
            if segment in self._log.segments:
                raise self._log.failed(error) from error

    async def ready(self, segment: Segment, position: int, offset: int, breathe: Breathe) -> int:
        """Have checked and in memory what lies from `position` on, where `offset` follows. Returns: up to which byte.

        Raises: StorageFailed; OSError.
        """
        until = min(position + READ_AHEAD_BYTES, segment.size)
        if position < segment.checked.own_from:
            if segment.checked.end_from(position, segment.size) == position:
                await self.check(segment, offset, READ_AHEAD_BYTES, breathe)
            until = min(until, segment.checked.end_from(position, segment.size) - 1)
        tail = segment.size if segment is not self._log.segments[-1] else segment.size - TAIL_BYTES
        try:
            _must_be_warm(segment.file, position, READ_AHEAD_BYTES, tail)
        except Cold as cold:
            await self._read_ahead(cold, breathe)
        return until

    async def _read_ahead(self, cold: Cold, breathe: Breathe) -> None:
        cold.file.hold()
        try:
            await breathe()
            await self._log.disk.in_reading_thread(lambda: _touch(cold))
        except OSError as error:
            raise self._log.failed(error) from error
        finally:
            cold.file.release()

    async def check(self, segment: Segment, offset: int, more_bytes: int, breathe: Breathe) -> None:
        """Know what `segment` holds at `offset`, and up to `more_bytes` after it.  Raises: StorageFailed."""
        try:
            await check(self._log, segment, offset, min(more_bytes, CHECK_AHEAD_BYTES), breathe)
        except OSError as error:
            raise self._log.failed(error) from error
        except IndexDamaged as damage:
            await self.rebuild(damage.contents, breathe)

    async def rebuild(self, segment: Contents, breathe: Breathe = checkpoint) -> None:
        """Build the segment's indexes anew, in slices, without what is damaged in its log.  Raises: StorageFailed."""
        log.warning("%s: the index of segment %d is damaged and built anew", self._log.name, segment.base_offset)
        try:
            if segment.checked.own_from:
                await check_all(self._log, segment, breathe)
            await self.index_anew(segment, breathe)
        except LogDamaged as damage:
            raise StorageFailed(str(damage)) from damage
        except OSError as error:
            if segment not in self._log.segments:
                raise StorageFailed(f"{segment.path} is gone") from error
            raise self._log.failed(error) from error
        if segment in self._log.segments[:-1]:
            assert isinstance(segment, Segment)
            segment.retire()

    async def index_anew(self, segment: Contents, breathe: Breathe) -> None:
        """Raises: OSError; LogDamaged."""
        interval_bytes = self._log.settings.index_interval_bytes
        try:
            for _ in segment.rebuild(interval_bytes):
                await breathe()
        except LogDamaged:
            await check_all(self._log, segment, breathe)
            for _ in segment.rebuild(interval_bytes):
                await breathe()


def _look(twin: Segment, look: Callable[[Segment], object]) -> None:
    """What is wrong shows again where it is looked at in earnest."""
    try:
        with suppress(ValueError, IndexDamaged, BatchDamaged):
            look(twin)
    finally:
        twin.release()


def _known_end(segment: Segment, start: int) -> int:
    """How far the segment was checked from `start` on.  Raises: Unchecked: not at all."""
    end = segment.checked.end_from(start, segment.size)
    if end == start < segment.size:
        raise Unchecked(segment)
    return end


def _run(segment: Segment, place: tuple[int, int, int], max_bytes: int, below: int, known: int, tail: int) -> Slice:
    """Batches from `place` on, none that ends at or above `below`, none from `known` on; the last one may be cut."""
    position, size, _ = place
    end, next_offset = segment.size, segment.next_offset
    if below < next_offset:
        stop = _find_end(segment, below, known)
        end, next_offset = (stop[0], stop[2]) if stop is not None else (end, next_offset)
    if position >= end:
        return BytesSlice(b"")
    readable = min(end, known)
    if segment.checked.damages:
        readable = segment.checked.sound_until(position, readable)
    length = min(readable - position, max(max_bytes, size))
    _must_be_warm(segment.file, position + length - 1, 0, tail, begin=position)
    if position + length == end:
        segment.remember(next_offset, end)
    if length >= COPIED_BELOW_BYTES:
        return FileSlice(segment.file, position, length)
    data = segment.file.read(length, position)
    if len(data) < length:
        raise StorageFailed(f"{segment.path} is shorter than it was")
    return BytesSlice(data)


def _find_end(segment: Segment, below: int, known: int) -> tuple[int, int, int] | None:
    """Where the batch with that offset lies, if that is known; a damaged one ends what is served anyway."""
    with suppress(BatchDamaged):
        return segment.find(below, known)
    return None


def _must_be_warm(file: File, position: int, size: int, tail: int, begin: int | None = None) -> None:
    """Raises: Cold, for the bytes from `begin` to `position`, and `size` more."""
    if position < tail and not file.is_warm(position):
        start = position if begin is None else begin
        raise Cold(file, start, min(position + 1 - start + max(size, 1), READ_AHEAD_BYTES))


def _touch(cold: Cold) -> None:
    """Read and forget: the pages stay in the page cache."""
    cold.file.read(cold.size, cold.position)
