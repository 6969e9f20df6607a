"""kafka-python posing as a client of the years before 0.11; the releases of that time: test_client_table.py.

It speaks Produce 0 to 2 and Fetch 0 to 3. What it wrote so, today's client reads, and the other way round.
"""

import pytest
from kafka import KafkaProducer

from compat_tests import old_kafka_python as old
from compat_tests.broker_process import BrokerProcess
from compat_tests.test_java_tools import stored_batches
from kproto.records.compression import Codec

POSES = [(0, 8, 2), (0, 9), (0, 10)]
CODECS = ["none", "gzip", "snappy", "lz4"]
WRITTEN = [[n, f"k{n}", f"line {n}"] for n in range(old.COUNT)]

each_pose = pytest.mark.parametrize("pose", POSES, ids=str)
each_codec = pytest.mark.parametrize("codec", CODECS)


def todays_client_writes(broker: BrokerProcess, topic: str, codec: str) -> None:
    """With headers, which old formats have no place for."""
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type=None if codec == "none" else codec)
    for n in range(old.COUNT):
        producer.send(topic, key=b"k%d" % n, value=b"line %d" % n, headers=[("h", b"x")])
    producer.close()


def stored_as(broker: BrokerProcess, topic: str) -> set[tuple[int, Codec]]:
    return {(header.magic, header.codec) for header in stored_batches(broker, topic)}


@each_pose
@each_codec
def test_todays_client_posing_as_an_old_one_writes_and_reads(
    broker: BrokerProcess, topic: str, pose: tuple[int, ...], codec: str
) -> None:
    """Stored as batches of format v2 in the codec that was sent; read by old and new."""
    offsets = old.produce(broker.bootstrap, topic, pose, None if codec == "none" else codec)
    assert offsets == list(range(old.COUNT))
    assert stored_as(broker, topic) == {(2, Codec[codec.upper()])}
    assert old.consume(broker.bootstrap, topic, None) == WRITTEN
    assert old.consume(broker.bootstrap, topic, pose) == WRITTEN


@each_pose
def test_an_old_consumer_reads_what_todays_client_wrote(
    broker: BrokerProcess, topic: str, pose: tuple[int, ...]
) -> None:
    for codec in CODECS:
        todays_client_writes(broker, f"{topic}-{codec}", codec)
        assert old.consume(broker.bootstrap, f"{topic}-{codec}", pose) == WRITTEN
