"""Logs in memory: for laptops and tests, gone when the process ends. The same promises, no files.

Source of retention: as `segments/retention.py`, with batches in place of segments.
"""

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import trio
from trio.lowlevel import checkpoint

from broker.clock import Clock
from broker.purgatory import WaitingRoom
from broker.storage.compaction.batch_filter import Left
from broker.storage.contract import (
    Breathe,
    Identity,
    LogId,
    OffsetOutOfRange,
    StorageFailed,
    TimedOffset,
)
from broker.storage.epochs import Epochs
from broker.storage.log_settings import LogSettings
from broker.storage.memory_compaction import MapSettings, MemoryCompaction
from broker.storage.places import DirectoryUse, NoSuchDirectory
from broker.storage.producers import AbortedTransaction, ProducerStates
from broker.storage.slices import BytesSlice, Slice
from kproto.errors import ApiError
from kproto.records.batch import BatchHeader, Bytes, split, stamp
from kproto.records.control import read_marker
from kproto.records.stored import read_stored_records, split_stored

log = logging.getLogger("barnabas.storage")

PLACE = "memory"
"""What is told instead of a directory."""
_SHORTEST_MS = 100
"""Between two looks, whatever an option says."""


class MemoryLog:
    """See `broker.storage.contract.Log`."""

    def __init__(self, log_id: LogId, name: str, settings: LogSettings) -> None:
        self.id = log_id
        self.name = name
        self.settings = settings
        self.from_reserve = False
        self.producers = ProducerStates()
        self.start_moved = WaitingRoom()
        self.start_offset = 0
        self.end_offset = 0
        self.size_bytes = 0
        self.high_watermark = 0
        self.cleaned_offset = 0
        self._epochs = Epochs()
        self._headers: list[BatchHeader] = []
        self._ends: list[int] = []
        """Offset after each batch."""
        self._batches: list[bytes] = []
        self._aborted: list[AbortedTransaction] = []
        """By their markers, as long as these are here."""
        self._closed = False

    @property
    def flushed_offset(self) -> int:
        return self.end_offset

    @property
    def latest_epoch(self) -> int:
        return self._epochs.latest

    def append(self, batches: memoryview, epoch: int, now_ms: int) -> int:
        self._check()
        base = self.end_offset
        for header, batch in split(batches):
            stamp(batch, self.end_offset, epoch)
            header.base_offset, header.leader_epoch = self.end_offset, epoch
            self._keep(header, batch, now_ms)
        return base

    def append_as_follower(self, batches: memoryview, now_ms: int) -> None:
        self._check()
        for header, batch in split_stored(batches):
            assert header.base_offset >= self.end_offset
            self._keep(header, batch, now_ms)

    def _keep(self, header: BatchHeader, batch: memoryview, now_ms: int) -> None:
        self._headers.append(header)
        self._ends.append(header.next_offset)
        self._batches.append(bytes(batch))
        self.size_bytes += len(batch)
        self.end_offset = header.next_offset
        self._epochs.assign(header.leader_epoch, header.base_offset)
        self._note_producer(header, batch, now_ms)

    def _note_producer(self, header: BatchHeader, batch: Bytes, now_ms: int) -> None:
        marker = read_marker(batch) if header.is_control else None
        aborted = self.producers.update(header, header.base_offset, now_ms, marker)
        if aborted is not None:
            self._aborted.append(aborted)

    def truncate(self, offset: int) -> None:
        self._check()
        if offset >= self.end_offset:
            return
        kept = bisect_right(self._ends, offset)
        self._drop(kept, len(self._headers))
        self.end_offset = max(self._ends[-1] if kept else 0, min(self.start_offset, offset))
        if self.start_offset > self.end_offset:
            self.start_offset = self.end_offset
            self.start_moved.wake_all()
        self._epochs.cut_end(self.end_offset)
        self.cleaned_offset = min(self.cleaned_offset, self.end_offset)
        earlier = [aborted for aborted in self._aborted if aborted.last_offset < self.end_offset]
        self.producers.replace(())
        for header, batch in zip(self._headers, self._batches, strict=True):
            self._note_producer(header, batch, header.max_timestamp)
        self._aborted = earlier

    def _drop(self, first: int, after: int) -> None:
        self.size_bytes -= sum(map(len, self._batches[first:after]))
        del self._headers[first:after], self._ends[first:after], self._batches[first:after]
        begin = self._headers[0].base_offset if self._headers else self.end_offset
        self._aborted = [aborted for aborted in self._aborted if aborted.last_offset >= begin]

    def advance_start(self, offset: int) -> None:
        self._check()
        if offset > self.end_offset:
            raise OffsetOutOfRange(f"{self.name} ends at {self.end_offset}")
        if offset > self.start_offset:
            self.start_offset = offset
            self._epochs.cut_start(offset)
            self.start_moved.wake_all()

    def last_stable_offset(self, below: int) -> int:
        return self.producers.last_stable_offset(below, self.start_offset)

    async def aborted_transactions(self, offset: int, size_bytes: int, below: int) -> list[AbortedTransaction]:
        self._check()
        return [each for each in self._aborted if each.last_offset >= offset and each.first_offset < below]

    def end_of_epoch(self, epoch: int) -> tuple[int, int]:
        self._check()
        return self._epochs.end_of(epoch, self.end_offset)

    async def read(self, offset: int, max_bytes: int, below: int, breathe: Breathe = checkpoint) -> Slice:
        self._check()
        if not self.start_offset <= offset <= self.end_offset:
            raise OffsetOutOfRange(f"{self.name} holds {self.start_offset} to {self.end_offset}, not {offset}")
        pieces: list[bytes] = []
        room = max_bytes
        for number in range(bisect_right(self._ends, offset), len(self._ends)):
            batch = self._batches[number]
            if self._ends[number] > below or (pieces and room <= 0):
                break
            pieces.append(batch if not pieces else batch[:room])
            room -= len(batch)
        return BytesSlice(b"".join(pieces))

    async def find_time(self, timestamp_ms: int, breathe: Breathe = checkpoint) -> TimedOffset | None:
        self._check()
        for number, header in enumerate(self._headers):
            if header.max_timestamp >= timestamp_ms and header.next_offset > self.start_offset:
                found = self._first_record(number, timestamp_ms)
                if found is not None:
                    return found
        return None

    async def find_max_time(self, breathe: Breathe = checkpoint) -> TimedOffset | None:
        self._check()
        readable = [
            n for n, header in enumerate(self._headers) if header.next_offset > self.start_offset and header.count
        ]
        if not readable:
            return None
        newest = max(readable, key=lambda n: self._headers[n].max_timestamp)
        return self._first_record(newest, self._headers[newest].max_timestamp)

    def _first_record(self, number: int, timestamp_ms: int) -> TimedOffset | None:
        header = self._headers[number]
        try:
            for record in read_stored_records(self._batches[number]):
                if record.offset >= self.start_offset and record.timestamp_ms >= timestamp_ms:
                    return TimedOffset(record.offset, record.timestamp_ms, header.leader_epoch)
        except ApiError as damage:
            raise StorageFailed(f"{self.name}, offset {header.base_offset}: {damage}") from damage
        return None

    async def flush(self) -> int:
        self._check()
        return self.end_offset

    async def tidy(self, now_ms: int) -> None:
        self._check()
        settings = self.settings
        while self._headers and self._ends[0] <= self.high_watermark:
            oldest, deletes = self._headers[0], "delete" in settings.cleanup_policy
            too_old = deletes and 0 <= settings.retention_ms < now_ms - oldest.max_timestamp
            too_much = deletes and 0 <= settings.retention_bytes <= self.size_bytes - oldest.size
            if not (too_old or too_much or self._ends[0] <= self.start_offset):
                return
            self.advance_start(max(self._ends[0], self.start_offset))
            self._drop(0, 1)
            await trio.lowlevel.checkpoint()

    def stored(self) -> list[tuple[BatchHeader, bytes]]:
        """Every batch, oldest first."""
        return list(zip(self._headers, self._batches, strict=True))

    def exchange(self, old: Sequence[tuple[BatchHeader, bytes]], left: Sequence[Left]) -> bool:
        """See `broker.storage.memory_compaction.Compactable`."""
        count = len(old)
        if self._closed or [id(batch) for batch in self._batches[:count]] != [id(batch) for _, batch in old]:
            return False
        self._headers[:count] = [one.header for one in left]
        self._ends[:count] = [one.header.next_offset for one in left]
        self._batches[:count] = [bytes(one.data) for one in left]
        self.size_bytes = sum(map(len, self._batches))
        return True

    async def close(self, *, delete: bool = False) -> None:
        self._closed = True
        if delete:
            self._drop(0, len(self._headers))

    def _check(self) -> None:
        if self._closed:
            raise StorageFailed(f"{self.name} is closed")


