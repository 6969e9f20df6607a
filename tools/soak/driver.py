"""What `python -m tools.soak` watches over: start a broker, load it, look at it, read everything back."""

import faulthandler
import json
import re
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from barnabas.handle import Broker
from tools.soak import admins, readers, strangers, writers
from tools.soak.chart import chart
from tools.soak.endings import how_it_ended
from tools.soak.ledger import Ledger
from tools.soak.report import compared, rows
from tools.soak.sampling import Sample
from tools.soak.topics import BROKER, CONFIGS, PARTITIONS
from tools.soak.verifying import verify
from tools.soak.watching import Watch
from tools.soak.workers import Pace, Tally, Workers

SAMPLE_EVERY_S = 10.0
DRAIN_WITHIN_S = 60.0


def load(broker: Broker, data: Path, minutes: float, workers: Workers, ledger: Ledger) -> Sequence[Sample]:
    """Everyone at work for so long."""
    for topic, partitions in PARTITIONS.items():
        broker.create_topic(topic, partitions, CONFIGS[topic])
    watch = Watch(broker, data, workers)
    writers.start(workers, ledger, broker.bootstrap)
    readers.start(workers, ledger, broker.bootstrap)
    admins.start(workers, broker.bootstrap)
    strangers.start(workers, broker.host, broker.port)
    ends_at = time.monotonic() + minutes * 60
    while time.monotonic() < ends_at:
        time.sleep(SAMPLE_EVERY_S)
        click.echo(told(watch.look(), workers.tally))
    click.echo("the clients are being stopped")
    workers.stop()
    watch.end()
    return watch.samples


def told(sample: Sample, tally: Tally) -> str:
    return (
        f"{sample.at_s / 60:5.1f} min  RSS {sample.rss >> 20} MiB  fds {sample.descriptors}  threads {sample.threads}"
        f"  disk {sample.disk >> 20}+{sample.kept >> 20} MiB in {sample.files}  cores {sample.broker_cores:.2f} of"
        f" {sample.all_cores:.2f}  pace {sample.share:.2f}  written {sample.written}  failed {tally.failed.total()}"
    )


def run(data: Path, minutes: float, max_cores: float, seed: int) -> tuple[Sequence[Sample], dict[str, Any]]:
    """Load, read back, stop, start again, read back again."""
    ledger, workers = Ledger(), Workers(Pace(max_cores), Tally(), seed)
    with Broker(data=data, options=BROKER) as broker:
        samples = load(broker, data, minutes, workers, ledger)
        click.echo("the group reads to the end")
        readers.drain(ledger, broker.bootstrap, DRAIN_WITHIN_S)
        click.echo("everything is read back")
        found = verify(broker.bootstrap, ledger)
        log = broker.log
        ended = stopped(broker, workers.tally)
    click.echo("everything is read back after a restart")
    with Broker(data=data, options=BROKER) as broker:
        found_again = verify(broker.bootstrap, ledger)
        ended_again = stopped(broker, workers.tally)
    return samples, {
        "minutes": round(samples[-1].at_s / 60, 1),
        "python": sys.version.split()[0],
        "first and last minutes": compared(samples),
        "read back": found,
        "read back after a restart": found_again,
        "the broker ended": [ended, ended_again],
        "done": dict(workers.tally.done),
        "failed": dict(workers.tally.failed),
        "warnings in the log": warnings(log),
    }


def stopped(broker: Broker, tally: Tally) -> str:
    """How the broker ended; any way but with code 0 is a failure."""
    code = broker.stop()
    if code:
        tally.fail("broker", how_it_ended(code))
    return how_it_ended(code)


def warnings(log: str) -> dict[str, int]:
    """Lines of the broker's log from WARN on, counted by what they say without addresses and numbers."""
    said = [line.partition("] ")[2] for line in log.splitlines() if " WARN " in line or " ERROR " in line]
    return dict(Counter(re.sub(r"-?\d+", "N", line) for line in said).most_common(30))


def is_sound(summary: dict[str, Any]) -> bool:
    wrong = ("lost", "doubled", "old value", "not read by the group")
    counts = [summary["read back"], summary["read back after a restart"]]
    return not summary["failed"] and not any(
        count for each in counts for name, count in each.items() if name.endswith(wrong)
    )


@click.command()
@click.option("--minutes", type=float, default=60.0, show_default=True, help="How long the load lasts.")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Data directory; must not be there yet.")
@click.option("--chart", "chart_file", type=click.Path(path_type=Path), help="Draw it into this SVG file.")
@click.option("--summary", type=click.Path(path_type=Path), help="Write figures and samples into this JSON file.")
@click.option("--cores", type=float, default=0.45, show_default=True, help="CPU that broker and clients may take.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--keep", is_flag=True, help="Keep the data directory.")
def main(
    minutes: float, data: Path, chart_file: Path | None, summary: Path | None, cores: float, seed: int, keep: bool
) -> None:
    """A broker under mixed load for a while, and what became of its memory, its disk and its promises."""
    tell_before_the_end()
    if data.exists():
        raise click.UsageError(f"{data} is there already.")
    samples, figures = run(data, minutes, cores, seed)
    click.echo(json.dumps(figures, indent=1))
    if summary is not None:
        summary.write_text(json.dumps({**figures, "samples": rows(samples)}, indent=1) + "\n")
    if chart_file is not None:
        chart_file.write_text(chart(samples, f"{figures['minutes']:.0f} minutes of mixed load"))
    if not keep:
        shutil.rmtree(data)
    sys.exit(0 if is_sound(figures) else 1)


def tell_before_the_end() -> None:
    """A client library in C that crashes says where; a signal from outside has the stack of every thread written."""
    faulthandler.enable()
    for number in (signal.SIGTERM, signal.SIGHUP):
        faulthandler.register(number, all_threads=True, chain=True)


if __name__ == "__main__":
    main()
