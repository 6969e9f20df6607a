"""Work in slices: others get the loop every quarter of a millisecond, and the disk has so many bytes a second.

Source: Throttler.
"""

from collections.abc import Callable, Generator
from time import perf_counter
from typing import TypeVar

import trio

T = TypeVar("T")

_SLICE_S = 0.00025
_BUSY_S = 0.0001
"""Waiting for one's turn that long means that others want the loop."""
_REST = 4.0
"""Times the slice that a busy loop is left alone."""


class Pace:
    """Of one worker. `is_due` is cheap enough to be asked for every batch."""

    def __init__(self) -> None:
        self._until = perf_counter() + _SLICE_S

    @property
    def is_due(self) -> bool:
        return perf_counter() >= self._until

    async def rest(self) -> None:
        """Let others have their turn; longer where there are some."""
        before = perf_counter()
        await trio.lowlevel.checkpoint()
        if perf_counter() - before > _BUSY_S:
            await trio.sleep(_SLICE_S * _REST)
        self._until = perf_counter() + _SLICE_S

    async def run(self, steps: Generator[None, None, T]) -> T:
        """Run through the steps, with rests; what they return."""
        while True:
            try:
                next(steps)
            except StopIteration as done:
                value: T = done.value
                return value
            if self.is_due:
                await self.rest()


class Throttle:
    """Args: limit: bytes a second, asked anew each time."""

    def __init__(self, limit: Callable[[], float]) -> None:
        self._limit = limit
        self._free_at = 0.0

    async def spend(self, count: int) -> None:
        """So many bytes were read or written: wait until that is allowed."""
        now = trio.current_time()
        self._free_at = max(self._free_at, now) + count / max(self._limit(), 1e-9)
        if self._free_at > now:
            await trio.sleep_until(self._free_at)
