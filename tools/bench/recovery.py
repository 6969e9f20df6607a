"""`python -m tools.bench.recovery`: how long a start takes after `kill -9`, with much that was never flushed.

The time from starting the process to the first acknowledged record, embedded registry, with a log that has to be looked
through from its first byte: empty, of `--small-mib`, of `--mib`. Connections are accepted before, and wait.
The log is written through the broker's own storage; the page cache is warm, as after a kill.
"""

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import click
import trio

from broker.clock import Chance, WallClock
from broker.config.settings import BrokerSettings
from broker.storage.directories.store import SegmentStorage
from kproto.records.batch import build_batch
from kproto.records.record import Record

MIB = 1 << 20
_BATCH_RECORDS = 16
_READY_WITHIN_S = 120.0


def one_batch() -> bytes:
    """Of 16 KiB, in records of a KiB that no codec would shrink."""
    now_ms = int(time.time() * 1000)
    return build_batch([Record(0, now_ms, None, os.urandom(1000), []) for _ in range(_BATCH_RECORDS)])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker:
    """A process on a data directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.data = folder / "data"
        self._command = [sys.executable, "-m", "barnabas", "--port", str(self.port), "--data", str(self.data)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it accepts connections, which is when its logs are open."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.005)
        raise click.ClickException("the broker did not start")

    def grow(self, mib: int) -> None:
        """Append so much to its log while it is down, in a process that ends without a flush and without a stop."""
        helper = get_context("spawn").Process(target=grow, args=(self.data, mib))
        helper.start()
        helper.join()
        if helper.exitcode:
            raise click.ClickException("the log could not be written")

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def first_ack(self) -> None:
        """One record, acknowledged."""
        from kafka import KafkaProducer

        producer = KafkaProducer(bootstrap_servers=f"127.0.0.1:{self.port}", acks="all", reconnect_backoff_ms=10)
        producer.send("bench", b"x", partition=0).get(timeout=60)
        producer.close()


def grow(data: Path, mib: int) -> None:
    """See `Broker.grow`."""
    trio.run(append, data, mib)


async def append(data: Path, mib: int) -> None:
    settings = BrokerSettings({})
    storage = SegmentStorage([data], settings=settings, defaults=settings.topic({}), clock=WallClock(), chance=Chance())
    storage.claim(None)
    (log,) = [each for each in await storage.load() if each.name == "bench-0"]
    batch = bytearray(one_batch())
    for _ in range(mib * MIB // len(batch)):
        log.append(memoryview(batch), max(log.latest_epoch, 0), int(time.time() * 1000))


def measured(mib: int) -> tuple[float, float]:
    """Seconds from starting the process to its listening, and to the first ack, with so much unflushed."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        broker.start()
        broker.first_ack()
        broker.kill()
        broker.grow(mib)
        began = time.monotonic()
        broker.start()
        ready_s = time.monotonic() - began
        broker.first_ack()
        ack_s = time.monotonic() - began
        broker.kill()
    return ready_s, ack_s


@click.command()
@click.option("--mib", default=1024, show_default=True, help="Unflushed, for the long recovery.")
@click.option("--small-mib", default=64, show_default=True, help="Unflushed, for the time to the first ack.")
@click.option("--rounds", default=3, show_default=True)
def main(mib: int, small_mib: int, rounds: int) -> None:
    """Start after kill -9 with much that was never flushed."""
    for size in (0, small_mib, mib):
        figures = [measured(size) for _ in range(rounds)]
        ready, ack = (statistics.median(column) for column in zip(*figures, strict=True))
        most = max(ack_s for _, ack_s in figures)
        click.echo(f"{size:5} MiB unflushed: listens after {ready:.2f} s, first ack {ack:.2f} s (at most {most:.2f} s)")


if __name__ == "__main__":
    main()
