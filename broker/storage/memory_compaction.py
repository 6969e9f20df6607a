"""Compaction of logs in memory: the rules of `compaction/`, with batches in place of segments.

The newest batch stays as it is, as the segment that is written does on disks.
"""

from collections.abc import Sequence
from typing import Protocol

from broker.clock import Clock
from broker.storage.compaction.batch_filter import BatchFilter, LastOfProducers, Left, marker_in, note_keys
from broker.storage.compaction.key_map import KeyMap
from broker.storage.compaction.pacing import Pace
from broker.storage.compaction.transactions import Aborted, Transactions, TransactionScan
from broker.storage.log_settings import LogSettings
from broker.storage.producers import ProducerStates
from kproto.records.batch import BatchHeader

Stored = tuple[BatchHeader, bytes]


class MapSettings(Protocol):
    """The broker options of the key map; bytes, and the share of it that may be taken."""

    @property
    def log_cleaner_dedupe_buffer_size(self) -> int: ...
    @property
    def log_cleaner_io_buffer_load_factor(self) -> float: ...


class Compactable(Protocol):
    """A log that holds its batches in a list."""

    settings: LogSettings
    producers: ProducerStates
    high_watermark: int
    cleaned_offset: int

    def last_stable_offset(self, below: int) -> int: ...
    def stored(self) -> list[Stored]: ...
    def exchange(self, old: Sequence[Stored], left: Sequence[Left]) -> bool:
        """Put what is left in the place of the first batches; False, and nothing happens, if these are others now."""
        ...


class MemoryCompaction:
    """Of all logs of one broker, one after the other."""

    def __init__(self, settings: MapSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._pace = Pace()

    async def compact(self, kept: Compactable) -> None:
        """Once, if it is dirty enough or overdue.  Raises: ApiError: a batch is not sound."""
        now_ms = self._clock.now_ms()
        stored = _cleanable(kept, now_ms)
        if not _is_due(kept, stored, now_ms):
            return
        aborted = _aborted(stored)
        keys = await self._noted(kept.cleaned_offset, stored, aborted)
        wanted = BatchFilter(
            keys,
            Transactions(aborted),
            LastOfProducers(kept.producers),
            end_offset=stored[-1][0].next_offset,
            now_ms=now_ms,
            delete_retention_ms=kept.settings.delete_retention_ms,
        )
        old = [(header, batch) for header, batch in stored if header.base_offset <= keys.latest_offset]
        left = []
        for header, batch in old:
            one = await self._pace.run(wanted.left_of(header, memoryview(batch)))
            if one is not None:
                left.append(one)
        if kept.exchange(old, left):
            kept.cleaned_offset = keys.latest_offset + 1

    async def _noted(self, first_dirty: int, stored: Sequence[Stored], aborted: Sequence[Aborted]) -> KeyMap:
        settings = self._settings
        keys = KeyMap(
            settings.log_cleaner_dedupe_buffer_size,
            settings.log_cleaner_io_buffer_load_factor,
            sum(header.count for header, _ in stored),
        )
        transactions = Transactions(one for one in aborted if one.marker_offset >= first_dirty)
        for header, batch in stored:
            if header.next_offset <= first_dirty:
                continue
            if header.is_control:
                transactions.is_marker_needless(header, marker_in(header, memoryview(batch)))
            elif not transactions.is_aborted(header) and not await self._pace.run(
                note_keys(header, memoryview(batch), keys, first_dirty)
            ):
                return keys
            keys.latest_offset = max(keys.latest_offset, header.last_offset)
        return keys


def _cleanable(kept: Compactable, now_ms: int) -> list[Stored]:
    """The batches that may be touched; none if old formats are among them."""
    stable, lag_ms = kept.last_stable_offset(kept.high_watermark), kept.settings.min_compaction_lag_ms
    found: list[Stored] = []
    for header, batch in kept.stored()[:-1]:
        young = lag_ms > 0 and header.next_offset > kept.cleaned_offset and header.max_timestamp > now_ms - lag_ms
        if young or header.next_offset > stable:
            break
        if header.magic < 2:
            return []
        found.append((header, batch))
    return found


def _is_due(kept: Compactable, stored: Sequence[Stored], now_ms: int) -> bool:
    dirty = [header for header, _ in stored if header.next_offset > kept.cleaned_offset]
    if not dirty:
        return False
    overdue = 0 < dirty[0].max_timestamp < now_ms - kept.settings.max_compaction_lag_ms
    ratio = sum(header.size for header in dirty) / sum(header.size for header, _ in stored)
    return overdue or ratio > kept.settings.min_cleanable_dirty_ratio


def _aborted(stored: Sequence[Stored]) -> list[Aborted]:
    scan = TransactionScan()
    for header, batch in stored:
        if header.is_control:
            scan.saw_marker(header, marker_in(header, memoryview(batch)))
        else:
            scan.saw_data(header)
    return scan.aborted
