"""All logs of one broker in segment files, over one or more data directories.

Source: LogManager.scala.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

import trio

from broker.clock import Chance, Clock
from broker.storage.contract import DirectoryUse, Identity, LogId, LogSettings, StorageFailed
from broker.storage.files import Disk, SystemDisk
from broker.storage.segments.checkpointing import Checkpointer
from broker.storage.segments.chores import Chores, ChoreSettings, Removals
from broker.storage.segments.directory import DataDirectory
from broker.storage.segments.loading import load_directory
from broker.storage.segments.log import SegmentLog

log = logging.getLogger("barnabas.storage")

_CLOSING_AT_ONCE = 16


class SegmentStorage:
    """See `broker.storage.contract.Storage`.

    Args:
        directories: `log.dirs`; a new log goes to the one with the fewest.
        settings: of the background tasks.
        defaults: options of a log until `create` brings its own.
        chance: for the names of directories that wait for their removal.
    """

    def __init__(
        self,
        directories: Sequence[Path],
        *,
        settings: ChoreSettings,
        defaults: LogSettings,
        clock: Clock,
        chance: Chance,
        disk: Disk | None = None,
    ) -> None:
        self._disk = disk if disk is not None else SystemDisk()
        self._directories = [DataDirectory(path, self._disk) for path in directories]
        self._defaults = defaults
        self._clock = clock
        self._chance = chance
        self._logs: dict[LogId, SegmentLog] = {}
        self._by_name: dict[str, SegmentLog] = {}
        self._unreadable: dict[str, str] = {}
        self._loaded = False
        self._checkpointer = Checkpointer(self._disk, directories, self._logs.values)
        self._removals = Removals(self._disk)
        self._chores = Chores(settings, clock, self._logs.values, self._checkpointer, self._removals)

    # --- before anything else ---

    def claim(self, broker_id: int | None) -> None:
        try:
            for directory in self._directories:
                directory.claim()
                directory.check(Identity(broker_id))
        except BaseException:
            self._release_directories()
            raise

    @property
    def identity(self) -> Identity:
        found = [directory.identity for directory in self._directories]
        return Identity(
            next((identity.broker_id for identity in found if identity.broker_id is not None), None),
            next((identity.cluster_id for identity in found if identity.cluster_id is not None), None),
        )

    def identify(self, identity: Identity) -> None:
        for directory in self._directories:
            directory.identify(identity, self._clock.now_ms())

    def _release_directories(self) -> None:
        for directory in self._directories:
            directory.release()

    # --- all logs ---

    async def load(self) -> Iterable[SegmentLog]:
        for directory in self._directories:
            found = await load_directory(directory, self._disk, self._defaults, self, self._clock.now_ms())
            self._unreadable.update(found.unreadable)
            for loaded in found.logs:
                self._take(loaded)
        await self._write_checkpoints()  # those of the last run may name logs that are gone
        self._loaded = True
        return list(self._logs.values())

    def _take(self, loaded: SegmentLog) -> None:
        twin = self._by_name.setdefault(loaded.name, loaded)
        if twin is not loaded:
            twin.fail(f"there is another one in {loaded.directory.parent}; remove the one that is wrong")
        elif loaded.has_metadata:
            self._logs[loaded.id] = loaded

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await self._chores.run(task_status)

    async def close(self) -> None:
        if not self._loaded:
            self._release_directories()
            return
        failed: set[Path] = set()
        limiter = trio.CapacityLimiter(_CLOSING_AT_ONCE)
        async with trio.open_nursery() as nursery:
            for kept in self._by_name.values():
                nursery.start_soon(self._close_one, kept, limiter, failed)
        try:
            await self._write_checkpoints()
            for directory in self._directories:
                if directory.path not in failed:
                    await self._disk.in_thread(directory.leave_clean_mark)
        except OSError as error:
            log.error("The next start has to look through the logs: %s", error.strerror or error)
        finally:
            self._release_directories()

    async def _close_one(self, kept: SegmentLog, limiter: trio.CapacityLimiter, failed: set[Path]) -> None:
        async with limiter:
            if kept.failure is not None:
                failed.add(kept.directory.parent)
            try:
                await kept.close()
            except StorageFailed:
                failed.add(kept.directory.parent)

    async def _write_checkpoints(self) -> None:
        try:
            await self._checkpointer.write_all()
        except OSError as error:
            log.error("Checkpoints cannot be written: %s", error.strerror or error)

    # --- one log ---

    async def directories(self) -> list[DirectoryUse]:
        return [await self._use_of(directory.path) for directory in self._directories]

    async def _use_of(self, path: Path) -> DirectoryUse:
        try:
            total, usable = await self._disk.in_thread(lambda: self._disk.capacity(path))
        except OSError as error:
            log.error("%s does not answer: %s", path, error.strerror or error)
            return DirectoryUse(str(path), {}, failed=True)
        here = [kept for kept in self._logs.values() if kept.directory.parent == path and kept.failure is None]
        return DirectoryUse(str(path), {kept.id: kept.size_bytes for kept in here}, total, usable)

    def expire_producers_after(self, idle_ms: int) -> None:
        self._chores.producer_idle_ms = idle_ms

    def create(self, log_id: LogId, topic: str, settings: LogSettings) -> SegmentLog:
        name = f"{topic}-{log_id.partition}"
        kept = self._logs.get(log_id) or self._adopted(log_id, name) or self._made(log_id, name, settings)
        kept.check()
        kept.settings = settings
        return kept

    def _adopted(self, log_id: LogId, name: str) -> SegmentLog | None:
        """A directory of that name that does not say whose it is, as brokers before 2.8 left it."""
        if name in self._unreadable:
            raise StorageFailed(self._unreadable[name])
        found = self._by_name.get(name)
        if found is None:
            return None
        found.check()
        if found.has_metadata or not found.has_directory:
            raise StorageFailed(f"{name} in {found.directory.parent} belongs to topic id {found.id.topic_id}")
        found.id = log_id
        try:
            found.write_metadata()
        except OSError as error:
            raise found.failed(error) from error
        self._logs[log_id] = found
        return found

    def _made(self, log_id: LogId, name: str, settings: LogSettings) -> SegmentLog:
        count = Counter(kept.directory.parent for kept in self._by_name.values())
        parent = min((directory.path for directory in self._directories), key=lambda path: count[path])
        made = SegmentLog(log_id, name, parent / name, settings, self._disk, self)
        self._logs[log_id] = self._by_name[name] = made
        return made

    def get(self, log_id: LogId) -> SegmentLog | None:
        return self._logs.get(log_id)

    async def delete(self, log_id: LogId) -> None:
        gone = self._logs.pop(log_id, None)
        if gone is not None:
            del self._by_name[gone.name]
            await gone.close(delete=True)
            await self._write_checkpoints()

    def high_watermark(self, log_id: LogId) -> int:
        kept = self._logs.get(log_id)
        return 0 if kept is None else kept.watermark

    def note_high_watermark(self, log_id: LogId, offset: int) -> None:
        kept = self._logs.get(log_id)
        if kept is not None:
            kept.watermark = offset

    # --- what a log asks of its keeper ---

    def flush_soon(self, flushable: SegmentLog) -> None:
        self._chores.flush_soon(flushable)

    def remove_later(self, paths: list[Path], after_ms: int) -> None:
        self._removals.add(paths, trio.current_time() + after_ms / 1000)

    def lower_recovery_point(self, lowered: SegmentLog, offset: int) -> None:
        if lowered.commit.recovery_point > offset:
            lowered.commit.recovery_point = offset
            self._checkpointer.write_recovery_points_now(lowered.directory.parent)

    def start_moved(self, moved: SegmentLog) -> None:
        self._chores.start_moved.set()

    def unique(self) -> UUID:
        return self._chance.uuid()
