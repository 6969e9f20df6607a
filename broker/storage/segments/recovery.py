"""Opening a partition's directory in whatever state it was left.

After a clean stop only the newest segment is looked at. Otherwise every segment from the recovery point on is scanned:
CRCs are checked, indexes made anew, and what does not hold together is cut off with all that follows. What was durable
is never cut: a damage below the recovery point is refused and told, and all the rest is served; only where nobody can
tell how much is missing the log is offline, its files as they are.
Source: LogLoader.java.
"""

import logging
from collections.abc import Iterator

from broker.storage.epochs import Epochs
from broker.storage.segments import producers_file
from broker.storage.segments.checkpoints import LEADER_EPOCHS, Unreadable, read_epochs
from broker.storage.segments.contents import BATCHES_A_STEP, LogDamaged
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.recovery_segments import LeftBehind, Pause, SegmentRecovery
from broker.storage.segments.swapping import settle_leftovers

log = logging.getLogger("barnabas.storage")


async def open_log(opened: SegmentLog, left: LeftBehind, now_ms: int, pause: Pause) -> None:
    """Find out what `opened` holds. Trouble leaves it offline, with a reason; it never raises for one log's sake."""
    opened.commit.start_at(left.recovery_point)
    opened.start_offset, opened.high_watermark = left.start_offset, left.high_watermark
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
        self._pause = pause
        self._segments = SegmentRecovery(opened, left, now_ms, pause)

    async def run(self) -> None:
        opened, left = self._log, self._left
        await settle_leftovers(opened.disk, opened.directory, self._pause)
        scanned_from = await self._segments.run()
        if opened.segments and not left.clean:
            opened.commit.names_changed = opened.commit.directory_is_new = True  # maybe never made durable
        opened.end_offset = opened.segments[-1].next_offset if opened.segments else left.start_offset
        left.must_reach(opened.end_offset)
        if left.clean and opened.segments and opened.end_offset < left.start_offset:
            log.warning("%s: a log start above its end (%d) is not believed", opened.name, opened.end_offset)
            left.start_offset = 0
        if opened.end_offset < left.start_offset:
            self._begin_again(left.start_offset)
            scanned_from = left.start_offset
        opened.start_offset = max(left.start_offset, opened.segments[0].base_offset if opened.segments else 0)
        opened.commit.start_at(opened.end_offset if left.clean else min(left.recovery_point, opened.end_offset))
        opened.high_watermark = min(left.high_watermark, opened.end_offset)
        opened.cleaned_offset = left.cleaned_offset
        await self._open_epochs(scanned_from)
        await self._open_producers(scanned_from)

    def _begin_again(self, start_offset: int) -> None:
        """The log start lies beyond all that is left, so nothing of it is wanted."""
        opened = self._log
        for segment in reversed(opened.segments):
            opened.keeper.remove_later(segment.discard(), 0)
        opened.segments.clear()
        opened.end_offset = start_offset

    async def _run_through(self, steps: Iterator[None]) -> None:
        for _ in steps:
            await self._pause()

    # --- producers ---

    async def _open_producers(self, scanned_from: int) -> None:
        opened, without_aborted = self._log, self._segments.without_aborted
        await self._run_through(producers_file.reload(opened, scanned_from))
        if without_aborted:
            await self._run_through(producers_file.restore_aborted(opened, without_aborted))
        producers_file.remove_strays(opened, scanned_from)
        producers_file.remove_above(opened, opened.end_offset)

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
        opened = self._log
        try:
            entries = read_epochs(opened.disk, opened.directory / LEADER_EPOCHS)
            return None if entries is None else Epochs(entries)
        except (Unreadable, ValueError):
            log.warning("%s: leader epochs are read from the batches, the file is damaged", opened.name)
            return None

    def _epochs_of_batches(self, offset: int) -> Iterator[None]:
        for segment in self._log.segments_from(offset):
            if segment.next_offset <= offset:
                continue
            for count, (_, header) in enumerate(segment.sound_headers(), 1):
                self._log.epochs.assign(header.leader_epoch, header.base_offset)
                if count % BATCHES_A_STEP == 0:
                    yield
