"""What any kafka-python does, run as a script by the Python of an environment that has it.

    python any_kafka_python.py write|simple-write BOOTSTRAP TOPIC API_VERSION CODEC < LINES
    python any_kafka_python.py read|simple-read BOOTSTRAP TOPIC API_VERSION COUNT GROUP

API_VERSION is JSON, null for what it finds out by itself; GROUP may be empty: then the first partition is read.
"""

import json
import sys


def write(bootstrap, topic, api_version, codec):  # type: ignore[no-untyped-def]
    from kafka import KafkaProducer

    compression = None if codec == "none" else codec
    options = {"compression_type": compression, "linger_ms": 200}  # one batch: a line alone may be sent as it is
    producer = KafkaProducer(bootstrap_servers=bootstrap, api_version=api_version, **options)
    sent = [producer.send(topic, line.rstrip("\n").encode()) for line in sys.stdin]
    producer.flush()
    for future in sent:
        future.get(10)
    producer.close()


def read(bootstrap, topic, api_version, count, group):  # type: ignore[no-untyped-def]
    from kafka import KafkaConsumer, TopicPartition

    common = {"bootstrap_servers": bootstrap, "api_version": api_version, "consumer_timeout_ms": 15_000}
    if group:
        consumer = KafkaConsumer(topic, group_id=group, auto_offset_reset="earliest", **common)
    else:
        consumer = KafkaConsumer(**common)
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek_to_beginning()
    for _, record in zip(range(int(count)), consumer):  # noqa: B905
        print(record.value.decode())
    consumer.close()


def simple_write(bootstrap, topic, _, codec):  # type: ignore[no-untyped-def]
    """SimpleProducer, which knows version 0 of everything and nothing else."""
    from kafka import SimpleClient, SimpleProducer

    client = SimpleClient(bootstrap)
    producer = SimpleProducer(client, codec=["none", "gzip", "snappy"].index(codec), async_send=False)
    producer.send_messages(topic, *[line.rstrip("\n").encode() for line in sys.stdin])
    client.close()


def simple_read(bootstrap, topic, _, count, group):  # type: ignore[no-untyped-def]
    from kafka import SimpleClient, SimpleConsumer

    client = SimpleClient(bootstrap)
    consumer = SimpleConsumer(client, group or None, topic, auto_commit=bool(group), auto_commit_every_n=1)
    for each in consumer.get_messages(count=int(count), block=True, timeout=15):
        print(each.message.value.decode())
    client.close()


if __name__ == "__main__":
    mode, bootstrap, topic, version, *rest = sys.argv[1:]
    api_version = json.loads(version)
    modes = {"write": write, "read": read, "simple-write": simple_write, "simple-read": simple_read}
    modes[mode](bootstrap, topic, None if api_version is None else tuple(api_version), *rest)  # type: ignore[operator]
