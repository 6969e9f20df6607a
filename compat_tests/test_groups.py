"""Groups as real clients make them: who has which partition when members come, leave, crash, or start again."""

import asyncio
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import NonEmptyGroupError

from compat_tests.broker_process import BrokerProcess
from compat_tests.member_processes import GroupOfProcesses, Place
from compat_tests.typed_client import TypedClient
from kproto.errors import ErrorCode
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.join_group import JoinGroupRequest, JoinGroupRequestProtocol

PARTITIONS = 6


@pytest.fixture
def places(broker: BrokerProcess, topic: str) -> set[Place]:
    """The partitions of this test's topic."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(10)
    return {(topic, partition) for partition in range(PARTITIONS)}


def produce_three_hundred_lines(broker: BrokerProcess, topic: str) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for n in range(300):
        producer.send(topic, key=b"%d" % n, value=b"x")
    producer.flush()
    producer.close()


def strategy(name: str) -> list[str]:
    return ["--option", f"partition.assignment.strategy={name}"]


@pytest.mark.parametrize("assignor", ["range", "roundrobin"])
def test_members_that_come_and_leave_share_the_partitions(
    broker: BrokerProcess, topic: str, places: set[Place], tmp_path: Path, assignor: str
) -> None:
    """Eager: one member has all, two and three share; who leaves gives its share back at once."""
    with GroupOfProcesses(tmp_path, "confluent-kafka", broker.bootstrap, topic, [topic]) as group:
        for _ in range(3):
            group.add(*strategy(assignor))
            group.wait_until("the members share", lambda: group.share(places), 20)
        assert [len(member.assigned) for member in group.members] == [2, 2, 2]
        assert group.members[0].stop() == 0
        took_s = group.wait_until("two share", lambda: group.share(places), 20)
        assert took_s < 5, "a member that leaves is not waited for (its session would last 6 s)"
        assert [len(member.assigned) for member in group.running()] == [3, 3]


def test_a_member_that_crashes_is_gone_after_its_session(
    broker: BrokerProcess, topic: str, places: set[Place], tmp_path: Path
) -> None:
    """SIGKILL: no LeaveGroup, so the coordinator waits for the session timeout of 6 s, and not much longer."""
    with GroupOfProcesses(tmp_path, "confluent-kafka", broker.bootstrap, topic, [topic]) as group:
        group.add()
        group.add()
        group.wait_until("two share", lambda: group.share(places), 20)
        group.members[0].kill()
        took_s = group.wait_until("one has all", lambda: group.share(places), 20)
        assert took_s > 3


def test_cooperative_members_keep_what_stays_theirs(
    broker: BrokerProcess, topic: str, places: set[Place], tmp_path: Path
) -> None:
    """KIP-429: partitions move one by one; nobody stands without partitions while the group rebalances."""
    with GroupOfProcesses(tmp_path, "confluent-kafka", broker.bootstrap, topic, [topic]) as group:
        for _ in range(3):
            group.add(*strategy("cooperative-sticky"))
            group.wait_until("the members share", lambda: group.share(places), 30)
        first = group.members[0]
        assert [len(held) for held in first.assignments if held] == [len(held) for held in first.assignments]
        assert [len(member.assigned) for member in group.members] == [2, 2, 2]
        kept = [set(member.assigned) for member in group.members[:2]]
        assert group.members[2].stop() == 0
        group.wait_until("two share", lambda: group.share(places), 30)
        assert all(before <= member.assigned for before, member in zip(kept, group.running(), strict=True))


def test_a_static_member_starts_again_without_a_rebalance(
    broker: BrokerProcess, topic: str, places: set[Place], tmp_path: Path
) -> None:
    """KIP-345: killed and started with the same group.instance.id, it has its share back; the other sees nothing."""
    static = ["--option", "session.timeout.ms=20000", "--option"]
    with GroupOfProcesses(tmp_path, "confluent-kafka", broker.bootstrap, topic, [topic]) as group:
        group.add(*static, "group.instance.id=a")
        group.add(*static, "group.instance.id=b")
        group.wait_until("two share", lambda: group.share(places), 20)
        killed, other = group.members
        before = len(other.assignments)
        killed.kill()
        again = group.add(*static, "group.instance.id=a")
        group.wait_until("it is back", lambda: bool(again.assigned), 15)
        assert again.assigned == killed.assigned
        assert other.stop() == 0
        assert other.assignments[before:] == [set()], "nothing but its own end took partitions from the other"


def test_two_client_libraries_share_one_group(
    broker: BrokerProcess, topic: str, places: set[Place], tmp_path: Path
) -> None:
    """Both speak the consumer protocol; whichever leads assigns for the other."""
    with GroupOfProcesses(tmp_path, "confluent-kafka", broker.bootstrap, topic, [topic]) as group:
        group.add()
        group.wait_until("one has all", lambda: group.share(places), 20)
        group.add(client="kafka-python")
        group.wait_until("two share", lambda: group.share(places), 20)
        assert group.members[0].stop() == 0
        group.wait_until("the other has all", lambda: group.share(places), 20)


def test_aiokafka_members_take_over_from_one_another(broker: BrokerProcess, topic: str, places: set[Place]) -> None:
    """Two consumers of one loop share; when one stops, the other has all."""

    def consumer() -> AIOKafkaConsumer:
        return AIOKafkaConsumer(topic, bootstrap_servers=broker.bootstrap, group_id=topic, heartbeat_interval_ms=300)

    async def shares_are(*sizes: int, of: list[AIOKafkaConsumer]) -> None:
        while sorted(len(member.assignment()) for member in of) != list(sizes):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def come_and_go() -> None:
        first, second = consumer(), consumer()
        await first.start()
        await shares_are(6, of=[first])
        await second.start()
        await shares_are(3, 3, of=[first, second])
        await first.stop()
        await shares_are(6, of=[second])
        await second.stop()

    asyncio.run(asyncio.wait_for(come_and_go(), 30))


def test_groups_are_listed_described_and_deleted(
    broker: BrokerProcess, topic: str, places: set[Place], tmp_path: Path
) -> None:
    """By kafka-python's admin client: a group with a member cannot go, an empty one can, and its offsets with it."""
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    produce_three_hundred_lines(broker, topic)
    with GroupOfProcesses(tmp_path, "confluent-kafka", broker.bootstrap, topic, [topic]) as group:
        member = group.add()
        group.wait_until("all is committed", lambda: sum(member.committed.values()) == 300, 20)
        assert topic in [listed["group_id"] for listed in admin.list_groups()]
        described = admin.describe_groups([topic])[topic]
        assert described["group_state"] == "Stable"
        assert described["protocol_data"] == "range"
        (member_described,) = described["members"]
        assert member_described["client_id"] == "rdkafka"
        (assigned,) = member_described["member_assignment"]["assigned_partitions"]
        assert assigned == {"topic": topic, "partitions": list(range(PARTITIONS))}
        assert admin.delete_groups([topic]) == {topic: NonEmptyGroupError.__name__}
        assert member.stop() == 0
    assert admin.describe_groups([topic])[topic]["group_state"] == "Empty"
    assert sum(at.offset for at in admin.list_group_offsets(topic)[topic].values()) == 300
    assert admin.delete_groups([topic]) == {topic: "OK"}
    assert topic not in [listed["group_id"] for listed in admin.list_groups()]
    assert not admin.list_group_offsets(topic)[topic]
    admin.close()


