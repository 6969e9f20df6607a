"""Producers of both Python clients: every codec, with and without idempotence, new ones every few minutes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tools.soak.ledger import Ledger, value_of
from tools.soak.topics import BOTH, BY_SIZE, BY_TIME, COMPACTED, KEPT
from tools.soak.workers import Workers

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
OLD_CODECS = CODECS[:-1]
"""zstd is refused to clients that do not know it."""
KEYS = 400
LIFE_TICKS = 150
"""After so many a writer closes its client and takes a new one."""
CLOSE_WITHIN_S = 30.0
_KEPT_A_TICK, _FILLED_A_TICK, _KEYED_A_TICK = 10, 50, 40
_TICK_S = 0.25


class ConfluentWriter:
    """A client of confluent-kafka, renewed from time to time; acknowledgements come to `told`."""

    def __init__(self, bootstrap: str, name: str, **options: Any) -> None:
        self.name = name
        self._options = {"bootstrap.servers": bootstrap, "client.id": name, "linger.ms": 10, **options}
        self._producer: Any = None
        self._ticks = 0
        self.number = 0

    def send(self, topic: str, value: bytes | None, key: str | None, told: Callable[[], None]) -> None:
        """`told` is called once the broker has acknowledged it; a failure is raised by the next `tick`."""
        self._producer.produce(topic, value, key, on_delivery=lambda error, _: self._failed(error) if error else told())

    def _failed(self, error: Any) -> None:
        raise RuntimeError(f"not delivered: {error}")

    def tick(self) -> None:
        from confluent_kafka import Producer

        self._ticks += 1
        if self._producer is None or self._ticks % LIFE_TICKS == 0:
            self.close()
            self._producer = Producer(self._options)
        self._producer.poll(0)

    def close(self) -> None:
        """Raises: RuntimeError: something was not delivered in time."""
        if self._producer is not None:
            left = self._producer.flush(CLOSE_WITHIN_S)
            self._producer = None
            if left:
                raise RuntimeError(f"{left} records were not delivered in time")


def start(workers: Workers, ledger: Ledger, bootstrap: str) -> None:
    """All writers."""
    for codec in CODECS:
        _kept(workers, ledger, bootstrap, codec)
    for topic, codecs in ((BY_SIZE, OLD_CODECS), (BY_TIME, CODECS)):
        _filling(workers, bootstrap, topic, codecs)
    for topic in (COMPACTED, BOTH):
        _keyed(workers, ledger, bootstrap, topic)
    _kept_by_kafka_python(workers, ledger, bootstrap)
    _old(workers, bootstrap)


def _kept(workers: Workers, ledger: Ledger, bootstrap: str, codec: str) -> None:
    options: dict[str, Any] = {"compression.type": codec, "enable.idempotence": True, "acks": "all"}
    writer = ConfluentWriter(bootstrap, f"kept-{codec}", **options)

    def once() -> None:
        writer.tick()
        for _ in range(_KEPT_A_TICK):
            writer.number += 1
            record = (writer.name, writer.number)
            writer.send(KEPT, value_of(record, 200), None, partial(ledger.acknowledge, record))
        workers.tally.count("records written to keep", _KEPT_A_TICK)

    workers.again(writer.name, _TICK_S, once, writer.close)


def _filling(workers: Workers, bootstrap: str, topic: str, codecs: Sequence[str]) -> None:
    """Records that retention takes, in all these codecs."""
    writers = [ConfluentWriter(bootstrap, f"{topic}-{codec}", **{"compression.type": codec}) for codec in codecs]

    def once() -> None:
        writer = workers.chance.choice(writers)
        writer.tick()
        for _ in range(_FILLED_A_TICK):
            writer.number += 1
            noise = workers.chance.randbytes(300).hex().encode()
            writer.send(topic, noise, f"k{writer.number % 50}", lambda: None)
        workers.tally.count("records written for retention to take", _FILLED_A_TICK)

    def at_end() -> None:
        for writer in writers:
            writer.close()

    workers.again(topic, _TICK_S, once, at_end)


def _keyed(workers: Workers, ledger: Ledger, bootstrap: str, topic: str) -> None:
    """Values over values, one of twenty a tombstone."""
    options: dict[str, Any] = {"compression.type": "lz4", "enable.idempotence": True}
    writer = ConfluentWriter(bootstrap, topic, **options)

    def once() -> None:
        writer.tick()
        for _ in range(_KEYED_A_TICK):
            writer.number += 1
            key = f"key-{workers.chance.randrange(KEYS)}"
            number = None if writer.number % 20 == 0 else writer.number
            value = None if number is None else value_of((key, number), 300)
            writer.send(topic, value, key, partial(ledger.renew, topic, key, number))
        workers.tally.count("records written over others", _KEYED_A_TICK)

    workers.again(topic, _TICK_S, once, writer.close)


def _kept_by_kafka_python(workers: Workers, ledger: Ledger, bootstrap: str) -> None:
    """A new client each time, as a script of every minute would have it."""
    numbers = iter(range(10**9))

    def once() -> None:
        from kafka import KafkaProducer

        codec = workers.chance.choice(CODECS)
        producer = KafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            compression_type=_name(codec),
            enable_idempotence=True,
        )
        try:
            records = [("kafka-python", next(numbers)) for _ in range(20)]
            sent = [producer.send(KEPT, value_of(record, 200)) for record in records]
            for record, future in zip(records, sent, strict=True):
                future.get(timeout=CLOSE_WITHIN_S)
                ledger.acknowledge(record)
        finally:
            producer.close(timeout=CLOSE_WITHIN_S)
        workers.tally.count("records written to keep", len(records))

    workers.again("kafka-python producer", 8, once)


def _name(codec: str) -> str | None:
    """As kafka-python has it."""
    return None if codec == "none" else codec


def _old(workers: Workers, bootstrap: str) -> None:
    """kafka-python as of the years before batches: messages of magic 0 and 1, converted by the broker."""

    def once() -> None:
        from kafka import KafkaProducer

        pose = workers.chance.choice([(0, 8, 2), (0, 9), (0, 10)])
        codec = workers.chance.choice(OLD_CODECS)
        producer = KafkaProducer(
            bootstrap_servers=bootstrap, api_version=pose, compression_type=_name(codec), enable_idempotence=False
        )
        try:
            sent = [producer.send(BY_SIZE, b"old %d" % n, key=b"k") for n in range(30)]
            for future in sent:
                future.get(timeout=CLOSE_WITHIN_S)
        finally:
            producer.close(timeout=CLOSE_WITHIN_S)
        workers.tally.count("records written by old clients", len(sent))

    workers.again("old producer", 10, once)
