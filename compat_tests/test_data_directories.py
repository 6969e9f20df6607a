"""Several data directories, as clients and operators meet them: moves, a failed one, none left, a full disk."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError, KafkaStorageError, LogDirNotFoundError, NoError
from kafka.structs import TopicPartitionReplica

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import LAST_WITH_ZOOKEEPER, NEWEST, run_tool


@pytest.fixture
def two(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker over `one` and `two`."""
    process = BrokerProcess(tmp_path, properties=on(tmp_path / "one", tmp_path / "two")).start()
    yield process
    process.stop()


def on(*directories: Path, **more: str) -> dict[str, str]:
    dirs = ",".join(map(str, directories))
    return {"broker.id": "0", "log.dirs": dirs, "offsets.topic.replication.factor": "1", **more}


def fill(broker: BrokerProcess, topic: str, count: int, first: int = 0, size: int = 0) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True)
    for number in range(first, first + count):
        producer.send(topic, b"%d" % number + b"x" * size, partition=0)
    producer.flush()
    producer.close()


def read(broker: BrokerProcess, topic: str) -> list[int]:
    place = TopicPartition(topic, 0)
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, consumer_timeout_ms=20_000, check_crcs=True)
    consumer.assign([place])
    consumer.seek_to_beginning()
    end = consumer.end_offsets([place])[place]
    found: list[int] = []
    while consumer.position(place) < end:
        for records in consumer.poll(1_000).values():
            found += [int(record.value.rstrip(b"x")) for record in records]
    consumer.close()
    return found


def lies_in(broker: BrokerProcess, topic: str) -> list[str]:
    return sorted(path.parent.name for path in broker.folder.glob(f"*/{topic}-0"))


def until(holds: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


def test_kafka_python_moves_a_replica_while_it_is_written(two: BrokerProcess, topic: str) -> None:
    admin: Any = KafkaAdminClient(bootstrap_servers=two.bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1)])
    fill(two, topic, 2_000, size=1_000)
    (here,) = lies_in(two, topic)
    there = "two" if here == "one" else "one"
    replica = TopicPartitionReplica(topic, 0, 0)
    assert admin.alter_replica_log_dirs({replica: str(two.folder / there)}) == {replica: NoError}
    assert admin.alter_replica_log_dirs({replica: "/nowhere"}) == {replica: LogDirNotFoundError}
    fill(two, topic, 500, first=2_000, size=1_000)
    until(lambda: lies_in(two, topic) == [there])
    admin.close()
    fill(two, topic, 10, first=2_500)
    assert read(two, topic) == list(range(2_510))


@pytest.mark.campaign
@pytest.mark.parametrize("release", [LAST_WITH_ZOOKEEPER, NEWEST])
def test_kafka_reassign_partitions_moves_and_verifies(
    two: BrokerProcess, topic: str, release: str, tmp_path: Path
) -> None:
    admin = KafkaAdminClient(bootstrap_servers=two.bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1)])
    admin.close()
    fill(two, topic, 2_000, size=1_000)
    (here,) = lies_in(two, topic)
    there = "two" if here == "one" else "one"
    plan = {"topic": topic, "partition": 0, "replicas": [0], "log_dirs": [str(tmp_path / there)]}
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"version": 1, "partitions": [plan]}))

    def tool(main_class: str, *arguments: str) -> str:
        done = run_tool(
            release, f"org.apache.kafka.tools.{main_class}", "--bootstrap-server", two.bootstrap, *arguments
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    moving = ("reassign.ReassignPartitionsCommand", "--reassignment-json-file", str(file))
    said = tool(*moving, "--execute", "--replica-alter-log-dirs-throttle", "80000")
    where = f"log directory to {tmp_path / there} for replica {topic}-0 with broker 0"
    assert f"Successfully started moving {where}" in said
    *_, line = tool("LogDirsCommand", "--describe", "--topic-list", topic).strip().splitlines()
    replicas = [row for directory in json.loads(line)["brokers"][0]["logDirs"] for row in directory["partitions"]]
    assert sorted(row["isFuture"] for row in replicas) == [False, True]
    assert all((row["offsetLag"] > 0) is row["isFuture"] for row in replicas)
    said = tool(*moving, "--verify")
    assert f"Reassignment of replica {topic}-0-0 is still in progress." in said
    fill(two, topic, 100, first=2_000)
    until(lambda: lies_in(two, topic) == [there])
    said = tool(*moving, "--verify")
    assert f"Reassignment of replica {topic}-0-0 completed successfully." in said
    assert read(two, topic) == list(range(2_100))


def test_kill_9_during_a_move_loses_nothing(tmp_path: Path, topic: str) -> None:
    broker = BrokerProcess(tmp_path, properties=on(tmp_path / "one", tmp_path / "two")).start()
    try:
        admin: Any = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        admin.create_topics([NewTopic(topic, 1, 1)])
        fill(broker, topic, 3_000, size=1_000)
        (here,) = lies_in(broker, topic)
        there = "two" if here == "one" else "one"
        admin.alter_replica_log_dirs({TopicPartitionReplica(topic, 0, 0): str(tmp_path / there)})
        fill(broker, topic, 100, first=3_000)
        admin.close()
        broker.kill()
        broker.start()
        assert read(broker, topic) == list(range(3_100))
        until(lambda: lies_in(broker, topic) == [there])
        assert read(broker, topic) == list(range(3_100))
    finally:
        broker.stop()


def test_deleted_records_stay_deleted_after_kill_9(own_broker: BrokerProcess, topic: str) -> None:
    admin: Any = KafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1)])
    fill(own_broker, topic, 10)
    place = TopicPartition(topic, 0)
    assert admin.delete_records({place: 7})[place]["low_watermark"] == 7
    own_broker.kill()
    admin.close()
    own_broker.start()
    assert read(own_broker, topic) == [7, 8, 9]


