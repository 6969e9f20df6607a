"""Samples as small panels over time, in one SVG file of plain text."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from tools.soak.report import MIB, percentile
from tools.soak.sampling import Sample

_PANEL_WIDTH, _PANEL_HEIGHT = 430, 150
_LEFT, _TOP, _PLOT_WIDTH, _PLOT_HEIGHT = 45, 30, 370, 90
_COLUMNS = 2
_HEAD = 34

Line = Sequence[float]


def panels(samples: Sequence[Sample]) -> dict[str, Line]:
    """What is shown, by title."""
    spent = [(b.written - a.written) / max(b.at_s - a.at_s, 1e-9) for a, b in pairwise(samples)]
    return {
        "memory of the broker (RSS), MiB": [each.rss / MIB for each in samples],
        "descriptors": [each.descriptors for each in samples],
        "disk, topics with retention or compaction, MiB": [each.disk / MIB for each in samples],
        "disk, the topic that keeps all, MiB": [each.kept / MIB for each in samples],
        "produce acks=all, p99 of 10 s, ms": [percentile(each.produce_ms, 0.99) for each in samples],
        "ApiVersions (the loop), p99 of 10 s, ms": [percentile(each.loop_ms, 0.99) for each in samples],
        "records written per second": spent[:1] + spent,
        "CPU of the broker, cores": [each.broker_cores for each in samples],
        "threads": [each.threads for each in samples],
        "share of the time in which the loop waited for a core": [each.broker_waited for each in samples],
    }


def chart(samples: Sequence[Sample], title: str) -> str:
    """The text of an SVG file."""
    shown = panels(samples)
    height = _HEAD + -(-len(shown) // _COLUMNS) * _PANEL_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_PANEL_WIDTH * _COLUMNS} {height}"'
        ' font-family="sans-serif" font-size="11">',
        f'<rect width="100%" height="100%" fill="#fff"/><text x="12" y="22" font-size="14">{escape(title)}</text>',
    ]
    times = [each.at_s for each in samples]
    for number, (name, line) in enumerate(shown.items()):
        x, y = number % _COLUMNS * _PANEL_WIDTH, _HEAD + number // _COLUMNS * _PANEL_HEIGHT
        parts.append(f'<g transform="translate({x} {y})">{_panel(name, times, line)}</g>')
    return "\n".join([*parts, "</svg>\n"])


def _panel(name: str, times: Line, line: Line) -> str:
    """From 0 to a round number above the largest value."""
    top, length = round_above(max(line)), max(times[-1], 1e-9)
    points = " ".join(
        f"{_LEFT + at / length * _PLOT_WIDTH:.1f},{_TOP + (1 - value / top) * _PLOT_HEIGHT:.1f}"
        for at, value in zip(times, line, strict=True)
    )
    bottom, right = _TOP + _PLOT_HEIGHT, _LEFT + _PLOT_WIDTH
    return (
        f'<text x="{_LEFT}" y="20">{escape(name)}</text>'
        f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" fill="none" stroke="#999"/>'
        f'<text x="{_LEFT - 5}" y="{_TOP + 8}" text-anchor="end" fill="#555">{top:g}</text>'
        f'<text x="{_LEFT - 5}" y="{bottom}" text-anchor="end" fill="#555">0</text>'
        f'<text x="{right}" y="{bottom + 14}" text-anchor="end" fill="#555">{times[-1] / 60:.0f} min</text>'
        f'<polyline points="{points}" fill="none" stroke="#1a5fb4" stroke-width="1.2"/>'
    )


def round_above(value: float) -> float:
    """1, 2 or 5 times a power of ten, at least `value` and never 0."""
    step = 1e-3
    while True:
        for factor in (1, 2, 5):
            if value <= step * factor:
                return round(step * factor, 9)
        step *= 10
