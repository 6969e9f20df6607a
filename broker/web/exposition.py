"""Prometheus' text format and OpenMetrics: families of samples, written in slices.

Source: prometheus.io "Exposition formats" 0.0.4; OpenMetrics 1.0.0.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import trio

from kproto.values import frozen

T = TypeVar("T")

PLAIN_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SLICE_S = 0.0003
"""After so long others have their turn; what is done between two looks at the clock comes on top."""
_LINES_A_LOOK = 16
"""Lines written between two looks at the clock."""
ITEMS_A_LOOK = 64
"""Items counted or gathered between two looks: about 0.1 ms."""
_PIECE_LINES = 256


class Sample(NamedTuple):
    """`suffix` goes behind the family's name: `_bucket`, `_sum`."""

    labels: str
    value: float
    suffix: str = ""


@frozen
class Family:
    """One metric. `kind`: counter, gauge or histogram. The name of a counter is written here without `_total`.

    Among samples, as among families, None is a moment at which others may have their turn.
    """

    name: str
    kind: str
    help: str
    samples: Iterable[Sample | None]


def total(values: Iterable[float]) -> Iterator[Sample | None]:
    """The one sample of a family: their sum, however many they are."""
    found: float = 0
    for number, value in enumerate(values, 1):
        found += value
        if number % ITEMS_A_LOOK == 0:
            yield None
    yield Sample("", found)


def one(name: str, kind: str, meaning: str, value: float) -> Family:
    return Family(name, kind, meaning, [Sample("", value)])


def counted(name: str, meaning: str, values: Iterable[float]) -> Family:
    """A gauge that is a sum; a truth counts as one."""
    return Family(name, "gauge", meaning, total(values))


def gathered(items: Iterable[T], into: list[T]) -> Iterator[None]:
    """Keep what several families tell of, however many they are."""
    for number, item in enumerate(items, 1):
        into.append(item)
        if number % ITEMS_A_LOOK == 0:
            yield None


def labels(**pairs: object) -> str:
    """`{topic="t",partition="0"}`, with the values escaped."""
    return "{" + ",".join(f'{name}="{_escaped(str(value))}"' for name, value in pairs.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def lines(families: Iterable[Family | None], *, openmetrics: bool) -> Iterator[str]:
    """Line by line; an empty one is a moment at which others may have their turn."""
    for family in families:
        if family is None:
            yield ""
            continue
        counts = family.kind == "counter"
        told = family.name if openmetrics or not counts else f"{family.name}_total"
        yield f"# HELP {told} {family.help}\n# TYPE {told} {family.kind}\n"
        for sample in family.samples:
            if sample is None:
                yield ""
                continue
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
        if (not line or number % _LINES_A_LOOK == 0) and now() - begun >= SLICE_S:
            await trio.lowlevel.checkpoint()
            begun = now()
        if len(piece) >= _PIECE_LINES:
            yield "".join(piece).encode()
            piece.clear()
    if piece:
        yield "".join(piece).encode()