class MemorySettings(MapSettings, Protocol):
    """The broker options that say how often, in ms, and those of compaction."""

    @property
    def log_cleaner_enable(self) -> bool: ...
    @property
    def log_cleaner_backoff_ms(self) -> int: ...

    @property
    def log_retention_check_interval_ms(self) -> int: ...
    @property
    def producer_id_expiration_ms(self) -> int: ...


class MemoryPlace:
    """The one place there is."""

    def __init__(self, logs: Mapping[LogId, MemoryLog]) -> None:
        self._logs = logs

    async def uses(self) -> list[DirectoryUse]:
        return [DirectoryUse(PLACE, {log_id: kept.size_bytes for log_id, kept in self._logs.items()})]

    def move(self, topic: str, partition: int, log_id: LogId | None, path: str) -> None:
        if path != PLACE:
            raise NoSuchDirectory(path)

    def pace(self, bytes_per_second: Callable[[], float]) -> None:
        """Nothing moves."""


class MemoryStorage:
    """See `broker.storage.contract.Storage`. It belongs to nobody and knows nothing of an earlier process."""

    def __init__(self, *, settings: MemorySettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._logs: dict[LogId, MemoryLog] = {}
        self.places = MemoryPlace(self._logs)
        self.identity = Identity()

    def claim(self, broker_id: int | None) -> None:
        """Nobody else can get at it."""

    def identify(self, identity: Identity) -> None:
        self.identity = identity

    async def load(self) -> Iterable[MemoryLog]:
        return ()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tidy)
            nursery.start_soon(self._compact)
            task_status.started()

    async def _compact(self) -> None:
        compaction = MemoryCompaction(self._settings, self._clock)
        while self._settings.log_cleaner_enable:
            await trio.sleep(max(self._settings.log_cleaner_backoff_ms, _SHORTEST_MS) / 1000)
            for kept in list(self._logs.values()):
                if "compact" in kept.settings.cleanup_policy:
                    try:
                        await compaction.compact(kept)
                    except ApiError as damage:
                        log.error("%s is not compacted: %s", kept.name, damage)

    async def _tidy(self) -> None:
        while True:
            await trio.sleep(self._settings.log_retention_check_interval_ms / 1000)
            for kept in list(self._logs.values()):
                try:
                    await kept.tidy(self._clock.now_ms())
                except StorageFailed as failure:
                    log.info("%s", failure)  # deleted meanwhile
                kept.producers.expire(self._clock.now_ms(), self._settings.producer_id_expiration_ms)

    def on_offline(self, listener: Callable[[LogId], None]) -> None:
        """Memory does not fail."""

    async def keep_starts(self, logs: Iterable[LogId]) -> set[LogId]:
        return set()

    def create(self, log_id: LogId, topic: str, settings: LogSettings, *, new: bool = True) -> MemoryLog:
        name = f"{topic}-{log_id.partition}"
        kept = self._logs.get(log_id)
        if kept is None:
            if any(other.name == name for other in self._logs.values()):
                raise StorageFailed(f"{name} belongs to another topic id")
            kept = self._logs[log_id] = MemoryLog(log_id, name, settings)
        kept.settings = settings
        return kept

    def get(self, log_id: LogId) -> MemoryLog | None:
        return self._logs.get(log_id)

    async def delete(self, log_id: LogId) -> None:
        gone = self._logs.pop(log_id, None)
        if gone is not None:
            await gone.close(delete=True)

    async def close(self) -> None:
        for kept in self._logs.values():
            await kept.close()
