"""Results as tables: for a terminal, and in Markdown for docs/benchmarks.md."""

from collections.abc import Iterator, Sequence

from tools.bench.goals import Goal
from tools.bench.results import IN_KERNEL, Results, Row, Summary
from tools.output import table

Cells = dict[str, str]


def figure(value: float) -> str:
    """Three digits that count, and no more than there are."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def told(summary: Summary | None) -> str:
    """Median and range: `810 (790–840)`."""
    if summary is None:
        return ""
    if summary.rounds == 1:
        return figure(summary.median)
    return f"{figure(summary.median)} ({figure(summary.low)}–{figure(summary.high)})"


def groups(results: Results) -> list[tuple[list[str], list[Row]]]:
    """Rows that have brokers in common, a table each: brokers, codecs and the kernel are never compared.

    What the kernel took of the costs stands in a table behind them.
    """
    found: list[tuple[list[str], list[Row]]] = []
    for row, by_broker in sorted(results.figures.items(), key=lambda each: is_share(each[0])):
        together = (each for each in found if by_broker.keys() & set(each[0]) and is_share(each[1][0]) == is_share(row))
        names, rows = next(together, ([], []))
        if not rows:
            found.append((names, rows))
        names += [name for name in by_broker if name not in names]
        rows.append(row)
    return found


def is_share(row: Row) -> bool:
    return row.unit == IN_KERNEL


def row_cells(results: Results, names: Sequence[str], rows: Sequence[Row]) -> list[Cells]:
    return [
        {"row": row.title, "unit": row.unit, **{name: told(results.summary(row, name)) for name in names}}
        for row in rows
    ]


def goal_cells(results: Results, goals: Sequence[Goal]) -> Iterator[Cells]:
    """A goal whose brokers were not measured says `not measured`."""
    for goal in goals:
        measured = goal.measured(results)
        yield {
            "goal": f"{goal.row.title}, {goal.row.unit}",
            "of": goal.ours,
            "against": against(goal),
            "wanted": goal.wish,
            "measured": "not measured" if measured is None else f"{measured:.2f}",
            "": "" if measured is None else "met" if goal.met(measured) else "MISSED",
        }


def against(goal: Goal) -> str:
    if goal.theirs is None:
        return "–"
    return f"{goal.theirs}: {goal.their_row.title}" if isinstance(goal.their_row, Row) else goal.theirs


def remarks(results: Results) -> list[str]:
    """What is not in the table, and why."""
    skipped = [f"skipped: {what}: {why}" for what, why in results.skipped]
    return skipped + [f"FAILED: {what}: {why}" for what, why in results.failed]


def tables(results: Results, goals: Sequence[Goal]) -> list[list[Cells]]:
    """None of them empty; the last one judges."""
    measured = [row_cells(results, names, rows) for names, rows in groups(results)]
    judged = list(goal_cells(results, goals))
    return [*measured, judged] if judged else measured


def text(results: Results, goals: Sequence[Goal]) -> str:
    """For a terminal."""
    lines = [line for cells in tables(results, goals) for line in [*table(list(cells[0]), cells), ""]]
    return "\n".join([*lines, *remarks(results)])


def markdown(results: Results, goals: Sequence[Goal]) -> str:
    """The same for a page."""
    parts = ["\n".join(markdown_table(cells)) for cells in tables(results, goals)]
    parts += ["\n".join(f"- {each}" for each in remarks(results))]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_table(rows: Sequence[Cells]) -> list[str]:
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([row.get(column, "") for column in columns] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]
