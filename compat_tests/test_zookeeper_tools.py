"""kafka-topics and kafka-configs 1.0.0 with `--zookeeper`: they write znodes, and the broker obeys what is written."""

import re
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource
from kafka.errors import MessageSizeTooLargeError

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import OLD, ZooKeeper, run_tool
from compat_tests.zookeeper_tree import Tree, tree_at, wait_until

TOPICS, CONFIGS = "kafka.admin.TopicCommand", "kafka.admin.ConfigCommand"
CHROOT = "/kafka"
BROKER_ID = "3"

DEPRECATED = (
    "WARNING: Altering topic configuration from this script has been deprecated and may be removed in future"
    " releases.\n"
    "         Going forward, please use kafka-configs.sh for this functionality\n"
)
KEYS_MOVE = (
    "WARNING: If partitions are increased for a topic that has a key, the partition logic or ordering of the messages"
    " will be affected\n"
)


@pytest.fixture(scope="module")
def connect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What `zookeeper.connect` and `--zookeeper` say."""
    with ZooKeeper(tmp_path_factory.mktemp("zookeeper")) as server:
        yield server.address + CHROOT


@pytest.fixture(scope="module")
def broker(connect: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    options = {
        "log.segment.delete.delay.ms": "0",
        "auto.create.topics.enable": "false",
    }  # topics come from the tools alone
    properties = {"broker.id": BROKER_ID, "zookeeper.connect": connect} | options
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), properties=properties).start()
    yield process
    process.stop()


@pytest.fixture
def tree(connect: str) -> Iterator[Tree]:
    with tree_at(connect) as tree:
        yield tree


@pytest.fixture
def producer(broker: BrokerProcess) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, metadata_max_age_ms=500)
    yield producer
    producer.close()


def old_tool(main_class: str, connect: str, *arguments: str) -> str:
    """What a 1.0.0 tool prints on stdout; it must be content."""
    done = run_tool(OLD, main_class, "--zookeeper", connect, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def described(topic: str, partitions: int, configs: str = "") -> str:
    head = f"Topic:{topic}\tPartitionCount:{partitions}\tReplicationFactor:1\tConfigs:{configs}\n"
    row = "\tTopic: {}\tPartition: {}\tLeader: {id}\tReplicas: {id}\tIsr: {id}\n"
    return head + "".join(row.format(topic, each, id=BROKER_ID) for each in range(partitions))


def create(connect: str, topic: str, *arguments: str, partitions: int = 1) -> None:
    counts = ("--partitions", str(partitions), "--replication-factor", "1")
    assert old_tool(TOPICS, connect, "--create", "--topic", topic, *counts, *arguments) == f'Created topic "{topic}".\n'


def read(broker: BrokerProcess, topic: str, partition: int, count: int) -> list[str]:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, consumer_timeout_ms=10_000)
    consumer.assign([TopicPartition(topic, partition)])
    consumer.seek_to_beginning()
    values = [record.value.decode() for _, record in zip(range(count), consumer, strict=False)]
    consumer.close()
    return values


def test_a_topic_made_by_the_old_tool_is_served(
    broker: BrokerProcess, connect: str, tree: Tree, producer: KafkaProducer, topic: str
) -> None:
    """The controller sees the node, gives it an id, elects leaders; the tool then describes what it wrote."""
    create(connect, topic, partitions=2)
    for partition in (0, 1):
        assert producer.send(topic, f"to {partition}".encode(), partition=partition).get(10).offset == 0
        assert read(broker, topic, partition, 1) == [f"to {partition}"]
    node = tree.json(f"/brokers/topics/{topic}")
    assert node["version"] == 3
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", node["topic_id"])
    assert topic in old_tool(TOPICS, connect, "--list").splitlines()
    assert old_tool(TOPICS, connect, "--describe", "--topic", topic) == described(topic, 2)


def test_a_topic_grown_by_the_old_tool_keeps_its_id_and_its_records(
    broker: BrokerProcess, connect: str, tree: Tree, producer: KafkaProducer, topic: str
) -> None:
    """The tool writes the node back without the topic's id; the controller puts the id back."""
    create(connect, topic)
    producer.send(topic, b"before", partition=0).get(10)
    topic_id = tree.json(f"/brokers/topics/{topic}")["topic_id"]
    said = old_tool(TOPICS, connect, "--alter", "--topic", topic, "--partitions", "3")
    assert said == KEYS_MOVE + "Adding partitions succeeded!\n"
    path = f"/brokers/topics/{topic}"
    wait_until("the topic id is back", lambda: tree.json(path).get("topic_id") == topic_id)
    wait_until("the producer sees them", lambda: producer.partitions_for(topic) == {0, 1, 2})
    assert producer.send(topic, b"after", partition=2).get(10).offset == 0
    assert read(broker, topic, 0, 1) == ["before"]
    assert read(broker, topic, 2, 1) == ["after"]
    assert old_tool(TOPICS, connect, "--describe", "--topic", topic) == described(topic, 3)


