"""Raw requests by number: one-record produces under load, whole-MiB fetches, fetches over 1000 partitions."""

import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Self

from kproto.messages.fetch import FetchResponse
from tools.bench.frames import FETCH_VERSION, PRODUCE_VERSION, fetch, produce, produce_frame
from tools.bench.processes import CpuUsed
from tools.bench.results import Results, Row
from tools.bench.servers import Target
from tools.bench.wire import Refused, WireClient, connected, frame

US = 1_000_000
MB = 1_000_000
CONNECTIONS, IN_FLIGHT = 8, 32
SIZE_BYTES = 4
PARTITIONS = 1000
SMALLEST_ANSWER = 900_000
"""Bytes of a fetch of 1 MiB: whole batches only."""

ONE_RECORD_SPEED = Row("one-record produce, acks=1, under load", "req/s", more_is_better=True)
ONE_RECORD_COST = Row("one-record produce, acks=1, under load: broker", "CPU µs")
MIB_FETCH_SPEED = Row("1 MiB fetches", "MB/s", more_is_better=True)
MIB_FETCH_COST = Row("1 MiB fetches: broker", "CPU s/GiB")
WITHOUT_SESSION = Row("fetch of 1000 idle partitions, no session: broker", "CPU µs")
WITH_SESSION = Row("fetch of 1000 idle partitions, in a session: broker", "CPU µs")


def measure_one_record(
    results: Results, targets: Sequence[Target], count: int, rounds: Iterator[int], topic: str
) -> None:
    """Eight connections, each a partition of its own and 32 requests in flight."""
    for target in targets:
        with WireClient(target.port, target.host) as wire:
            wire.create(topic, CONNECTIONS)
    for _ in rounds:
        for target in targets:
            wall_s, used, sent = stored_load(target, topic, count)
            results.add(ONE_RECORD_SPEED, target.name, sent / wall_s)
            results.add_cost(ONE_RECORD_COST, target.name, used, sent / US)


def stored_load(target: Target, topic: str, count: int) -> tuple[float, CpuUsed, int]:
    """`one_record_load`, after which partition 0 holds its part: a refusal is as short as a yes. Raises: Refused."""
    with WireClient(target.port, target.host) as wire:
        before = wire.end_offset(topic) or 0
        measured = one_record_load(target, topic, count)
        stored = (wire.end_offset(topic) or 0) - before
    if stored != measured[2] // CONNECTIONS + 1:  # and one to learn the size of an answer
        raise Refused(
            f"{target.name} stored {stored} records of a partition where {measured[2] // CONNECTIONS} were sent"
        )
    return measured


