"""Compaction in the background: one log after the other, the dirtiest first. What happens to one stays with that one.

`log.cleaner.threads` only divides the buffers, as in Kafka; the work is one task in the loop.
Source: LogCleaner.scala.
"""

import errno
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import Protocol

import trio

from broker.clock import Clock
from broker.storage.compaction.pacing import Pace, Throttle
from broker.storage.contract import LogId, StorageFailed
from broker.storage.segments.checkpoints import CLEANED_OFFSETS, RECOVERY_POINTS
from broker.storage.segments.cleaning.cleanable import Cleanable, look_at
from broker.storage.segments.cleaning.cleaner import CleanerLimits, LogCleaner
from broker.storage.segments.cleaning.source_batches import Uncleanable
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.swapping import SourcesChanged

_SHORTEST_MS = 100
"""Between two looks, whatever `log.cleaner.backoff.ms` says."""
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

log = logging.getLogger("barnabas.storage")


class CleanerSettings(Protocol):
    """The broker options of compaction; sizes in bytes, times in ms; asked anew each time but for `enable`."""

    @property
    def log_cleaner_enable(self) -> bool: ...
    @property
    def log_cleaner_threads(self) -> int: ...
    @property
    def log_cleaner_backoff_ms(self) -> int: ...
    @property
    def log_cleaner_dedupe_buffer_size(self) -> int: ...
    @property
    def log_cleaner_io_buffer_size(self) -> int: ...
    @property
    def log_cleaner_io_buffer_load_factor(self) -> float: ...
    @property
    def log_cleaner_io_max_bytes_per_second(self) -> float: ...


class Cleaning:
    """Over `logs`, all that are kept now. `write_checkpoint` makes one durable and says where that failed."""

    def __init__(
        self,
        settings: CleanerSettings,
        clock: Clock,
        logs: Callable[[], Iterable[SegmentLog]],
        write_checkpoint: Callable[[str], Awaitable[set[Path]]],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._logs = logs
        self._write_checkpoint = write_checkpoint
        self._pace = Pace()
        self._throttle = Throttle(lambda: settings.log_cleaner_io_max_bytes_per_second)
        self._uncleanable: set[LogId] = set()
        self._under_way: SegmentLog | None = None
        self._scope = trio.CancelScope()
        self._ended = trio.Event()
        self._ended.set()

    async def run(self) -> None:
        """Until cancelled or stopped; ends at once without `log.cleaner.enable`."""
        if not self._settings.log_cleaner_enable:
            return
        self._ended = trio.Event()
        try:
            with self._scope:
                while True:
                    if not await self._clean_next_or_give_up():
                        await trio.sleep(max(self._settings.log_cleaner_backoff_ms, _SHORTEST_MS) / 1000)
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """Before the logs are closed."""
        self._scope.cancel()
        await self._ended.wait()

    async def _clean_next_or_give_up(self) -> bool:
        """A bug of ours costs a log its compaction, not the broker its life."""
        try:
            return await self.clean_next()
        except Exception:
            if self._under_way is None:
                raise
            log.exception("Compaction of %s broke off", self._under_way.name)
            self._give_up(self._under_way, "see above")
            return False

    async def clean_next(self) -> bool:
        """Compact the log that needs it most; False if none does, or it could not be done."""
        due = await self._due()
        if due is None:
            return False
        self._under_way = due.log
        done = await self._clean(due)
        self._under_way = None
        await self._write_checkpoint(CLEANED_OFFSETS)
        return done

    async def _due(self) -> Cleanable | None:
        """The dirtiest one that is due."""
        found: list[Cleanable] = []
        known = list(self._logs())
        self._uncleanable &= {kept.id for kept in known}
        for kept in known:
            if self._may_clean(kept):
                try:
                    found.append(await look_at(kept, self._clock.now_ms()))
                except (OSError, StorageFailed) as trouble:
                    self._give_up(kept, str(trouble))
            if self._pace.is_due:
                await self._pace.rest()
        return max((one for one in found if one.is_due), key=lambda one: one.ratio, default=None)

    def _may_clean(self, kept: SegmentLog) -> bool:
        return (
            "compact" in kept.settings.cleanup_policy
            and len(kept.segments) > 1
            and kept.failure is None
            and kept.id not in self._uncleanable
        )

    def _give_up(self, kept: SegmentLog, reason: str) -> None:
        self._uncleanable.add(kept.id)
        log.error("%s is not compacted any more until the broker starts again: %s", kept.name, reason)

    async def _made_durable(self, kept: SegmentLog, offset: int) -> bool:
        """A start takes a gap between segments for a loss, but not below the recovery point. Raises: StorageFailed."""
        if kept.commit.recovery_point < offset:
            await kept.flush()
        failed = await self._write_checkpoint(RECOVERY_POINTS)
        if kept.commit.recovery_point < offset and kept.commit.doubtful:
            self._give_up(kept, f"its recovery point stays at {kept.commit.recovery_point}")
        return kept.commit.recovery_point >= offset and kept.directory.parent not in failed

    async def _clean(self, due: Cleanable) -> bool:
        kept, began = due.log, perf_counter()
        cleaner = LogCleaner(
            kept,
            due.first_dirty,
            due.end_offset,
            limits=self._limits(),
            pace=self._pace,
            throttle=self._throttle,
            now_ms=self._clock.now_ms(),
        )
        try:
            if not await self._made_durable(kept, due.end_offset):
                return False
            cleaned_offset = await cleaner.clean()
        except SourcesChanged:
            return False
        except StorageFailed:
            return False  # the log has told why
        except Uncleanable as reason:
            self._give_up(kept, str(reason))
            return False
        except OSError as error:
            if error.errno in _NO_SPACE:
                log.warning("%s is not compacted now: %s", kept.name, error.strerror or error)
            else:
                self._give_up(kept, error.strerror or str(error))
            return False
        progress = cleaned_offset > kept.cleaned_offset
        kept.cleaned_offset = min(cleaned_offset, kept.end_offset)
        log.info(
            "%s is compacted from %d to %d: of %d bytes %d are left, after %.1f s",
            kept.name,
            due.first_dirty,
            cleaned_offset,
            cleaner.read_bytes,
            cleaner.written_bytes,
            perf_counter() - began,
        )
        return progress

    def _limits(self) -> CleanerLimits:
        settings, threads = self._settings, max(self._settings.log_cleaner_threads, 1)
        return CleanerLimits(
            settings.log_cleaner_dedupe_buffer_size // threads,
            settings.log_cleaner_io_buffer_load_factor,
            settings.log_cleaner_io_buffer_size // threads,
        )
