"""The row of segments grows: which one takes a batch, and how the next one begins, with the directory if need be.

Source: LocalLog.roll, LogSegment.shouldRoll.
"""

from typing import TYPE_CHECKING

from broker.storage.files import write_all
from broker.storage.log_settings import LogSettings
from broker.storage.segments import producers_file
from broker.storage.segments.checkpoints import PARTITION_METADATA, topic_id_text
from broker.storage.segments.contents import LARGEST_RELATIVE_OFFSET
from broker.storage.segments.segment import Segment
from kproto.records.batch import BatchHeader

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog


def segment_for(log: "SegmentLog", stored: list[BatchHeader], size: int, now_ms: int) -> Segment:
    """The one that takes these batches, `size` bytes in all; a new one if it must.  Raises: StorageFailed."""
    if not log.segments:
        begin(log, log.end_offset, now_ms)
    active, settings = log.segments[-1], log.settings
    if active.is_full(
        size, stored[-1].last_offset, settings.segment_bytes, settings.segment_index_bytes
    ) or active.is_old(stored[0].max_timestamp, now_ms, _rolled_after_ms(settings)):
        return roll(log, _base_for(log, stored), now_ms)
    return active


def _base_for(log: "SegmentLog", stored: list[BatchHeader]) -> int:
    """The log's end, also where a leader's batches begin behind it: a start takes a gap between segments for a loss."""
    too_far = stored[-1].last_offset - log.end_offset > LARGEST_RELATIVE_OFFSET
    return stored[0].base_offset if too_far else log.end_offset


def _rolled_after_ms(settings: LogSettings) -> int:
    """What is written still is not compacted, so `max.compaction.lag.ms` ends that, too.  Source: KIP-354."""
    if "compact" in settings.cleanup_policy and settings.max_compaction_lag_ms > 0:
        return min(settings.segment_ms, settings.max_compaction_lag_ms)
    return settings.segment_ms


def roll(log: "SegmentLog", offset: int, now_ms: int) -> Segment:
    """Begin a new segment at `offset`; the one before is no longer written.  Raises: StorageFailed: it goes on."""
    old = log.segments[-1]
    fresh = begin(log, offset, now_ms)
    old.retire()
    producers_file.save(log, offset)
    log.keeper.flush_soon(log)
    return fresh


def begin(log: "SegmentLog", offset: int, now_ms: int) -> Segment:
    """An empty segment at the end of the row.  Raises: StorageFailed."""
    segment = Segment(log.disk, log.directory, offset, now_ms)
    try:
        _make_directory(log)
        segment.create()
    except OSError as error:
        raise log.failed(error) from error
    log.commit.names_changed = True
    log.segments.append(segment)
    return segment


def _make_directory(log: "SegmentLog") -> None:
    if not log.has_directory:
        log.disk.make_directory(log.directory)
        log.has_directory = log.commit.directory_is_new = True
    if not log.has_metadata:
        write_metadata(log)


def write_metadata(log: "SegmentLog") -> None:
    """Say whose directory this is. Raises: OSError."""
    file = log.disk.create(log.directory / PARTITION_METADATA)
    try:
        write_all(file, topic_id_text(log.id.topic_id), 0)
    finally:
        file.release()
    log.has_metadata = log.commit.names_changed = True
