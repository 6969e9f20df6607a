"""Ten thousand connections that do nothing: what they cost, and what they do to somebody who asks."""

import resource
import socket
import statistics
import time
from collections.abc import Sequence

from kproto.messages.api_versions import ApiVersionsRequest
from tools.bench.results import Results, Row
from tools.bench.servers import Target
from tools.bench.wire import Refused, WireClient, connected, frame

WANTED = 10_000
SPARE_DESCRIPTORS = 100
KIB = 1024
QUESTIONS = 500
SETTLE_S = 0.5


def rows(count: int) -> tuple[Row, Row]:
    """Memory of each, and a round trip beside them."""
    title = f"{count:,} idle connections"
    return Row(f"{title}: memory of each", "KiB"), Row(f"{title}: ApiVersions of another, p50", "µs")


def possible() -> int:
    """As many of the ten thousand as descriptors allow: our broker keeps half of its own for log files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(WANTED, hard // 2 - SPARE_DESCRIPTORS)


def measure(results: Results, targets: Sequence[Target], count: int) -> None:
    """Each has asked once, as clients do."""
    question = frame(ApiVersionsRequest(), 0)
    memory, round_trip = rows(count)
    for target in targets:
        before = target.resident()
        idle: list[socket.socket] = []
        try:
            for _ in range(count):
                idle.append(opened(target, question))
            time.sleep(SETTLE_S)
            results.add(memory, target.name, (target.resident() - before) / KIB / count)
            results.add(round_trip, target.name, round_trip_us(target))
        finally:
            for each in idle:
                each.close()


def opened(target: Target, question: bytes) -> socket.socket:
    sock = connected(target.host, target.port)
    try:
        sock.sendall(question)
        size = int.from_bytes(sock.recv(4, socket.MSG_WAITALL), "big")
        if not size or len(sock.recv(size, socket.MSG_WAITALL)) != size:
            raise Refused("the broker hung up on one of many connections")
    except BaseException:
        sock.close()
        raise
    return sock


def round_trip_us(target: Target) -> float:
    taken = []
    with WireClient(target.port, target.host) as wire:
        for _ in range(QUESTIONS):
            began = time.perf_counter()
            wire.ask(ApiVersionsRequest(), 0)
            taken.append((time.perf_counter() - began) * 1e6)
    return statistics.median(taken)
