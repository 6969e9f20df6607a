"""We open the directory that an Apache Kafka broker wrote, with its ZooKeeper: what it served, we serve, and go on.

Releases 3.9.2 (transactions, compaction), 1.0.0 (messages of magic 0 and 1 beside batches) and 0.8.1.1. What clients
read from Kafka itself is what they must read from us.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from compat_tests.apache_kafka import ApacheKafka
from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import OLD, ZooKeeper, run_tool
from compat_tests.producing import CODECS
from compat_tests.stored_records import all_topics, append, by_client_of, commit, committed_offsets
from compat_tests.typed_client import TypedClient
from compat_tests.zookeeper_tree import tree_at, wait_until
from kproto.messages.alter_configs import AlterableConfig, AlterConfigsRequest, AlterConfigsResource
from kproto.messages.create_topics import CreatableTopic, CreatableTopicConfig, CreateTopicsRequest
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.records.stored import split_stored

pytestmark = pytest.mark.campaign

SESSION = {"zookeeper.session.timeout.ms": "3000"}
KAFKA = {
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "5",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "3",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "10485760",
    "log.cleaner.backoff.ms": "500",
    **SESSION,
}
OURS = {"group.initial.rebalance.delay.ms": "0", "log.cleaner.enable": "false", **SESSION}
SMALL_SEGMENTS = {"segment_bytes": "16384", "index_interval_bytes": "1024"}
COMPACTED = {"cleanup_policy": "compact", "min_cleanable_dirty_ratio": "0.01", "segment_bytes": "4096"}
OLD_POSES = [(0, 8, 2), (0, 10)]
"""They read magic 0, and magic 0 and 1."""
OLD_CODECS = [None, "gzip", "snappy", "lz4"]
TOPIC = 2
"""The type of a resource that has options."""
FORMATS = {"magic-0": "0.9.0", "magic-1": "0.10.2", "magic-2": "1.0"}


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeper]:
    with ZooKeeper(tmp_path_factory.mktemp("zookeeper")) as server:
        yield server


def barnabas_on(data: Path, connect: str, folder: Path) -> BrokerProcess:
    folder.mkdir(exist_ok=True)
    return BrokerProcess(
        folder, properties={"broker.id": "0", "zookeeper.connect": connect, "log.dirs": str(data), **OURS}
    )


def end(kafka: ApacheKafka, connect: str, how: str) -> Path:
    """Its data directory, once ZooKeeper knows that it is gone."""
    kafka.stop_cleanly() if how == "clean" else kafka.stop()
    with tree_at(connect) as tree:
        wait_until("broker 0 is gone", lambda: not tree.exists("/brokers/ids/0"))
    return Path(kafka.properties["log.dirs"])


each_end = pytest.mark.parametrize("how", ["clean", "killed"])


# --- 3.9.2 ---


def fill(bootstrap: str) -> None:
    """All codecs, transactions that ended and one that did not, a compacted topic."""
    for codec in CODECS:
        producer = KafkaProducer(
            bootstrap_servers=bootstrap, compression_type=None if codec == "none" else codec, linger_ms=2
        )
        for number in range(100):
            text = f"{codec} {number} " + "text " * 30
            producer.send("codecs", text.encode(), key=b"k", headers=[("h", b"v")], partition=number % 2)
        producer.close()
    for number in range(12):
        transaction(bootstrap, f"t{number % 3}", f"round {number}", aborted=number % 3 == 1)
    compact(bootstrap)


def transaction(bootstrap: str, transactional_id: str, value: str, *, aborted: bool) -> None:
    """Two partitions, and the offsets of a group with them."""
    from confluent_kafka import Consumer, Producer, TopicPartition

    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": transactional_id})
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in range(10):
        producer.produce("transactions", f"{value} {number} {'z' * 100}".encode(), partition=number % 2)
    producer.flush(20)
    group = Consumer({"bootstrap.servers": bootstrap, "group.id": "transacted"})
    offset = TopicPartition("codecs", 0, int(value.split()[1]) + 1)
    producer.send_offsets_to_transaction([offset], group.consumer_group_metadata(), 30)
    group.close()
    if aborted:
        producer.abort_transaction(30)
    else:
        producer.commit_transaction(30)
    append(bootstrap, "transactions", 0, f"between, after {value}")


def leave_open(bootstrap: str) -> object:
    """A transaction that nobody ends as long as the result is kept; its timeout is longer than the test."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": "open", "transaction.timeout.ms": 600_000})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("transactions", b"never decided", partition=0)
    assert producer.flush(20) == 0
    append(bootstrap, "transactions", 0, "behind it")
    return producer


def compact(bootstrap: str) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for number in range(300):
        producer.send("compacted", b"%d" % number * 20, key=b"k%d" % (number % 10)).get(10)
    producer.close()


def transaction_indexes(data: Path) -> dict[str, bytes]:
    """The `.txnindex` files that are not empty; after a kill we make those of the scanned segments anew."""
    return {str(path.relative_to(data)): path.read_bytes() for path in data.glob("*/*.txnindex") if path.stat().st_size}


