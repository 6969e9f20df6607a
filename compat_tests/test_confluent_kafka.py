"""librdkafka, through confluent-kafka: the client beneath most languages."""

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic  # confluent_kafka.admin has it too, but does not say so to mypy

from compat_tests.broker_process import BrokerProcess

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def produce(broker: BrokerProcess, topic: str, values: list[bytes], **options: object) -> list[int]:
    """Offsets in the order sent."""
    offsets: dict[int, int] = {}
    producer = Producer({"bootstrap.servers": broker.bootstrap, **options})
    for n, value in enumerate(values):

        def note(error: KafkaError | None, message: object, n: int = n) -> None:
            assert error is None, error
            offsets[n] = message.offset()  # type: ignore[attr-defined]

        producer.produce(topic, value, on_delivery=note)
        producer.poll(0)
    assert producer.flush(20) == 0
    return [offsets[n] for n in range(len(values))]


def consume(broker: BrokerProcess, topic: str, count: int, group: str, **options: object) -> list[bytes]:
    consumer = Consumer(
        {"bootstrap.servers": broker.bootstrap, "group.id": group, "auto.offset.reset": "earliest", **options}
    )
    consumer.subscribe([topic])
    values: list[bytes] = []
    for _ in range(200):
        for message in consumer.consume(min(count - len(values), 500), 0.2):
            assert message.error() is None, message.error()
            value = message.value()
            assert value is not None
            values.append(value)
        if len(values) == count:
            break
    consumer.close()
    return values


@pytest.mark.parametrize("codec", CODECS)
def test_lines_come_back_in_order(broker: BrokerProcess, topic: str, codec: str) -> None:
    """Every codec of librdkafka, through a group."""
    values = [f"line {n}".encode() * 10 for n in range(2_000)]
    assert produce(broker, topic, values, **{"compression.codec": codec, "linger.ms": 5}) == list(range(2_000))
    assert consume(broker, topic, 2_000, topic) == values


@pytest.mark.parametrize("options", [{"enable.idempotence": True}, {"acks": "1"}, {"acks": "all"}], ids=str)
def test_every_kind_of_ack_is_given(broker: BrokerProcess, topic: str, options: dict[str, object]) -> None:
    """acks=1, acks=all, and idempotence."""
    assert produce(broker, topic, [b"x"] * 500, **options) == list(range(500))


def test_without_acks_records_still_arrive(broker: BrokerProcess, topic: str) -> None:
    """acks=0 has no answer; the records are there all the same."""
    produce(broker, topic, [b"first"])
    producer = Producer({"bootstrap.servers": broker.bootstrap, "acks": "0"})
    for _ in range(100):
        producer.produce(topic, b"x")
    producer.flush(10)
    assert len(consume(broker, topic, 101, topic)) == 101


def test_topics_by_the_admin_client(broker: BrokerProcess, topic: str) -> None:
    """Made, seen, deleted."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(topic, 3, 1)])[topic].result(10)
    assert len(admin.list_topics(timeout=10).topics[topic].partitions) == 3
    admin.delete_topics([topic])[topic].result(10)
    assert topic not in admin.list_topics(timeout=10).topics


def test_watermarks_and_committed_offsets(broker: BrokerProcess, topic: str) -> None:
    """What a lag exporter asks."""
    produce(broker, topic, [b"x"] * 10)
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": topic})
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10) == (0, 10)
    consumer.commit(offsets=[TopicPartition(topic, 0, 7)], asynchronous=False)
    (committed,) = consumer.committed([TopicPartition(topic, 0)], timeout=10)
    assert committed.offset == 7
    consumer.close()
