"""Opening the segments of a log in whatever state they were left: which there are, and what each of them holds.

What lies behind the recovery point may be torn, and is cut off where it does not hold together. What lies before it was
durable and is never cut: a damage in it is refused from now on, and everything behind it is served.
Source: LogLoader.java, LogSegment.recover.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from broker.storage.segments import cutting
from broker.storage.segments.checked import Checked, Damage
from broker.storage.segments.checking import check_all, refuse
from broker.storage.segments.contents import BATCHES_A_STEP, LARGEST_RELATIVE_OFFSET, IndexDamaged, LogDamaged
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.names import DELETED, INDEX, LOG, TEMPORARY, TIME_INDEX, TXN_INDEX, offset_of
from broker.storage.segments.scan import crc_is_right, headers, is_one_batch
from broker.storage.segments.segment import Segment
from broker.storage.segments.transaction_index import TransactionIndexDamaged

log = logging.getLogger("barnabas.storage")

Pause = Callable[[], Awaitable[None]]
"""Called often, so that a start can be cancelled and nobody else is held up."""


@dataclass(slots=True)
class LeftBehind:
    """What the checkpoints of the last run say of one log."""

    clean: bool
    recovery_point: int
    """After a clean stop the end of the log; 0 if nobody knows."""
    start_offset: int
    high_watermark: int
    cleaned_offset: int = 0
    """0 if it was never compacted, so that no batch can be missing between two others."""

    def must_reach(self, end_offset: int) -> None:
        """Raises: LogDamaged: batches are missing that were durable."""
        if max(end_offset, self.start_offset) < self.recovery_point:
            raise LogDamaged(f"it ends at {end_offset}, though everything below {self.recovery_point} was durable")


@dataclass(slots=True)
class _Scanned:
    """How far the batches of a segment follow each other."""

    whole: bool
    """Up to the end of the file."""
    overlaps: bool
    """What comes next has offsets that have been there."""
    gap: int
    """Offsets missing before the last batch."""


class SegmentRecovery:
    """Of one log that is being opened: `run` fills `segments` of it."""

    def __init__(self, opened: SegmentLog, left: LeftBehind, now_ms: int, pause: Pause) -> None:
        self._log = opened
        self._left = left
        self._now_ms = now_ms
        self._pause = pause
        self._disk = opened.disk
        self.without_aborted: list[Segment] = []
        """Their `.txnindex` is no good."""

    async def run(self) -> int:
        """Returns: the offset from which on batches were scanned.  Raises: OSError; LogDamaged."""
        self._find()
        segments, left = self._log.segments, self._left
        if not segments:
            return left.start_offset
        if left.clean and await self._open_newest(segments[-1]):
            await self._open_retired(len(segments) - 1)
            return segments[-1].next_offset
        first = len(segments) - 1 if left.clean else self._number_of(left.recovery_point)
        await self._open_retired(first)
        return await self._scan_from(first)

    def _number_of(self, offset: int) -> int:
        """Of the segment that would hold `offset`."""
        segments = self._log.segments
        return max((n for n, segment in enumerate(segments) if segment.base_offset <= offset), default=0)

    # --- files ---

    def _find(self) -> None:
        opened = self._log
        names = self._disk.names(opened.directory)
        bases = sorted(base for base in (offset_of(name, LOG) for name in names) if base is not None)
        self._remove_leftovers(names, set(bases))
        opened.segments = [Segment(self._disk, opened.directory, base, self._now_ms) for base in bases]
        for segment in opened.segments:
            segment.created_ms = self._disk.modified_ms(segment.path)

    def _remove_leftovers(self, names: list[str], bases: set[int]) -> None:
        """What a crash left half-way: files to be deleted, half-written ones, indexes without a log."""
        directory = self._log.directory
        self._log.keeper.remove_later([directory / name for name in names if name.endswith((DELETED, TEMPORARY))], 0)
        for suffix in (INDEX, TIME_INDEX, TXN_INDEX):
            for name in names:
                base = offset_of(name, suffix)
                if base is not None and base not in bases:
                    self._disk.remove(directory / name)

    # --- segments that are believed ---

    async def _open_retired(self, count: int) -> None:
        """The first `count`: they were durable, and are looked through when they are read."""
        for segment, following in islice(pairwise(self._log.segments), count):
            await self._open_one_retired(segment, following.base_offset)

    async def _open_one_retired(self, segment: Segment, next_base: int) -> None:
        sound = segment.open_retired(next_base)
        first = [header for _, header in islice(headers(segment.file, 0, segment.size, 1 << 12), 2)]
        if first and not any(segment.base_offset <= header.base_offset < next_base for header in first):
            raise LogDamaged(
                f"{segment.path} begins with offset {first[0].base_offset}: it belongs to another partition"
            )
        if not sound:
            await self._log.reader.index_anew(segment, self._pause)
            segment.retire()
        self._open_aborted(segment, trusted=sound)
        segment.release()

    def _open_aborted(self, segment: Segment, *, trusted: bool) -> None:
        """A file that is missing may be one that nobody needed, so only its neighbours tell that it was lost."""
        try:
            segment.aborted.open(segment.base_offset, segment.next_offset)
        except TransactionIndexDamaged:
            log.warning("%s: aborted transactions of segment %d are noted anew", self._log.name, segment.base_offset)
            trusted = False
        if not trusted:
            segment.aborted.clear()
            segment.settled = False
            self.without_aborted.append(segment)

    async def _open_newest(self, segment: Segment) -> bool:
        """After a clean stop; False if it has to be scanned."""
        segment.size = segment.synced_size = segment.file.size()
        segment.checked = Checked(own_from=segment.size)
        if not (segment.index.load() and segment.times.load()):
            return False
        try:
            await self._run_through(segment.measure())
        except IndexDamaged:
            return False
        if segment.base_offset < self._left.recovery_point != segment.next_offset:
            return False
        self._open_aborted(segment, trusted=True)
        return True

    async def _run_through(self, steps: Iterator[None]) -> None:
        for _ in steps:
            await self._pause()

    # --- segments that are scanned ---

    async def _scan_from(self, first: int) -> int:
        """Scan segments until one ends early; what follows it goes."""
        segments = self._log.segments
        scanned_from, next_offset = segments[first].base_offset, segments[first].base_offset
        for number in range(first, len(segments)):
            segment = segments[number]
            if segment.base_offset < next_offset:
                raise LogDamaged(f"{segment.path} overlaps the segment before it: it belongs to another partition")
            if segment.base_offset > next_offset >= max(self._left.recovery_point, self._left.cleaned_offset):
                self._cut_after(number - 1, next_offset)  # the end of the one before was lost, this one was not
                break
            scanned = await self._scan(segment)
            whole = scanned.whole
            if self._is_durable_part_damaged(segment, scanned):
                whole = await self._step_over_damage(number)
            next_offset = segment.next_offset
            if not whole:
                self._cut_after(number, next_offset)
                break
            if number < len(segments) - 1:
                segment.retire()
                segment.release()
        return scanned_from

    async def _scan(self, segment: Segment) -> _Scanned:
        """Check every batch, and make the indexes anew, as far as they follow each other."""
        end, interval_bytes = segment.file.size(), self._log.settings.index_interval_bytes
        farthest = segment.base_offset + LARGEST_RELATIVE_OFFSET
        gap, overlaps = 0, False
        segment.forget()
        for count, (position, header) in enumerate(headers(segment.file, 0, end), 1):
            overlaps = header.base_offset < segment.next_offset
            in_order = not overlaps and header.base_offset <= header.last_offset <= farthest
            if not in_order or not crc_is_right(segment.file, position, header):
                break
            gap = header.base_offset - segment.next_offset
            segment.note(header, interval_bytes)
            segment.save_crowded()
            if count % BATCHES_A_STEP == 0 or header.size > 1 << 18:
                await self._pause()
        return _Scanned(segment.size == end, overlaps, gap)

    def _is_durable_part_damaged(self, segment: Segment, scanned: _Scanned) -> bool:
        """Whether more is wrong with it than a torn end."""
        left, end = self._left, segment.next_offset
        if segment.base_offset >= left.recovery_point:
            return False
        beyond = end - left.recovery_point if left.clean else 0
        moved = scanned.gap > 0 and (scanned.overlaps or scanned.gap == beyond)  # the last batch claims later offsets
        return moved or (not scanned.whole and (end < left.recovery_point or beyond > 0))

    async def _step_over_damage(self, number: int) -> bool:
        """Refuse what is damaged of all that was durable, and keep the rest.

        Returns: False if something behind that is damaged as well: there the segment ends now.
        Raises: LogDamaged: batches may be missing behind the last one; OSError.
        """
        segment, durable_upto = self._log.segments[number], self._left.recovery_point
        found: list[Damage] = []
        segment.forget()
        segment.size, segment.next_offset = segment.file.size(), self._not_above(number)
        await check_all(self._log, segment, self._pause, found.append)
        durable = [damage for damage in found if damage.offset < durable_upto]
        torn = found[len(durable) :]
        if torn:
            segment.size = torn[0].position
        for damage in durable:
            refuse(self._log, segment, self._bounded(damage, number))
        await self._run_through(segment.rebuild(self._log.settings.index_interval_bytes))
        return not torn

    def _not_above(self, number: int) -> int:
        """Where a segment ends at the latest."""
        segments, left = self._log.segments, self._left
        if number < len(segments) - 1:
            return segments[number + 1].base_offset
        return left.recovery_point if left.clean else segments[number].base_offset + LARGEST_RELATIVE_OFFSET + 1

    def _bounded(self, damage: Damage, number: int) -> Damage:
        """At the end of the log it ends with what was durable.  Raises: LogDamaged: more than that may be missing."""
        segment = self._log.segments[number]
        if segment is not self._log.segments[-1] or damage.end < segment.size:
            return damage
        if not is_one_batch(segment.file, damage.position, damage.end):
            self._left.must_reach(damage.offset)
        return replace(damage, next_offset=self._left.recovery_point)

    def _cut_after(self, number: int, next_offset: int) -> None:
        """That segment ends with its last sound batch.  Raises: LogDamaged: that would cut durable ones."""
        opened = self._log
        self._left.must_reach(next_offset)
        for segment in reversed(opened.segments[number + 1 :]):
            opened.keeper.remove_later(segment.discard(), 0)
        del opened.segments[number + 1 :]
        cut = opened.segments[number]
        log.warning("%s: %d bytes cut off after offset %d", opened.name, cut.file.size() - cut.size, next_offset)
        cut.file.cut(cut.size)
        cutting.make_cut_durable(opened)
