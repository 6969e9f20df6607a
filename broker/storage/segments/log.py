"""One partition in segment files: the verbs of the contract.

Source: UnifiedLog.scala, LocalLog.java.
"""

import errno
import logging
from bisect import bisect_right
from contextlib import suppress
from itertools import pairwise
from operator import attrgetter
from pathlib import Path

from trio.lowlevel import checkpoint

from broker.purgatory import WaitingRoom
from broker.storage.contract import Breathe, DiskFull, LogId, OffsetOutOfRange, StorageFailed, TimedOffset
from broker.storage.epochs import Epochs
from broker.storage.files import Disk
from broker.storage.log_settings import LogSettings
from broker.storage.producers import AbortedTransaction, ProducerStates
from broker.storage.segments import cutting, producers_file, reading, retention, rolling, times, transactions
from broker.storage.segments.flushing import GroupCommit
from broker.storage.segments.keeper import Keeper
from broker.storage.segments.names import delete_directory
from broker.storage.segments.segment import Segment
from broker.storage.segments.swapping import Swap
from broker.storage.slices import Slice
from kproto.records.batch import BatchHeader, split, stamp
from kproto.records.stored import split_stored

log = logging.getLogger("barnabas.storage")

FLUSH_EVERY_BYTES = 64 << 20
"""So much unflushed, and the background flushes: longer and the kernel throttles whoever writes."""
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_base_offset = attrgetter("base_offset")