def test_the_first_join_of_a_fresh_broker_is_answered_at_once(own_broker: BrokerProcess) -> None:
    """`__consumer_offsets` is made meanwhile, all 50 partitions; without a rebalance delay nothing is worth a wait.

    We promise 100 ms and print what it took; a loaded machine gets ten times as long.
    """
    with TypedClient(own_broker.port) as client:
        client.ask(ApiVersionsRequest(), 0)
        began = time.monotonic()
        while client.ask(FindCoordinatorRequest(key="g"), 0).error_code == ErrorCode.COORDINATOR_NOT_AVAILABLE:
            time.sleep(0.001)
        found_s = time.monotonic() - began
        protocols = [JoinGroupRequestProtocol(name="range", metadata=b"")]
        answer = client.ask(
            JoinGroupRequest(
                group_id="g",
                session_timeout_ms=6_000,
                rebalance_timeout_ms=60_000,
                protocol_type="consumer",
                protocols=protocols,
            ),
            3,
        )
        joined_s = time.monotonic() - began
    print(f"coordinator found after {1e3 * found_s:.1f} ms, joined after {1e3 * joined_s:.1f} ms")
    assert (answer.error_code, answer.generation_id, answer.leader) == (ErrorCode.NONE, 1, answer.member_id)
    assert joined_s < 1
