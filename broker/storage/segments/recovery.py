"""Opening a partition's directory in whatever state it was left.

After a clean stop only the newest segment is looked at. Otherwise every segment from the recovery point on is scanned:
CRCs are checked, indexes made anew, and what does not hold together is cut off with all that follows. What was durable
is never cut: damage below the recovery point leaves the log offline, its files as they are.
Source: LogLoader.java.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from broker.storage.epochs import Epochs
from broker.storage.segments import cutting, producers_file
from broker.storage.segments.checked import Checked
from broker.storage.segments.checkpoints import LEADER_EPOCHS, Unreadable, read_epochs
from broker.storage.segments.contents import BATCHES_A_STEP, LARGEST_RELATIVE_OFFSET, IndexDamaged, LogDamaged
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.names import (
    DELETED,
    INDEX,
    LOG,
    TEMPORARY,
    TIME_INDEX,
    TXN_INDEX,
    offset_of,
)
from broker.storage.segments.scan import crc_is_right, headers
from broker.storage.segments.segment import Segment
from broker.storage.segments.swapping import settle_leftovers
from broker.storage.segments.transaction_index import TransactionIndexDamaged

log = logging.getLogger("barnabas.storage")

Pause = Callable[[], Awaitable[None]]
"""Called often, so that a start can be cancelled and nobody else is held up."""


@dataclass(slots=True)
class LeftBehind:
    """What the checkpoints of the last run say of one log."""

    clean: bool
    recovery_point: int
    start_offset: int
    watermark: int
    cleaned_offset: int = 0
    """0 if it was never compacted, so that no batch can be missing between two others."""


async def open_log(opened: SegmentLog, left: LeftBehind, now_ms: int, pause: Pause) -> None:
    """Find out what `opened` holds. Trouble leaves it offline, with a reason; it never raises for one log's sake."""
    opened.commit.start_at(left.recovery_point)
    opened.start_offset, opened.watermark = left.start_offset, left.watermark
    try:
        await _Opening(opened, left, now_ms, pause).run()
    except OSError as error:
        opened.fail(error.strerror or str(error))
    except LogDamaged as damage:
        opened.fail(str(damage))


