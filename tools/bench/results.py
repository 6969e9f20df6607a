"""What was measured: rows, and of each row and broker the figures of its rounds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kproto.values import frozen
from tools.bench.processes import CpuUsed

IN_KERNEL = "% in the kernel"
"""The unit of rows that say how much of a cost is not the broker's own code."""


@frozen
class Row:
    """A thing that is measured. `more_is_better`: a speed; otherwise a cost."""

    title: str
    unit: str
    more_is_better: bool = False


@frozen
class Summary:
    """Median and range of some rounds."""

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Summary":
        return cls(statistics.median(figures), min(figures), max(figures), len(figures))


@dataclass(slots=True)
class Results:
    """Rows in the order in which they were first measured."""

    figures: dict[Row, dict[str, list[float]]] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """What was not measured, and why; that is no failure."""
    failed: list[tuple[str, str]] = field(default_factory=list)
    """What broke while it was measured."""
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each section took."""

    def add(self, row: Row, broker: str, figure: float) -> None:
        self.figures.setdefault(row, {}).setdefault(broker, []).append(figure)

    def add_cost(self, row: Row, broker: str, used: CpuUsed, amount: float) -> None:
        """CPU for each of `amount`, and in a row of its own how much of it the kernel took."""
        self.add(row, broker, used.seconds / amount)
        self.add(Row(row.title, IN_KERNEL), broker, used.kernel_share * 100)

    def summary(self, row: Row, broker: str) -> Summary | None:
        found = self.figures.get(row, {}).get(broker)
        return Summary.of(found) if found else None

    def brokers(self) -> list[str]:
        """In the order of their first figure."""
        return list(dict.fromkeys(name for by_broker in self.figures.values() for name in by_broker))

    def as_json(self) -> dict[str, Any]:
        rows = [
            {
                "row": row.title,
                "unit": row.unit,
                "more_is_better": row.more_is_better,
                "figures": by_broker,
                "medians": {name: statistics.median(each) for name, each in by_broker.items()},
            }
            for row, by_broker in self.figures.items()
        ]
        return {"rows": rows, "skipped": dict(self.skipped), "failed": dict(self.failed), "seconds": self.seconds}
