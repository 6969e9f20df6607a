"""Timers of all coordinators: a heap of deadlines, served by one task. Time is trio's, which no wall clock moves."""

import heapq
import itertools
import math
import time
from collections.abc import Callable, Hashable
from typing import TypeAlias

import trio

from broker.coordinator_runtime.pace import SLICE_S

Fire: TypeAlias = Callable[[], None]


class Timers:
    """Timers by key; a key has one deadline. Moving one is cheap: each heartbeat moves a session's."""

    def __init__(self) -> None:
        self._deadlines: dict[Hashable, tuple[float, Fire]] = {}
        self._queued: dict[Hashable, float] = {}
        """The one entry of a key in the heap that counts. It may be early; then it is put back."""
        self._heap: list[tuple[float, int, Hashable]] = []
        self._number = itertools.count()
        self._earlier = trio.Event()

    def __len__(self) -> int:
        return len(self._deadlines)

    def set(self, key: Hashable, after_ms: float, fire: Fire) -> None:
        """Call `fire` in `after_ms`; what was set under this key before is off."""
        deadline = trio.current_time() + after_ms / 1000
        self._deadlines[key] = deadline, fire
        if deadline < self._queued.get(key, math.inf):
            self._queue(key, deadline)

    def cancel(self, key: Hashable) -> None:
        self._deadlines.pop(key, None)

    def _queue(self, key: Hashable, deadline: float) -> None:
        if not self._heap or deadline < self._heap[0][0]:
            self._earlier.set()
        self._queued[key] = deadline
        heapq.heappush(self._heap, (deadline, next(self._number), key))

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Fire what is due, in slices, until cancelled."""
        task_status.started()
        while True:
            self._earlier = trio.Event()
            with trio.move_on_at(self._heap[0][0] if self._heap else math.inf):
                await self._earlier.wait()
            slice_ends = time.perf_counter() + SLICE_S
            while self._heap and self._heap[0][0] <= trio.current_time():
                self._fire_first()
                if time.perf_counter() > slice_ends:
                    await trio.lowlevel.checkpoint()
                    slice_ends = time.perf_counter() + SLICE_S

    def _fire_first(self) -> None:
        when, _, key = heapq.heappop(self._heap)
        if self._queued.get(key) != when:
            return  # an earlier one was queued after it
        del self._queued[key]
        deadline, fire = self._deadlines.get(key, (math.inf, None))
        if fire is None:
            return
        if deadline > when:
            self._queue(key, deadline)
            return
        del self._deadlines[key]
        fire()