class _Opening:
    def __init__(self, opened: SegmentLog, left: LeftBehind, now_ms: int, pause: Pause) -> None:
        self._log = opened
        self._left = left
        self._now_ms = now_ms
        self._pause = pause
        self._disk = opened.disk
        self._without_aborted: list[Segment] = []
        """Their `.txnindex` is no good."""

    async def run(self) -> None:
        opened, left = self._log, self._left
        await settle_leftovers(self._disk, opened.directory, self._pause)
        self._find_segments()
        if opened.segments and not left.clean:
            opened.commit.names_changed = opened.commit.directory_is_new = True  # maybe never made durable
        scanned_from = await self._open_segments()
        opened.end_offset = opened.segments[-1].next_offset if opened.segments else left.start_offset
        self._must_reach(opened.end_offset)
        if left.clean and opened.segments and opened.end_offset < left.start_offset:
            log.warning("%s: a log start above its end (%d) is not believed", opened.name, opened.end_offset)
            left.start_offset = 0
        if opened.end_offset < left.start_offset:
            self._begin_again(left.start_offset)
            scanned_from = left.start_offset
        opened.start_offset = max(left.start_offset, opened.segments[0].base_offset if opened.segments else 0)
        opened.commit.start_at(opened.end_offset if left.clean else min(left.recovery_point, opened.end_offset))
        opened.watermark = min(left.watermark, opened.end_offset)
        opened.cleaned_offset = left.cleaned_offset
        await self._open_epochs(scanned_from)
        await self._run_through(producers_file.reload(opened, scanned_from))
        if self._without_aborted:
            await self._run_through(producers_file.restore_aborted(opened, self._without_aborted))
        producers_file.remove_strays(opened, scanned_from)
        producers_file.remove_above(opened, opened.end_offset)

    def _must_reach(self, end_offset: int) -> None:
        """Raises: LogDamaged: batches are missing that were durable."""
        if max(end_offset, self._left.start_offset) < self._left.recovery_point:
            raise LogDamaged(
                f"it ends at {end_offset}, though everything below {self._left.recovery_point} was durable"
            )

    async def _run_through(self, steps: Iterator[None]) -> None:
        for _ in steps:
            await self._pause()

    # --- files ---

    def _find_segments(self) -> None:
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

    def _begin_again(self, start_offset: int) -> None:
        """The log start lies beyond all that is left, so nothing of it is wanted."""
        opened = self._log
        for segment in reversed(opened.segments):
            opened.keeper.remove_later(segment.discard(), 0)
        opened.segments.clear()
        opened.end_offset = start_offset

    # --- segments ---

    async def _open_segments(self) -> int:
        """Open or scan each. Returns the offset from which on batches were scanned."""
        segments, left = self._log.segments, self._left
        if not segments:
            return left.start_offset
        if left.clean and await self._open_newest(segments[-1]):
            first = len(segments)
        elif left.clean:
            first = len(segments) - 1
        else:
            first = self._number_of(left.recovery_point)
        for number, segment in enumerate(segments[:first]):
            if number < len(segments) - 1:
                await self._open_retired(segment, segments[number + 1].base_offset)
        if first == len(segments):
            return segments[-1].next_offset
        return await self._scan_from(first)

    def _number_of(self, offset: int) -> int:
        """Of the segment that would hold `offset`."""
        segments = self._log.segments
        return max((n for n, segment in enumerate(segments) if segment.base_offset <= offset), default=0)

    async def _open_retired(self, segment: Segment, next_base: int) -> None:
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
            self._without_aborted.append(segment)

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
        self._open_aborted(segment, trusted=True)
        return True

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
            whole = await self._scan(segment)
            next_offset = segment.next_offset
            if not whole:
                self._cut_after(number, next_offset)
                break
            if number < len(segments) - 1:
                segment.retire()
                segment.release()
        return scanned_from

    async def _scan(self, segment: Segment) -> bool:
        """Check every batch and make the indexes anew; False if it does not end where the file ends."""
        end, interval_bytes = segment.file.size(), self._log.settings.index_interval_bytes
        farthest = segment.base_offset + LARGEST_RELATIVE_OFFSET
        segment.forget()
        for count, (position, header) in enumerate(headers(segment.file, 0, end), 1):
            in_order = segment.next_offset <= header.base_offset <= header.last_offset <= farthest
            if not in_order or not crc_is_right(segment.file, position, header):
                break
            segment.note(header, interval_bytes)
            segment.save_crowded()
            if count % BATCHES_A_STEP == 0 or header.size > 1 << 18:
                await self._pause()
        return segment.size == end

    def _cut_after(self, number: int, next_offset: int) -> None:
        """That segment ends with its last sound batch.  Raises: LogDamaged: that would cut durable ones."""
        opened = self._log
        self._must_reach(next_offset)
        for segment in reversed(opened.segments[number + 1 :]):
            opened.keeper.remove_later(segment.discard(), 0)
        del opened.segments[number + 1 :]
        cut = opened.segments[number]
        log.warning("%s: %d bytes cut off after offset %d", opened.name, cut.file.size() - cut.size, next_offset)
        cut.file.cut(cut.size)
        cutting.make_cut_durable(opened)

    # --- epochs ---

    async def _open_epochs(self, scanned_from: int) -> None:
        """As in the file, and as in the scanned batches; all from the batches if the file is no good."""
        opened = self._log
        known = self._read_epochs()
        if known is None:
            opened.epochs, scanned_from = Epochs(), opened.start_offset
            opened.epochs.changed = bool(opened.segments)
        else:
            opened.epochs = known
            opened.epochs.cut_end(scanned_from)
        await self._run_through(self._epochs_of_batches(scanned_from))
        opened.epochs.cut_end(opened.end_offset)
        opened.epochs.cut_start(opened.start_offset)

    def _read_epochs(self) -> Epochs | None:
        try:
            entries = read_epochs(self._disk, self._log.directory / LEADER_EPOCHS)
            return None if entries is None else Epochs(entries)
        except (Unreadable, ValueError):
            log.warning("%s: leader epochs are read from the batches, the file is damaged", self._log.name)
            return None

    def _epochs_of_batches(self, offset: int) -> Iterator[None]:
        for segment in self._log.segments_from(offset):
            if segment.next_offset <= offset:
                continue
            for count, (_, header) in enumerate(headers(segment.file, 0, segment.size), 1):
                self._log.epochs.assign(header.leader_epoch, header.base_offset)
                if count % BATCHES_A_STEP == 0:
                    yield
