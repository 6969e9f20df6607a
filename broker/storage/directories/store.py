"""All logs of one broker in segment files, over one or more data directories.

Source: LogManager.scala.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol
from uuid import UUID

import trio

from broker.clock import Chance, Clock
from broker.storage.contract import Identity, LogId, StorageFailed
from broker.storage.directories import mark
from broker.storage.directories.checkpointing import Checkpointer
from broker.storage.directories.chores import Chores, ChoreSettings, Removals
from broker.storage.directories.closing import close_all
from broker.storage.directories.directory import DataDirectory
from broker.storage.directories.directory_set import Directories
from broker.storage.directories.loading import load_directory
from broker.storage.directories.log_places import LogPlaces
from broker.storage.directories.logs import Logs
from broker.storage.directories.moving import Moves
from broker.storage.directories.placement import Placement
from broker.storage.directories.watching import Watch
from broker.storage.files import Disk, SystemDisk
from broker.storage.log_settings import LogSettings
from broker.storage.segments.checkpoints import LOG_STARTS
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.space import Space

log = logging.getLogger("barnabas.storage")


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
        self._logs = Logs()
        self._loaded = False
        self._watch = Watch(self._directories, self._disk, self._directory_failed)
        self._checkpointer = Checkpointer(self._disk, self._live_paths, self._all_logs, self._watch.checkpoint_failed)
        self._moves = Moves(clock, self, self._checkpointer)
        self._placement = Placement(self._directories, self._all_logs)
        self.places = LogPlaces(
            self._directories, self._logs, self._moves, self._placement, self._disk, self._directory_failed
        )
        self._listeners: list[Callable[[LogId], None]] = []
        self._removals = Removals(self._disk)
        self._chores = Chores(settings, clock, lambda: self._logs.with_id, self._checkpointer, self._removals)

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
        return chain(self._logs, self._moves.futures())

    def _live_paths(self) -> list[Path]:
        return [directory.path for directory in self._directories.live]

    def on_offline(self, listener: Callable[[LogId], None]) -> None:
        self._listeners.append(listener)

    def _went_offline(self, gone: SegmentLog) -> None:
        if self._logs.holds(gone):
            for tell in self._listeners:
                tell(gone.id)

    def _directory_failed(self, directory: DataDirectory, error: OSError) -> None:
        """All its logs are offline now. Raises: OperatorError: it was the last one."""
        if self._directories.fail(directory, directory.unusable(error)):
            for kept in self._all_logs():
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
            self._logs.take(found)
            futures += found.futures
        self._clear_marks()
        for future in futures:
            self._moves.go_on(self._logs.named(future.name), future)
        await self._checkpointer.write_all()  # those of the last run may name logs that are gone
        self._loaded = True
        return list(self._logs)

    def _clear_marks(self) -> None:
        """Logs that changed places need none once the old place was looked at."""
        if len(list(self._directories)) > 1 and not self._directories.failed:
            for kept in self._logs:
                if kept.failure is None and mark.is_on(kept):
                    mark.remove(kept)

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
        try:
            await close_all(self._all_logs(), self._directories, self._checkpointer, self._disk)
        finally:
            self._directories.release()

    # --- one log ---

    def create(self, log_id: LogId, topic: str, settings: LogSettings, *, new: bool = True) -> SegmentLog:
        name = f"{topic}-{log_id.partition}"
        kept = self._logs.get(log_id) or self._logs.adopt(log_id, name) or self._made(log_id, name, settings, new)
        kept.check()
        kept.settings = settings
        return kept

    def _made(self, log_id: LogId, name: str, settings: LogSettings, new: bool) -> SegmentLog:
        if not new and (failed := self._directories.failed):
            where = ", ".join(str(directory.path) for directory in failed)
            raise StorageFailed(f"{name} is not in the directories that work; it may be in {where}, which failed")
        made = SegmentLog(log_id, name, self._placement.of(name) / name, settings, self._disk, self)
        self._logs.add(made)
        return made

    async def keep_starts(self, logs: Iterable[LogId]) -> set[LogId]:
        there = {each: kept for each in logs if (kept := self._logs.get(each)) is not None}
        places = sorted({kept.directory.parent for kept in there.values()})
        failed = await self._checkpointer.write(LOG_STARTS, within=places)
        return {each for each, kept in there.items() if kept.directory.parent in failed}

    def get(self, log_id: LogId) -> SegmentLog | None:
        return self._logs.get(log_id)

    async def delete(self, log_id: LogId) -> None:
        gone = self._logs.forget(log_id)
        if gone is not None:
            changed = self._moves.end(log_id)
            if changed is not None:
                await self._sync_names(changed)
            self._logs.free(gone.name)
            await gone.close(delete=True)
            await self._checkpointer.write_all([gone.directory.parent])

    async def _sync_names(self, directory: Path) -> None:
        try:
            await self._disk.in_thread(lambda: self._disk.sync_directory(directory))
        except OSError as error:
            log.error("%s cannot be synced: %s", directory, error.strerror or error)
            self._watch.suspect(directory)

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
