"""kafka-python, the first judge: the newest release, and posing as older ones."""

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from compat_tests.broker_process import BrokerProcess

API_VERSIONS = [None, (0, 11), (1, 0), (2, 0), (2, 5)]
CODECS = [None, "gzip", "snappy", "lz4", "zstd"]


def produce_lines(broker: BrokerProcess, topic: str, count: int, first: int = 0, **options: object) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, **options)
    sent = [producer.send(topic, f"line {n}".encode()) for n in range(first, first + count)]
    producer.flush()
    assert [future.get(10).offset for future in sent] == list(range(first, first + count))
    producer.close()


def read_lines(broker: BrokerProcess, topic: str, count: int, **options: object) -> list[str]:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=10_000,
        **options,
    )
    lines = []
    for record in consumer:
        lines.append(record.value.decode())
        if len(lines) == count:
            break
    consumer.close()
    return lines


@pytest.mark.parametrize("api_version", API_VERSIONS, ids=str)
def test_a_thousand_lines_go_in_and_come_out(
    broker: BrokerProcess, topic: str, api_version: tuple[int, ...] | None
) -> None:
    """The main job, on a broker that nobody configured."""
    produce_lines(broker, topic, 1_000, api_version=api_version)
    lines = read_lines(broker, topic, 1_000, api_version=api_version)
    assert lines == [f"line {n}" for n in range(1_000)]


@pytest.mark.parametrize("codec", CODECS, ids=str)
def test_every_codec_comes_back(broker: BrokerProcess, topic: str, codec: str | None) -> None:
    """The batch is stored as it was sent; the consumer inflates it."""
    produce_lines(broker, topic, 300, compression_type=codec)
    assert read_lines(broker, topic, 300) == [f"line {n}" for n in range(300)]


@pytest.mark.parametrize("api_version", API_VERSIONS, ids=str)
def test_a_group_goes_on_where_it_committed(
    broker: BrokerProcess, topic: str, api_version: tuple[int, ...] | None
) -> None:
    """A second consumer of the same group reads what the first did not."""
    produce_lines(broker, topic, 100)
    group = {"group_id": topic, "enable_auto_commit": False, "api_version": api_version}
    first = KafkaConsumer(topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", **group)
    seen: list[str] = []
    while len(seen) < 40:
        for records in first.poll(timeout_ms=5_000, max_records=40 - len(seen)).values():
            seen += [record.value.decode() for record in records]
    first.commit()
    first.close()
    rest = read_lines(broker, topic, 60, **group)
    assert seen + rest == [f"line {n}" for n in range(100)]


def test_offsets_are_found_by_time(broker: BrokerProcess, topic: str) -> None:
    """Each record has its own time; the first at or after the asked one is found."""
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for n in range(10):
        producer.send(topic, b"x", timestamp_ms=1_000_000 + 1_000 * n).get(10)
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap)
    partition = TopicPartition(topic, 0)
    found = consumer.offsets_for_times({partition: 1_004_500})[partition]
    assert (found.offset, found.timestamp) == (5, 1_005_000)
    assert consumer.beginning_offsets([partition]) == {partition: 0}
    assert consumer.end_offsets([partition]) == {partition: 10}
    consumer.close()


def test_topics_are_made_grown_and_deleted(broker: BrokerProcess, topic: str) -> None:
    """Through the admin client, each change seen by the next call."""
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic(name=topic, num_partitions=3, replication_factor=1)])
    assert topic in admin.list_topics()
    admin.create_partitions({topic: 5})
    (described,) = admin.describe_topics([topic])
    assert len(described["partitions"]) == 5
    admin.delete_topics([topic])
    assert topic not in admin.list_topics()
    admin.close()


def test_a_killed_broker_keeps_what_it_acknowledged(own_broker: BrokerProcess) -> None:
    """Acked means handed to the kernel, so kill -9 loses nothing; a new producer goes on behind it."""
    produce_lines(own_broker, "lines", 500)
    own_broker.kill()
    own_broker.start()
    produce_lines(own_broker, "lines", 500, first=500)
    assert read_lines(own_broker, "lines", 1_000) == [f"line {n}" for n in range(1_000)]


def test_a_group_outlives_its_broker(own_broker: BrokerProcess) -> None:
    """Committed offsets are records of `__consumer_offsets`: killed and replayed, they are the same."""
    produce_lines(own_broker, "lines", 100)
    consumer = KafkaConsumer(
        "lines", bootstrap_servers=own_broker.bootstrap, group_id="g", auto_offset_reset="earliest"
    )
    assert sum(len(records) for records in consumer.poll(timeout_ms=5_000, max_records=100).values()) > 0
    position = consumer.position(TopicPartition("lines", 0))
    consumer.commit()
    own_broker.kill()
    own_broker.start()
    admin = KafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
    offsets = admin.list_group_offsets("g")["g"]
    assert {partition.topic: at.offset for partition, at in offsets.items()} == {"lines": position}
    admin.close()
    consumer.close()
