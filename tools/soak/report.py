"""The first minutes against the last ones, and the whole as JSON."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from tools.soak.sampling import Sample

MIB = 1 << 20
COMPARED_S = 600.0


def percentile(values: Sequence[float], share: float) -> float:
    """0 for nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def first_and_last(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Ten minutes each, or a third of a shorter run."""
    end = samples[-1].at_s
    length = min(COMPARED_S, end / 3)
    first = [each for each in samples if each.at_s <= length]
    return first or list(samples[:1]), [each for each in samples if each.at_s >= end - length]


FIGURES: dict[str, Callable[[Sequence[Sample]], float]] = {
    "RSS, MiB": lambda part: median(each.rss for each in part) / MIB,
    "RSS at most, MiB": lambda part: max(each.rss for each in part) / MIB,
    "descriptors": lambda part: median(each.descriptors for each in part),
    "descriptors at most": lambda part: max(each.descriptors for each in part),
    "threads": lambda part: median(each.threads for each in part),
    "disk without the kept topic, MiB": lambda part: median(each.disk for each in part) / MIB,
    "disk without the kept topic at most, MiB": lambda part: max(each.disk for each in part) / MIB,
    "files": lambda part: median(each.files for each in part),
    "broker, cores": lambda part: sum(each.broker_cores for each in part) / len(part),
    "broker and clients, cores": lambda part: sum(each.all_cores for each in part) / len(part),
    "broker waited for a core, share": lambda part: sum(each.broker_waited for each in part) / len(part),
    "ApiVersions p50, ms": lambda part: percentile([ms for each in part for ms in each.loop_ms], 0.5),
    "ApiVersions p99, ms": lambda part: percentile([ms for each in part for ms in each.loop_ms], 0.99),
    "ApiVersions at most, ms": lambda part: max((ms for each in part for ms in each.loop_ms), default=0.0),
    "produce p50, ms": lambda part: percentile([ms for each in part for ms in each.produce_ms], 0.5),
    "produce p99, ms": lambda part: percentile([ms for each in part for ms in each.produce_ms], 0.99),
    "produce at most, ms": lambda part: max((ms for each in part for ms in each.produce_ms), default=0.0),
}


def compared(samples: Sequence[Sample]) -> dict[str, list[float]]:
    """By figure: of the first minutes, of the last."""
    first, last = first_and_last(samples)
    return {name: [round(figure(first), 2), round(figure(last), 2)] for name, figure in FIGURES.items()}


def rows(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """The samples with percentiles in the place of single round trips."""
    return [
        {
            "at_s": round(each.at_s, 1),
            "rss": each.rss,
            "descriptors": each.descriptors,
            "threads": each.threads,
            "disk": each.disk,
            "kept": each.kept,
            "files": each.files,
            "broker_cores": round(each.broker_cores, 3),
            "all_cores": round(each.all_cores, 3),
            "share": round(each.share, 2),
            "written": each.written,
            "broker_waited": round(each.broker_waited, 3),
            "probe_waited": round(each.probe_waited, 3),
            "loop_p99_ms": percentile(each.loop_ms, 0.99),
            "loop_max_ms": max(each.loop_ms, default=0.0),
            "produce_p99_ms": percentile(each.produce_ms, 0.99),
            "produce_max_ms": max(each.produce_ms, default=0.0),
        }
        for each in samples
    ]
