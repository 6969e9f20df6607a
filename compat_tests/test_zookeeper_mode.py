"""A broker whose registry is a real ZooKeeper: what it writes there, and what it does when one of the two goes away."""

import os
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import ZooKeeper
from compat_tests.tools_at_hand import needs
from compat_tests.typed_client import TypedClient
from compat_tests.zookeeper_tree import Tree, end_session, tree_at, wait_until
from kproto.messages.offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from kproto.messages.offset_fetch import OffsetFetchRequest, OffsetFetchRequestTopic

PERSISTENT_PATHS = {
    "/brokers": ["ids", "seqid", "topics"],
    "/config": ["brokers", "changes", "clients", "ips", "topics", "users"],
    "/admin": ["delete_topics"],
}
BASE64_UUID = re.compile(r"[A-Za-z0-9_-]{22}")
SHORT_SESSION = {"zookeeper.session.timeout.ms": "5000"}  # yet longer than a start on a busy machine


def broker_at(connect: str, folder: Path, **options: str) -> BrokerProcess:
    folder.mkdir(exist_ok=True)
    return BrokerProcess(folder, properties={"broker.id": "7", "zookeeper.connect": connect} | options)


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeper]:
    with ZooKeeper(tmp_path_factory.mktemp("zookeeper")) as server:
        yield server


