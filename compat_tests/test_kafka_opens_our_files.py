"""An Apache Kafka 3.9 with the same ZooKeeper opens the directory that we wrote, serves it, and we open it again.

What two clients read before and after has to be the same; Kafka's log has no complaint, its dump tool finds none.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from compat_tests.apache_kafka import ApacheKafka
from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import LAST_WITH_ZOOKEEPER, ZooKeeper, run_tool
from compat_tests.producing import CODECS
from compat_tests.stored_records import all_topics, append, commit, committed_offsets
from compat_tests.typed_client import TypedClient
from compat_tests.zookeeper_tree import tree_at, wait_until
from kproto.messages.init_producer_id import InitProducerIdRequest
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.records.batch import build_batch
from kproto.records.record import Record

pytestmark = pytest.mark.campaign

DUMP = "kafka.tools.DumpLogSegments"
SESSION = {"zookeeper.session.timeout.ms": "3000"}
KAFKA = {
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "3",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "10485760",
    **SESSION,
}
OURS = {
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "5",
    "group.initial.rebalance.delay.ms": "0",
    **SESSION,
}
SMALL_SEGMENTS = {"segment_bytes": "16384", "index_interval_bytes": "1024"}
ABOUT_CONNECTIONS = re.compile(
    r"\((org\.apache\.kafka\.clients\.NetworkClient|kafka\.controller\.RequestSendThread)\)$"
)
"""The controller asks its own broker before that listens; so it does on Kafka's own files."""
OLD_POSES = [((0, 8, 2), "gzip"), ((0, 9), "snappy"), ((0, 10), "lz4"), ((0, 10), None)]
TOPICS = {"codecs": 3, "old-clients": 1, "shortened": 1, "sequence": 1}
FIRST_SEQUENCES = 20
OUT_OF_ORDER = 45


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeper]:
    with ZooKeeper(tmp_path_factory.mktemp("zookeeper")) as server:
        yield server


def barnabas_at(connect: str, folder: Path) -> BrokerProcess:
    folder.mkdir(exist_ok=True)
    return BrokerProcess(folder, properties={"broker.id": "0", "zookeeper.connect": connect, **OURS})


def until_gone(connect: str) -> None:
    """The session of a killed broker has to end before another takes its id."""
    with tree_at(connect) as tree:
        wait_until("broker 0 is gone", lambda: not tree.exists("/brokers/ids/0"))


def fill(broker: BrokerProcess) -> tuple[int, int]:
    """All codecs, today's clients and old ones, groups, deleted records. Gives a producer's id and epoch."""
    with TypedClient(broker.port) as client:
        for topic, partitions in TOPICS.items():
            client.create(topic, partitions, **SMALL_SEGMENTS)
    for codec in CODECS:
        by_todays_clients(broker.bootstrap, codec)
    for api_version, compression in OLD_POSES:
        producer = KafkaProducer(
            bootstrap_servers=broker.bootstrap, api_version=api_version, compression_type=compression
        )
        for number in range(50):
            producer.send("old-clients", b"line %d %s" % (number, b"x" * 100), key=b"k%d" % number)
        producer.close()
    append(broker.bootstrap, "shortened", 0, *[f"{number} " + "y" * 500 for number in range(100)])
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.delete_records({TopicPartition("shortened", 0): 70})
    admin.close()
    commit(broker.bootstrap, "readers", "codecs", {0: 17, 1: 4})
    with TypedClient(broker.port) as client:
        given = client.ask(InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000), 4)
        for sequence in range(FIRST_SEQUENCES):
            assert idempotent(client, given.producer_id, given.producer_epoch, sequence) == (0, sequence)
    return given.producer_id, given.producer_epoch


def by_todays_clients(bootstrap: str, codec: str) -> None:
    from confluent_kafka import Producer

    compression = None if codec == "none" else codec
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, compression_type=compression, linger_ms=2
    )
    other = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "compression.codec": codec})
    for number in range(150):
        text = f"{codec} {number} " + "text " * 20
        producer.send("codecs", text.encode(), key=b"k%d" % number, headers=[("h", b"v")], partition=number % 3)
        other.produce("codecs", text.encode(), partition=number % 3)
    producer.close()
    assert other.flush(20) == 0