def stable_end(port: int, topic: str, partition: int) -> int:
    """The latest offset for readers of committed records."""
    row = ListOffsetsPartition(partition_index=partition, timestamp=-1)
    asked = ListOffsetsRequest(
        replica_id=-1, isolation_level=1, topics=[ListOffsetsTopic(name=topic, partitions=[row])]
    )
    with TypedClient(port) as client:
        return int(client.ask(asked, 5).topics[0].partitions[0].offset)


@each_end
def test_what_kafka_3_9_wrote_is_served_by_us(zookeeper: ZooKeeper, tmp_path: Path, how: str) -> None:
    connect, topics = f"{zookeeper.address}/new-{how}", ["codecs", "transactions", "compacted"]
    kafka = ApacheKafka(tmp_path / "kafka", connect, KAFKA).start()
    ours: BrokerProcess | None = None
    try:
        with TypedClient(kafka.port) as client:
            client.create("codecs", 2, **SMALL_SEGMENTS)
            client.create("transactions", 2, segment_bytes="4096", index_interval_bytes="512")
            client.create("compacted", 1, **COMPACTED)
        fill(kafka.bootstrap)
        commit(kafka.bootstrap, "readers", "codecs", {0: 17})
        undecided = leave_open(kafka.bootstrap)
        wait_until("compacted", lambda: list((tmp_path / "kafka" / "kafka-data" / "compacted-0").glob("*.deleted")))
        written = all_topics(kafka.bootstrap, topics)
        committed = all_topics(kafka.bootstrap, topics, committed=True)
        assert len(committed["transactions"][0]) < len(written["transactions"][0])
        assert len(written["compacted"][0]) < 300
        ends = [stable_end(kafka.port, "transactions", index) for index in range(2)]
        groups = [committed_offsets(kafka.bootstrap, group, "codecs", 2) for group in ("readers", "transacted")]
        assert groups == [{0: (17, "note")}, {0: (12, "")}]
        data = end(kafka, connect, how)
        del undecided
        aborted = transaction_indexes(data)
        assert len(aborted) > 1

        ours = barnabas_on(data, connect, tmp_path / "ours").start()
        assert all_topics(ours.bootstrap, topics) == written
        assert all_topics(ours.bootstrap, topics, committed=True) == committed
        assert [stable_end(ours.port, "transactions", index) for index in range(2)] == ends
        assert [committed_offsets(ours.bootstrap, group, "codecs", 2) for group in ("readers", "transacted")] == groups
        [offset] = append(ours.bootstrap, "codecs", 0, "and on")
        assert offset == written["codecs"][0][-1].offset + 1
        append(ours.bootstrap, "transactions", 0, "behind the open one, too")
        assert stable_end(ours.port, "transactions", 0) == ends[0]
        ours.kill()
        ours.start()
        assert stable_end(ours.port, "transactions", 0) == ends[0]
        committed_later = all_topics(ours.bootstrap, topics, committed=True)
        assert committed_later["transactions"] == committed["transactions"]
        written_on = all_topics(ours.bootstrap, topics)
        assert ours.stop() == 0
        assert "ERROR" not in ours.log.read_text()
        assert transaction_indexes(data) == aborted

        kafka.start()
        assert all_topics(kafka.bootstrap, topics) == written_on
        assert all_topics(kafka.bootstrap, topics, committed=True) == committed_later
        assert stable_end(kafka.port, "transactions", 0) == ends[0]
    finally:
        kafka.stop()
        if ours is not None:
            ours.stop()


# --- 1.0.0, also as the brokers before it ---


@each_end
def test_what_kafka_1_0_wrote_in_three_formats_is_served_by_us(zookeeper: ZooKeeper, tmp_path: Path, how: str) -> None:
    """Each format with every codec that it knew, behind each other in one topic, too; group offsets in magic 1."""
    connect, topics = f"{zookeeper.address}/one-{how}", [*FORMATS, "upgraded"]
    properties = {**KAFKA, "log.message.format.version": "0.10.2", "inter.broker.protocol.version": "1.0"}
    kafka = ApacheKafka(tmp_path / "kafka", connect, properties, OLD).start()
    ours: BrokerProcess | None = None
    try:
        with TypedClient(kafka.port) as client:
            for topic, version in FORMATS.items():
                create(client, topic, {"message_format_version": version, **SMALL_SEGMENTS})
                produce_each_codec(kafka.bootstrap, topic)
            create(client, "upgraded", SMALL_SEGMENTS)
            for version in FORMATS.values():
                configure(client, "upgraded", {"message_format_version": version, **SMALL_SEGMENTS})
                produce_each_codec(kafka.bootstrap, "upgraded")
        commit(kafka.bootstrap, "readers", "magic-0", {0: 7})
        written = all_topics(kafka.bootstrap, topics)
        data = end(kafka, connect, how)
        for magic, topic in enumerate(FORMATS):
            assert formats_in(data / f"{topic}-0") == [(magic, codec) for codec in range(len(OLD_CODECS))]
        assert formats_in(data / "upgraded-0") == [(magic, codec) for magic in range(3) for codec in range(4)]

        ours = barnabas_on(data, connect, tmp_path / "ours").start()
        assert all_topics(ours.bootstrap, topics) == written
        assert committed_offsets(ours.bootstrap, "readers", "magic-0", 1) == {0: (7, "note")}
        for pose in OLD_POSES:
            values = [read.value for read in written["upgraded"][0]]
            assert by_client_of(pose, ours.bootstrap, "upgraded", len(values)) == values
        for topic in topics:
            [offset] = append(ours.bootstrap, topic, 0, "and on")
            assert offset == written[topic][0][-1].offset + 1
        written_on = all_topics(ours.bootstrap, topics)
        ours.kill()
        ours.start()
        assert all_topics(ours.bootstrap, topics) == written_on
        assert ours.stop() == 0
        assert "ERROR" not in ours.log.read_text()
    finally:
        kafka.stop()
        if ours is not None:
            ours.stop()


