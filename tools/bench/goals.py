"""What each row is held to: ratios between brokers of one run, as this project has set them."""

from collections.abc import Iterator

from kproto.values import frozen
from tools.bench import latency, limits, requests, starts, throughput
from tools.bench.results import Results, Row

OURS, PLAIN, BARE, KFAKE = "barnabas", "barnabas plain", "bare epoll loop", "kfake"
ACK_MIB = 64


@frozen
class Goal:
    """`ours` in `row`, divided by `theirs` in `their_row`, on the right side of `wanted`.

    Without `theirs` the figure itself is judged.
    """

    row: Row
    wanted: float
    ours: str = OURS
    theirs: str | None = None
    their_row: Row | None = None
    at_least: bool = False

    @property
    def wish(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.wanted:.3g}"

    def measured(self, results: Results) -> float | None:
        """None: one of the two was not measured."""
        mine = results.summary(self.row, self.ours)
        if mine is None or self.theirs is None:
            return None if mine is None else mine.median
        other = results.summary(self.their_row or self.row, self.theirs)
        return None if other is None or not other.median else mine.median / other.median

    def met(self, measured: float) -> bool:
        return measured >= self.wanted if self.at_least else measured <= self.wanted


def goals(jvm: str) -> Iterator[Goal]:
    """All of them; `jvm` is the Apache Kafka that is the measure."""
    yield from against_the_jvm(jvm)
    yield from against_kfake()
    yield Goal(starts.ack_row(ACK_MIB), 1.0)
    send, sendfile = limits.LOOPBACK_SEND, limits.LOOPBACK_SENDFILE
    largest = throughput.LARGEST.produce_speed
    yield Goal(largest, 0.2, theirs=limits.KERNEL, their_row=send, at_least=True)
    yield Goal(requests.MIB_FETCH_SPEED, 0.8, theirs=limits.KERNEL, their_row=sendfile, at_least=True)
    yield Goal(requests.ONE_RECORD_COST, 1 / 0.85, theirs=BARE)


def against_the_jvm(jvm: str) -> Iterator[Goal]:
    for shape in throughput.SHAPES:
        speed = 1.5 if shape.record_bytes == 1024 else 1.0
        yield Goal(shape.produce_speed, speed, theirs=jvm, at_least=True)
        yield Goal(shape.produce_cost, 0.5, theirs=jvm)
        yield Goal(shape.consume_speed, 1.0, theirs=jvm, at_least=True)
        yield Goal(shape.consume_cost, 0.6, theirs=jvm)
    yield Goal(throughput.PLAIN_SHAPE.produce_speed, 0.9, ours=PLAIN, theirs=jvm, at_least=True)
    yield Goal(requests.ONE_RECORD_COST, 0.6, theirs=jvm)
    yield Goal(latency.rows(1000)[1], 0.2, theirs=jvm)
    yield Goal(starts.MEMORY_AFTER_LOAD, 1 / 15, theirs=jvm)
    yield Goal(starts.START, 1 / 8, theirs=jvm)


def against_kfake() -> Iterator[Goal]:
    for shape in throughput.SHAPES:
        yield Goal(shape.produce_speed, 1.0, theirs=KFAKE, at_least=True)
        yield Goal(shape.produce_cost, 0.8, theirs=KFAKE)
        yield Goal(shape.consume_speed, 1.5, theirs=KFAKE, at_least=True)
