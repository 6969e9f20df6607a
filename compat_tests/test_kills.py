"""A broker killed over and over under load of unmodified clients: nothing acknowledged is lost, nothing is there twice.

The campaign kills some thirty times, and a quarter of that on a disk that forgets what was not synced. As the project's
goals have it, 200 and 50 times:

    pytest -m campaign compat_tests/test_kills.py --kills 200
"""

import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from compat_tests.broker_process import BrokerProcess

PARTITIONS = 3
A_SECOND = 400
"""Lines that each client sends, so that two processors are not the limit."""
ACK_WITHIN_S = 60.0
Count = Callable[[str, object], None]


class ForgetfulBroker(BrokerProcess):
    """Killed, it loses what a machine without power would lose."""

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-m", "broker.testing.forgetful", str(self.folder / "server.properties")]


class Load:
    """One idempotent producer with acks=all that sends numbered lines to a topic of its own until told to stop."""

    def __init__(self, client: str, bootstrap: str) -> None:
        self.topic = f"killed-{client}"
        self.acked: list[bytes] = []
        self.refused: list[str] = []
        self._stop = Event()
        self._thread = Thread(target={"confluent": self._confluent, "kafka-python": self._kafka_python}[client])
        self._bootstrap = bootstrap

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()

    def _lines(self) -> Iterator[bytes]:
        began, number = time.monotonic(), 0
        while not self._stop.is_set():
            yield f"line {number}".encode()
            number += 1
            time.sleep(max(began + number / A_SECOND - time.monotonic(), 0))

    def _confluent(self) -> None:
        from confluent_kafka import Producer

        def note(error: Any, message: Any) -> None:
            if error is None:
                self.acked.append(bytes(message.value() or b""))
            else:
                self.refused.append(str(error))

        producer = Producer(
            {
                "bootstrap.servers": self._bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 2,
                "reconnect.backoff.ms": 50,
                "reconnect.backoff.max.ms": 200,
            }
        )
        for line in self._lines():
            producer.produce(self.topic, value=line, partition=hash(line) % PARTITIONS, on_delivery=note)
            producer.poll(0)
        assert producer.flush(60) == 0

    def _kafka_python(self) -> None:
        from kafka import KafkaProducer

        producer = KafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=2,
            reconnect_backoff_ms=50,
            reconnect_backoff_max_ms=200,
        )
        for line in self._lines():
            sent = producer.send(self.topic, value=line, partition=hash(line) % PARTITIONS)
            sent.add_callback(lambda _, line=line: self.acked.append(line))
            sent.add_errback(lambda error: self.refused.append(repr(error)))
        producer.flush(60)
        producer.close()


def stored(bootstrap: str, topic: str) -> dict[int, list[bytes]]:
    """All lines by partition, in the order of the log."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "judge"})
    partitions = [TopicPartition(topic, number, 0) for number in range(PARTITIONS)]
    ends = {each.partition: consumer.get_watermark_offsets(each, timeout=20)[1] for each in partitions}
    lines: dict[int, list[bytes]] = {number: [] for number in ends}
    consumer.assign(partitions)
    while any(len(lines[number]) < end for number, end in ends.items()):
        message = consumer.poll(20)
        assert message is not None, f"there are {ends} lines, but not more than these came: {lines}"
        assert message.error() is None, message.error()
        found = lines[message.partition() or 0]
        assert message.offset() == len(found)
        found.append(bytes(message.value() or b""))
    consumer.close()
    return lines


@pytest.fixture(params=["as always", "forgetful"])
def killed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[BrokerProcess, int]]:
    """A broker and how often to kill it."""
    kills = request.config.getoption("--kills", default=30)
    properties = {"num.partitions": str(PARTITIONS), "offsets.topic.replication.factor": "1"}
    if request.param == "forgetful":
        broker: BrokerProcess = ForgetfulBroker(tmp_path, properties={**properties, "log.flush.interval.messages": "1"})
        kills = max(kills // 4, 5)
    else:
        broker = BrokerProcess(tmp_path, properties=properties)
    broker.start()
    yield broker, kills
    broker.stop()


@pytest.mark.campaign
def test_a_broker_that_is_killed_again_and_again_loses_nothing_and_stores_nothing_twice(
    killed: tuple[BrokerProcess, int], record_property: Count
) -> None:
    broker, kills = killed
    chance = random.Random(kills)
    loads = [Load(client, broker.bootstrap) for client in ("confluent", "kafka-python")]
    first_ack_s = []
    with loads[0].running(), loads[1].running():
        for _ in range(kills):
            wait_for_acks(loads)
            time.sleep(chance.uniform(0, 0.3))
            broker.kill()
            began = time.monotonic()
            broker.start()
            wait_for_acks(loads[:1])
            first_ack_s.append(time.monotonic() - began)
        wait_for_acks(loads)
    for load in loads:
        count = assert_each_is_there_once(load, broker.bootstrap)
        record_property("counted records acknowledged by brokers that were killed, none lost, none twice", count)
    print(f"start to first ack: median {statistics.median(first_ack_s):.2f} s, at most {max(first_ack_s):.2f} s")
    record_property("counted kills under load", kills)


def assert_each_is_there_once(load: Load, bootstrap: str) -> int:
    """And in the order in which it was sent.  Returns: how many lines."""
    there = stored(bootstrap, load.topic)
    times = Counter(line for lines in there.values() for line in lines)
    lost, twice = set(load.acked) - set(times), [line for line, count in times.items() if count > 1]
    in_order = all(lines == sorted(lines, key=number_of) for lines in there.values())
    judged = f"{len(load.acked)} acknowledged, {len(load.refused)} refused, {len(lost)} lost, {len(twice)} twice"
    print(f"{load.topic}: {judged}")
    assert (lost, twice, load.refused, in_order) == (set(), [], [], True)
    return len(times)


def number_of(line: bytes) -> int:
    return int(line.split()[1])


def wait_for_acks(loads: list[Load]) -> None:
    """Until each client has got one more. Raises: AssertionError."""
    before, deadline = [len(load.acked) for load in loads], time.monotonic() + ACK_WITHIN_S
    while any(len(load.acked) <= count for load, count in zip(loads, before, strict=True)):
        assert time.monotonic() < deadline, f"no ack within {ACK_WITHIN_S} s"
        time.sleep(0.005)
