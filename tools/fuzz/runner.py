"""Inputs one after the other, each made from a seed of its own, so that one alone can be repeated."""

import resource
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

TURN_S = 0.25
"""Of one target, before the next one has its turn."""
SLOWEST_S = 1.0
"""CPU for one input."""
MOST_MEMORY_BYTES = 64 << 20
"""That the process may grow by one input."""


@dataclass(frozen=True)
class Target:
    """What is fuzzed: `make` an input by chance, `try_out` it.

    `declared`: errors that the tried code may refuse with. Any other one, an AssertionError of a broken promise
    included, is a finding.
    """

    name: str
    make: Callable[[Random], Any]
    try_out: Callable[[Any], object]
    declared: tuple[type[Exception], ...]


@dataclass
class Finding:
    target: str
    seed: str
    number: int
    what: str

    @property
    def again(self) -> str:
        """The command that repeats it."""
        return f"python -m tools.fuzz --seed {self.seed} --only {self.target} --number {self.number}"


@dataclass
class Count:
    """Of one target."""

    taken: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        return self.taken + self.refused + len(self.findings)


def chance_of(seed: str, target: Target, number: int) -> Random:
    """The same for the same three, on every machine."""
    return Random(f"{seed}/{target.name}/{number}")


def one(target: Target, seed: str, number: int, count: Count) -> None:
    """Make and try one input, and count what became of it."""
    made = target.make(chance_of(seed, target, number))
    memory, started = peak_bytes(), time.process_time()
    try:
        target.try_out(made)
        refused, what = False, ""
    except target.declared:
        refused, what = True, ""
    except Exception:
        refused, what = False, traceback.format_exc()
    took, grown = time.process_time() - started, peak_bytes() - memory
    count.slowest_s = max(count.slowest_s, took)
    if not what and took > SLOWEST_S:
        what = f"it took {took:.1f} s of CPU"
    if not what and grown > MOST_MEMORY_BYTES:
        what = f"the process grew by {grown >> 20} MiB"
    if what:
        count.findings.append(Finding(target.name, seed, number, what))
    elif refused:
        count.refused += 1
    else:
        count.taken += 1


def peak_bytes() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run(targets: Sequence[Target], seed: str, seconds: float, *, turn_s: float = TURN_S) -> Iterator[dict[str, Count]]:
    """By turns until so much CPU time is spent; after each round what is known so far, always the same object."""
    counts = {target.name: Count() for target in targets}
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        for target in targets:
            count, turn_ends = counts[target.name], time.monotonic() + turn_s
            one(target, seed, count.inputs, count)
            while time.monotonic() < turn_ends:
                one(target, seed, count.inputs, count)
        yield counts
