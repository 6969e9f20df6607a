"""Compacted topics through clients: fewer records than were sent, and the same table."""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import LAST_WITH_ZOOKEEPER, NEWEST, run_tool

KEYS = 40
ROUNDS = 60
Sent = list[tuple[int, bytes, bytes | None]]

PROPERTIES = {
    "log.cleaner.backoff.ms": "100",
    "log.cleaner.min.cleanable.ratio": "0.01",
    "log.cleanup.policy": "compact",
    "log.segment.bytes": "16384",
    "log.segment.delete.delay.ms": "0",
    "offsets.topic.segment.bytes": "16384",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), properties=PROPERTIES).start()
    yield process
    process.stop()


def table(records: Sent) -> dict[bytes, bytes]:
    built: dict[bytes, bytes] = {}
    for _, key, value in records:
        built.pop(key, None)
        if value is not None:
            built[key] = value
    return built


def value_of(key: int, round_: int) -> bytes | None:
    """No codec makes much less of it."""
    gone = key == 3 and round_ == ROUNDS - 1
    return None if gone else hashlib.sha512(f"{key} {round_}".encode()).hexdigest().encode()


def produced(broker: BrokerProcess, topic: str, codec: str | None) -> Sent:
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type=codec, linger_ms=5, batch_size=2000)
    futures: list[tuple[bytes, bytes | None, Any]] = [
        (b"gone for good", None, producer.send(topic, key=b"gone for good", value=None))
    ]
    for round_ in range(ROUNDS):
        for key in range(KEYS):
            name, value = f"key {key}".encode(), value_of(key, round_)
            futures.append((name, value, producer.send(topic, key=name, value=value)))
    producer.flush()
    sent = sorted((future.get(10).offset, name, value) for name, value, future in futures)
    producer.close()
    return sent


def with_kafka_python(broker: BrokerProcess, topic: str) -> Sent:
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=50)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end, found = consumer.end_offsets([partition])[partition], []
    while consumer.position(partition) < end:
        for records in consumer.poll(200).values():
            found += [(record.offset, record.key, record.value) for record in records]
    consumer.close()
    return found


def with_confluent_kafka(broker: BrokerProcess, topic: str) -> Sent:
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "none", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0))
    found: Sent = []
    while not found or found[-1][0] < end - 1:
        message = consumer.poll(5)
        assert message is not None
        assert message.error() is None
        offset, key = message.offset(), message.key()
        assert offset is not None
        assert key is not None
        found.append((offset, key, message.value()))
    consumer.close()
    return found


def with_aiokafka(broker: BrokerProcess, topic: str) -> Sent:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    async def read() -> Sent:
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        found: Sent = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [(record.offset, record.key, record.value) for record in records]
        await consumer.stop()
        return found

    return asyncio.run(read())


def until_compacted(broker: BrokerProcess, name: str, at_most_bytes: int) -> None:
    """All but the segment that is written has been cleaned."""
    directory = broker.data / name
    deadline = time.monotonic() + 20
    while sum(path.stat().st_size for path in _logs(directory)) > at_most_bytes:
        assert time.monotonic() < deadline, broker.log.read_text()[-3000:]
        time.sleep(0.05)


def _logs(directory: Path) -> list[Path]:
    return [path for path in directory.glob("*.log") if path.exists()]


@pytest.mark.parametrize(
    ("consumed", "codec"),
    [
        pytest.param(with_kafka_python, "gzip", id="kafka-python"),
        pytest.param(with_kafka_python, None, id="kafka-python, no codec", marks=pytest.mark.campaign),
        pytest.param(with_confluent_kafka, "lz4", id="confluent-kafka", marks=pytest.mark.campaign),
        pytest.param(with_aiokafka, "snappy", id="aiokafka", marks=pytest.mark.campaign),
        pytest.param(with_aiokafka, "zstd", id="aiokafka, zstd", marks=pytest.mark.campaign),
    ],
)
def test_a_compacted_topic_has_fewer_records_and_the_same_table(
    broker: BrokerProcess, topic: str, consumed: Callable[[BrokerProcess, str], Sent], codec: str | None
) -> None:
    sent = produced(broker, topic, codec)
    until_compacted(broker, f"{topic}-0", 2 * 16384)
    found = consumed(broker, topic)
    assert len(found) < len(sent) / 2
    assert set(found) <= set(sent)
    assert table(found) == table(sent)


def test_committed_offsets_survive_compaction_and_a_kill(tmp_path: Path) -> None:
    from kafka import KafkaConsumer, TopicPartition
    from kafka.structs import OffsetAndMetadata

    broker = BrokerProcess(tmp_path, properties=PROPERTIES).start()
    try:
        partition = TopicPartition("t", 0)
        consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, group_id="g", enable_auto_commit=False)
        consumer.assign([partition])
        for offset in range(1, 501):
            consumer.commit({partition: OffsetAndMetadata(offset, "m" * 50, -1)})
        until_compacted(broker, "__consumer_offsets-0", 2 * 16384)
        consumer.close()
        broker.kill()
        broker.start()
        again = KafkaConsumer(bootstrap_servers=broker.bootstrap, group_id="g", enable_auto_commit=False)
        assert again.committed(partition) == 500
        again.close()
    finally:
        broker.stop()


GAPS = re.compile(r"Non-consecutive offsets in \S+\n(  -?\d+ is followed by \d+\n)+")
"""Both tools say so of every compacted log, of Kafka's own too."""
DUMP = {NEWEST: "org.apache.kafka.tools.DumpLogSegments", LAST_WITH_ZOOKEEPER: "kafka.tools.DumpLogSegments"}


@pytest.mark.campaign
@pytest.mark.parametrize("release", [NEWEST, LAST_WITH_ZOOKEEPER])
def test_kafkas_dump_tool_reads_cleaned_segments_and_finds_only_gaps(
    broker: BrokerProcess, topic: str, release: str
) -> None:
    produced(broker, topic, "zstd")
    until_compacted(broker, f"{topic}-0", 2 * 16384)
    directory = broker.data / f"{topic}-0"
    paths = [str(path) for suffix in ("log", "index", "timeindex") for path in directory.glob(f"*.{suffix}")]
    dumped = run_tool(release, DUMP[release], "--deep-iteration", "--print-data-log", "--files", ",".join(paths))
    assert (dumped.returncode, GAPS.sub("", dumped.stderr)) == (0, "")
    assert "isvalid: false" not in dumped.stdout
    assert "deleteHorizonMs: OptionalLong[" in dumped.stdout
