"""`python -m tools.fuzz --minutes N --seed S`: by turns through all targets; exit code 1 if anything was found."""

import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from kproto.testing.walkers import CannotCompile
from tools.fuzz import batches, files, logs, requests, sockets, streams, walkers, wire
from tools.fuzz.runner import Count, Target, one, run

MOST_TOLD = 4000
"""Characters of one finding: its end, where the error stands."""


@contextmanager
def all_targets() -> Iterator[list[Target]]:
    """With what they need meanwhile: a compiled walker, a broker once somebody talks to it."""
    with tempfile.TemporaryDirectory() as work, ExitStack() as alive:
        found = [*wire.targets(), *batches.targets(), *streams.targets(), *files.targets(), *logs.targets()]
        found += [*requests.targets(), *sockets.targets(Path(work, "broker"), alive)]
        try:
            found += walkers.targets(walkers.built(Path(work)))
        except CannotCompile as why:
            click.echo(f"without the walkers: {why}", err=True)
        yield found


@contextmanager
def silent() -> Iterator[None]:
    """What rooms log about damage is not of interest a thousand times."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


@click.command()
@click.option("--minutes", type=float, default=1.0, show_default=True, help="Of CPU; hours are fine.")
@click.option("--seed", default=None, help="Any text; today's date if it is left out.")
@click.option("--only", multiple=True, metavar="TARGET", help="Leave out all others.")
@click.option("--number", type=int, default=None, help="This input of the one target alone, as a finding says.")
def main(minutes: float, seed: str | None, only: tuple[str, ...], number: int | None) -> None:
    """Nonsense for everything that reads bytes: only the declared error may come out, soon and in little memory."""
    seed = seed or time.strftime("%Y-%m-%d")
    with all_targets() as known, silent():
        targets = [each for each in known if not only or each.name in only]
        if not targets:
            raise click.UsageError("No target has that name.")
        if number is not None:
            sys.exit(repeat(targets[0], seed, number))
        told: set[tuple[str, int]] = set()
        counts: dict[str, Count] = {}
        for counts in run(targets, seed, minutes * 60):
            tell_new(counts, told)
        click.echo(table(counts, seed))
        sys.exit(1 if told else 0)


def repeat(target: Target, seed: str, number: int) -> int:
    count = Count()
    one(target, seed, number, count)
    for finding in count.findings:
        click.echo(finding.what)
    if not count.findings:
        click.echo(f"{'refused' if count.refused else 'taken'} in {count.slowest_s * 1000:.1f} ms of CPU")
    return len(count.findings)


def tell_new(counts: dict[str, Count], told: set[tuple[str, int]]) -> None:
    for count in counts.values():
        for finding in count.findings:
            if (finding.target, finding.number) not in told:
                told.add((finding.target, finding.number))
                click.echo(f"{finding.again}\n{finding.what.strip()[-MOST_TOLD:]}", err=True)


def table(counts: dict[str, Count], seed: str) -> str:
    lines = [f"{'target':<16}{'inputs':>10}{'taken':>10}{'refused':>10}{'slowest':>12}{'findings':>10}"]
    lines += [
        f"{name:<16}{each.inputs:>10,}{each.taken:>10,}{each.refused:>10,}"
        f"{each.slowest_s * 1000:>9.1f} ms{len(each.findings):>10}"
        for name, each in counts.items()
    ]
    inputs, found = (sum(getter(each) for each in counts.values()) for getter in (_inputs, _findings))
    return "\n".join([*lines, f"{inputs:,} inputs of seed {seed}, {found} findings"])


def _inputs(count: Count) -> int:
    return count.inputs


def _findings(count: Count) -> int:
    return len(count.findings)


if __name__ == "__main__":
    main()