def test_a_topic_deleted_by_the_old_tool_is_gone_and_its_name_is_free(
    broker: BrokerProcess, connect: str, tree: Tree, producer: KafkaProducer, topic: str
) -> None:
    """Its znodes and directories go; a new topic of the same name begins at offset 0 with another id."""
    create(connect, topic)
    producer.send(topic, b"old", partition=0).get(10)
    topic_id = tree.json(f"/brokers/topics/{topic}")["topic_id"]
    said = old_tool(TOPICS, connect, "--delete", "--topic", topic)
    assert said.startswith(f"Topic {topic} is marked for deletion.\n")
    wait_until("the request is done", lambda: not tree.exists(f"/admin/delete_topics/{topic}"))
    assert not tree.exists(f"/brokers/topics/{topic}")
    assert not tree.exists(f"/config/topics/{topic}")
    wait_until("the directory is gone", lambda: not list(broker.data.glob(f"{topic}-0*")))
    assert topic not in old_tool(TOPICS, connect, "--list").splitlines()
    create(connect, topic)
    wait_until("it has an id", lambda: "topic_id" in tree.json(f"/brokers/topics/{topic}"))
    assert tree.json(f"/brokers/topics/{topic}")["topic_id"] != topic_id
    with_fresh_metadata = KafkaProducer(bootstrap_servers=broker.bootstrap)
    assert with_fresh_metadata.send(topic, b"new", partition=0).get(10).offset == 0
    with_fresh_metadata.close()
    assert read(broker, topic, 0, 1) == ["new"]


def test_overrides_of_the_old_tools_are_obeyed_at_once(broker: BrokerProcess, connect: str, topic: str) -> None:
    """A topic made with a small max.message.bytes refuses a record until kafka-configs allows it, and refuses again."""
    record = bytes(6_000)
    create(connect, topic, "--config", "max.message.bytes=5000", "--config", "retention.ms=86400000")
    assert not accepts(broker, topic, record)
    overrides = "max.message.bytes=5000,retention.ms=86400000"
    assert old_tool(TOPICS, connect, "--describe", "--topic", topic) == described(topic, 1, overrides)

    entity = ("--entity-type", "topics", "--entity-name", topic)
    said = old_tool(CONFIGS, connect, "--alter", *entity, "--add-config", "max.message.bytes=7000")
    assert said == f"Completed Updating config for entity: topic '{topic}'.\n"
    wait_until("7000 bytes are allowed", lambda: accepts(broker, topic, record))

    said = old_tool(TOPICS, connect, "--alter", "--topic", topic, "--config", "max.message.bytes=4000")
    assert said == f'{DEPRECATED}Updated config for topic "{topic}".\n'
    wait_until("4000 bytes are allowed", lambda: not accepts(broker, topic, record))

    old_tool(CONFIGS, connect, "--alter", *entity, "--delete-config", "max.message.bytes")
    wait_until("the broker's own limit is back", lambda: accepts(broker, topic, record))
    said = old_tool(CONFIGS, connect, "--describe", *entity)
    assert said == f"Configs for topic '{topic}' are retention.ms=86400000\n"


def test_the_old_tool_shows_what_a_client_of_today_has_set(
    broker: BrokerProcess, connect: str, tree: Tree, topic: str
) -> None:
    """Nodes and notices are those that Kafka's brokers write."""
    create(connect, topic)
    told = set(tree.children("/config/changes"))
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.alter_configs([ConfigResource("TOPIC", topic, {"retention.ms": "77000000"})])
    admin.alter_configs([ConfigResource("BROKER", BROKER_ID, {"log.cleaner.threads": "2"})])
    admin.close()
    said = old_tool(CONFIGS, connect, "--describe", "--entity-type", "topics", "--entity-name", topic)
    assert said == f"Configs for topic '{topic}' are retention.ms=77000000\n"
    assert tree.json(f"/config/brokers/{BROKER_ID}") == {"version": 1, "config": {"log.cleaner.threads": "2"}}
    notices = [tree.json(f"/config/changes/{name}") for name in sorted(set(tree.children("/config/changes")) - told)]
    paths = [f"topics/{topic}", f"brokers/{BROKER_ID}"]
    assert notices == [{"version": 2, "entity_path": path} for path in paths]


def test_a_partition_of_a_broker_that_is_not_there_waits_and_the_others_are_served(
    broker: BrokerProcess, connect: str, producer: KafkaProducer, topic: str
) -> None:
    """The tool may assign what it likes; we lead what we have a replica of."""
    said = old_tool(TOPICS, connect, "--create", "--topic", topic, "--replica-assignment", f"9,{BROKER_ID}")
    assert said == f'Created topic "{topic}".\n'
    assert producer.send(topic, b"served", partition=1).get(10).offset == 0
    assert read(broker, topic, 1, 1) == ["served"]
    described_rows = old_tool(TOPICS, connect, "--describe", "--topic", topic).splitlines()[1:]
    assert described_rows == [
        f"\tTopic: {topic}\tPartition: 0\tLeader: none\tReplicas: 9\tIsr: ",
        f"\tTopic: {topic}\tPartition: 1\tLeader: {BROKER_ID}\tReplicas: {BROKER_ID}\tIsr: {BROKER_ID}",
    ]


def accepts(broker: BrokerProcess, topic: str, record: bytes) -> bool:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=False)
    try:
        producer.send(topic, record, partition=0).get(10)
    except MessageSizeTooLargeError:
        return False
    finally:
        producer.close()
    return True
