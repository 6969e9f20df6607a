"""Which log is compacted next: the one with the largest share of dirty bytes, or one that has waited too long.

Source: LogCleanerManager.scala, LogToClean.java, KIP-58, KIP-354.
"""

import logging
from typing import TYPE_CHECKING

from broker.storage.segments.contents import NO_TIMESTAMP, IndexDamaged
from broker.storage.segments.scan import headers
from broker.storage.segments.segment import Segment
from kproto.records.batch import HEADER_BYTES
from kproto.values import frozen

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog

log = logging.getLogger("barnabas.storage")

NEVER_MS = 2**63 - 1


@frozen
class Cleanable:
    """A log, what of it is dirty, and up to where that may be cleaned."""

    log: "SegmentLog"
    first_dirty: int
    end_offset: int
    """The base of the first segment that must stay as it is."""
    clean_bytes: int
    dirty_bytes: int
    is_overdue: bool

    @property
    def ratio(self) -> float:
        total = self.clean_bytes + self.dirty_bytes
        return self.dirty_bytes / total if total else 0.0

    @property
    def is_due(self) -> bool:
        if not self.dirty_bytes:
            return False
        return self.is_overdue or self.ratio > self.log.settings.min_cleanable_dirty_ratio


async def look_at(kept: "SegmentLog", now_ms: int) -> Cleanable:
    """Raises: OSError, StorageFailed."""
    first_dirty = _first_dirty(kept)
    end_offset = await _end_offset(kept, first_dirty, now_ms)
    retired = kept.segments[:-1]
    return Cleanable(
        kept,
        first_dirty,
        end_offset,
        sum(s.size for s in retired if s.next_offset <= first_dirty),
        sum(s.size for s in retired if s.next_offset > first_dirty and s.base_offset < end_offset),
        await _is_overdue(kept, first_dirty, now_ms),
    )


def _first_dirty(kept: "SegmentLog") -> int:
    """As noted after the last pass; from the start again where that cannot be."""
    if kept.cleaned_offset > kept.end_offset:
        log.warning(
            "%s ends at %d and is said to be clean up to %d: it is cleaned from its start",
            kept.name,
            kept.end_offset,
            kept.cleaned_offset,
        )
        kept.cleaned_offset = 0
    return max(kept.cleaned_offset, kept.start_offset)


async def _end_offset(kept: "SegmentLog", first_dirty: int, now_ms: int) -> int:
    """The first segment that is written still, not yet stable, or too young."""
    stable, lag_ms = kept.last_stable_offset(kept.high_watermark), kept.settings.min_compaction_lag_ms
    for segment in kept.segments[:-1]:
        if segment.next_offset > stable:
            return segment.base_offset
        if lag_ms > 0 and segment.next_offset > first_dirty:
            newest_ms = await _newest_ms(kept, segment)
            if newest_ms > now_ms - lag_ms:
                return segment.base_offset
    return kept.segments[-1].base_offset


async def _newest_ms(kept: "SegmentLog", segment: Segment) -> int:
    """Of its records; of its file if they have no timestamps."""
    was_known = segment.max_timestamp_ms != NO_TIMESTAMP
    try:
        newest_ms, _ = segment.newest()
    except IndexDamaged:
        await kept.reader.rebuild(segment)
        newest_ms = segment.max_timestamp_ms
    if not was_known:
        segment.release()
    return newest_ms if newest_ms >= 0 else kept.disk.modified_ms(segment.path)


async def _is_overdue(kept: "SegmentLog", first_dirty: int, now_ms: int) -> bool:
    """Whether a dirty record has waited longer than `max.compaction.lag.ms`."""
    lag_ms = kept.settings.max_compaction_lag_ms
    if lag_ms >= NEVER_MS:
        return False
    dirty = [segment for segment in kept.segments[:-1] if segment.next_offset > first_dirty and segment.size]
    for segment in dirty:
        first_ms = await _first_ms(kept, segment)
        if 0 < first_ms < now_ms - lag_ms:
            return True
    return False


async def _first_ms(kept: "SegmentLog", segment: Segment) -> int:
    """Largest timestamp of its first batch, -1 without."""
    if segment.first_timestamp_ms < 0:
        file = kept.disk.open(segment.path)
        try:
            size = segment.size
            first = await kept.disk.in_thread(lambda: next(headers(file, 0, size, HEADER_BYTES), None))
        finally:
            file.release()
        if first is not None:
            segment.first_timestamp_ms = first[1].max_timestamp
    return segment.first_timestamp_ms
