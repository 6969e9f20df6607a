"""The goals as a picture: a line for each, our ratio as a share of what is wanted, in one SVG file of plain text."""

from collections.abc import Sequence
from html import escape

from tools.bench.goals import Goal
from tools.bench.report import against
from tools.bench.results import Results

_LINE, _HEAD, _LABEL, _PLOT, _WIDTH = 18, 56, 470, 300, 860
_MOST = 3.0
"""Times as good as wanted; better is drawn as this."""
_MET, _MISSED = "#2b8a3e", "#c92a2a"


def goodness(goal: Goal, measured: float) -> float:
    """1 is just what is wanted, 2 twice as good."""
    if goal.at_least:
        return measured / goal.wanted
    return goal.wanted / measured if measured else _MOST


def chart(results: Results, goals: Sequence[Goal], title: str) -> str:
    """The text of an SVG file; goals that were not measured are left out."""
    shown = [(goal, measured) for goal in goals if (measured := goal.measured(results)) is not None]
    height = _HEAD + _LINE * len(shown) + 12
    wanted_at = _LABEL + _PLOT / _MOST
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif"'
        ' font-size="11">',
        f'<rect width="100%" height="100%" fill="#fff"/><text x="12" y="22" font-size="14">{escape(title)}</text>',
        f'<text x="{wanted_at:.0f}" y="44" text-anchor="middle" fill="#555">wanted</text>',
        f'<text x="{_LABEL + _PLOT}" y="44" text-anchor="middle" fill="#555">{_MOST:g} times as good</text>',
    ]
    parts += [_line(goal, measured, _HEAD + _LINE * place) for place, (goal, measured) in enumerate(shown)]
    parts.append(f'<path d="M{wanted_at:.1f} {_HEAD - 6}V{height - 8}" stroke="#555" stroke-dasharray="3 3"/>')
    return "\n".join([*parts, "</svg>\n"])


def _line(goal: Goal, measured: float, top: int) -> str:
    width = min(goodness(goal, measured), _MOST) / _MOST * _PLOT
    colour = _MET if goal.met(measured) else _MISSED
    name = f"{goal.row.title} / {against(goal)}" if goal.theirs else f"{goal.row.title}, {goal.row.unit}"
    return (
        f'<text x="{_LABEL - 8}" y="{top + 12}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_LABEL}" y="{top + 3}" width="{width:.1f}" height="{_LINE - 6}" fill="{colour}"/>'
        f'<text x="{_LABEL + width + 5:.1f}" y="{top + 12}" fill="#555">{measured:.2f} ({escape(goal.wish)})</text>'
    )
