"""A client library of Python with the two verbs of the table; run as a script, by a Python that has it.

    python any_python_client.py LIBRARY POSE write BOOTSTRAP TOPIC CODEC < LINES
    python any_python_client.py LIBRARY POSE read BOOTSTRAP TOPIC COUNT GROUP

LIBRARY is a class below. POSE is JSON: the release of Kafka that is spoken to, null for what is found out. GROUP may be
empty: then the first partition is read. Nobody waits here for long: whoever runs it has a limit.
"""

import json
import sys

FIRST_PARTITION = 0


class KafkaPython:
    def __init__(self, bootstrap, pose):  # type: ignore[no-untyped-def]
        self.options = {"bootstrap_servers": bootstrap, "api_version": pose and tuple(pose)}

    def write(self, topic, codec, lines):  # type: ignore[no-untyped-def]
        from kafka import KafkaProducer

        compression = None if codec == "none" else codec
        producer = KafkaProducer(compression_type=compression, **self.options)
        sent = [producer.send(topic, line) for line in lines]
        producer.flush()
        for future in sent:
            future.get(10)
        producer.close()

    def read(self, topic, count, group):  # type: ignore[no-untyped-def]
        from kafka import KafkaConsumer, TopicPartition

        common = {"consumer_timeout_ms": 30_000, **self.options}
        if group:
            consumer = KafkaConsumer(topic, group_id=group, auto_offset_reset="earliest", **common)
        else:
            consumer = KafkaConsumer(**common)
            consumer.assign([TopicPartition(topic, FIRST_PARTITION)])
            consumer.seek_to_beginning()
        for _, record in zip(range(count), consumer):  # noqa: B905
            yield record.value
        consumer.close()


class SimpleClient:
    """Of kafka-python until 1.4; it knows version 0 of everything and nothing else."""

    def __init__(self, bootstrap, pose):  # type: ignore[no-untyped-def]
        from kafka import SimpleClient

        self.client = SimpleClient(bootstrap)

    def write(self, topic, codec, lines):  # type: ignore[no-untyped-def]
        from kafka import SimpleProducer

        producer = SimpleProducer(self.client, codec=["none", "gzip", "snappy"].index(codec), async_send=False)
        producer.send_messages(topic, *lines)
        self.client.close()

    def read(self, topic, count, group):  # type: ignore[no-untyped-def]
        from kafka import SimpleConsumer

        consumer = SimpleConsumer(self.client, None, topic, auto_commit=False)
        for each in consumer.get_messages(count=count, block=True, timeout=30):
            yield each.message.value
        self.client.close()


class Confluent:
    """librdkafka; in a pose it asks nobody for versions and speaks as to a broker of then."""

    def __init__(self, bootstrap, pose):  # type: ignore[no-untyped-def]
        posing = {"api.version.request": False, "broker.version.fallback": pose, "log_level": 3} if pose else {}
        self.options = {"bootstrap.servers": bootstrap, **posing}

    def write(self, topic, codec, lines):  # type: ignore[no-untyped-def]
        from confluent_kafka import Producer

        producer = Producer({**self.options, "compression.codec": codec})
        for line in lines:
            producer.produce(topic, line)
        assert producer.flush(30) == 0

    def read(self, topic, count, group):  # type: ignore[no-untyped-def]
        from confluent_kafka import Consumer, TopicPartition

        how = {"group.id": group or "none", "auto.offset.reset": "earliest", "enable.auto.commit": bool(group)}
        consumer = Consumer({**self.options, **how})
        if group:
            consumer.subscribe([topic])
        else:
            consumer.assign([TopicPartition(topic, FIRST_PARTITION, 0)])
        for message in consumer.consume(count, 30):
            yield message.value() or b""
        consumer.close()


class Aiokafka:
    def __init__(self, bootstrap, pose):  # type: ignore[no-untyped-def]
        self.bootstrap = bootstrap

    def write(self, topic, codec, lines):  # type: ignore[no-untyped-def]
        import asyncio

        from aiokafka import AIOKafkaProducer

        async def send() -> None:
            compression = None if codec == "none" else codec
            async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, compression_type=compression) as producer:
                for line in lines:
                    await producer.send(topic, line)

        asyncio.run(send())

    def read(self, topic, count, group):  # type: ignore[no-untyped-def]
        import asyncio

        from aiokafka import AIOKafkaConsumer

        how = {"bootstrap_servers": self.bootstrap, "group_id": group or None, "auto_offset_reset": "earliest"}

        async def receive() -> list[bytes]:
            async with AIOKafkaConsumer(topic, **how) as consumer:
                return [(await consumer.getone()).value for _ in range(count)]

        yield from asyncio.run(receive())


def main(library, pose, verb, bootstrap, topic, *rest):  # type: ignore[no-untyped-def]
    client = globals()[library](bootstrap, json.loads(pose))
    if verb == "write":
        client.write(topic, *rest, [line.rstrip("\n").encode() for line in sys.stdin])
    else:
        count, group = rest
        for value in client.read(topic, int(count), group):
            print(value.decode())


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[no-untyped-call]
