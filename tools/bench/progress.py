"""Where the bench is, on stderr; on a terminal a bar that is redrawn, elsewhere nothing."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

_BAR = 24


class Progress:
    """`step` before each part of the work; `rounds` counts inside one."""

    def __init__(self, steps: int, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.perf_counter) -> None:
        self._steps, self._stream, self._clock = steps, stream, clock
        self._shown = stream.isatty()
        self._began = clock()
        self._done = -1
        self._name = ""

    def step(self, name: str) -> None:
        self._done += 1
        self._name = name
        self._draw("")

    def rounds(self, wanted: int, within_s: float, least: int = 3) -> Iterator[int]:
        """Numbers of rounds: `wanted`, or at least `least` once `within_s` have passed."""
        began = self._clock()
        for number in range(wanted):
            if number >= least and self._clock() - began > within_s:
                return
            self._draw(f" {number + 1}/{wanted}")
            yield number

    def close(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _draw(self, extra: str) -> None:
        if self._shown:
            full = _BAR * min(max(self._done, 0), self._steps) // self._steps
            passed_s = self._clock() - self._began
            self._stream.write(f"\r\x1b[K[{'#' * full}{'-' * (_BAR - full)}] {passed_s:4.0f} s  {self._name}{extra}")
            self._stream.flush()
