"""`barnabas bench`: what this broker costs, beside other brokers on the same machine in the same minutes."""

import json
import platform
import tempfile
from pathlib import Path
from typing import Any

import click

from tools.bench import quick
from tools.bench.chart import chart
from tools.bench.goals import goals
from tools.bench.librdkafka import LoadFailed, library
from tools.bench.programs import NotHere
from tools.bench.progress import Progress
from tools.bench.report import markdown, text
from tools.bench.results import Results
from tools.bench.runner import SECTIONS, Bench, Doses
from tools.bench.servers import DidNotStart, Target
from tools.output import table

_FAILED = 1


def parse_targets(ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> list[Target]:
    try:
        return [Target.parse(each) for each in texts]
    except ValueError:
        raise click.BadParameter("a broker that runs is written NAME=HOST:PORT:PID") from None


@click.command()
@click.argument("brokers", nargs=-1, metavar="[NAME=HOST:PORT:PID]…", callback=parse_targets)
@click.option(
    "--kafka",
    "releases",
    multiple=True,
    default=("4.3.1", "3.9.2"),
    show_default=True,
    metavar="RELEASE",
    help="Apache Kafka; may be repeated, the first is the measure.",
)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Of each section.")
@click.option("--scale", type=float, default=1.0, show_default=True, help="Of each run's size; 0.02 is a rehearsal.")
@click.option("--quick", "is_quick", is_flag=True, help="Only our broker, its CPU against the committed baseline.")
@click.option("--write-baseline", is_flag=True, help="With --quick: this is the baseline from now on.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write every figure into this file.")
@click.option("--chart", "chart_file", type=click.Path(path_type=Path), help="Draw the goals into this SVG file.")
@click.option("--markdown", "page", type=click.Path(path_type=Path), help="Write the tables into this file.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="Directory for the brokers' data.")
def bench(
    brokers: list[Target],
    releases: tuple[str, ...],
    rounds: int,
    scale: float,
    is_quick: bool,
    write_baseline: bool,
    json_file: Path | None,
    chart_file: Path | None,
    page: Path | None,
    data: Path | None,
) -> int:
    """Measure this broker beside Apache Kafka (from jars at hand) and kfake (where Go is), interleaved; 12 minutes.

    Brokers that run already take part in what needs no start: NAME=HOST:PORT:PID.
    """
    try:
        library()
        with tempfile.TemporaryDirectory(prefix="barnabas-bench-", dir=data) as folder:
            if is_quick:
                return run_quick(Path(folder), write_baseline, json_file)
            results = measured(Path(folder), Doses(rounds, scale), releases, brokers)
    except (LoadFailed, NotHere, DidNotStart) as reason:
        raise click.ClickException(str(reason)) from None
    held_to = list(goals(f"kafka {releases[0]}"))
    click.echo(text(results, held_to))
    if json_file is not None:
        told = {"machine": machine(), "rounds": rounds, "scale": scale, **results.as_json()}
        json_file.write_text(json.dumps(told, indent=1) + "\n")
    if chart_file is not None:
        chart_file.write_text(chart(results, held_to, f"barnabas bench, {machine()['system']}"))
    if page is not None:
        page.write_text(markdown(results, held_to))
    return _FAILED if results.failed else 0


def measured(folder: Path, doses: Doses, releases: tuple[str, ...], others: list[Target]) -> Results:
    progress = Progress(SECTIONS)
    run = Bench(folder, doses, releases, others, progress)
    try:
        run.run()
    except KeyboardInterrupt:  # what is measured so far is worth the table
        run.results.failed.append(("the rest", "interrupted"))
    finally:
        progress.close()
    return run.results


def run_quick(folder: Path, write_baseline: bool, json_file: Path | None) -> int:
    """Exit code 1 if a row costs more than 1.5 times its baseline."""
    progress = Progress(1)
    progress.step("quick")
    try:
        ratios = quick.measure(folder, progress.rounds(quick.ROUNDS + 1, 60))
    finally:
        progress.close()
    if json_file is not None:
        json_file.write_text(json.dumps(ratios, indent=1) + "\n")
    if write_baseline:
        quick.write_baseline(ratios)
    verdicts = quick.judged(ratios, quick.read_baseline())
    rows = [
        {
            "row": each.title,
            "turns": each.ratio,
            "baseline": each.baseline,
            "growth": f"{each.growth:.2f}",
            "": each.word,
        }
        for each in verdicts
    ]
    click.echo("\n".join(table(["row", "turns", "baseline", "growth", ""], rows)))
    return _FAILED if any(each.word == "FAILED" for each in verdicts) else 0


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    import os

    return {
        "system": f"{platform.system()} {platform.release().partition('-')[0]}, {os.cpu_count()} cores",
        "python": platform.python_version(),
    }
