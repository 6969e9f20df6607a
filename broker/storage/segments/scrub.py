"""Reads what was written long ago again and again: a bit that changed on the disk is found before it is asked for.

One segment after the other, slowly: what is found is told once and never served. Only segments that are no longer
written; memory stands for the disk where pages are still in it.
"""

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

import trio

from broker.storage.contract import StorageFailed
from broker.storage.files import File
from broker.storage.segments.checking import Walk

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog
    from broker.storage.segments.segment import Segment

log = logging.getLogger("barnabas.storage")

ROUND_S = 24 * 3600.0
"""A round over all logs begins no earlier after the one before, however little there is."""
FIRST_ROUND_AFTER_S = 600.0
_STEP_BYTES = 1 << 20
_LOOK_AGAIN_S = 60.0
"""While it is switched off."""


class ScrubSettings(Protocol):
    @property
    def barnabas_scrub_bytes_per_second(self) -> int:
        """0: off. Asked anew for each step."""
        ...


class Scrub:
    """Over `logs`, all that are kept now."""

    def __init__(self, settings: ScrubSettings, logs: "Callable[[], Iterable[SegmentLog]]") -> None:
        self._settings = settings
        self._logs = logs

    async def run(self) -> None:
        next_round = trio.current_time() + FIRST_ROUND_AFTER_S
        while True:
            await trio.sleep_until(next_round)
            next_round = trio.current_time() + ROUND_S
            await self.round()

    async def round(self) -> None:
        """Look at every closed segment once."""
        for kept in list(self._logs()):
            for segment in kept.segments[:-1]:
                try:
                    await self._look_through(kept, segment)
                except StorageFailed as failure:
                    log.error("%s", failure)

    async def _look_through(self, kept: "SegmentLog", segment: "Segment") -> None:
        """Raises: StorageFailed."""
        try:
            if _is_there(kept, segment):
                file = await kept.disk.in_thread(lambda: kept.disk.open(segment.path))
                try:
                    await self._walk(kept, segment, file)
                finally:
                    file.release()
        except OSError as error:
            if _is_there(kept, segment):
                raise kept.failed(error) from error

    async def _walk(self, kept: "SegmentLog", segment: "Segment", file: File) -> None:
        position, lower = 0, segment.base_offset
        with Walk(kept, segment, file, trio.lowlevel.checkpoint) as walk:
            while _is_there(kept, segment) and not walk.changed and position < segment.size:
                rate = self._settings.barnabas_scrub_bytes_per_second
                if not rate:
                    await trio.sleep(_LOOK_AGAIN_S)
                    continue
                before = position
                position, lower = await walk.run(position, lower, segment.size, lower, _STEP_BYTES)
                await trio.sleep((position - before) / rate)


def _is_there(kept: "SegmentLog", segment: "Segment") -> bool:
    return kept.failure is None and segment in kept.segments
