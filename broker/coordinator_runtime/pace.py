"""Long work in the loop, in slices: others have their turn in between, and most of the time if they want it."""

import time

import trio

SLICE_S = 0.0005
REST_S = 0.001
IDLE_S = 0.0001
"""A turn of the loop that takes less than this: nobody else has work."""


class Pace:
    """Ask `is_over` after each step; when it is, `await rest()`."""

    def __init__(self) -> None:
        self._slice_ends = time.perf_counter() + SLICE_S

    @property
    def is_over(self) -> bool:
        return time.perf_counter() > self._slice_ends

    async def rest(self) -> None:
        """A third of the time is ours while others are busy, all of it else."""
        before = time.perf_counter()
        await trio.lowlevel.checkpoint()
        if time.perf_counter() - before > IDLE_S:
            await trio.sleep(REST_S)
        self._slice_ends = time.perf_counter() + SLICE_S