def formats_in(partition: Path) -> list[tuple[int, int]]:
    """Magic and codec of what is stored there."""
    stored = [split_stored(memoryview(path.read_bytes())) for path in partition.glob("*.log")]
    return sorted({(header.magic, int(header.codec)) for batches in stored for header, _ in batches})


def create(client: TypedClient, topic: str, configs: dict[str, str]) -> None:
    """As `TypedClient.create`, in words that 1.0 knows."""
    texts = [CreatableTopicConfig(name=name.replace("_", "."), value=value) for name, value in configs.items()]
    wanted = CreatableTopic(name=topic, num_partitions=1, replication_factor=1, configs=texts)
    [row] = client.ask(CreateTopicsRequest(topics=[wanted], timeout_ms=10_000), 1).topics
    assert row.error_code == 0, row


def configure(client: TypedClient, topic: str, configs: dict[str, str]) -> None:
    texts = [AlterableConfig(name=name.replace("_", "."), value=value) for name, value in configs.items()]
    resource = AlterConfigsResource(resource_type=TOPIC, resource_name=topic, configs=texts)
    [row] = client.ask(AlterConfigsRequest(resources=[resource]), 0).responses
    assert row.error_code == 0, row


def produce_each_codec(bootstrap: str, topic: str) -> None:
    for codec in OLD_CODECS:
        producer = KafkaProducer(
            bootstrap_servers=bootstrap, compression_type=codec, linger_ms=2, enable_idempotence=False, acks=1
        )
        for number in range(100):
            producer.send(topic, f"{codec} {number} {'text ' * 20}".encode(), key=b"k%d" % number)
        producer.close()


# --- 0.8.1.1 ---


@each_end
def test_what_kafka_0_8_wrote_is_served_by_us(zookeeper: ZooKeeper, tmp_path: Path, how: str) -> None:
    """Plain and gzip, from its own producer. Its directory has no ids, no `.timeindex`, no clean mark with content."""
    connect = f"{zookeeper.address}/eight-{how}"
    with tree_at(zookeeper.address) as tree:
        tree.make(f"/eight-{how}")
    release = "0.8.1.1"
    properties = {"num.partitions": "1", "log.segment.bytes": "8192", "log.index.interval.bytes": "512", **SESSION}
    kafka = ApacheKafka(tmp_path / "kafka", connect, properties, release).start()
    ours: BrokerProcess | None = None
    lines = {"plain": (), "gzip": ("--compress",)}
    expected: list[bytes] = []
    try:
        for name, options in lines.items():
            values = [f"{name} {number} {'text ' * 20}" for number in range(200)]
            expected += [value.encode() for value in values]
            run_tool(
                release,
                "kafka.producer.ConsoleProducer",
                *("--broker-list", kafka.bootstrap, "--topic", "old", "--request-required-acks", "1", *options),
                stdin="".join(f"{value}\n" for value in values),
            )
        data = end(kafka, connect, how)

        ours = barnabas_on(data, connect, tmp_path / "ours").start()
        found = all_topics(ours.bootstrap, ["old"])["old"][0]
        assert [read.value for read in found] == expected
        assert [read.offset for read in found] == list(range(len(expected)))
        [offset] = append(ours.bootstrap, "old", 0, "and on")
        assert offset == len(expected)
        consumer = ("kafka.tools.SimpleConsumerShell", "--broker-list", ours.bootstrap, "--topic", "old")
        how_much = ("--partition", "0", "--offset", "-2", "--no-wait-at-logend")
        read_by_old = run_tool(release, *consumer, *how_much).stdout.splitlines()
        assert [line.encode() for line in read_by_old if line.startswith(("plain ", "gzip ", "and on"))] == [
            *expected,
            b"and on",
        ]
        ours.stop()
        ours.start()
        assert [read.value for read in all_topics(ours.bootstrap, ["old"])["old"][0]] == [*expected, b"and on"]
        assert ours.stop() == 0
        assert "ERROR" not in ours.log.read_text()
    finally:
        kafka.stop()
        if ours is not None:
            ours.stop()
