"""kafka-python posing as one of the years before 0.11: it writes fifty records, and reads them."""

from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

COUNT = 50


def produce(bootstrap: str, topic: str, api_version: tuple[int, ...], codec: str | None) -> list[int]:
    """Returns: the offsets that were told."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, api_version=api_version, compression_type=codec)
    sent = [producer.send(topic, key=b"k%d" % n, value=b"line %d" % n) for n in range(COUNT)]
    producer.flush()
    producer.close()
    return [future.get(10).offset for future in sent]


def consume(bootstrap: str, topic: str, api_version: tuple[int, ...] | None) -> list[Any]:
    """Returns: what was read, as [offset, key, value]; None as `api_version`: what it finds out by itself."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, api_version=api_version, consumer_timeout_ms=10_000)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    read = zip(range(COUNT), consumer, strict=False)
    found = [[each.offset, text(each.key), text(each.value)] for _, each in read]
    consumer.close()
    return found


def text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()
