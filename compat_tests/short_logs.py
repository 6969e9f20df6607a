"""Small topics on a broker whose files a test looks at: a record in each request, offsets, leaders, segments."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from compat_tests.broker_process import BrokerProcess


def create(broker: BrokerProcess, *topics: str, **options: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    configs = {name.replace("_", "."): value for name, value in options.items()}
    admin.create_topics([NewTopic(topic, 1, 1, topic_configs=configs) for topic in topics])
    admin.close()


def producer_of(broker: BrokerProcess) -> Any:
    """One that sends each record once and by itself, and hears what becomes of it."""
    return KafkaProducer(
        bootstrap_servers=broker.bootstrap, acks="all", retries=0, enable_idempotence=False, batch_size=0
    )


def send(producer: Any, topic: str, value: bytes) -> int:
    """The offset of an acknowledged record."""
    offset: int = producer.send(topic, value, partition=0).get(30).offset
    return offset


def read(broker: BrokerProcess, topic: str, first: int = 0) -> dict[int, bytes]:
    """What a consumer finds from that offset to the end, by offset."""
    place = TopicPartition(topic, 0)
    found: dict[int, bytes] = {}
    with closing(KafkaConsumer(bootstrap_servers=broker.bootstrap, check_crcs=True)) as consumer:
        consumer.assign([place])
        end = consumer.end_offsets([place])[place]
        consumer.seek(place, first)
        deadline = time.monotonic() + 30
        while consumer.position(place) < end:
            assert time.monotonic() < deadline, f"only {len(found)} records below {end} came"
            for records in consumer.poll(500).values():
                found |= {record.offset: record.value for record in records}
    return found


def file_of(broker: BrokerProcess, topic: str) -> Path:
    return broker.data / f"{topic}-0" / "00000000000000000000.log"


def segments_of(broker: BrokerProcess, topic: str) -> list[Path]:
    return sorted(broker.data.glob(f"{topic}-0/*.log"))


def until(holds: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def several_segments(broker: BrokerProcess, *topics: str) -> dict[int, bytes]:
    """Two records in each segment of each topic, but no two topics alike; what the first one holds."""
    create(broker, *topics, segment_bytes="2000")
    producer = producer_of(broker)
    sent = {}
    for number in range(10):
        for shift, topic in enumerate(topics):
            value = b"%d" % number * (800 + 600 * shift)
            offset = send(producer, topic, value)
            if not shift:
                sent[offset] = value
    producer.close()
    return sent


def leaders(broker: BrokerProcess, *topics: str) -> dict[str, int]:
    """Of partition 0 of each; -1 where there is none."""
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    found = admin.describe_topics(list(topics))
    admin.close()
    return {topic["topic" if "topic" in topic else "name"]: _leader(topic) for topic in found}


def _leader(topic: dict[str, Any]) -> int:
    (partition,) = topic["partitions"]
    leader: int = partition["leader" if "leader" in partition else "leader_id"]
    return leader
