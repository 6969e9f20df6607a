"""Python clients of the years before 0.11: kafka-python posing as one of them, and the releases of that time.

They speak Produce 0 to 2 and Fetch 0 to 3. What one of them wrote, today's client reads, and the other way round.
The old releases are fetched from PyPI, so they run with `-m campaign`.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from compat_tests import old_kafka_python as script
from compat_tests.broker_process import BrokerProcess
from compat_tests.test_java_tools import stored_batches
from kproto.records.compression import Codec

POSES = [(0, 8, 2), (0, 9), (0, 10)]
CODECS = ["none", "gzip", "snappy", "lz4"]
RELEASES = ["2.2.21"] if sys.version_info >= (3, 12) else ["1.4.7", "2.0.2", "2.2.21"]
"""The two older ones do not start on Python 3.12."""
WRITTEN = [[n, f"k{n}", f"line {n}"] for n in range(script.COUNT)]

each_pose = pytest.mark.parametrize("pose", POSES, ids=str)
each_codec = pytest.mark.parametrize("codec", CODECS)


def todays_client_reads(broker: BrokerProcess, topic: str) -> list[Any]:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, consumer_timeout_ms=10_000)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    read = zip(range(script.COUNT), consumer, strict=False)
    found = [[each.offset, script.text(each.key), script.text(each.value)] for _, each in read]
    consumer.close()
    return found


def todays_client_writes(broker: BrokerProcess, topic: str, codec: str) -> None:
    """With headers, which old formats have no place for."""
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type=None if codec == "none" else codec)
    for n in range(script.COUNT):
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
    offsets = script.produce(broker.bootstrap, topic, pose, None if codec == "none" else codec)
    assert offsets == list(range(script.COUNT))
    assert stored_as(broker, topic) == {(2, Codec[codec.upper()])}
    assert todays_client_reads(broker, topic) == WRITTEN
    assert script.consume(broker.bootstrap, topic, pose, None) == WRITTEN


@each_pose
def test_an_old_consumer_reads_what_todays_client_wrote(
    broker: BrokerProcess, topic: str, pose: tuple[int, ...]
) -> None:
    for codec in CODECS:
        todays_client_writes(broker, f"{topic}-{codec}", codec)
        assert script.consume(broker.bootstrap, f"{topic}-{codec}", pose, None) == WRITTEN


@pytest.fixture(scope="session")
def python_with(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The Python of an environment for each release, made from PyPI."""
    found = {}
    for release in RELEASES:
        folder = tmp_path_factory.mktemp("kafka-python") / release
        venv.create(folder, with_pip=True)
        found[release] = folder / "bin" / "python"
        wanted = [f"kafka-python=={release}", "six", "python-snappy", "lz4", "xxhash"]
        command = [str(found[release]), "-m", "pip", "install", "--quiet", *wanted]
        subprocess.run(command, check=True, timeout=300)
    return found


def old_client(python: Path, broker: BrokerProcess, topic: str, mode: str, pose: tuple[int, ...], codec: str) -> Any:
    command = [str(python), script.__file__, broker.bootstrap, topic, mode, json.dumps(pose), codec]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.campaign
@each_codec
@pytest.mark.parametrize("release", RELEASES)
def test_old_releases_write_and_read(
    broker: BrokerProcess, topic: str, python_with: dict[str, Path], release: str, codec: str
) -> None:
    for pose in POSES:
        name = f"{topic}-{pose[1]}"
        offsets = old_client(python_with[release], broker, name, "produce", pose, codec)
        assert offsets == list(range(script.COUNT))
        assert stored_as(broker, name) == {(2, Codec[codec.upper()])}
        assert todays_client_reads(broker, name) == WRITTEN
        assert old_client(python_with[release], broker, name, "consume", pose, codec) == WRITTEN


@pytest.mark.campaign
@pytest.mark.parametrize("codec", ["none", "gzip", "snappy"])
def test_the_client_that_knows_version_0_only(
    broker: BrokerProcess, topic: str, python_with: dict[str, Path], codec: str
) -> None:
    """SimpleClient of kafka-python 1.4.7."""
    if "1.4.7" not in python_with:
        pytest.skip("kafka-python 1.4.7 does not start on Python 3.12")
    without_keys = [[n, None, f"line {n}"] for n in range(script.COUNT)]
    assert old_client(python_with["1.4.7"], broker, topic, "simple", (0, 8, 2), codec) == without_keys
    assert stored_as(broker, topic) == {(2, Codec[codec.upper()])}
    assert todays_client_reads(broker, topic) == without_keys
