"""All logs of one broker in segment files, over one or more data directories.

Source: LogManager.scala.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from math import inf
from pathlib import Path
from typing import Protocol
from uuid import UUID

import trio

from broker.clock import Chance, Clock
from broker.storage.contract import DirectoryUse, Identity, LogId, LogSettings, NoSuchDirectory, StorageFailed
from broker.storage.directories import mark
from broker.storage.directories.checkpointing import Checkpointer
from broker.storage.directories.chores import Chores, ChoreSettings, Removals
from broker.storage.directories.directory import DataDirectory
from broker.storage.directories.directory_set import Directories
from broker.storage.directories.loading import load_directory
from broker.storage.directories.move import Stage, discard
from broker.storage.directories.moving import Moves
from broker.storage.directories.placement import Placement
from broker.storage.directories.watching import Watch
from broker.storage.files import Disk, SystemDisk
from broker.storage.segments import rolling
from broker.storage.segments.checkpoints import LOG_STARTS
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.space import Space

log = logging.getLogger("barnabas.storage")

_CLOSING_AT_ONCE = 16


class StorageSettings(ChoreSettings, Protocol):
    @property
    def barnabas_log_dir_reserve_bytes(self) -> int: ...


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
        settings: StorageSettings,
        defaults: LogSettings,
        clock: Clock,
        chance: Chance,
        disk: Disk | None = None,
    ) -> None:
        self._disk = disk if disk is not None else SystemDisk()
        self._directories = Directories(directories, self._disk, lambda: settings.barnabas_log_dir_reserve_bytes)
        self._defaults = defaults
        self._clock = clock
        self._chance = chance
        self._logs: dict[LogId, SegmentLog] = {}
        self._by_name: dict[str, SegmentLog] = {}
        self._unreadable: dict[str, str] = {}
        self._loaded = False
        self._watch = Watch(self._directories, self._disk, self._directory_failed)
        self._checkpointer = Checkpointer(self._disk, self._live_paths, self._all_logs, self._watch.checkpoint_failed)
        self._rate: Callable[[], float] = lambda: inf
        self._moves = Moves(clock, self, self._checkpointer, lambda: self._rate())
        self._placement = Placement(self._directories, self._all_logs)
        self._listeners: list[Callable[[LogId], None]] = []
        self._removals = Removals(self._disk)
        self._chores = Chores(settings, clock, self._logs.values, self._checkpointer, self._removals)

    # --- before anything else ---

    def claim(self, broker_id: int | None) -> None:
        self._directories.claim(broker_id)

    @property
    def identity(self) -> Identity:
        return self._directories.identity

    def identify(self, identity: Identity) -> None:
        self._directories.identify(identity, self._clock.now_ms())

    # --- directories that fail or fill up ---

    def _all_logs(self) -> Iterable[SegmentLog]:
        """Those too whose directory does not say yet whose it is: their offsets must not be lost until it does."""
        return chain(tuple(self._by_name.values()), self._moves.futures())

    def _live_paths(self) -> list[Path]:
        return [directory.path for directory in self._directories.live]

    def on_offline(self, listener: Callable[[LogId], None]) -> None:
        self._listeners.append(listener)

    def _went_offline(self, gone: SegmentLog) -> None:
        if self._logs.get(gone.id) is gone:
            for tell in self._listeners:
                tell(gone.id)

    def _directory_failed(self, directory: DataDirectory, error: OSError) -> None:
        """All its logs are offline now. Raises: OperatorError: it was the last one."""
        if self._directories.fail(directory, directory.unusable(error)):
            for kept in (*self._by_name.values(), *self._moves.futures()):
                if kept.directory.parent == directory.path and kept.failure is None:
                    kept.go_offline(f"{directory.path} failed")
                    self._went_offline(kept)
        self._directories.must_be_one()

    # --- all logs ---

    async def load(self) -> Iterable[SegmentLog]:
        await self._watch.look_at_space()
        futures: list[SegmentLog] = []
        for directory in self._directories.live:
            try:
                found = await load_directory(directory, self._disk, self._defaults, self, self._clock.now_ms())
            except OSError as error:
                self._directory_failed(directory, error)
                continue
            self._unreadable.update(found.unreadable)
            futures += found.futures
            for loaded in found.logs:
                self._take(loaded)
        self._end_settled_moves()
        for future in futures:
            self._take_future(future)
        await self._checkpointer.write_all()  # those of the last run may name logs that are gone
        self._loaded = True
        return list(self._by_name.values())

    def _take(self, loaded: SegmentLog) -> None:
        twin = self._by_name.setdefault(loaded.name, loaded)
        if twin is not loaded and (settled := mark.settled(twin, loaded)) is not None:
            goes_on, left = settled
            discard(left)
            self._by_name[loaded.name] = self._logs[loaded.id] = goes_on
            log.warning("%s goes on in %s; it was moving", goes_on.name, goes_on.directory.parent)
        elif twin is not loaded:
            twin.fail(f"there is another one in {loaded.directory.parent}; remove the one that is wrong")
        elif loaded.has_metadata:
            self._logs[loaded.id] = loaded

    def _end_settled_moves(self) -> None:
        """Logs that changed places need no mark once the old place was looked at."""
        if len(list(self._directories)) > 1 and not self._directories.failed:
            for kept in self._by_name.values():
                if kept.failure is None and mark.is_on(kept):
                    mark.remove(kept)

    def _take_future(self, future: SegmentLog) -> None:
        current = self._by_name.get(future.name)
        if current is None or current.failure is not None:
            log.warning("%s belongs to no log that is here, and stays as it is", future.directory)
            for segment in future.segments:
                segment.release()
        elif (
            future.failure is None
            and future.id == current.id in self._logs
            and future.directory.parent != current.directory.parent
            and self._moves.get(current.id) is None
        ):
            self._moves.go_on(current, future)
        else:
            discard(future)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Raises: OperatorError: the last directory failed."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch.run)
            nursery.start_soon(self._moves.run)
            await self._chores.run(task_status)

    async def close(self) -> None:
        if not self._loaded:
            self._directories.release()
            return
        await self._chores.cleaning.stop()
        failed: set[Path] = set()
        limiter = trio.CapacityLimiter(_CLOSING_AT_ONCE)
        async with trio.open_nursery() as nursery:
            for kept in (*self._by_name.values(), *self._moves.futures()):
                nursery.start_soon(self._close_one, kept, limiter, failed)
        try:
            failed |= await self._checkpointer.write_all()
            for directory in self._directories.live:
                if directory.path not in failed:
                    await self._leave_clean_mark(directory)
        finally:
            self._directories.release()

    async def _leave_clean_mark(self, directory: DataDirectory) -> None:
        try:
            await self._disk.in_thread(directory.leave_clean_mark)
        except OSError as error:
            log.error("The next start has to look through the logs: %s", error.strerror or error)

    async def _close_one(self, kept: SegmentLog, limiter: trio.CapacityLimiter, failed: set[Path]) -> None:
        async with limiter:
            durable = kept.failure is None
            try:
                await kept.close()
            except StorageFailed:
                durable = False
            if not durable or kept.commit.doubtful or kept.commit.recovery_point < kept.end_offset:
                failed.add(kept.directory.parent)

    # --- one log ---

    async def directories(self) -> list[DirectoryUse]:
        return [await self._use_of(directory) for directory in self._directories]

    async def _use_of(self, directory: DataDirectory) -> DirectoryUse:
        path, total, usable = directory.path, -1, -1
        if directory.failure is None:
            try:
                total, usable = await self._disk.in_thread(directory.measure)
            except OSError as error:
                self._directory_failed(directory, error)
        if directory.failure is not None:
            return DirectoryUse(str(path.absolute()), {}, failed=True)
        here = [kept for kept in self._logs.values() if kept.directory.parent == path and kept.failure is None]
        sizes = {kept.id: kept.size_bytes for kept in here}
        coming = [move for move in self._moves if move.stage < Stage.LEAVING and move.target == path]
        futures = {move.current.id: (move.future.size_bytes, move.lag) for move in coming}
        return DirectoryUse(str(path.absolute()), sizes, total, usable, futures=futures)

    def create(self, log_id: LogId, topic: str, settings: LogSettings, *, new: bool = True) -> SegmentLog:
        name = f"{topic}-{log_id.partition}"
        kept = self._logs.get(log_id) or self._adopted(log_id, name) or self._made(log_id, name, settings, new)
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
            rolling.write_metadata(found)
        except OSError as error:
            raise found.failed(error) from error
        self._logs[log_id] = found
        return found

    def _made(self, log_id: LogId, name: str, settings: LogSettings, new: bool) -> SegmentLog:
        if not new and (failed := self._directories.failed):
            where = ", ".join(str(directory.path) for directory in failed)
            raise StorageFailed(f"{name} is not in the directories that work; it may be in {where}, which failed")
        made = SegmentLog(log_id, name, self._placement.of(name) / name, settings, self._disk, self)
        self._logs[log_id] = self._by_name[name] = made
        return made

    # --- from directory to directory ---

    def move(self, topic: str, partition: int, log_id: LogId | None, path: str) -> None:
        target = next((each for each in self._directories if each.path.absolute() == Path(path)), None)
        if target is None:
            raise NoSuchDirectory(f"log.dirs does not name {path}")
        if target.failure is not None:
            raise StorageFailed(f"{path} is offline")
        kept = None if log_id is None else self._logs.get(log_id)
        if kept is None:
            self._placement.prefer(f"{topic}-{partition}", target.path)
        else:
            kept.check()
            self._moves.begin(kept, target.path)

    def pace_moves(self, bytes_per_second: Callable[[], float]) -> None:
        self._rate = bytes_per_second

    async def keep_starts(self, logs: Iterable[LogId]) -> set[LogId]:
        there = {each: kept for each in logs if (kept := self._logs.get(each)) is not None}
        places = sorted({kept.directory.parent for kept in there.values()})
        failed = await self._checkpointer.write(LOG_STARTS, within=places)
        return {each for each, kept in there.items() if kept.directory.parent in failed}

    def get(self, log_id: LogId) -> SegmentLog | None:
        return self._logs.get(log_id)

    async def delete(self, log_id: LogId) -> None:
        gone = self._logs.pop(log_id, None)
        if gone is not None:
            changed = self._moves.end(log_id)
            if changed is not None:
                await self._sync_names(changed)
            del self._by_name[gone.name]
            await gone.close(delete=True)
            await self._checkpointer.write_all([gone.directory.parent])

    async def _sync_names(self, directory: Path) -> None:
        try:
            await self._disk.in_thread(lambda: self._disk.sync_directory(directory))
        except OSError as error:
            log.error("%s cannot be synced: %s", directory, error.strerror or error)
            self._watch.suspect(directory)

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
        self._moves.truncated(lowered, offset)
        if lowered.commit.recovery_point > offset:
            lowered.commit.recovery_point = offset
            self._checkpointer.write_recovery_points_now(lowered.directory.parent)

    def start_moved(self, moved: SegmentLog) -> None:
        self._chores.start_moved.set()

    def space_of(self, directory: Path) -> Space:
        return self._directories.at(directory).space

    def went_offline(self, gone: SegmentLog) -> None:
        self._went_offline(gone)
        self._watch.suspect(gone.directory.parent)

    def unique(self) -> UUID:
        return self._chance.uuid()
