"""Clients that keep fetch sessions (KIP-227): kafka-python 3 and the Java consumer; librdkafka keeps none."""

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import NEWEST, run_tool
from compat_tests.tools_at_hand import needs
from compat_tests.typed_client import TypedClient
from kproto.messages.incremental_alter_configs import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)

PARTITIONS = 20
BROKER_LOGGER = 8
BEGINS = re.compile(r"Fetch session (\d+) begins with (\d+) partitions")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """Its log tells of each session."""
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), "--verbose").start()
    log_sessions(process)
    yield process
    process.stop()


def log_sessions(broker: BrokerProcess) -> None:
    """As `kafka-configs --entity-type broker-loggers` does (KIP-412)."""
    level = AlterableConfig(name="barnabas.partitions", config_operation=0, value="DEBUG")
    logger = AlterConfigsResource(resource_type=BROKER_LOGGER, resource_name="0", configs=[level])
    with TypedClient(broker.port) as client:
        answer = client.ask(IncrementalAlterConfigsRequest(resources=[logger]), 1)
    assert [each.error_code for each in answer.responses] == [0], answer


def sessions_begun(broker: BrokerProcess) -> list[int]:
    """Their sizes."""
    return [int(size) for _, size in BEGINS.findall(broker.log.read_text())]


def admin_of(broker: BrokerProcess) -> KafkaAdminClient:
    return KafkaAdminClient(bootstrap_servers=broker.bootstrap)


def make(broker: BrokerProcess, topic: str) -> None:
    admin = admin_of(broker)
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    admin.close()


def all_of(topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, index) for index in range(PARTITIONS)]


def reader(broker: BrokerProcess, topic: str) -> KafkaConsumer:
    consumer = KafkaConsumer(
        bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", metadata_max_age_ms=1_000
    )
    consumer.assign(all_of(topic))
    return consumer


def read(consumer: KafkaConsumer, count: int, within_s: float = 20) -> list[bytes]:
    """The values, in the order of their arrival; fewer if no more come in time."""
    deadline = time.monotonic() + within_s
    values: list[bytes] = []
    while len(values) < count and time.monotonic() < deadline:
        for records in consumer.poll(timeout_ms=500).values():
            values += [record.value for record in records]
    return values


def test_kafka_python_hears_of_the_one_partition_that_grew(broker: BrokerProcess, topic: str) -> None:
    """Round after round in one and the same session."""
    make(broker, topic)
    before = len(sessions_begun(broker))
    producer, consumer = KafkaProducer(bootstrap_servers=broker.bootstrap), reader(broker, topic)
    chance = random.Random(4)
    for number in range(50):
        value = f"record {number}".encode()
        producer.send(topic, value, partition=chance.randrange(PARTITIONS)).get(10)
        assert read(consumer, 1) == [value]
    assert sessions_begun(broker)[before:] == [PARTITIONS]
    consumer.close()
    producer.close()


def test_kafka_python_finds_a_topic_that_was_made_anew(broker: BrokerProcess, topic: str) -> None:
    """Nothing of the old one comes, and nothing of the new one is missing."""
    make(broker, topic)
    producer, consumer = KafkaProducer(bootstrap_servers=broker.bootstrap), reader(broker, topic)
    producer.send(topic, b"old", partition=3).get(10)
    assert read(consumer, 1) == [b"old"]
    admin = admin_of(broker)
    admin.delete_topics([topic])
    admin.close()
    make(broker, topic)
    consumer.seek_to_beginning()
    fresh = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for number in range(3):
        fresh.send(topic, b"new %d" % number, partition=3).get(10)
    assert read(consumer, 3) == [b"new 0", b"new 1", b"new 2"]
    for client in (producer, fresh, consumer):
        client.close()


def test_the_java_consumer_reads_all_in_small_fetches_of_one_session(
    broker: BrokerProcess, topic: str, tmp_path: Path
) -> None:
    """Answers that are full before all partitions had their turn: none starves, none comes twice."""
    needs("java")
    make(broker, topic)
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, batch_size=1_000)
    lines = [f"line {number} {'x' * 100}" for number in range(2_000)]
    for number, line in enumerate(lines):
        producer.send(topic, line.encode(), partition=number % PARTITIONS)
    producer.close()
    before = len(sessions_begun(broker))
    small = tmp_path / "small.properties"
    small.write_text("fetch.max.bytes=3000\nmax.partition.fetch.bytes=2000\n")
    done = run_tool(
        NEWEST,
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *("--bootstrap-server", broker.bootstrap, "--topic", topic, "--from-beginning"),
        *("--max-messages", str(len(lines)), "--timeout-ms", "20000", "--command-config", str(small)),
    )
    assert sorted(done.stdout.splitlines()) == sorted(lines), done.stderr
    assert "ERROR" not in done.stderr
    assert PARTITIONS in sessions_begun(broker)[before:]
    assert len(sessions_begun(broker)) - before <= 2


def test_without_slots_everything_is_read_all_the_same(tmp_path: Path, topic: str) -> None:
    none = ("--override", "max.incremental.fetch.session.cache.slots=0")
    broker = BrokerProcess(tmp_path, "--verbose", *none).start()
    try:
        log_sessions(broker)
        make(broker, topic)
        producer, consumer = KafkaProducer(bootstrap_servers=broker.bootstrap), reader(broker, topic)
        for number in range(20):
            producer.send(topic, b"%d" % number, partition=number % PARTITIONS).get(10)
        assert sorted(read(consumer, 20), key=int) == [b"%d" % number for number in range(20)]
        assert sessions_begun(broker) == []
        consumer.close()
        producer.close()
    finally:
        broker.stop()
