"""Produce and consume through librdkafka: MB/s, and the broker's CPU per GiB."""

from collections.abc import Iterator, Sequence

from kproto.values import frozen
from tools.bench.librdkafka import Consumer, LoadFailed, Producer, Values
from tools.bench.results import Results, Row
from tools.bench.servers import Target
from tools.bench.wire import WireClient

GIB = 1 << 30
MB = 1_000_000
KIB_BATCHES, MB_BATCHES = 16_384, 1_000_000


@frozen
class Shape:
    """Records of one size in batches of one size."""

    record_bytes: int
    batch_bytes: int
    codec: str

    @property
    def title(self) -> str:
        record = "1 KiB" if self.record_bytes == 1024 else f"{self.record_bytes} B"
        batch = "16 KiB" if self.batch_bytes == KIB_BATCHES else "1 MB"
        return f"{record} in {batch}, {self.codec}"

    @property
    def produce_speed(self) -> Row:
        return Row(f"produce {self.title}", "MB/s", more_is_better=True)

    @property
    def produce_cost(self) -> Row:
        return Row(f"produce {self.title}: broker", "CPU s/GiB")

    @property
    def consume_speed(self) -> Row:
        return Row(f"consume {self.title}", "MB/s", more_is_better=True)

    @property
    def consume_cost(self) -> Row:
        return Row(f"consume {self.title}: broker", "CPU s/GiB")

    def options(self) -> dict[str, str]:
        return {
            "acks": "1",
            "linger.ms": "5",
            "batch.size": str(self.batch_bytes),
            "batch.num.messages": "1000000",
            "message.max.bytes": "1000000",
            "compression.type": self.codec,
        }


SHAPES = [
    Shape(record_bytes, batch_bytes, codec)
    for record_bytes in (200, 1024)
    for batch_bytes in (KIB_BATCHES, MB_BATCHES)
    for codec in ("none", "lz4")
]
PLAIN_SHAPE = SHAPES[0]
LARGEST = Shape(1024, MB_BATCHES, "none")


def measure(
    results: Results, shape: Shape, targets: Sequence[Target], size: int, rounds: Iterator[int], run: str
) -> None:
    """Each round takes every broker once, so that a change of the machine's speed meets all of them.

    Args: size: bytes of values in one run; run: a word for topic names.
    """
    values = Values(shape.record_bytes)
    for number in rounds:
        for target in targets:
            topic = f"bench-{run}-{shape.record_bytes}-{shape.batch_bytes}-{shape.codec}-{number}"
            with WireClient(target.port, target.host) as wire:
                wire.create(topic)
                _once(results, shape, target, topic, values, size // shape.record_bytes, wire)
                wire.delete(topic)


def _once(
    results: Results, shape: Shape, target: Target, topic: str, values: Values, count: int, wire: WireClient
) -> None:
    size = count * shape.record_bytes
    producer = Producer(target.bootstrap, topic, shape.options())
    try:
        producer.send(values, 1)  # connections and metadata are there
        before = target.cpu()
        wall_s = producer.send(values, count)
        used = target.cpu().since(before)
    finally:
        producer.close()
    if (stored := wire.end_offset(topic)) != count + 1:
        raise LoadFailed(f"{target.name} stored {stored} of {count + 1} records")
    results.add(shape.produce_speed, target.name, size / MB / wall_s)
    results.add_cost(shape.produce_cost, target.name, used, size / GIB)
    consumer = Consumer(target.bootstrap, topic)
    try:
        before = target.cpu()
        per_s = consumer.read(count + 1)
        used = target.cpu().since(before)
    finally:
        consumer.close()
    results.add(shape.consume_speed, target.name, per_s * shape.record_bytes / MB)
    results.add_cost(shape.consume_cost, target.name, used, size / GIB)