class SegmentLog:
    """See `broker.storage.contract.Log`. Nothing is on the disk before the first batch."""

    def __init__(
        self, log_id: LogId, name: str, directory: Path, settings: LogSettings, disk: Disk, keeper: Keeper
    ) -> None:
        self.id = log_id
        self.name = name
        self.settings = settings
        self.directory = directory
        self.disk = disk
        self.keeper = keeper
        self.space = keeper.space_of(directory.parent)
        self.from_reserve = False
        self.producers = ProducerStates()
        self.start_moved = WaitingRoom()
        self.epochs = Epochs()
        self.segments: list[Segment] = []
        """Oldest first; the last one is written."""
        self.high_watermark = 0
        self.failure: StorageFailed | None = None
        self.start_offset = 0
        self.end_offset = 0
        self.commit = GroupCommit(self)
        self.reader = reading.Reader(self)
        self.has_directory = False
        self.has_metadata = False
        self.unflushed_bytes = 0
        self.cleaned_offset = 0
        """Below it compaction has compared all keys with each other."""
        self.swap: Swap | None = None

    @property
    def flushed_offset(self) -> int:
        return self.commit.flushed_offset

    @property
    def size_bytes(self) -> int:
        return sum(segment.size for segment in self.segments)

    @property
    def latest_epoch(self) -> int:
        return self.epochs.latest

    # --- trouble ---

    def check(self) -> None:
        """Raises: StorageFailed: this log is offline."""
        if self.failure is not None:
            raise StorageFailed(str(self.failure)) from self.failure

    def fail(self, reason: str) -> StorageFailed:
        """Offline from now on, until the broker starts again."""
        if self.failure is None:
            log.error("%s", self.go_offline(reason))
            self.keeper.went_offline(self)
        assert self.failure is not None
        return self.failure

    def go_offline(self, reason: str) -> StorageFailed:
        """As `fail`, where somebody else tells of it."""
        self.failure = self.failure or StorageFailed(f"{self.name} in {self.directory.parent} is offline: {reason}")
        return self.failure

    def failed(self, error: OSError) -> StorageFailed:
        """What to raise: a full disk may pass and so may a lack of descriptors; anything else lasts."""
        reason = error.strerror or str(error)
        if error.errno in _NO_SPACE:
            self.space.refused(reason)
            return DiskFull(f"{self.name} in {self.directory.parent}: {reason}")
        if error.errno in _PASSING:
            return StorageFailed(f"{self.name} in {self.directory.parent}: {reason}")
        return self.fail(reason)

    # --- writing ---

    def append(self, batches: memoryview, epoch: int, now_ms: int) -> int:
        self.check()
        base = offset = self.end_offset
        stored: list[BatchHeader] = []
        for header, batch in split(batches):
            stamp(batch, offset, epoch)
            header.base_offset, header.leader_epoch = offset, epoch
            offset += header.last_offset_delta + 1
            stored.append(header)
        self._store(batches, stored, now_ms)
        return base

    def append_as_follower(self, batches: memoryview, now_ms: int) -> None:
        self.check()
        stored = [header for header, _ in split_stored(batches)]
        assert all(a.next_offset <= b.base_offset for a, b in pairwise(stored))
        assert not stored or stored[0].base_offset >= self.end_offset
        size = sum(header.size for header in stored)
        self._store(batches[:size], stored, now_ms)

    def _store(self, batches: memoryview, stored: list[BatchHeader], now_ms: int) -> None:
        if not stored:
            return
        self.space.take(len(batches), from_reserve=self.from_reserve)
        segment = rolling.segment_for(self, stored, len(batches), now_ms)
        try:
            segment.append(batches, stored, self.settings.index_interval_bytes)
        except OSError as error:
            raise self.failed(error) from error
        self.end_offset = segment.next_offset
        for header in stored:
            if header.leader_epoch > self.epochs.latest:
                self.epochs.assign(header.leader_epoch, header.base_offset)
            if header.producer_id >= 0:
                batch = _batch_of(header, batches, stored) if header.is_control else b""
                producers_file.note(self.producers, segment, header, batch, now_ms)
        self.unflushed_bytes += len(batches)
        if self.unflushed_bytes >= FLUSH_EVERY_BYTES:
            self.keeper.flush_soon(self)

    def adopt(self, other: "SegmentLog", directory: Path) -> list[Segment]:
        """Go on with the files of `other`, which hold the same batches and lie in `directory` now.

        Returns: the segments until now.
        """
        old, self.segments, other.segments = self.segments, other.segments, []
        for segment in self.segments:
            segment.moved_to(directory)
        for segment in self.segments[:-1]:
            segment.release()
        self.directory, self.space = directory, self.keeper.space_of(directory.parent)
        self.has_directory = self.has_metadata = self.epochs.changed = True
        self.commit.take_over(other.commit)
        other.go_offline(f"it goes on as {directory}")
        self.unflushed_bytes = other.unflushed_bytes
        self.cleaned_offset = min(self.cleaned_offset, self.segments[0].base_offset)
        self.reader.begin_again()
        return old

    # --- cutting ---

    def truncate(self, offset: int) -> None:
        self.check()
        if offset < self.end_offset:
            cutting.cut(self, offset)

    def advance_start(self, offset: int) -> None:
        self.check()
        if offset > self.end_offset:
            raise OffsetOutOfRange(f"{self.name} ends at {self.end_offset}")
        if offset > self.start_offset:
            self.start_offset = offset
            self.epochs.cut_start(offset)
            self.keeper.start_moved(self)
            self.start_moved.wake_all()

    # --- asking ---

    def last_stable_offset(self, below: int) -> int:
        return self.producers.last_stable_offset(below, self.start_offset)

    async def aborted_transactions(self, offset: int, size_bytes: int, below: int) -> list[AbortedTransaction]:
        return await transactions.aborted_transactions(self, offset, size_bytes, below)

    def end_of_epoch(self, epoch: int) -> tuple[int, int]:
        self.check()
        return self.epochs.end_of(epoch, self.end_offset)

    def segments_from(self, offset: int) -> list[Segment]:
        """The one that may hold `offset`, and all after it."""
        return self.segments[max(bisect_right(self.segments, offset, key=_base_offset) - 1, 0) :]

    async def read(self, offset: int, max_bytes: int, below: int, breathe: Breathe = checkpoint) -> Slice:
        return await self.reader.read(offset, max_bytes, below, breathe)

    async def find_time(self, timestamp_ms: int, breathe: Breathe = checkpoint) -> TimedOffset | None:
        return await times.find_time(self, timestamp_ms, breathe)

    async def find_max_time(self, breathe: Breathe = checkpoint) -> TimedOffset | None:
        return await times.find_max_time(self, breathe)

    # --- keeping ---

    async def flush(self) -> int:
        return await self.commit.flush()

    async def tidy(self, now_ms: int) -> None:
        await retention.tidy(self, now_ms)

    async def close(self, *, delete: bool = False) -> None:
        """Nothing is flushed with `delete` or after trouble. Afterwards every verb fails."""
        try:
            if not delete and self.failure is None:
                await self.flush()
                self._save_the_rest()
        finally:
            self.failure = self.failure or StorageFailed(f"{self.name} is closed")
            for segment in self.segments:
                segment.release()
        if delete and self.has_directory:
            await self._remove()

    def _save_the_rest(self) -> None:
        """What saves work at the next start.  Raises: StorageFailed: for a part that cannot be done without."""
        for segment in self.segments:
            try:
                segment.aborted.save()
            except OSError as error:
                raise self.failed(error) from error
        if self.segments:
            with suppress(OSError):
                self.segments[-1].save_indexes()
            producers_file.save(self, self.end_offset)

    async def _remove(self) -> None:
        """In one step, so that a crash leaves either the log or a directory that no start takes for one."""
        gone = self.directory.with_name(delete_directory(self.name, self.keeper.unique()))
        parent = self.directory.parent
        try:
            self.disk.rename(self.directory, gone)
            await self.disk.in_thread(lambda: self.disk.sync_directory(parent))
        except OSError as error:
            raise self.failed(error) from error
        self.has_directory = False
        self.keeper.remove_later([gone], self.settings.file_delete_delay_ms)


def _batch_of(header: BatchHeader, batches: memoryview, stored: list[BatchHeader]) -> memoryview:
    position = sum(earlier.size for earlier in stored[: stored.index(header)])
    return batches[position : position + header.size]
