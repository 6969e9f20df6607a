"""Prometheus' text format and OpenMetrics: families of samples, written in slices.

Source: prometheus.io "Exposition formats" 0.0.4; OpenMetrics 1.0.0.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import trio

PLAIN_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SLICE_S = 0.0005
"""So long at most before others have their turn."""
_LINES_A_LOOK = 16
"""Lines written between two looks at the clock."""
_PIECE_LINES = 512


class Sample(NamedTuple):
    """`suffix` goes behind the family's name: `_bucket`, `_sum`."""

    labels: str
    value: float
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `kind`: counter, gauge or histogram. The name of a counter is written here without `_total`."""

    name: str
    kind: str
    help: str
    samples: Iterable[Sample]


def labels(**pairs: object) -> str:
    """`{topic="t",partition="0"}`, with the values escaped."""
    return "{" + ",".join(f'{name}="{_escaped(str(value))}"' for name, value in pairs.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def lines(families: Iterable[Family], *, openmetrics: bool) -> Iterator[str]:
    for family in families:
        counts = family.kind == "counter"
        told = family.name if openmetrics or not counts else f"{family.name}_total"
        yield f"# HELP {told} {family.help}\n# TYPE {told} {family.kind}\n"
        for sample in family.samples:
            suffix = "_total" if counts else sample.suffix
            yield f"{family.name}{suffix}{sample.labels} {sample.value}\n"
    if openmetrics:
        yield "# EOF\n"


async def in_slices(text: Iterator[str], now: Callable[[], float] = trio.current_time) -> AsyncIterator[bytes]:
    """The text in pieces; others have their turn whenever `SLICE_S` is over."""
    piece: list[str] = []
    begun = now()
    for number, line in enumerate(text, 1):
        piece.append(line)
        if number % _LINES_A_LOOK == 0 and now() - begun >= SLICE_S:
            await trio.lowlevel.checkpoint()
            begun = now()
        if len(piece) >= _PIECE_LINES:
            yield "".join(piece).encode()
            piece.clear()
    if piece:
        yield "".join(piece).encode()
