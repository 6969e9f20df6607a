"""Checks stored batches: before they are served for the first time, and again by the scrub.

The CRC covers a batch but for its place: base offset, length, leader epoch. So the places are compared with each
other: offsets grow from batch to batch, and the epochs are those that the log knows. What does not hold together is a
damage: it is told once, its offsets are refused, and everything behind it is served.
Nothing is decompressed: the CRC is that of the compressed bytes.
"""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from itertools import takewhile
from struct import Struct
from typing import TYPE_CHECKING

from broker.storage.contract import Breathe
from broker.storage.files import File
from broker.storage.segments.checked import Damage, Run
from broker.storage.segments.contents import Contents
from broker.storage.segments.scan import crc_is_right, headers
from kproto.records.batch import CRC_FROM, HEADER_BYTES, BatchHeader
from kproto.records.checksum import crc32c

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog

log = logging.getLogger("barnabas.storage")

READ_AHEAD_BYTES = 1 << 20
_BATCH_COSTS = 8 << 10
_STEP_COSTS = 512 << 10
"""Between two chances for others, about 0.3 ms: bytes checked, and for each batch as if it had so many more."""
_IN_THREAD_BYTES = 1 << 20
"""Larger batches are checked in a thread; it lets go of the interpreter while it reads."""
_BATCH_COSTS_QUICKLY = 2 << 10
_WINDOW_BYTES = 128 << 10
_PLACE = Struct(">qiibI2xi")
"""Of a header: base offset, length, leader epoch, magic, CRC, last offset delta."""


async def check(kept: "SegmentLog", segment: Contents, offset: int, more_bytes: int, breathe: Breathe) -> None:
    """Check the batch that holds `offset`, and after it as many as have `more_bytes`; at least up to the next edge.

    What is known by then `segment.checked` tells. It may be less than asked for if the segment changes meanwhile.
    Raises: OSError; IndexDamaged.
    """
    with Walk(kept, segment, segment.file, breathe) as walk:
        begin, lower = walk.start_for(offset)
        await walk.run(begin, lower, segment.checked.own_from, offset, more_bytes)


async def check_all(
    kept: "SegmentLog", segment: Contents, breathe: Breathe, found: Callable[[Damage], None] | None = None
) -> None:
    """Check it from its first byte to its last, also what is known.

    Args: found: takes each damage instead of `refuse`.
    Raises: OSError.
    """
    with Walk(kept, segment, segment.file, breathe, found) as walk:
        await walk.run(0, segment.base_offset, segment.size, segment.next_offset, 0)


def refuse(kept: "SegmentLog", segment: Contents, damage: Damage) -> None:
    """Its offsets are not served from now on, with one line if that is news."""
    if segment.checked.damaged(damage):
        log.error(
            "%s: offsets %d to %d are damaged and not served (bytes %d to %d of %s); all others are",
            kept.name,
            damage.offset,
            damage.next_offset - 1,
            damage.position,
            damage.end,
            segment.path,
        )


