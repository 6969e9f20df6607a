"""`python -m tools.bench.compaction`: how long produce requests take while a large log is compacted.

Starts a broker of its own in a scratch directory, fills a topic (kcat, 1 KiB records, many keys), measures single
produce requests (librdkafka, one at a time, 200 a second) without compaction, then turns `cleanup.policy` to `compact`
and measures on until the broker says that the log is compacted. Printed: median and p99 of both, and the broker's line.
"""

import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

READY = re.compile(rb"\] started \(kafka.server.KafkaServer\)")
COMPACTED = re.compile(rb"full-0 is compacted .*")
EVERY_S = 0.005
TOPIC, PROBED = "full", "probed"


class Broker:
    """`barnabas broker` on loopback, until `stop`."""

    def __init__(self, folder: Path, segment_bytes: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self.log = folder / "broker.log"
        options = {
            "listeners": f"PLAINTEXT://{self.address}",
            "log.dirs": str(folder / "data"),
            "log.cleaner.backoff.ms": "100",
            "log.segment.bytes": str(segment_bytes),
            "log.segment.delete.delay.ms": "1000",
        }
        file = folder / "server.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in options.items()))
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "barnabas", "broker", str(file)], stdout=out, stderr=out
            )
        while not READY.search(self.log.read_bytes()):
            if self.process.poll() is not None:
                raise click.ClickException(self.log.read_text()[-2000:])
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def fill(address: str, mib: int, keys: int) -> None:
    """`key:value` lines for kcat; values are half noise."""
    command = ["kcat", "-b", address, "-P", "-t", TOPIC, "-K:", "-X", "linger.ms=5", "-X", "acks=1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as kcat:
        assert kcat.stdin is not None
        for block in range(mib):
            noise = os.urandom(256).hex().encode()
            lines = (b"%d:%s\n" % ((block * 1024 + n) % keys, noise.ljust(1012, b"x")) for n in range(1024))
            kcat.stdin.write(b"".join(lines))
    if kcat.returncode:
        raise click.ClickException("kcat could not fill the topic")


def latencies_ms(address: str, until: Callable[[], bool]) -> list[float]:
    """Of one record after the other, each sent when its time has come."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": address, "linger.ms": 0, "acks": 1})
    taken, due = [], time.perf_counter()
    for number in range(10**9):
        due = max(due + EVERY_S, time.perf_counter())
        time.sleep(max(due - time.perf_counter(), 0))
        began = time.perf_counter()
        producer.produce(PROBED, b"x" * 1024)
        producer.flush()
        if number >= 50:  # the first ones warm
            taken.append((time.perf_counter() - began) * 1000)
            if number % 20 == 0 and until():
                break
    return taken


def p99_ms(taken: Sequence[float]) -> float:
    return statistics.quantiles(taken, n=100)[-1]


def show(what: str, taken: list[float]) -> None:
    click.echo(
        f"{what:20} {len(taken):6} requests  median {statistics.median(taken):6.2f} ms  p99 {p99_ms(taken):6.2f} ms"
        f"  most {max(taken):6.2f} ms"
    )


def compact(address: str) -> None:
    """Turn `cleanup.policy` of the full topic to `compact`."""
    from confluent_kafka.admin import (  # type: ignore[attr-defined]
        AdminClient,
        AlterConfigOpType,
        ConfigEntry,
        ConfigResource,
    )

    entry = ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, TOPIC, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": address})
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(30)


def measured(mib: int, keys: int, baseline_s: float) -> tuple[list[float], list[float], str]:
    """Latencies in ms without and with compaction, and what the broker says of it."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder), segment_bytes=(mib << 20) // 10)
        try:
            fill(broker.address, mib, keys)
            ends = time.perf_counter() + baseline_s
            without = latencies_ms(broker.address, lambda: time.perf_counter() > ends)
            compact(broker.address)
            beside = latencies_ms(broker.address, lambda: COMPACTED.search(broker.log.read_bytes()) is not None)
            found = COMPACTED.search(broker.log.read_bytes())
            assert found is not None
            return without, beside, found[0].decode()
        finally:
            broker.stop()


@click.command()
@click.option("--mib", default=1024, show_default=True, help="Size of the log that is compacted.")
@click.option("--keys", default=100_000, show_default=True, help="Different keys in it.")
@click.option("--baseline", "baseline_s", default=20.0, show_default=True, help="Seconds without compaction.")
def main(mib: int, keys: int, baseline_s: float) -> None:
    """Produce latency without and with compaction."""
    without, beside, said = measured(mib, keys, baseline_s)
    show("without compaction", without)
    show("with compaction", beside)
    click.echo(said)


if __name__ == "__main__":
    sys.exit(main())
