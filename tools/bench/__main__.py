"""`python -m tools.bench NAME=HOST:PORT:PID …`: produce and consume against each broker in turn, and what it cost.

The load is kcat (librdkafka in C), so that the client is not the limit; the brokers run already. Each round takes every
broker once, so that a change of the machine's speed meets all of them. Printed per row and broker: median MB/s with
range, thousands of records a second, and CPU seconds of the broker process per GiB.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import click

TICKS = os.sysconf("SC_CLK_TCK")
GIB = 1 << 30
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """A broker that runs: what to call it, where it listens, whose CPU counts."""

    name: str
    address: str
    pid: int

    @classmethod
    def parse(cls, text: str) -> "Target":
        name, _, rest = text.partition("=")
        address, _, pid = rest.rpartition(":")
        return cls(name, address, int(pid))

    def cpu_s(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@dataclass(slots=True)
class Figures:
    """What the runs of one row against one broker gave."""

    mb_per_s: list[float] = field(default_factory=list)
    cpu_s_per_gib: list[float] = field(default_factory=list)

    def add(self, size: int, wall_s: float, cpu_s: float) -> None:
        self.mb_per_s.append(size / MB / wall_s)
        self.cpu_s_per_gib.append(cpu_s / (size / GIB))


@dataclass(frozen=True, slots=True)
class Load:
    """Lines of `record_bytes`, `total_bytes` of them, sent in batches of 16 KiB."""

    record_bytes: int
    codec: str
    total_bytes: int

    @property
    def title(self) -> str:
        return f"{self.record_bytes} B, {self.codec}"

    def write(self, path: Path) -> int:
        """The lines, half of each random letters, so that a codec has something to do. Returns their bytes."""
        block = bytearray()
        while len(block) < 1 << 20:
            noise = os.urandom(self.record_bytes // 4).hex().encode()
            block += noise.ljust(self.record_bytes, b"x")[: self.record_bytes] + b"\n"
        size = 0
        with path.open("wb") as file:
            while size < self.total_bytes:
                size += file.write(block)
        return size * self.record_bytes // (self.record_bytes + 1)


def kcat(target: Target, *arguments: str) -> None:
    command = ["kcat", "-b", target.address, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)


def produce(target: Target, topic: str, load: Load, lines: Path) -> None:
    options = ["-X", "batch.size=16384", "-X", "linger.ms=5", "-X", "acks=1", "-z", load.codec]
    kcat(target, "-P", "-t", topic, "-l", str(lines), *options)


def consume(target: Target, topic: str) -> None:
    kcat(target, "-C", "-t", topic, "-e", "-q", "-o", "beginning", "-X", "fetch.wait.max.ms=10")


def measure(load: Load, targets: list[Target], rounds: int) -> dict[tuple[str, str], Figures]:
    """Figures by (what was done, broker)."""
    figures: dict[tuple[str, str], Figures] = {}
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "lines")
        size = load.write(lines)
        for number in range(rounds + 1):
            for target in targets:
                topic = f"bench-{load.record_bytes}-{load.codec}-{os.getpid()}-{number}"
                for what in ("produce", "consume"):
                    cpu_s, started = target.cpu_s(), time.perf_counter()
                    produce(target, topic, load, lines) if what == "produce" else consume(target, topic)
                    wall_s, cpu_s = time.perf_counter() - started, target.cpu_s() - cpu_s
                    if number:  # the first round warms
                        figures.setdefault((what, target.name), Figures()).add(size, wall_s, cpu_s)
    return figures


def show(load: Load, figures: dict[tuple[str, str], Figures]) -> None:
    for (what, name), row in figures.items():
        speed, cost = statistics.median(row.mb_per_s), statistics.median(row.cpu_s_per_gib)
        click.echo(
            f"{what:8} {load.title:12} {name:12} {speed:7.0f} MB/s ({min(row.mb_per_s):.0f}-{max(row.mb_per_s):.0f})"
            f" {speed * 1000 / load.record_bytes:6.0f} k/s  {cost:5.2f} CPU s/GiB"
            f" ({min(row.cpu_s_per_gib):.2f}-{max(row.cpu_s_per_gib):.2f})"
        )


@click.command()
@click.argument("brokers", nargs=-1, required=True, metavar="NAME=HOST:PORT:PID …")
@click.option("--rounds", default=5, show_default=True, help="Counted runs of each row, after one that warms.")
@click.option("--mib", default=256, show_default=True, help="Size of one run.")
def main(brokers: tuple[str, ...], rounds: int, mib: int) -> None:
    """Produce and consume 200 B and 1 KiB records in 16 KiB batches, none and lz4, against each broker in turn."""
    targets = [Target.parse(text) for text in brokers]
    for record_bytes in (1024, 200):
        for codec in ("none", "lz4"):
            load = Load(record_bytes, codec, mib << 20)
            show(load, measure(load, targets, rounds))


if __name__ == "__main__":
    sys.exit(main())
