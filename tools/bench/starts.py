"""How long a broker takes to serve: after a start, and after `kill -9` amid unflushed data; and its memory."""

import time
from collections.abc import Iterator, Sequence

from tools.bench.frames import PRODUCE_VERSION, produce
from tools.bench.librdkafka import Producer, Values
from tools.bench.results import Results, Row
from tools.bench.servers import Server, Target
from tools.bench.throughput import LARGEST
from tools.bench.wire import Refused, WireClient

MIB = 1 << 20
START = Row("start to first answer", "s")
MEMORY_AT_START = Row("memory (RSS), idle after start", "MiB")
MEMORY_AFTER_LOAD = Row("memory (RSS), idle after all loads", "MiB")
ACK_WITHIN_S = 120.0


def ack_row(mib: int) -> Row:
    return Row(f"first ack after kill -9, {mib} MiB not flushed", "s")


def measure_starts(results: Results, servers: Sequence[Server], rounds: Iterator[int], settle_s: float = 1.0) -> None:
    """They run afterwards, too, with the data of the first start."""
    for _ in rounds:
        for server in servers:
            server.stop()
            results.add(START, server.name, server.start())
    time.sleep(settle_s)
    note_memory(results, MEMORY_AT_START, servers)


def note_memory(results: Results, row: Row, targets: Sequence[Target]) -> None:
    for target in targets:
        results.add(row, target.name, target.resident() / MIB)


def measure_ack_after_kill(results: Results, server: Server, mib: int, rounds: Iterator[int], topic: str) -> None:
    """Fill a log, kill the broker at once, start it again, and produce until it says yes."""
    for number in rounds:
        name = f"{topic}-{number}"
        with WireClient(server.port) as wire:
            wire.create(name)
        producer = Producer(server.bootstrap, name, LARGEST.options())
        try:
            producer.send(Values(LARGEST.record_bytes), mib * MIB // LARGEST.record_bytes)
        finally:
            server.kill()
            producer.close()
        began = time.perf_counter()
        server.start()
        wait_for_ack(server.port, name, began + ACK_WITHIN_S)
        results.add(ack_row(mib), server.name, time.perf_counter() - began)
        with WireClient(server.port) as wire:
            wire.delete(name)


def wait_for_ack(port: int, topic: str, deadline: float) -> None:
    """Raises: Refused: no yes before the deadline (of `time.perf_counter`)."""
    while time.perf_counter() < deadline:
        try:
            with WireClient(port) as wire:
                answer = wire.ask(produce(topic), PRODUCE_VERSION)
                if answer.responses[0].partition_responses[0].error_code == 0:
                    return
        except (OSError, Refused):
            pass
        time.sleep(0.01)
    raise Refused("no ack after kill -9")
