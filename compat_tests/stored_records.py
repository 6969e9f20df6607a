"""What clients read of a topic, all of it, so that two brokers on the same files can be compared."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from compat_tests.zookeeper_tree import wait_until

MAX_WAIT_MS = 20
"""Of a fetch at the end."""


class Read(NamedTuple):
    """One record as an application gets it; the time in ms."""

    offset: int
    timestamp_ms: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


ReadTopic = dict[int, list[Read]]
"""By partition."""


def by_kafka_python(bootstrap: str, topic: str, *, committed: bool = False) -> ReadTopic:
    """From the first offset to the end of what such a reader may see."""
    isolation = "read_committed" if committed else "read_uncommitted"
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level=isolation,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=MAX_WAIT_MS,
    )
    try:
        wait_until(f"the broker knows {topic}", lambda: consumer.partitions_for_topic(topic))
        parts = [TopicPartition(topic, index) for index in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        found: ReadTopic = {part.partition: [] for part in parts}
        waiting = {part for part in parts if ends[part] > consumer.beginning_offsets([part])[part]}
        consumer.seek_to_beginning()
        for _ in range(500):
            waiting = {part for part in waiting if consumer.position(part) < ends[part]}
            if not waiting:
                return found
            for part, records in consumer.poll(timeout_ms=500).items():
                found[part.partition] += map(_read, records)
        raise AssertionError(f"{topic} ends at {ends}, the consumer comes to {found}")
    finally:
        consumer.close()


def _read(record: Any) -> Read:
    time_ms = None if record.timestamp in (None, -1) else record.timestamp
    return Read(record.offset, time_ms, record.key, record.value, tuple(record.headers or ()))


def by_confluent_kafka(bootstrap: str, topic: str, *, committed: bool = False) -> ReadTopic:
    """The same by librdkafka."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError
    from confluent_kafka import TopicPartition as Part

    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "reads-all",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": MAX_WAIT_MS,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "auto.offset.reset": "earliest",
        }
    )
    try:
        indexes = sorted(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
        consumer.assign([Part(topic, index, OFFSET_BEGINNING) for index in indexes])
        found: ReadTopic = {index: [] for index in indexes}
        ended: set[int] = set()
        for _ in range(100_000):
            if ended == set(indexes):
                return found
            message: Any = consumer.poll(20)
            assert message is not None, f"{topic}: nothing within 20 s"
            if message.error() is None:
                kind, at_ms = message.timestamp()
                headers = tuple(message.headers() or ())
                read = Read(
                    message.offset(), at_ms if kind and at_ms >= 0 else None, message.key(), message.value(), headers
                )
                found[message.partition()].append(read)
            else:
                assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                ended.add(message.partition())
        raise AssertionError(f"{topic} does not end")
    finally:
        consumer.close()


READERS = (by_kafka_python, by_confluent_kafka)


def all_topics(bootstrap: str, topics: Iterable[str], *, committed: bool = False) -> dict[str, ReadTopic]:
    """By both clients, which must agree."""
    found = {}
    for topic in topics:
        one, other = (reads(bootstrap, topic, committed=committed) for reads in READERS)
        assert one == other, f"kafka-python and confluent-kafka read other records of {topic}"
        found[topic] = one
    return found


def by_client_of(api_version: tuple[int, ...], bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """The values in partition 0, by kafka-python posing as a client of that release."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, api_version=api_version, consumer_timeout_ms=20_000)
    try:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek_to_beginning()
        return [record.value for _, record in zip(range(count), consumer, strict=False)]
    finally:
        consumer.close()


def committed_offsets(bootstrap: str, group: str, topic: str, partitions: int) -> dict[int, tuple[int, str]]:
    """Offset and metadata by partition, those that there are."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    try:
        found = {}
        for index in range(partitions):
            kept = consumer.committed(TopicPartition(topic, index), metadata=True)
            if kept is not None and kept.offset >= 0:
                found[index] = (kept.offset, kept.metadata)
        return found
    finally:
        consumer.close()


def commit(bootstrap: str, group: str, topic: str, offsets: dict[int, int]) -> None:
    from kafka.structs import OffsetAndMetadata

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    try:
        consumer.assign([TopicPartition(topic, index) for index in offsets])
        consumer.commit(
            {TopicPartition(topic, index): OffsetAndMetadata(offset, "note", -1) for index, offset in offsets.items()}
        )
    finally:
        consumer.close()


def append(bootstrap: str, topic: str, partition: int, *values: str) -> list[int]:
    """By an idempotent kafka-python; the offsets."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    try:
        sent = [producer.send(topic, value.encode(), partition=partition) for value in values]
        return [future.get(20).offset for future in sent]
    finally:
        producer.close()
