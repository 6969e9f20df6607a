"""From produce to delivery: records sent at a steady pace, and when a waiting consumer has each of them."""

import selectors
import statistics
import time
from collections.abc import Iterator, Sequence

from kproto.messages.fetch import FetchResponse
from kproto.records.batch import split
from tools.bench.frames import FETCH_VERSION, PRODUCE_VERSION, fetch, produce
from tools.bench.results import Results, Row
from tools.bench.servers import Target
from tools.bench.wire import Refused, WireClient

WAIT_MS = 500
PACES = (1000, 5000)
SILENCE_MAX_S = 10.0


def rows(per_s: int) -> tuple[Row, Row]:
    """Median and p99."""
    title = f"delivery at {per_s // 1000} k msg/s"
    return Row(f"{title}, p50", "µs"), Row(f"{title}, p99", "µs")


def measure(
    results: Results, targets: Sequence[Target], per_s: int, seconds: float, rounds: Iterator[int], topic: str
) -> None:
    for target in targets:
        with WireClient(target.port, target.host) as wire:
            wire.create(topic)
    for _ in rounds:
        for target in targets:
            taken_us = [1e6 * each for each in delivery_s(target, topic, per_s, int(per_s * seconds))]
            p50, p99 = rows(per_s)
            results.add(p50, target.name, statistics.median(taken_us))
            results.add(p99, target.name, statistics.quantiles(taken_us, n=100)[-1])


def delivery_s(target: Target, topic: str, per_s: int, count: int) -> list[float]:
    """How long each record took, without the first tenth, which warms."""
    with WireClient(target.port, target.host) as producer, WireClient(target.port, target.host) as consumer:
        first = producer.end_offset(topic)
        assert first is not None
        way = Way(producer, consumer, topic, first)
        way.run(count, 1 / per_s)
    return way.taken_s[count // 10 :]


class Way:
    """Both ends in one loop, so that one clock times them."""

    def __init__(self, producer: WireClient, consumer: WireClient, topic: str, first: int) -> None:
        self._producer, self._consumer, self._topic, self._first = producer, consumer, topic, first
        self._next = first
        self._sent_at: list[float] = []
        self.taken_s: list[float] = []

    def run(self, count: int, every_s: float) -> None:
        """Raises: Refused: nothing came for a while."""
        due = silent_since = time.perf_counter()
        self._ask()
        with selectors.DefaultSelector() as selector:
            selector.register(self._producer.sock, selectors.EVENT_READ, self._producer)
            selector.register(self._consumer.sock, selectors.EVENT_READ, self._consumer)
            while len(self.taken_s) < count:
                now = time.perf_counter()
                if len(self._sent_at) < count and now >= due:
                    self._sent_at.append(now)
                    self._producer.send(produce(self._topic), PRODUCE_VERSION)
                    due += every_s
                    continue
                wait_s = max(due - now, 0) if len(self._sent_at) < count else 1.0
                for key, _ in selector.select(wait_s):
                    key.data.receive()
                    silent_since = now
                    self._take(key.data)
                if now - silent_since > SILENCE_MAX_S:
                    raise Refused("records are not delivered")

    def _take(self, client: WireClient) -> None:
        while (answer := client.answer_at_hand()) is not None:
            if client is self._consumer:
                self._delivered(answer, time.perf_counter())
                self._ask()

    def _ask(self) -> None:
        self._consumer.send(fetch(self._topic, offset=self._next, wait_ms=WAIT_MS), FETCH_VERSION)

    def _delivered(self, answer: FetchResponse, now: float) -> None:
        for batch, _ in split(memoryview(answer.responses[0].partitions[0].records or b"")):
            self._next = batch.next_offset
            self.taken_s.append(now - self._sent_at[batch.base_offset - self._first])