@pytest.fixture(scope="module")
def broker(zookeeper: ZooKeeper, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = broker_at(zookeeper.address, tmp_path_factory.mktemp("broker")).start()
    yield process
    process.stop()


@pytest.fixture
def own_zookeeper(tmp_path: Path) -> Iterator[ZooKeeper]:
    with ZooKeeper(tmp_path) as server:
        yield server


@pytest.fixture
def short_lived(own_zookeeper: ZooKeeper, tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker whose session ends two seconds after its last word."""
    process = broker_at(own_zookeeper.address, tmp_path / "broker", **SHORT_SESSION).start()
    yield process
    process.stop()


@pytest.fixture
def tree(zookeeper: ZooKeeper) -> Iterator[Tree]:
    with tree_at(zookeeper.address) as tree:
        yield tree


@pytest.fixture
def own_tree(own_zookeeper: ZooKeeper) -> Iterator[Tree]:
    with tree_at(own_zookeeper.address) as tree:
        yield tree


def create(broker: BrokerProcess, topic: str, partitions: int = 1) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic(name=topic, num_partitions=partitions, replication_factor=1)])
    admin.close()


def produce(broker: BrokerProcess, topic: str, *values: str) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for value in values:
        producer.send(topic, value.encode(), partition=0).get(10)
    producer.close()


def read(broker: BrokerProcess, topic: str, count: int) -> list[str]:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, consumer_timeout_ms=10_000)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    values = [record.value.decode() for _, record in zip(range(count), consumer, strict=False)]
    consumer.close()
    return values


def test_the_broker_stands_in_zookeeper_as_kafkas_would(broker: BrokerProcess, tree: Tree) -> None:
    """Its own node, the controller's, the cluster's id, and the paths that every broker makes."""
    registered = tree.json("/brokers/ids/7")
    assert re.fullmatch(r"\d{13}", registered.pop("timestamp"))
    assert registered == {
        "version": 5,
        "host": "127.0.0.1",
        "port": broker.port,
        "jmx_port": -1,
        "endpoints": [f"PLAINTEXT://127.0.0.1:{broker.port}"],
        "listener_security_protocol_map": {"PLAINTEXT": "PLAINTEXT"},
        "features": {},
    }
    session = tree.session_of("/brokers/ids/7")
    assert session
    assert tree.session_of("/controller") == session
    assert tree.json("/controller")["brokerid"] == 7
    assert tree.text("/controller_epoch") == "1"
    cluster = tree.json("/cluster/id")
    assert cluster["version"] == "1"
    assert BASE64_UUID.fullmatch(cluster["id"])
    assert {path: tree.children(path) for path in PERSISTENT_PATHS} == PERSISTENT_PATHS


def test_a_topic_made_by_request_stands_in_zookeeper(broker: BrokerProcess, tree: Tree, topic: str) -> None:
    create(broker, topic, partitions=2)
    node = tree.json(f"/brokers/topics/{topic}")
    assert BASE64_UUID.fullmatch(node.pop("topic_id"))
    assert node == {"version": 3, "partitions": {"0": [7], "1": [7]}, "adding_replicas": {}, "removing_replicas": {}}
    assert tree.json(f"/config/topics/{topic}") == {"version": 1, "config": {}}
    for partition in ("0", "1"):
        state = tree.json(f"/brokers/topics/{topic}/partitions/{partition}/state")
        assert state == {"controller_epoch": 1, "leader": 7, "version": 1, "leader_epoch": 0, "isr": [7]}


def test_below_a_chroot_is_a_cluster_of_its_own(
    zookeeper: ZooKeeper, broker: BrokerProcess, tree: Tree, tmp_path: Path, topic: str
) -> None:
    """The chroot is made; the same broker.id and the same topic in the other cluster do not matter."""
    below = broker_at(f"{zookeeper.address}/kafka/test", tmp_path / "below").start()
    try:
        create(broker, topic)
        create(below, topic)
        assert tree.json("/kafka/test/brokers/ids/7")["port"] == below.port
        assert tree.json("/brokers/ids/7")["port"] == broker.port
        ids = {tree.json(f"{root}/brokers/topics/{topic}")["topic_id"] for root in ("", "/kafka/test")}
        clusters = {tree.json(f"{root}/cluster/id")["id"] for root in ("", "/kafka/test")}
        assert (len(ids), len(clusters)) == (2, 2)
        produce(below, topic, "below")
        assert read(below, topic, 1) == ["below"]
    finally:
        assert below.stop() == 0
    assert not tree.exists("/kafka/test/brokers/ids/7"), "a clean stop takes the registration along"


def test_offsets_of_version_0_are_kept_where_the_old_consumers_look(
    broker: BrokerProcess, tree: Tree, topic: str
) -> None:
    """OffsetCommit and OffsetFetch 0 read and write /consumers, as Kafka's do in ZooKeeper mode."""
    create(broker, topic)
    partition = OffsetCommitRequestPartition(partition_index=0, committed_offset=42, committed_metadata="")
    commit = OffsetCommitRequest(group_id="old", topics=[OffsetCommitRequestTopic(name=topic, partitions=[partition])])
    topics = [OffsetFetchRequestTopic(name=topic, partition_indexes=[0])]
    with TypedClient(broker.port) as client:
        assert client.ask(commit, 0).topics[0].partitions[0].error_code == 0
        assert tree.text(f"/consumers/old/offsets/{topic}/0") == "42"
        fetched = client.ask(OffsetFetchRequest(group_id="old", topics=topics), 0).topics[0].partitions[0]
    assert (fetched.committed_offset, fetched.error_code) == (42, 0)


def test_the_cluster_remembers_its_topics_when_the_broker_was_killed(
    short_lived: BrokerProcess, own_tree: Tree
) -> None:
    """The killed broker's registration outlives it; the next start waits until ZooKeeper has forgotten it."""
    create(short_lived, "kept")
    produce(short_lived, "kept", "one", "two")
    topic_id = own_tree.json("/brokers/topics/kept")["topic_id"]
    first_session = own_tree.session_of("/brokers/ids/7")
    short_lived.kill()
    assert own_tree.session_of("/brokers/ids/7") == first_session
    short_lived.start()
    assert "still registered from an earlier run" in short_lived.log.read_text()
    assert own_tree.session_of("/brokers/ids/7") not in (0, first_session)
    assert own_tree.json("/brokers/topics/kept")["topic_id"] == topic_id
    assert int(own_tree.text("/controller_epoch") or "") == 2
    produce(short_lived, "kept", "three")
    assert read(short_lived, "kept", 3) == ["one", "two", "three"]


def test_an_expired_session_is_followed_by_a_new_registration(
    own_zookeeper: ZooKeeper, short_lived: BrokerProcess, own_tree: Tree
) -> None:
    """It is ended as ZooKeeper would: the node goes at once. The broker comes back by itself and is obeyed again."""
    create(short_lived, "before")
    lost = own_tree.session_of("/brokers/ids/7")
    end_session(own_zookeeper.address, lost)
    wait_until("registered again", lambda: own_tree.session_of("/brokers/ids/7") not in (0, lost))
    wait_until("controller again", lambda: own_tree.text("/controller_epoch") == "2")
    produce(short_lived, "before", "still served")
    create(short_lived, "after")
    produce(short_lived, "after", "and the new one too")
    assert read(short_lived, "before", 1) == ["still served"]
    assert read(short_lived, "after", 1) == ["and the new one too"]


@pytest.mark.campaign
def test_a_broker_that_slept_for_longer_than_its_session_registers_again(
    short_lived: BrokerProcess, own_tree: Tree
) -> None:
    """As on a laptop whose lid was closed: ZooKeeper has taken its node away when it wakes."""
    create(short_lived, "before")
    produce(short_lived, "before", "one")
    lost = own_tree.session_of("/brokers/ids/7")
    os.kill(short_lived.pid, signal.SIGSTOP)
    try:
        wait_until("the session is over", lambda: own_tree.session_of("/brokers/ids/7") != lost)
    finally:
        os.kill(short_lived.pid, signal.SIGCONT)
    wait_until("registered again", lambda: own_tree.session_of("/brokers/ids/7") not in (0, lost))
    wait_until("controller again", lambda: own_tree.text("/controller_epoch") == "2")
    create(short_lived, "after")
    produce(short_lived, "before", "two")
    assert read(short_lived, "before", 2) == ["one", "two"]


@pytest.mark.parametrize(
    "session_timeout_ms",
    [pytest.param(10_000, marks=pytest.mark.campaign, id="shorter"), pytest.param(2_000, id="longer")],
)
def test_clients_are_served_while_zookeeper_is_away_for_less_or_more_than_a_session(
    own_zookeeper: ZooKeeper, tmp_path: Path, session_timeout_ms: int
) -> None:
    """Produce and consume need no ZooKeeper, new producers neither once the broker has a block of producer ids.

    Topics are made again when it is back; a session that was given up is followed by a new registration.
    """
    options = {"zookeeper.session.timeout.ms": str(session_timeout_ms)}
    broker = broker_at(own_zookeeper.address, tmp_path / "broker", **options).start()
    try:
        create(broker, "steady")
        produce(broker, "steady", "one")
        with tree_at(own_zookeeper.address) as tree:
            session = tree.session_of("/brokers/ids/7")
        own_zookeeper.stop()
        produce(broker, "steady", "two")
        assert read(broker, "steady", 2) == ["one", "two"]
        given_up = session_timeout_ms == 2_000
        if given_up:
            wait_until("the session is given up", lambda: "is over" in broker.log.read_text())
        own_zookeeper.start()
        with tree_at(own_zookeeper.address) as tree:
            wait_until("registered", lambda: (tree.session_of("/brokers/ids/7") in (0, session)) is not given_up)
            create(broker, "after")
            assert tree.json("/brokers/topics/after")["partitions"] == {"0": [7]}
            assert (tree.session_of("/brokers/ids/7") == session) is not given_up
        produce(broker, "after", "three")
        assert read(broker, "after", 1) == ["three"]
    finally:
        assert broker.stop() == 0


def test_a_broker_waits_at_its_start_for_a_zookeeper_that_comes_later(tmp_path: Path) -> None:
    """As when both are started in one go, by compose files and by service managers."""
    needs("java")
    server = ZooKeeper(tmp_path)
    broker = broker_at(server.address, tmp_path / "broker")
    broker.log.touch()
    starting = threading.Thread(target=broker.start, daemon=True)
    try:
        starting.start()
        wait_until("the broker asks", lambda: f"connecting to {server.address}" in broker.log.read_text())
        server.start()
        starting.join(20)
        with tree_at(server.address) as tree:
            assert tree.exists("/brokers/ids/7")
        assert broker.stop() == 0
    finally:
        broker.stop()
        server.stop()


def assert_refused(broker: BrokerProcess, *says: str) -> None:
    """Exit code 1; what, why and what to do; no traceback."""
    code, said = broker.fails_to_start()
    assert code == 1
    assert "Traceback" not in said
    for each in says:
        assert each in said


def test_an_unreachable_zookeeper_stops_the_start_with_a_clear_word(tmp_path: Path) -> None:
    broker = broker_at("127.0.0.1:1", tmp_path / "alone", **{"zookeeper.connection.timeout.ms": "1000"})
    assert_refused(
        broker,
        "ZooKeeper does not answer at 127.0.0.1:1",
        "no session within 1 s",
        "Start ZooKeeper, or correct zookeeper.connect",
    )


def test_a_broker_beside_another_one_is_refused(
    zookeeper: ZooKeeper, broker: BrokerProcess, tree: Tree, tmp_path: Path
) -> None:
    """Whether it comes with the same id or with one of its own; the first is not disturbed."""
    session = tree.session_of("/brokers/ids/7")
    same = broker_at(zookeeper.address, tmp_path / "same")
    assert_refused(same, "broker.id=7 is taken", f"127.0.0.1:{broker.port}", "give this one another broker.id")
    other = broker_at(zookeeper.address, tmp_path / "other", **{"broker.id": "8"})
    assert_refused(other, "other brokers alive: 7", "does not replicate", "another chroot")
    assert tree.children("/brokers/ids") == ["7"]
    assert tree.session_of("/brokers/ids/7") == session


def test_the_data_of_one_cluster_are_not_opened_in_another(
    zookeeper: ZooKeeper, broker: BrokerProcess, tmp_path: Path
) -> None:
    """meta.properties says whose they are."""
    stray = broker_at(f"{zookeeper.address}/stray", tmp_path / "stray")
    stray.data.mkdir()
    shutil.copy(broker.data / "meta.properties", stray.data)
    assert_refused(stray, "belong to cluster", "The registry has no cluster yet", "zookeeper.connect")
