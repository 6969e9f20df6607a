"""The row of segments becomes shorter: at its end when a log is truncated, at its beginning when old ones go.

Source: LocalLog.truncateTo, UnifiedLog.deleteSegments.
"""

from typing import TYPE_CHECKING

from broker.storage.segments import producers_file, rolling
from broker.storage.segments.contents import LogDamaged
from broker.storage.segments.segment import Segment

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog


def cut(log: "SegmentLog", offset: int) -> None:
    """Nothing at or above `offset`, which is below the end, stays.  Raises: StorageFailed: the log is offline."""
    try:
        if log.swap is not None:
            log.swap.abandon()
        log.keeper.lower_recovery_point(log, _surely_kept(log, offset))
        _cut_segments(log, offset)
        make_cut_durable(log)
        producers_file.remove_above(log, log.end_offset)
        for _ in producers_file.reload(log):
            continue
    except (OSError, LogDamaged) as error:
        raise log.fail(f"cannot be truncated to {offset}: {error}") from error
    log.epochs.cut_end(log.end_offset)
    log.cleaned_offset = min(log.cleaned_offset, log.end_offset)
    if log.start_offset > log.end_offset:
        log.start_offset = log.end_offset
        log.keeper.start_moved(log)
        log.start_moved.wake_all()


def make_cut_durable(log: "SegmentLog") -> None:
    """Before anything else is written under offsets that were cut off, lest the two overlap.  Raises: OSError."""
    log.segments[-1].file.sync()
    log.disk.sync_directory(log.directory)


def _surely_kept(log: "SegmentLog", offset: int) -> int:
    """Not above where the log will end after a cut there: batches go whole, and before a segment may be a gap."""
    number = len(log.segments) - len(log.segments_from(offset))
    while number and not log.segments[number - 1].size:
        number -= 1
    return min(offset, log.segments[max(number - 1, 0)].base_offset)


def _cut_segments(log: "SegmentLog", offset: int) -> None:
    _cut_last_segment(log, offset)
    while not log.segments[-1].size and len(log.segments) > 1:
        _cut_last_segment(log, log.segments[-1].base_offset)  # its batches were behind a gap: it goes too
    log.end_offset = max(log.segments[-1].next_offset, min(log.start_offset, offset))
    log.commit.cut(log.end_offset)


def _cut_last_segment(log: "SegmentLog", offset: int) -> None:
    while log.segments and log.segments[-1].base_offset >= offset:
        _discard(log, log.segments[-1])
        log.segments.pop()
    if not log.segments:
        rolling.begin(log, offset, 0)
    log.segments[-1].cut(offset, log.settings.index_interval_bytes)


def drop_oldest(log: "SegmentLog", now_ms: int) -> None:
    """The oldest segment goes; if it is the only one, an empty one follows it.  Raises: StorageFailed."""
    log.check()
    if len(log.segments) == 1:
        rolling.roll(log, log.end_offset, now_ms)
    try:
        _discard(log, log.segments[0])
    except OSError as error:
        raise log.failed(error) from error
    del log.segments[0]
    log.advance_start(max(log.start_offset, log.segments[0].base_offset))


def _discard(log: "SegmentLog", segment: Segment) -> None:
    log.commit.names_changed = True
    log.keeper.remove_later(segment.discard(), log.settings.file_delete_delay_ms)