class Walk:
    """From batch to batch of one segment. `file` is held meanwhile."""

    def __init__(
        self,
        kept: "SegmentLog",
        segment: Contents,
        file: File,
        breathe: Breathe,
        found: Callable[[Damage], None] | None = None,
    ) -> None:
        self._log = kept
        self._segment = segment
        self._file = file
        self._breathe = breathe
        self._found = found or partial(refuse, kept, segment)
        self._size = segment.size
        self._bound = segment.next_offset
        self._cuts = segment.cuts
        self._warm_until = 0
        self._cost = 0

    def __enter__(self) -> "Walk":
        self._file.hold()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.release()

    @property
    def changed(self) -> bool:
        """The segment is no longer what it was when the walk began."""
        return self._segment.cuts != self._cuts or self._segment not in self._log.segments

    def start_for(self, offset: int) -> tuple[int, int]:
        """A known edge of batches at or before the batch of `offset`, and below which no offset follows there.

        Raises: IndexDamaged.
        """
        segment = self._segment
        position, last_offset = segment.entry_for(offset)
        run = segment.checked.run_at(position)
        if run is not None:
            return run.end, run.next_offset
        if position == 0:
            return 0, segment.base_offset
        header = self._header(position)
        if header is not None and header.last_offset == last_offset:
            return position, header.base_offset
        run = segment.checked.run_before(position)
        return (0, segment.base_offset) if run is None else (run.end, run.next_offset)

    async def run(self, begin: int, lower: int, limit: int, offset: int, more_bytes: int) -> tuple[int, int]:
        """Check batches from `begin` on, at most to `limit`, until `offset` and `more_bytes` after it are known.

        Args:
            lower: below this no offset follows at `begin`.
        Returns: where it ended, and below which no offset follows there.
        """
        position, stop, accused = begin, limit, -1
        while position < min(limit, stop, self._size):
            await self._take_turn(position)
            if self.changed:
                break
            if position != accused:
                position, lower = self._quickly(position, lower, min(limit, stop, self._size))
            if position < min(limit, stop, self._size):
                position, lower, accused = await self._one(position, lower, accused)
                if self.changed:
                    break
            if lower > offset and stop == limit:
                stop = position + more_bytes
            self._segment.checked.add(Run(begin, position, lower))
        return position, lower

    def _quickly(self, position: int, lower: int, limit: int) -> tuple[int, int]:
        """The quick twin of `_one`, for batches that follow each other without a gap: most do, and are small."""
        window, at = memoryview(self._file.read(min(_WINDOW_BYTES, limit - position), position)), 0
        epochs, until = self._log.epochs.around(lower)
        while at + HEADER_BYTES <= len(window):
            base_offset, length, epoch, magic, crc, delta = _PLACE.unpack_from(window, at)
            end = at + length + 12
            if base_offset != lower or base_offset >= until or epoch not in epochs or magic != 2 or delta < 0:
                break
            if not at + HEADER_BYTES <= end <= len(window) or crc32c(window[at + CRC_FROM : end]) != crc:
                break
            at, lower = end, lower + delta + 1
            self._cost += _BATCH_COSTS_QUICKLY
        self._cost += at
        return position + at, lower

    async def _one(self, position: int, lower: int, accused: int) -> tuple[int, int, int]:
        """Judge what lies at `position`. Returns: where the next lies, what that is not below, who is accused."""
        header = self._header(position)
        if header is not None and position != accused and await self._is_sound(position, header, lower):
            end = position + header.size
            following = self._header(end)
            if following is None or header.next_offset <= following.base_offset:
                return end, header.next_offset, -1
            moved = header.base_offset != lower
            accused = -1 if moved and self._fits_its_successor(end, following) else end
            if not moved:
                return end, header.next_offset, accused
        else:
            accused = -1
        damage = await self._damage(position, header, lower)
        if not self.changed:
            self._found(damage)
        return damage.end, damage.next_offset, accused

    async def _take_turn(self, position: int) -> None:
        """Let others in now and then, and wait for the disk if need be."""
        if position >= self._warm_until:
            self._warm_until = position + READ_AHEAD_BYTES
            if not self._file.is_warm(position):
                await self._breathe()
                await self._log.disk.in_reading_thread(lambda: self._file.read(READ_AHEAD_BYTES, position))
        if self._cost > _STEP_COSTS:
            self._cost = 0
            await self._breathe()

    async def _is_sound(self, position: int, header: BatchHeader, lower: int) -> bool:
        if not (lower <= header.base_offset <= header.last_offset < self._bound):
            return False
        if not self._log.epochs.may_hold(header.leader_epoch, header.base_offset):
            return False
        self._cost += header.size + _BATCH_COSTS
        if header.size <= _IN_THREAD_BYTES:
            return crc_is_right(self._file, position, header)
        await self._breathe()
        return await self._log.disk.in_reading_thread(lambda: crc_is_right(self._file, position, header))

    def _fits_its_successor(self, position: int, header: BatchHeader) -> bool:
        """Of two batches that overlap, whether the second one stands where the third wants it."""
        end = position + header.size
        third = self._header(end)
        return header.next_offset == (self._bound if third is None else third.base_offset)

    def _header(self, position: int) -> BatchHeader | None:
        found = next(headers(self._file, position, self._size, HEADER_BYTES), None)
        return None if found is None else found[1]

    # --- what is behind a damage ---

    async def _damage(self, position: int, header: BatchHeader | None, lower: int) -> Damage:
        """From `position` to the next batch that can be one."""
        if header is not None:
            end = position + header.size
            if end == self._size:
                return Damage(position, end, lower, self._bound)
            if (base_offset := self._follows(end, lower)) is not None:
                return Damage(position, end, lower, base_offset)
        end = await self._next_batch(position, lower)
        base_offset = self._follows(end, lower)
        return Damage(position, end, lower, self._bound if base_offset is None else base_offset)

    def _follows(self, position: int, lower: int) -> int | None:
        """The base offset of what stands there, if that can come after a batch with the offset `lower`."""
        header = self._header(position)
        if header is not None and lower < header.base_offset <= header.last_offset < self._bound:
            return header.base_offset
        return None

    async def _next_batch(self, position: int, lower: int) -> int:
        """The first place after `position` where a sound batch lies; the end of the log if there is none."""
        indexed = self._indexed_after(position)
        limit = indexed if indexed is not None and self._follows(indexed, lower) is not None else self._size
        for found in self._candidates(position + 1, limit, lower):
            if found is None:
                await self._breathe()
            elif self._follows(found, lower) is not None:
                header = self._header(found)
                if header is not None and crc_is_right(self._file, found, header):
                    return found
        return limit

    def _indexed_after(self, position: int) -> int | None:
        try:
            return self._segment.index.value_above(position)
        except (OSError, ValueError):
            return None

    def _candidates(self, begin: int, end: int, lower: int) -> Iterator[int | None]:
        """Places where a base offset above `lower` could stand; None between two windows of the file."""
        first, last = (offset.to_bytes(8, "big") for offset in (lower + 1, max(self._bound - 1, lower + 1)))
        start = bytes(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=True)))
        while begin < end:
            window = self._file.read(_WINDOW_BYTES + len(start), begin)
            at = window.find(start)
            while 0 <= at < _WINDOW_BYTES and begin + at < end:
                yield begin + at
                at = window.find(start, at + 1)
            begin += _WINDOW_BYTES
            yield None
