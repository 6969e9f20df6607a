"""What is wrong with indexes and offsets: collected while files are dumped, told at the end."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Pairs = dict[str, list[tuple[int, int]]]
"""By absolute path of a file, in the order of the files."""


@dataclass(slots=True)
class Findings:
    """Each pair is what a file says and what was found instead, or before."""

    wrong_offsets: Pairs = field(default_factory=dict)
    wrong_timestamps: Pairs = field(default_factory=dict)
    unsorted_timestamps: Pairs = field(default_factory=dict)
    missing_offsets: Pairs = field(default_factory=dict)
    gaps: Pairs = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Kafka's words; pairs of the first and the last kind newest first, as Kafka has them."""
        for name, pairs in self.wrong_offsets.items():
            yield f"Mismatches in :{name}"
            yield from (f"  Index offset: {entry}, log offset: {found}" for entry, found in reversed(pairs))
        for name, pairs in self.wrong_timestamps.items():
            yield f"Found timestamp mismatch in :{name}"
            yield from (f"  Index timestamp: {entry}, log timestamp: {found}" for entry, found in pairs)
        for name, pairs in self.unsorted_timestamps.items():
            yield f"Found out of order timestamp in :{name}"
            yield from (f"  Index timestamp: {entry}, Previously indexed timestamp: {last}" for entry, last in pairs)
        for pairs in self.missing_offsets.values():
            yield "The following indexed offsets are not found in the log."
            yield from (f"Indexed offset: {entry}, found log offset: {found}" for entry, found in pairs)
        for name, pairs in self.gaps.items():
            yield f"Non-consecutive offsets in {name}"
            yield from (f"  {last} is followed by {offset}" for last, offset in reversed(pairs))


def note(pairs: Pairs, path: Path, first: int, second: int) -> None:
    pairs.setdefault(absolute(path), []).append((first, second))


def absolute(path: Path) -> str:
    """As Java has it: the working directory before it, nothing resolved."""
    return os.path.join(os.getcwd(), path)
