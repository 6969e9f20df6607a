"""What storage does in the background: flush what has grown long, remove what is gone, write checkpoints, tidy up,
compact.

Trouble with one log is logged and stays with that log.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from typing import Protocol

import trio

from broker.clock import Clock
from broker.storage.contract import StorageFailed
from broker.storage.directories.checkpointing import Checkpointer
from broker.storage.files import Disk
from broker.storage.segments.checkpoints import HIGH_WATERMARKS, LOG_STARTS, RECOVERY_POINTS
from broker.storage.segments.cleaning.background import CleanerSettings, Cleaning
from broker.storage.segments.flush_by_age import FlushByAge, look_every_ms
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.names import DELETE_DIRECTORY
from broker.storage.segments.scrub import Scrub, ScrubSettings

_SHORTEST_MS = 100
"""Between two rounds of a chore, whatever an option says."""

log = logging.getLogger("barnabas.storage")


class ChoreSettings(CleanerSettings, ScrubSettings, Protocol):
    """The broker options that say how often, in ms; asked anew each time."""

    @property
    def log_flush_offset_checkpoint_interval_ms(self) -> int: ...
    @property
    def log_flush_start_offset_checkpoint_interval_ms(self) -> int: ...
    @property
    def replica_high_watermark_checkpoint_interval_ms(self) -> int: ...
    @property
    def log_flush_scheduler_interval_ms(self) -> int: ...
    @property
    def log_retention_check_interval_ms(self) -> int: ...
    @property
    def producer_id_expiration_ms(self) -> int: ...
    @property
    def producer_id_expiration_check_interval_ms(self) -> int: ...


class Removals:
    """Files and directories that have to go, each at its time (trio's clock); at once when storage starts anew."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._waiting: list[tuple[float, str, Path]] = []
        self._added = trio.Event()

    def add(self, paths: Iterable[Path], at: float) -> None:
        for path in paths:
            heappush(self._waiting, (at, str(path), path))
        self._added.set()

    async def run(self) -> None:
        while True:
            self._added = trio.Event()
            until = self._waiting[0][0] if self._waiting else float("inf")
            with trio.move_on_at(until):
                await self._added.wait()
                continue
            _, _, path = heappop(self._waiting)
            await self._remove(path)

    async def _remove(self, path: Path) -> None:
        remove = self._disk.remove_tree if path.name.endswith(DELETE_DIRECTORY) else self._disk.remove
        try:
            await self._disk.in_thread(lambda: remove(path))
        except FileNotFoundError:
            return  # its directory went first
        except OSError as error:
            log.warning("%s cannot be removed: %s; the next start tries again", path, error.strerror or error)


class Chores:
    """The background tasks over `logs`, all that are kept now."""

    def __init__(
        self,
        settings: ChoreSettings,
        clock: Clock,
        logs: Callable[[], Iterable[SegmentLog]],
        checkpointer: Checkpointer,
        removals: Removals,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._logs = logs
        self._checkpointer = checkpointer
        self._removals = removals
        self._to_flush: set[SegmentLog] = set()
        self._flush_wanted = trio.Event()
        self._ages: FlushByAge[SegmentLog] = FlushByAge(self.flush_soon)
        self.start_moved = trio.Event()
        self.cleaning = Cleaning(settings, clock, logs, checkpointer.write)

    def flush_soon(self, flushable: SegmentLog) -> None:
        self._to_flush.add(flushable)
        self._flush_wanted.set()

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        settings = self._settings
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._removals.run)
            nursery.start_soon(self._flush)
            nursery.start_soon(self.cleaning.run)
            nursery.start_soon(Scrub(settings, self._logs).run)
            nursery.start_soon(
                self._write_each, RECOVERY_POINTS, lambda: settings.log_flush_offset_checkpoint_interval_ms
            )
            nursery.start_soon(
                self._write_each, HIGH_WATERMARKS, lambda: settings.replica_high_watermark_checkpoint_interval_ms
            )
            nursery.start_soon(self._write_starts)
            nursery.start_soon(
                self._each, lambda: look_every_ms(settings.log_flush_scheduler_interval_ms), self._flush_by_age
            )
            nursery.start_soon(self._each, lambda: settings.log_retention_check_interval_ms, self._tidy)
            nursery.start_soon(self._each, lambda: settings.producer_id_expiration_check_interval_ms, self._expire)
            task_status.started()

    async def _each(self, interval_ms: Callable[[], int], chore: Callable[[], Awaitable[None]]) -> None:
        while True:
            await trio.sleep(max(interval_ms(), _SHORTEST_MS) / 1000)
            await chore()

    async def _write_each(self, name: str, interval_ms: Callable[[], int]) -> None:
        await self._each(interval_ms, lambda: self._write(name))

    async def _write(self, name: str) -> None:
        try:
            await self._checkpointer.write(name)
        except OSError as error:
            log.error("%s cannot be written: %s", name, error.strerror or error)

    async def _write_starts(self) -> None:
        """Soon after a start moved, not only now and then: what was deleted should stay so after a crash."""
        while True:
            with trio.move_on_after(self._settings.log_flush_start_offset_checkpoint_interval_ms / 1000):
                await self.start_moved.wait()
            self.start_moved = trio.Event()
            await self._write(LOG_STARTS)
            await trio.sleep(_SHORTEST_MS / 1000)

    async def _flush(self) -> None:
        while True:
            await self._flush_wanted.wait()
            self._flush_wanted = trio.Event()
            wanted, self._to_flush = self._to_flush, set()
            for flushable in wanted:
                await self._for_one(flushable, flushable.flush)

    async def _flush_by_age(self) -> None:
        self._ages.look(self._logs(), trio.current_time())

    async def _tidy(self) -> None:
        for kept in list(self._logs()):
            await self._for_one(kept, partial(kept.tidy, self._clock.now_ms()))
            await trio.lowlevel.checkpoint()

    async def _expire(self) -> None:
        for kept in list(self._logs()):
            kept.producers.expire(self._clock.now_ms(), self._settings.producer_id_expiration_ms)
            await trio.lowlevel.checkpoint()

    async def _for_one(self, kept: SegmentLog, chore: Callable[[], Awaitable[object]]) -> None:
        if kept.failure is None:
            try:
                await chore()
            except StorageFailed as failure:
                log.error("%s", failure)
