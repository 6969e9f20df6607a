"""kafka-python, the first judge."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer

from compat_tests.broker_process import BrokerProcess


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path).start()
    yield process
    process.stop()


def produce_lines(broker: BrokerProcess, topic: str, count: int, first: int = 0) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    sent = [producer.send(topic, f"line {n}".encode()) for n in range(first, first + count)]
    producer.flush()
    assert [future.get(10).offset for future in sent] == list(range(first, first + count))
    producer.close()


def read_lines(broker: BrokerProcess, topic: str, count: int) -> list[str]:
    consumer = KafkaConsumer(
        topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=10_000
    )
    lines = []
    for record in consumer:
        lines.append(record.value.decode())
        if len(lines) == count:
            break
    consumer.close()
    return lines


def test_a_thousand_lines_go_in_and_come_out(broker: BrokerProcess) -> None:
    """The main job, on a broker that nobody configured."""
    produce_lines(broker, "lines", 1_000)
    assert read_lines(broker, "lines", 1_000) == [f"line {n}" for n in range(1_000)]


def test_a_killed_broker_keeps_what_it_acknowledged(broker: BrokerProcess) -> None:
    """Acked means handed to the kernel, so kill -9 loses nothing; a new producer goes on behind it."""
    produce_lines(broker, "lines", 500)
    broker.kill()
    broker.start()
    produce_lines(broker, "lines", 500, first=500)
    assert read_lines(broker, "lines", 1_000) == [f"line {n}" for n in range(1_000)]
