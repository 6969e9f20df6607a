"""Group commit: one thread call makes durable what was appended so far, for all who wait.

In what order: batches and indexes, the leader epochs, the names in the directories. Only then the recovery point moves.
"""

from collections.abc import Callable
from contextlib import suppress
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from broker.storage.files import Disk, File, write_all
from broker.storage.segments.checkpoints import LEADER_EPOCHS, PARTITION_METADATA, epochs_text
from broker.storage.segments.names import INDEX, SNAPSHOT, TEMPORARY, TIME_INDEX, offset_file
from broker.storage.segments.segment import Segment
from broker.storage.segments.transaction_index import TransactionIndex

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog


class GroupCommit:
    """Of one log. Whoever comes first leads; who comes meanwhile waits, and leads the next one if need be."""

    def __init__(self, log: "SegmentLog") -> None:
        self._log = log
        self._running: trio.Event | None = None
        self._upto = 0
        self.flushed_offset = 0
        self.recovery_point = 0
        """Below it everything is durable that a start needs; `flushed_offset` except after trouble with small files."""
        self.names_changed = False
        """Files were made, renamed or cut in the partition's directory since the last flush."""
        self.directory_is_new = False
        self.doubtful = False
        """An fsync of a small file failed: the next start shall look through the log from the recovery point on."""

    def start_at(self, offset: int) -> None:
        self.flushed_offset = self.recovery_point = offset

    @property
    def running(self) -> trio.Event | None:
        """Set when the flush that is under way has ended."""
        return self._running

    def take_over(self, other: "GroupCommit") -> None:
        """The log goes on with the files of another one, under a new name; neither is being flushed now."""
        assert self._running is None
        assert other._running is None
        self._upto, self.flushed_offset, self.recovery_point = 0, other.flushed_offset, other.recovery_point
        self.names_changed = self.directory_is_new = True  # bytes under a name that goes would not be durable

    async def flush_with_names(self) -> None:
        """As `flush`, at least once, with the names of all files and directories.  Raises: StorageFailed."""
        while self._running is not None:
            await self._running.wait()
        self._log.check()
        self.names_changed = self.directory_is_new = self._log.epochs.changed = True
        await self._lead()
        self._log.check()

    def cut(self, end_offset: int) -> None:
        """Nothing at or above is left, also for a flush that is under way."""
        self.flushed_offset = min(self.flushed_offset, end_offset)
        self.recovery_point = min(self.recovery_point, end_offset)
        self._upto = min(self._upto, end_offset)
        self.names_changed = True

    async def flush(self) -> int:
        target = self._log.end_offset
        self._log.check()
        while self.flushed_offset < min(target, self._log.end_offset) or self.names_changed:
            if self._running is not None:
                await self._running.wait()
            else:
                await self._lead()
            self._log.check()
        return self.flushed_offset

    async def _lead(self) -> None:
        log, self._running = self._log, trio.Event()
        self._upto = log.end_offset
        round_ = _Round(log, self.names_changed, self.directory_is_new)
        self.names_changed = self.directory_is_new = log.epochs.changed = False
        log.unflushed_bytes = 0
        done = False
        try:
            await log.disk.in_thread(round_.sync)
            done = True
        except OSError as error:
            raise log.fail(f"fsync failed ({error.strerror or error}); what was written cannot be trusted") from error
        finally:
            if not done:
                self.names_changed, self.directory_is_new = round_.names_changed, round_.directory_is_new
            round_.release()
            running, self._running = self._running, None
            running.set()
        round_.note()
        self.flushed_offset = max(self.flushed_offset, self._upto)
        self.doubtful = self.doubtful or round_.doubtful
        if round_.complete and not self.doubtful:
            self.recovery_point = min(self.flushed_offset, log.end_offset)
        else:
            log.epochs.changed = True


class _Round:
    """What one flush makes durable, as of when it began. Only `sync` runs in a thread."""

    def __init__(self, log: "SegmentLog", names_changed: bool, directory_is_new: bool) -> None:
        self._disk: Disk = log.disk
        self._directory = log.directory
        self.names_changed = names_changed
        self.directory_is_new = directory_is_new
        self._epochs = epochs_text(log.epochs) if log.epochs.changed else None
        self._files: list[tuple[Segment, File, int, int, bool]] = []
        self._aborted: list[TransactionIndex] = []
        self._small: list[Path] = [log.directory / PARTITION_METADATA] if names_changed else []
        self.complete = True
        self.doubtful = False
        """A small file may not be what it seems."""
        for segment in log.segments:
            if not segment.settled:
                self._add(segment, retired=segment is not log.segments[-1])

    def _add(self, segment: Segment, *, retired: bool) -> None:
        if not segment.aborted.is_synced:
            self._add_aborted(segment.aborted)
        segment.file.hold()
        self._files.append((segment, segment.file, segment.size, segment.cuts, retired))
        if retired:
            with suppress(OSError):
                segment.save_indexes()
            names = (
                offset_file(self._directory, segment.base_offset, suffix) for suffix in (INDEX, TIME_INDEX, SNAPSHOT)
            )
            self._small.extend(names)

    def _add_aborted(self, index: TransactionIndex) -> None:
        """No batch tells by itself that an entry is missing there, so without it the recovery point stays."""
        try:
            index.save()
        except OSError:
            self.complete = False
        index.is_synced = True
        self._aborted.append(index)
        self._small.append(index.path)
        self.names_changed = True

    def sync(self) -> None:
        """Raises: OSError: batches or names are not durable."""
        for _, file, *_ in self._files:
            file.sync()
        self._try(lambda: _sync_small(self._disk, self._small))
        if self._epochs is not None:
            text = self._epochs
            self._try(lambda: _put(self._disk, self._directory / LEADER_EPOCHS, text))
        if self.names_changed:
            self._disk.sync_directory(self._directory)
        elif self._epochs is not None:
            self._try(lambda: self._disk.sync_directory(self._directory))
        if self.directory_is_new:
            self._disk.sync_directory(self._directory.parent)

    def _try(self, call: Callable[[], None]) -> None:
        """Small files can be rebuilt from the log: without them only the recovery point stays where it is.

        For the rest of this process: the next fsync would say yes, and prove nothing.
        """
        try:
            call()
        except OSError as error:
            self.complete = False
            self.doubtful |= error.errno not in (ENOSPC, EDQUOT)

    def note(self) -> None:
        for index in self._aborted if not self.complete else ():
            index.is_synced = False
        for segment, _, size, cuts, retired in self._files:
            if segment.cuts == cuts:
                segment.synced_size = size
                segment.settled = retired and self.complete

    def release(self) -> None:
        for _, file, *_ in self._files:
            file.release()


def _put(disk: Disk, path: Path, data: bytes) -> None:
    """In place once the names in its directory are synced."""
    fresh = path.with_name(path.name + TEMPORARY)
    file = disk.create(fresh)
    try:
        write_all(file, data, 0)
        file.sync()
    finally:
        file.release()
    disk.rename(fresh, path)


def _sync_small(disk: Disk, paths: list[Path]) -> None:
    for path in paths:
        if disk.exists(path):
            file = disk.open(path)
            try:
                file.sync()
            finally:
                file.release()
