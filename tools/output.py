"""Rows as a table for people, or as JSON lines for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

output_option = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="json prints one object per line.",
)


def print_rows(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], output: str) -> None:
    """Args: columns: keys of the rows, in the order of the table; JSON prints whole rows."""
    if output == "json":
        for row in rows:
            click.echo(json.dumps(row))
    else:
        for line in table(columns, list(rows)):
            click.echo(line)


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns as wide as their widest cell, names in capitals; no rows, no table."""
    if not rows:
        return []
    cells = [[column.upper().replace("_", "-") for column in columns]]
    cells += [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def cell(value: Any) -> str:
    """`-` for nothing, commas in lists, as Kafka's tools print them."""
    if value is None or value == "":
        return "-"
    if isinstance(value, Mapping):
        return ",".join(f"{key}={each}" for key, each in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value)) or "-"
    return str(value)
