"""`barnabas bench --quick`: did a request become dearer? CPU of our broker in turns of the calibration loop.

Wall time is not looked at: on a machine with other work it says nothing. That work makes CPU dearer too, for loop and
broker, so the cheapest of some rounds is divided by the cheapest turn among them.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from kproto.values import frozen
from tools.bench import goals, programs, requests, throughput
from tools.bench.calibration import turn_us
from tools.bench.results import Results, Row
from tools.bench.servers import Server

WARN, FAIL = 1.2, 1.5
BASELINE = Path(__file__).with_name("baseline.json")
ROUNDS = 7
MIB, US = 1 << 20, 1_000_000

Ratios = dict[str, float]


@frozen
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
    turns_us: list[float] = []
    costs_us: dict[str, list[float]] = {}
    for number in rounds:
        for row, load in loads(server, number).items():
            turns_us.append(turn_us())
            results = Results()
            load(results)
            summary = results.summary(row, server.name)
            if number and summary is not None:  # the first round warms
                costs_us.setdefault(row.title, []).append(request_us(row, summary.median))
    return {title: round(min(each) / min(turns_us), 3) for title, each in costs_us.items()}


def request_us(row: Row, figure: float) -> float:
    """A cost in µs, or in s per GiB, of which each 16 KiB count as a request."""
    return figure * US / (1 << 16) if row.unit == "CPU s/GiB" else figure


def loads(server: Server, number: int) -> dict[Row, Callable[[Results], None]]:
    """By the row that is judged; one round each. Produces of 1 MB are not among them: they cost one of two figures."""
    small = throughput.PLAIN_SHAPE
    once = iter

    def produce(results: Results) -> None:
        throughput.measure(results, small, [server], 24 * MIB, once([0]), f"quick-{number}")

    def one_record(results: Results) -> None:
        requests.measure_one_record(results, [server], 8_000, once([0]), f"quick-one-{number}")

    def fetches(results: Results) -> None:
        requests.measure_mib_fetches(results, [server], 150, once([0]), f"quick-mib-{number}")

    return {
        requests.ONE_RECORD_COST: one_record,
        small.produce_cost: produce,
        requests.MIB_FETCH_COST: fetches,
    }


def judged(ratios: Ratios, baseline: Ratios) -> list[Verdict]:
    return [Verdict(title, ratio, baseline.get(title)) for title, ratio in ratios.items()]


def read_baseline(file: Path = BASELINE) -> Ratios:
    found: Ratios = json.loads(file.read_text()) if file.exists() else {}
    return found


def write_baseline(ratios: Ratios, file: Path = BASELINE) -> None:
    file.write_text(json.dumps(ratios, indent=1) + "\n")