def idempotent(client: TypedClient, producer_id: int, epoch: int, sequence: int) -> tuple[int, int]:
    """Send one record under that sequence: error code and offset. Kafka forgets producers by the times of records."""
    record = Record(timestamp_ms=int(time.time() * 1000), value=b"number %d" % sequence)
    batch = build_batch([record], producer_id=producer_id, producer_epoch=epoch, base_sequence=sequence)
    row = TopicProduceData(name="sequence", partition_data=[PartitionProduceData(index=0, records=batch)])
    answer = client.ask(ProduceRequest(acks=-1, timeout_ms=10_000, topic_data=[row]), 7)
    [told] = answer.responses[0].partition_responses
    return told.error_code, told.base_offset


def dumped(data: Path) -> str:
    """What Kafka's dump tool says of every file of every partition."""
    files = [
        str(path)
        for path in sorted(data.glob("*-*/*"))
        if re.search(r"\.(log|index|timeindex|snapshot|txnindex)$", path.name)
    ]
    assert len([path for path in files if path.endswith(".log")]) > 8
    done = run_tool(LAST_WITH_ZOOKEEPER, DUMP, "--deep-iteration", "--files", ",".join(files))
    assert (done.returncode, done.stderr) == (0, "")
    assert "isvalid: false" not in done.stdout
    assert not re.search(r"Mismatches|non-consecutive|Found invalid|Indexed offset|Index timestamp", done.stdout)
    return done.stdout


def must_not_complain(kafka: ApacheKafka) -> None:
    serious = [line for line in kafka.complaints() if not ABOUT_CONNECTIONS.search(line)]
    assert serious == []


@pytest.mark.parametrize("end", ["clean", "killed"])
def test_kafka_serves_what_we_wrote_and_we_what_it_wrote_on(zookeeper: ZooKeeper, tmp_path: Path, end: str) -> None:
    connect = f"{zookeeper.address}/{end}"
    ours = barnabas_at(connect, tmp_path / "ours").start()
    kafka = ApacheKafka(tmp_path / "kafka", connect, {**KAFKA, "log.dirs": str(ours.data)})
    try:
        producer_id, epoch = fill(ours)
        written = all_topics(ours.bootstrap, TOPICS)
        offsets = committed_offsets(ours.bootstrap, "readers", "codecs", 3)
        assert offsets == {0: (17, "note"), 1: (4, "note")}
        assert written["shortened"][0][0].offset == 70
        ours.stop() if end == "clean" else ours.kill()
        if end == "clean":
            dumped(ours.data)
        until_gone(connect)

        kafka.start()
        must_not_complain(kafka)
        assert all_topics(kafka.bootstrap, TOPICS) == written
        assert committed_offsets(kafka.bootstrap, "readers", "codecs", 3) == offsets
        with TypedClient(kafka.port) as client:
            assert idempotent(client, producer_id, epoch, FIRST_SEQUENCES - 1) == (0, FIRST_SEQUENCES - 1)
            assert idempotent(client, producer_id, epoch, FIRST_SEQUENCES) == (0, FIRST_SEQUENCES)
        by_todays_clients(kafka.bootstrap, "zstd")
        commit(kafka.bootstrap, "readers", "codecs", {0: 99})
        written_on = all_topics(kafka.bootstrap, TOPICS)
        assert len(written_on["codecs"][0]) > len(written["codecs"][0])
        must_not_complain(kafka)
        with TypedClient(kafka.port) as client:
            assert idempotent(client, producer_id, epoch, FIRST_SEQUENCES + 9)[0] == OUT_OF_ORDER
        kafka.stop_cleanly() if end == "clean" else kafka.stop()
        until_gone(connect)

        ours.start()
        assert all_topics(ours.bootstrap, TOPICS) == written_on
        assert committed_offsets(ours.bootstrap, "readers", "codecs", 3) == {0: (99, "note"), 1: (4, "note")}
        with TypedClient(ours.port) as client:
            assert idempotent(client, producer_id, epoch, FIRST_SEQUENCES) == (0, FIRST_SEQUENCES)
            assert idempotent(client, producer_id, epoch, FIRST_SEQUENCES + 1) == (0, FIRST_SEQUENCES + 1)
        append(ours.bootstrap, "codecs", 1, "and on")
        assert ours.stop() == 0
    finally:
        kafka.stop()
        ours.stop()
