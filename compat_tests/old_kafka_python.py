"""What an old kafka-python does, run as a script by the Python of an environment that has it.

    python old_kafka_python.py BOOTSTRAP TOPIC produce|consume|simple API_VERSION CODEC

Prints JSON: the offsets that were told, or what was read, as [offset, key, value].
"""

import json
import sys
from typing import Any

COUNT = 50


def produce(bootstrap: str, topic: str, api_version: tuple[int, ...], codec: str | None) -> list[int]:
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=bootstrap, api_version=api_version, compression_type=codec)
    sent = [producer.send(topic, key=b"k%d" % n, value=b"line %d" % n) for n in range(COUNT)]
    producer.flush()
    producer.close()
    return [future.get(10).offset for future in sent]


def consume(bootstrap: str, topic: str, api_version: tuple[int, ...], _: str | None) -> list[Any]:
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, api_version=api_version, consumer_timeout_ms=10_000)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    found = [[each.offset, text(each.key), text(each.value)] for _, each in zip(range(COUNT), consumer)]  # noqa: B905
    consumer.close()
    return found


def simple(bootstrap: str, topic: str, _: tuple[int, ...], codec: str | None) -> list[Any]:
    """SimpleClient, which knows version 0 of everything and nothing else: it writes, and reads it back."""
    from kafka import SimpleClient, SimpleConsumer, SimpleProducer

    client = SimpleClient(bootstrap)
    client.ensure_topic_exists(topic)
    producer = SimpleProducer(client, codec=[None, "gzip", "snappy"].index(codec), async_send=False)
    producer.send_messages(topic, *[b"line %d" % n for n in range(COUNT)])
    consumer = SimpleConsumer(client, None, topic, auto_commit=False)
    found = consumer.get_messages(count=COUNT, block=True, timeout=10)
    return [[each.offset, text(each.message.key), text(each.message.value)] for each in found]


def text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()


if __name__ == "__main__":
    _, bootstrap, topic, mode, version, codec = sys.argv
    asked = (bootstrap, topic, tuple(json.loads(version)), None if codec == "none" else codec)
    print(json.dumps({"produce": produce, "consume": consume, "simple": simple}[mode](*asked)))
