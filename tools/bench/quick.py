"""`barnabas bench --quick`: did a request become dearer? CPU of our broker in turns of the calibration loop.

Wall time is not looked at: on a machine with other work it says nothing. Each ratio is of one round, with the loop
timed before and after the load; the median of the rounds is compared with the committed baseline.
"""

import json
import os
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.bench import goals, programs, requests, throughput
from tools.bench.calibration import turn_us
from tools.bench.results import Results, Row
from tools.bench.servers import Server

WARN, FAIL = 1.2, 1.5
BASELINE = Path(__file__).with_name("baseline.json")
ROUNDS = 7
MIB = 1 << 20

Ratios = dict[str, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one row: its ratio now and in the baseline (None: it has none)."""

    title: str
    ratio: float
    baseline: float | None

    @property
    def growth(self) -> float:
        return 1.0 if self.baseline is None else self.ratio / self.baseline

    @property
    def word(self) -> str:
        if self.baseline is None:
            return "new"
        return "FAILED" if self.growth > FAIL else "warning" if self.growth > WARN else "ok"


def measure(folder: Path, rounds: Iterator[int]) -> Ratios:
    """Broker CPU of each row in turns of the loop. Raises: NotHere: the walker cannot be compiled; DidNotStart."""
    server = programs.barnabas(goals.OURS, folder / "ours", programs.our_program(folder / "program", compiled=True))
    here = os.sched_getaffinity(0)
    server.start()
    try:
        pin({min(here)}, server.pid)
        return ratios_of(server, rounds)
    finally:
        os.sched_setaffinity(0, here)
        server.stop()


def pin(cores: set[int], pid: int) -> None:
    """Broker and load on one core: they take turns, so how often the broker wakes is the same in each run."""
    for each in (0, pid):
        os.sched_setaffinity(each, cores)


def ratios_of(server: Server, rounds: Iterator[int]) -> Ratios:
    found: dict[str, list[float]] = {}
    for number in rounds:
        for row, load in loads(server, number).items():
            results, before = Results(), turn_us()
            load(results)
            summary = results.summary(row, server.name)
            if number and summary is not None:  # the first round warms
                found.setdefault(row.title, []).append(in_turns(row, summary.median, (before + turn_us()) / 2))
    return {title: round(statistics.median(each), 3) for title, each in found.items()}


def in_turns(row: Row, figure: float, turn: float) -> float:
    """A cost in µs, or in s per GiB, by the µs of a turn; of a GiB each 16 KiB."""
    per_request_us = figure * 1e6 / (1 << 16) if row.unit == "CPU s/GiB" else figure
    return per_request_us / turn


def loads(server: Server, number: int) -> dict[Row, Callable[[Results], None]]:
    """By the row that is judged; one round each."""
    small, largest = throughput.PLAIN_SHAPE, throughput.LARGEST
    once = iter

    def produce(results: Results, shape: throughput.Shape, size: int) -> None:
        throughput.measure(results, shape, [server], size, once([0]), f"quick-{number}")

    def one_record(results: Results) -> None:
        requests.measure_one_record(results, [server], 8_000, once([0]), f"quick-one-{number}")

    def fetches(results: Results) -> None:
        requests.measure_mib_fetches(results, [server], 150, once([0]), f"quick-mib-{number}")

    return {
        requests.ONE_RECORD_COST: one_record,
        small.produce_cost: lambda results: produce(results, small, 24 * MIB),
        largest.produce_cost: lambda results: produce(results, largest, 48 * MIB),
        requests.MIB_FETCH_COST: fetches,
    }


def judged(ratios: Ratios, baseline: Ratios) -> list[Verdict]:
    return [Verdict(title, ratio, baseline.get(title)) for title, ratio in ratios.items()]


def read_baseline(file: Path = BASELINE) -> Ratios:
    found: Ratios = json.loads(file.read_text()) if file.exists() else {}
    return found


def write_baseline(ratios: Ratios, file: Path = BASELINE) -> None:
    file.write_text(json.dumps(ratios, indent=1) + "\n")
