"""kafka-consumer-groups 4.3: lists, describes, resets and deletes the groups that other clients make."""

import re
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.structs import OffsetAndMetadata

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import NEWEST, run_tool
from compat_tests.tools_at_hand import needs

GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
NO_MEMBERS = "Consumer group '{}' has no active members.\n"


@pytest.fixture(scope="module", autouse=True)
def _java() -> None:
    needs("java")


def groups(broker: BrokerProcess, *arguments: str) -> tuple[list[list[str]], str]:
    """What the tool prints: its tables as rows of words, blank lines left out; and stderr, its hints left out."""
    done = run_tool(NEWEST, GROUPS, "--bootstrap-server", broker.bootstrap, *arguments)
    complaints = [line for line in done.stderr.splitlines(keepends=True) if line.strip() and "WARN" not in line]
    return [line.split() for line in done.stdout.splitlines() if line.strip()], "".join(complaints)


def make_topic(broker: BrokerProcess, topic: str, *, partitions: int, records: int) -> None:
    """`records` in each partition."""
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic(name=topic, num_partitions=partitions, replication_factor=1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for partition in range(partitions):
        for number in range(records):
            producer.send(topic, str(number).encode(), partition=partition)
    producer.close()


def member(broker: BrokerProcess, group: str) -> KafkaConsumer:
    return KafkaConsumer(
        bootstrap_servers=broker.bootstrap,
        group_id=group,
        client_id=f"client-of-{group}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )


def commit(broker: BrokerProcess, group: str, topic: str, *offsets: int) -> None:
    """From outside of the group, which so stays empty."""
    consumer = member(broker, group)
    partitions = [TopicPartition(topic, partition) for partition in range(len(offsets))]
    consumer.assign(partitions)
    consumer.commit({each: OffsetAndMetadata(at, "", -1) for each, at in zip(partitions, offsets, strict=True)})
    consumer.close()


@pytest.fixture
def live_member(broker: BrokerProcess, topic: str) -> Iterator[KafkaConsumer]:
    """The only member of group `topic`; it has two partitions, has read them, and has committed."""
    make_topic(broker, topic, partitions=2, records=5)
    consumer = member(broker, topic)
    consumer.subscribe([topic])
    read = 0
    while read < 10:
        read += sum(map(len, consumer.poll(timeout_ms=5_000).values()))
    consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(5, "", -1)})
    yield consumer
    consumer.close()


def test_a_living_group_is_described_with_offsets_members_and_state(
    broker: BrokerProcess, topic: str, live_member: KafkaConsumer
) -> None:
    client = f"client-of-{topic}"
    rows, complaints = groups(broker, "--describe", "--group", topic)
    assert complaints == ""
    consumer_id = rows[1][6]
    assert re.fullmatch(rf"{client}-[0-9a-f-]{{36}}", consumer_id)
    assert rows == [
        ["GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST", "CLIENT-ID"],
        [topic, topic, "0", "5", "5", "0", consumer_id, "/127.0.0.1", client],
        [topic, topic, "1", "-", "5", "-", consumer_id, "/127.0.0.1", client],
    ]

    rows, complaints = groups(broker, "--describe", "--group", topic, "--members", "--verbose")
    assert complaints == ""
    epochs = ["CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT"]
    assert rows == [
        ["GROUP", "CONSUMER-ID", "HOST", "CLIENT-ID", "#PARTITIONS", *epochs],
        [topic, consumer_id, "/127.0.0.1", client, "2", "-", f"{topic}:0,1", "-", "-"],
    ]

    rows, complaints = groups(broker, "--describe", "--group", topic, "--state")
    assert complaints == ""
    assert rows[0] == ["GROUP", "COORDINATOR", "(ID)", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS"]
    assert rows[1][0] == topic
    assert rows[1][1].endswith(f":{broker.port}")
    assert rows[1][2] == "(0)"
    assert rows[1][4:] == ["Stable", "1"]

    assert [topic, "Stable"] in groups(broker, "--list", "--state")[0]
    said, complaints = groups(broker, "--group", topic, "--delete")
    assert "GroupNotEmptyException" in str(said) + complaints


@pytest.mark.campaign
def test_an_empty_group_is_listed_described_and_deleted(broker: BrokerProcess, topic: str) -> None:
    make_topic(broker, topic, partitions=2, records=3)
    commit(broker, topic, topic, 2, 0)
    rows, complaints = groups(broker, "--describe", "--group", topic)
    assert complaints == NO_MEMBERS.format(topic)
    assert rows[1:] == [
        [topic, topic, "0", "2", "3", "1", "-", "-", "-"],
        [topic, topic, "1", "0", "3", "3", "-", "-", "-"],
    ]
    assert [topic, "Classic"] in groups(broker, "--list", "--type")[0]
    said, complaints = groups(broker, "--group", topic, "--delete")
    assert (said, complaints) == ([f"Deletion of requested consumer groups ('{topic}') was successful.".split()], "")
    assert [topic] not in groups(broker, "--list")[0]
    said, complaints = groups(broker, "--describe", "--group", topic)
    assert "GroupIdNotFoundException" in str(said) + complaints


@pytest.mark.campaign
def test_offsets_are_reset_and_the_next_member_begins_there(broker: BrokerProcess, topic: str) -> None:
    make_topic(broker, topic, partitions=1, records=6)
    commit(broker, topic, topic, 6)
    reset = ("--group", topic, "--topic", topic, "--reset-offsets")
    rows, _ = groups(broker, *reset, "--to-earliest", "--dry-run")
    assert rows[1:] == [[topic, topic, "0", "0"]]
    rows, complaints = groups(broker, *reset, "--shift-by", "-2", "--execute")
    assert (rows[1:], complaints) == ([[topic, topic, "0", "4"]], "")
    consumer = member(broker, topic)
    consumer.subscribe([topic])
    read: list[bytes] = []
    while len(read) < 2:
        for records in consumer.poll(timeout_ms=5_000).values():
            read += [record.value for record in records]
    consumer.close()
    assert read == [b"4", b"5"]