def test_without_a_directory_left_the_broker_says_what_to_do_and_ends(two: BrokerProcess, topic: str) -> None:
    for name in ("one", "two"):
        shutil.move(two.folder / name / "meta.properties", two.folder / f"{name}.gone")
    assert two._process is not None
    assert two._process.wait(20) == 1
    said = two.log.read_text()
    assert "None of the 2 data directories in log.dirs can be used." in said
    assert "Repair or mount at least one of them" in said
    assert "Traceback" not in said


MOUNTED = "mount -t tmpfs -o size={size} tmpfs {path} && exec {command}"


@pytest.mark.campaign
def test_a_real_disk_that_fills_up_heals_without_a_restart(tmp_path: Path, topic: str) -> None:
    """On a file system of 24 MiB, in a mount namespace of our own."""
    data = tmp_path / "small"
    data.mkdir()
    try:
        probe = subprocess.run(
            ["unshare", "-rm", "sh", "-c", f"mount -t tmpfs -o size=1m tmpfs {data}"], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if probe.returncode:
        pytest.skip(f"no mount namespace for this user: {probe.stderr.decode().strip()}")
    broker = InNamespace(tmp_path, data)
    broker.start()
    try:
        admin: Any = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        admin.create_topics([NewTopic(topic, 1, 1)])
        producer = KafkaProducer(
            bootstrap_servers=broker.bootstrap, retries=0, enable_idempotence=False, acks=1, batch_size=0
        )
        acked = 0
        with pytest.raises(KafkaStorageError):
            for number in range(100):
                producer.send(topic, b"%d" % number + b"x" * 500_000, partition=0).get(10)
                acked += 1
        assert acked > 20
        assert read(broker, topic) == list(range(acked))
        place = TopicPartition(topic, 0)
        consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, group_id="g", enable_auto_commit=False)
        consumer.assign([place])
        consumer.seek(place, 3)
        consumer.commit()  # group offsets use the space that was kept
        assert consumer.committed(place) == 3
        consumer.close()
        admin.delete_topics([topic])
        until(lambda: produces(producer, f"{topic}-2", admin), within_s=90)
        said = broker.log.read_text()
        assert said.count("is full") == 1
        assert said.count("has room again") == 1
        producer.close()
        admin.close()
    finally:
        broker.stop()


def produces(producer: Any, topic: str, admin: Any) -> bool:
    try:
        producer.send(topic, b"x" * 500_000).get(5)
    except KafkaError:
        return False
    return True


class InNamespace(BrokerProcess):
    """Its data directory is a small file system that only it sees."""

    def __init__(self, folder: Path, data: Path) -> None:
        super().__init__(folder, properties=on(data, **{"log.segment.delete.delay.ms": "1000"}))
        self._small = data

    @property
    def _command(self) -> list[str]:
        command = " ".join(super()._command)
        return ["unshare", "-rm", "sh", "-c", MOUNTED.format(size="24m", path=self._small, command=command)]
