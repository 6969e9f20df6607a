"""One log compacted once: the keys of its dirty part are noted, then everything below is written anew without what they
replace.

Source: Cleaner.java.
"""

from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from broker.storage.compaction.batch_filter import BatchFilter, LastOfProducers, marker_in, note_keys
from broker.storage.compaction.key_map import KeyMap
from broker.storage.compaction.old_messages import records_at_most
from broker.storage.compaction.pacing import Pace, Throttle
from broker.storage.compaction.transactions import Aborted, Transactions, TransactionScan
from broker.storage.segments.cleaning.cleaned import CleanedSegment, TooLarge
from broker.storage.segments.cleaning.source_batches import SourceBatches, Uncleanable
from broker.storage.segments.segment import Segment
from broker.storage.segments.swapping import Sources, Swap
from kproto.errors import ApiError
from kproto.values import frozen

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog

MOST_SOURCES = 16
"""Segments that become one: each costs some renames, and they all happen in one go."""
_LARGEST_RELATIVE_OFFSET = 2**31 - 1
_SMALLEST_RUN_BYTES = 64 << 10


@frozen
class CleanerLimits:
    """What one pass may use: bytes of the key map, its load factor, bytes of a read or write."""

    map_bytes: int
    load_factor: float
    run_bytes: int


@frozen
class _Found:
    """What a first look over the headers tells."""

    keys_at_most: int
    aborted: list[Aborted]
    end_offset: int


class LogCleaner:
    """One pass over one log.

    Args:
        first_dirty: below it keys were compared with each other already.
        end_offset: the base of the first segment that must not be cleaned.
    """

    def __init__(
        self,
        kept: "SegmentLog",
        first_dirty: int,
        end_offset: int,
        *,
        limits: CleanerLimits,
        pace: Pace,
        throttle: Throttle,
        now_ms: int,
    ) -> None:
        self._log = kept
        self._first_dirty = first_dirty
        self._end_offset = end_offset
        self._limits = limits
        self._pace = pace
        self._throttle = throttle
        self._now_ms = now_ms
        self._run_bytes = max(limits.run_bytes // 2, _SMALLEST_RUN_BYTES)
        self._batches = SourceBatches(kept.disk, pace, throttle, self._run_bytes)
        self._sources = Sources(kept, kept.segments[:-1])
        """What is being read."""
        self.read_bytes = self.written_bytes = 0

    async def clean(self) -> int:
        """Returns: the new first dirty offset.

        Raises: SourcesChanged; Uncleanable; OSError: nothing has changed; StorageFailed: the log is offline.
        """
        try:
            return await self._clean()
        except (ApiError, TooLarge) as damage:
            self._sources.check()
            raise Uncleanable(str(damage)) from damage
        except (Uncleanable, FileNotFoundError):
            self._sources.check()
            raise

    async def _clean(self) -> int:
        self._sources = Sources(self._log, self._segments_below(self._end_offset))
        found = await self._look()
        self._end_offset = found.end_offset
        dirty = [s for s in self._segments_below(self._end_offset) if s.next_offset > self._first_dirty]
        if not dirty:
            return self._first_dirty
        keys = await self._note_keys(dirty, found)
        segments = self._segments_below(keys.latest_offset + 1)
        wanted = BatchFilter(
            keys,
            Transactions(found.aborted),
            LastOfProducers(self._log.producers),
            end_offset=self._end_offset,
            now_ms=self._now_ms,
            delete_retention_ms=self._log.settings.delete_retention_ms,
        )
        for group in self._groups(segments):
            await self._write(group, wanted)
        return keys.latest_offset + 1

    def _segments_below(self, offset: int) -> list[Segment]:
        return [segment for segment in self._log.segments[:-1] if segment.base_offset < offset]

    async def _look(self) -> _Found:
        """Count what the map may have to hold, and learn how transactions ended.

        One that is open at the end ends the pass before it.
        """
        count, scan = 0, TransactionScan()
        for segment in self._sources.segments:
            is_dirty = segment.next_offset > self._first_dirty
            async with aclosing(self._batches.of(segment, checked=False)) as stored:
                async for header, batch in stored:
                    if header.is_control:
                        scan.saw_marker(header, marker_in(header, batch))
                    else:
                        scan.saw_data(header)
                        count += records_at_most(header) if is_dirty else 0
        end = self._end_offset
        if scan.first_open is not None:
            end = max(s.base_offset for s in self._sources.segments if s.base_offset <= scan.first_open)
        return _Found(count, scan.aborted, end)

    async def _note_keys(self, dirty: Sequence[Segment], found: _Found) -> KeyMap:
        limits = self._limits
        keys = KeyMap(limits.map_bytes, limits.load_factor, found.keys_at_most)
        from_offset = dirty[0].base_offset
        transactions = Transactions(one for one in found.aborted if one.marker_offset >= from_offset)
        for segment in dirty:
            async with aclosing(self._batches.of(segment, checked=True)) as stored:
                async for header, batch in stored:
                    if header.is_control:
                        transactions.is_marker_needless(header, marker_in(header, batch))
                        keys.latest_offset = max(keys.latest_offset, header.last_offset)
                    elif transactions.is_aborted(header):
                        keys.latest_offset = max(keys.latest_offset, header.last_offset)
                    elif not await self._pace.run(note_keys(header, batch, keys, self._first_dirty)):
                        return keys
            keys.latest_offset = max(keys.latest_offset, segment.next_offset - 1)
        return keys

    def _groups(self, segments: Sequence[Segment]) -> list[list[Segment]]:
        """Neighbours that fit into one segment, by their sizes of now.  Source: Cleaner.groupSegmentsBySize."""
        settings = self._log.settings
        groups: list[list[Segment]] = []
        size = entries = times = 0
        for segment in segments:
            fits = (
                groups
                and len(groups[-1]) < MOST_SOURCES
                and size + segment.size <= settings.segment_bytes
                and (entries + len(segment.index)) * 8 <= settings.segment_index_bytes
                and (times + len(segment.times)) * 12 <= settings.segment_index_bytes
                and segment.next_offset - 1 - groups[-1][0].base_offset <= _LARGEST_RELATIVE_OFFSET
            )
            if fits:
                groups[-1].append(segment)
                size, entries, times = size + segment.size, entries + len(segment.index), times + len(segment.times)
            else:
                groups.append([segment])
                size, entries, times = segment.size, len(segment.index), len(segment.times)
        return groups

    async def _write(self, group: list[Segment], wanted: BatchFilter) -> None:
        kept = self._log
        sources = self._sources = Sources(kept, group)
        sources.check()
        cleaned = CleanedSegment(
            kept.disk, kept.directory, group[0].base_offset, run_bytes=self._run_bytes, throttle=self._throttle
        )
        try:
            for segment in group:
                self.read_bytes += segment.size
                async with aclosing(self._batches.of(segment, checked=True)) as stored:
                    async for header, batch in stored:
                        left = await self._pace.run(wanted.left_of(header, batch))
                        if left is not None:
                            await cleaned.add(left, kept.settings.index_interval_bytes)
            await cleaned.finish()
            self.written_bytes += cleaned.segment.size
            await Swap(sources, cleaned.segment).run()
        finally:
            cleaned.remove()