def one_record_load(target: Target, topic: str, count: int) -> tuple[float, CpuUsed, int]:
    """About `count` requests in all. Returns: wall time, the broker's CPU, how many were answered."""
    frames = [produce_frame(topic, each) for each in range(CONNECTIONS)]
    pipelines = [Pipeline.opened(target.host, target.load_port, each) for each in frames]
    try:
        before, began = target.cpu(), time.perf_counter()
        answered = drive(pipelines, max(count // CONNECTIONS, IN_FLIGHT))
        wall_s = time.perf_counter() - began
        return wall_s, target.cpu().since(before), answered
    finally:
        for each in pipelines:
            each.sock.close()


class Pipeline:
    """One connection that always has `IN_FLIGHT` copies of one request under way; all answers have one size."""

    def __init__(self, sock: socket.socket, request: bytes, answer_bytes: int) -> None:
        self.sock = sock
        self._request, self._answer_bytes, self._received = request, answer_bytes, 0
        self._some = memoryview(bytearray(1 << 16))

    @classmethod
    def opened(cls, host: str, port: int, request: bytes) -> Self:
        """Connected, with the size of an answer learned from a first one. Raises: Refused."""
        sock = connected(host, port)
        sock.sendall(request)
        size = int.from_bytes(sock.recv(SIZE_BYTES, socket.MSG_WAITALL), "big")
        if not size or len(sock.recv(size, socket.MSG_WAITALL)) != size:
            sock.close()
            raise Refused("the broker hung up")
        return cls(sock, request, SIZE_BYTES + size)

    def begin(self) -> None:
        self.sock.sendall(self._request * IN_FLIGHT)

    def go_on(self, left: int) -> int:
        """Take what came and send as many again, at most `left`. Returns: answers that came."""
        size = self.sock.recv_into(self._some)
        if not size:
            raise Refused("the broker hung up")
        whole, self._received = divmod(self._received + size, self._answer_bytes)
        if whole and left > 0:
            self.sock.sendall(self._request * min(whole, left))
        return whole


def drive(pipelines: Sequence[Pipeline], count_each: int) -> int:
    """Until each has that many answers. Returns: answers in all."""
    left = dict.fromkeys(pipelines, count_each - IN_FLIGHT)
    due = dict.fromkeys(pipelines, count_each)
    with selectors.DefaultSelector() as selector:
        for each in pipelines:
            selector.register(each.sock, selectors.EVENT_READ, each)
            each.begin()
        while selector.get_map():
            ready = selector.select(60)
            if not ready:
                raise Refused("no answer within a minute")
            for key, _ in ready:
                pipeline: Pipeline = key.data
                came = pipeline.go_on(left[pipeline])
                left[pipeline] -= came
                due[pipeline] -= came
                if due[pipeline] <= 0:
                    selector.unregister(pipeline.sock)
    return count_each * len(pipelines)


def measure_mib_fetches(
    results: Results, targets: Sequence[Target], count: int, rounds: Iterator[int], topic: str
) -> None:
    """One connection, two requests in flight, always the same warm MiB: what is measured is the way out."""
    for target in targets:
        with WireClient(target.port, target.host) as wire:
            wire.create(topic)
            for _ in range(16):
                wire.ask(produce(topic, values=64, value=b"x" * 1000), PRODUCE_VERSION)
    request = frame(fetch(topic), FETCH_VERSION)
    for _ in rounds:
        for target in targets:
            before, began = target.cpu(), time.perf_counter()
            size = fetch_again_and_again(target, request, count)
            wall_s, used = time.perf_counter() - began, target.cpu().since(before)
            results.add(MIB_FETCH_SPEED, target.name, size / MB / wall_s)
            results.add_cost(MIB_FETCH_COST, target.name, used, size / (1 << 30))


def fetch_again_and_again(target: Target, request: bytes, count: int) -> int:
    """Returns: bytes of all answers."""
    buffer = memoryview(bytearray(4 << 20))
    size = 0
    with connected(target.host, target.port) as sock:
        sock.sendall(request)
        for number in range(count):
            if number + 1 < count:
                sock.sendall(request)
            answer_bytes = int.from_bytes(sock.recv(4, socket.MSG_WAITALL), "big")
            if not answer_bytes or sock.recv_into(buffer, answer_bytes, socket.MSG_WAITALL) != answer_bytes:
                raise Refused("the broker hung up")
            size += answer_bytes
    if size < count * SMALLEST_ANSWER:
        raise Refused(f"{target.name} gave {size // count} bytes where a MiB was asked for")
    return size


def measure_thousand(
    results: Results, targets: Sequence[Target], count: int, rounds: Iterator[int], topic: str
) -> None:
    """Fetches that find nothing, one after the other."""
    clients = {target: WireClient(target.port, target.host) for target in targets}
    for wire in clients.values():
        wire.create(topic, PARTITIONS)
    for _ in rounds:
        for target, wire in clients.items():
            every = fetch(topic, range(PARTITIONS))
            results.add(WITHOUT_SESSION, target.name, _cost(target, wire, [every] * (count // 4)))
            opened: FetchResponse = wire.ask(fetch(topic, range(PARTITIONS), session=(0, 0)), FETCH_VERSION)
            if opened.error_code or not opened.session_id:
                continue
            nothing_new = [fetch(topic, (), session=(opened.session_id, epoch)) for epoch in range(1, count + 1)]
            results.add(WITH_SESSION, target.name, _cost(target, wire, nothing_new))
    for wire in clients.values():
        wire.delete(topic)
        wire.sock.close()


def _cost(target: Target, wire: WireClient, questions: Sequence[object]) -> float:
    """CPU of the broker for each, in µs."""
    before = target.cpu()
    for question in questions:
        answer = wire.ask(question, FETCH_VERSION)  # type: ignore[arg-type]
        if answer.error_code:
            raise Refused(f"fetch: error {answer.error_code}")
    return target.cpu().since(before).seconds / len(questions) * US
