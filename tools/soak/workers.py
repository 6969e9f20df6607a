"""Threads that do one thing again and again until the end; how fast, one governor says for all."""

import collections
import threading
import time
from collections.abc import Callable
from random import Random

SLOWEST = 0.05


class Pace:
    """How much of the wanted pace is allowed: less when broker and clients together take more than their CPU."""

    def __init__(self, max_cores: float) -> None:
        self.max_cores = max_cores
        self.share = 1.0

    def govern(self, cores: float) -> None:
        """Tell it what the last window took."""
        if cores > self.max_cores * 0.9:
            self.share = max(SLOWEST, self.share * 0.8)
        elif cores < self.max_cores * 0.7:
            self.share = min(1.0, self.share * 1.05)


class Tally:
    """What was done and what went wrong, counted by name, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.done: collections.Counter[str] = collections.Counter()
        self.failed: collections.Counter[str] = collections.Counter()

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.done[what] += number

    def fail(self, what: str, why: object) -> None:
        with self._lock:
            self.failed[f"{what}: {type(why).__name__ if isinstance(why, Exception) else ''} {why}"[:200]] += 1


class Workers:
    """Everyone at work. `stop` waits until all are done with what they are doing."""

    def __init__(self, pace: Pace, tally: Tally, seed: int) -> None:
        self.pace = pace
        self.tally = tally
        self.chance = Random(seed)
        self.stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def again(
        self, name: str, every_s: float, once: Callable[[], None], at_end: Callable[[], None] | None = None
    ) -> None:
        """Call `once` so often, more or less; what it raises is counted and it goes on."""

        def run() -> None:
            while not self.stopping.wait(every_s * self.chance.uniform(0.7, 1.3) / self.pace.share):
                self._try(name, once)
            if at_end is not None:
                self._try(name, at_end)

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _try(self, name: str, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as why:  # any failure of any client is a finding, not the end
            self.tally.fail(name, why)

    def stop(self, within_s: float = 60) -> None:
        self.stopping.set()
        deadline = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                self.tally.fail(thread.name, "did not end")
