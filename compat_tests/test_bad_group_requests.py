"""What members of groups must not do: each over a real socket, at every version, answered with its code.

The numbers are those of our catalogue of bad inputs. A group that stands beside goes on undisturbed.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from compat_tests.bad_questions import codes, failures, versions
from compat_tests.broker_process import BrokerProcess
from compat_tests.typed_client import TypedClient
from kproto.api_keys import ApiKey
from kproto.errors import ErrorCode
from kproto.messages.describe_groups import DescribeGroupsRequest
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.heartbeat import HeartbeatRequest
from kproto.messages.join_group import JoinGroupRequest, JoinGroupRequestProtocol
from kproto.messages.leave_group import LeaveGroupRequest, MemberIdentity
from kproto.messages.offset_commit import OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic
from kproto.messages.offset_fetch import OffsetFetchRequest, OffsetFetchRequestTopic
from kproto.messages.sync_group import SyncGroupRequest, SyncGroupRequestAssignment
from kproto.schema import Message

MIB = 1 << 20
MAX_SIZE = 2
OPTIONS = {
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "group.initial.rebalance.delay.ms": "0",
    "group.max.size": str(MAX_SIZE),
    "group.min.session.timeout.ms": "6000",
    "group.max.session.timeout.ms": "60000",
}


class Member(NamedTuple):
    """A member as its group knows it."""

    group: str
    member_id: str
    generation: int


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), properties=OPTIONS).start()
    with TypedClient(process.port) as client:
        client.ask(FindCoordinatorRequest(key="any"), 0)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def orders(client: TypedClient) -> UUID:
    return client.create("orders")


@pytest.fixture(scope="module")
def beside(client: TypedClient) -> Member:
    """The one member of another group."""
    return stable(client, "beside")


@pytest.fixture(autouse=True)
def another_group_goes_on(broker: BrokerProcess, client: TypedClient, beside: Member) -> Iterator[None]:
    yield
    assert codes(client.ask(heartbeat(beside), 0)) == [ErrorCode.NONE]


@pytest.fixture
def member(client: TypedClient, request: pytest.FixtureRequest) -> Member:
    """The leader, and only member, of a stable group that only this test knows."""
    return stable(client, request.node.name)


def join(group: str, member_id: str = "", **more: Any) -> JoinGroupRequest:
    fields: dict[str, Any] = {
        "session_timeout_ms": 30_000,
        "rebalance_timeout_ms": 30_000,
        "protocol_type": "consumer",
        "protocols": [JoinGroupRequestProtocol(name="range", metadata=b"m")],
    }
    return JoinGroupRequest(group_id=group, member_id=member_id, **(fields | more))


def sync(of: Member, **more: Any) -> SyncGroupRequest:
    return SyncGroupRequest(group_id=of.group, member_id=of.member_id, generation_id=of.generation, **more)


def heartbeat(of: Member, **more: Any) -> HeartbeatRequest:
    return HeartbeatRequest(group_id=of.group, member_id=of.member_id, generation_id=of.generation, **more)


def commit(of: Member, version: int, topic: str = "orders", topic_id: UUID = UUID(int=0), **of_row: Any) -> Message:  # noqa: B008
    fields: dict[str, Any] = {"committed_offset": 7, "committed_metadata": ""}
    row = OffsetCommitRequestPartition(**(fields | of_row))
    named = OffsetCommitRequestTopic(name=topic) if version < 10 else OffsetCommitRequestTopic(topic_id=topic_id)
    named.partitions.append(row)
    return OffsetCommitRequest(
        group_id=of.group, member_id=of.member_id, generation_id_or_member_epoch=of.generation, topics=[named]
    )


def stable(client: TypedClient, group: str, instance_id: str | None = None) -> Member:
    """Joined and synced, alone."""
    joined = client.ask(join(group, group_instance_id=instance_id), 5)
    if joined.error_code == ErrorCode.MEMBER_ID_REQUIRED:
        joined = client.ask(join(group, joined.member_id), 5)
    assert joined.error_code == ErrorCode.NONE, joined
    found = Member(group, joined.member_id, joined.generation_id)
    mine = SyncGroupRequestAssignment(member_id=found.member_id, assignment=b"all")
    assert client.ask(sync(found, assignments=[mine]), 3).error_code == ErrorCode.NONE
    return found


def until_noticed(client: TypedClient, member: Member) -> None:
    """Until the group knows of a newcomer that came over another connection."""
    for _ in range(1_000):
        if client.ask(heartbeat(member), 0).error_code == ErrorCode.REBALANCE_IN_PROGRESS:
            return
        time.sleep(0.005)
    pytest.fail("the newcomer was not noticed")


def offset_of(client: TypedClient, group: str) -> int:
    asked = OffsetFetchRequestTopic(name="orders", partition_indexes=[0])
    answer = client.ask(OffsetFetchRequest(group_id=group, topics=[asked]), 5)
    return int(answer.topics[0].partitions[0].committed_offset)


NOBODY = Member("", "somebody", 1)


@versions(ApiKey.JOIN_GROUP)
def test_89_join_a_group_without_a_name(client: TypedClient, version: int) -> None:
    assert codes(client.ask(join(""), version)) == [ErrorCode.INVALID_GROUP_ID]


@versions(ApiKey.SYNC_GROUP)
def test_89_sync_with_a_group_without_a_name(client: TypedClient, version: int) -> None:
    request = sync(NOBODY, protocol_type="consumer", protocol_name="range")
    assert codes(client.ask(request, version)) == [ErrorCode.INVALID_GROUP_ID]


@versions(ApiKey.HEARTBEAT)
def test_89_heartbeat_to_a_group_without_a_name(client: TypedClient, version: int) -> None:
    assert codes(client.ask(heartbeat(NOBODY), version)) == [ErrorCode.INVALID_GROUP_ID]


@versions(ApiKey.LEAVE_GROUP)
def test_89_leave_a_group_without_a_name(client: TypedClient, version: int) -> None:
    request = LeaveGroupRequest(group_id="", member_id="m", members=[MemberIdentity(member_id="m")])
    assert failures(client.ask(request, version)) == {ErrorCode.INVALID_GROUP_ID}


@versions(ApiKey.JOIN_GROUP)
@pytest.mark.parametrize("timeout_ms", [0, -1, 5_999, 60_001, 2**31 - 1, -(2**31)])
def test_90_a_session_timeout_outside_the_limits(client: TypedClient, timeout_ms: int, version: int) -> None:
    answer = client.ask(join("timed", session_timeout_ms=timeout_ms), version)
    assert codes(answer) == [ErrorCode.INVALID_SESSION_TIMEOUT]


@versions(ApiKey.JOIN_GROUP)
@pytest.mark.parametrize("fields", [{"protocols": []}, {"protocol_type": ""}], ids=["no protocols", "no type"])
def test_91_a_first_member_without_protocols(client: TypedClient, fields: dict[str, Any], version: int) -> None:
    assert codes(client.ask(join("fresh", **fields), version)) == [ErrorCode.INCONSISTENT_GROUP_PROTOCOL]


@versions(ApiKey.JOIN_GROUP)
@pytest.mark.parametrize(
    "fields",
    [
        {"protocol_type": "connect"},
        {"protocols": [JoinGroupRequestProtocol(name="sticky")]},
        {"protocols": []},
    ],
    ids=["another type", "no common protocol", "no protocols"],
)
def test_91_a_member_that_does_not_fit(
    client: TypedClient, member: Member, fields: dict[str, Any], version: int
) -> None:
    """The group does not even notice."""
    answer = client.ask(join(member.group, **fields), version)
    assert codes(answer) == [ErrorCode.INCONSISTENT_GROUP_PROTOCOL]
    assert codes(client.ask(heartbeat(member), 0)) == [ErrorCode.NONE]


@versions(ApiKey.JOIN_GROUP)
def test_92_a_member_that_nobody_knows(client: TypedClient, member: Member, version: int) -> None:
    """In a group that is there and in one that is not."""
    for group in (member.group, "nowhere"):
        answer = client.ask(join(group, "stranger"), version)
        assert (codes(answer), answer.member_id) == ([ErrorCode.UNKNOWN_MEMBER_ID], "stranger")


@versions(ApiKey.JOIN_GROUP, since=4)
def test_92_a_newcomer_is_sent_away_once_with_its_id(client: TypedClient, version: int) -> None:
    answer = client.ask(join(f"new-{version}"), version)
    assert codes(answer) == [ErrorCode.MEMBER_ID_REQUIRED]
    assert answer.member_id
    assert codes(client.ask(join(f"new-{version}", answer.member_id), version)) == [ErrorCode.NONE]


@versions(ApiKey.JOIN_GROUP)
def test_92_a_group_that_is_full(broker: BrokerProcess, client: TypedClient, version: int) -> None:
    """Two may join; the third is turned away, and the two go on."""
    group = f"full-{version}"
    first = client.ask(join(group), 3)
    with TypedClient(broker.port) as other:
        other.send(join(group), 3)
        until_noticed(client, Member(group, first.member_id, 1))
        again = client.ask(join(group, first.member_id), 3)
        second = other.answer()
        assert again.generation_id == second.generation_id == 2
        assert codes(client.ask(join(group), version)) == [ErrorCode.GROUP_MAX_SIZE_REACHED]
        one, two = (Member(group, each.member_id, 2) for each in (again, second))
        other.send(sync(two), 3)
        assert client.ask(sync(one), 3).error_code == other.answer().error_code == ErrorCode.NONE


@versions(ApiKey.JOIN_GROUP, since=5)
def test_92_an_instance_that_another_has_taken(client: TypedClient, version: int) -> None:
    """Who comes with the instance's id and an older member id is fenced."""
    group = f"static-{version}"
    old = stable(client, group, "instance")
    new = client.ask(join(group, group_instance_id="instance"), 5)
    assert new.member_id != old.member_id
    answer = client.ask(join(group, old.member_id, group_instance_id="instance"), version)
    assert codes(answer) == [ErrorCode.FENCED_INSTANCE_ID]
    assert codes(client.ask(heartbeat(old, group_instance_id="instance"), 3)) == [ErrorCode.FENCED_INSTANCE_ID]
    late = sync(old, group_instance_id="instance", protocol_type="consumer", protocol_name="range")
    assert codes(client.ask(late, 5)) == [ErrorCode.FENCED_INSTANCE_ID]


WRONG: dict[str, tuple[Callable[[Member], Member], ErrorCode]] = {
    "an old generation": (
        lambda member: member._replace(generation=member.generation - 1),
        ErrorCode.ILLEGAL_GENERATION,
    ),
    "a generation to come": (
        lambda member: member._replace(generation=member.generation + 1),
        ErrorCode.ILLEGAL_GENERATION,
    ),
    "a strange member": (lambda member: member._replace(member_id="stranger"), ErrorCode.UNKNOWN_MEMBER_ID),
    "nobody": (lambda member: member._replace(member_id=""), ErrorCode.UNKNOWN_MEMBER_ID),
}
each_wrong = pytest.mark.parametrize("wrong", WRONG)


@versions(ApiKey.SYNC_GROUP)
@each_wrong
def test_93_sync(client: TypedClient, member: Member, wrong: str, version: int) -> None:
    change, code = WRONG[wrong]
    request = sync(change(member), protocol_type="consumer", protocol_name="range")
    answer = client.ask(request, version)
    assert (codes(answer), answer.assignment) == ([code], b"")


@versions(ApiKey.SYNC_GROUP, since=5)
@pytest.mark.parametrize("fields", [{"protocol_type": "connect"}, {"protocol_name": "sticky"}], ids=str)
def test_93_sync_for_another_protocol(
    client: TypedClient, member: Member, fields: dict[str, str], version: int
) -> None:
    request = sync(member, **({"protocol_type": "consumer", "protocol_name": "range"} | fields))
    assert codes(client.ask(request, version)) == [ErrorCode.INCONSISTENT_GROUP_PROTOCOL]


@versions(ApiKey.HEARTBEAT)
@each_wrong
def test_93_heartbeat(client: TypedClient, member: Member, wrong: str, version: int) -> None:
    change, code = WRONG[wrong]
    assert codes(client.ask(heartbeat(change(member)), version)) == [code]


@versions(ApiKey.OFFSET_COMMIT, since=1)
@each_wrong
def test_93_commit(client: TypedClient, orders: UUID, member: Member, wrong: str, version: int) -> None:
    """The offset does not move."""
    change, code = WRONG[wrong]
    assert codes(client.ask(commit(change(member), version, topic_id=orders), version)) == [code]
    assert offset_of(client, member.group) == -1
    assert codes(client.ask(commit(member, version, topic_id=orders), version)) == [ErrorCode.NONE]
    assert offset_of(client, member.group) == 7


@versions(ApiKey.OFFSET_COMMIT, since=1)
def test_93_a_consumer_without_a_group_does_not_commit_into_one(
    client: TypedClient, orders: UUID, member: Member, version: int
) -> None:
    """Who assigns partitions itself (generation -1) has no say while there are members."""
    simple = Member(member.group, "", -1)
    assert codes(client.ask(commit(simple, version, topic_id=orders), version)) == [ErrorCode.UNKNOWN_MEMBER_ID]
    assert offset_of(client, member.group) == -1


@versions(ApiKey.HEARTBEAT)
def test_93_heartbeat_and_sync_in_a_rebalance(
    broker: BrokerProcess, client: TypedClient, member: Member, version: int
) -> None:
    with TypedClient(broker.port) as other:
        other.send(join(member.group), 3)
        until_noticed(client, member)
        assert codes(client.ask(heartbeat(member), version)) == [ErrorCode.REBALANCE_IN_PROGRESS]
        assert codes(client.ask(sync(member), min(version, 4))) == [ErrorCode.REBALANCE_IN_PROGRESS]
        assert client.ask(join(member.group, member.member_id), 3).error_code == ErrorCode.NONE
        assert other.answer().error_code == ErrorCode.NONE


@versions(ApiKey.LEAVE_GROUP)
def test_93_a_stranger_cannot_leave(client: TypedClient, member: Member, version: int) -> None:
    request = LeaveGroupRequest(
        group_id=member.group, member_id="stranger", members=[MemberIdentity(member_id="stranger")]
    )
    assert failures(client.ask(request, version)) == {ErrorCode.UNKNOWN_MEMBER_ID}
    assert codes(client.ask(heartbeat(member), 0)) == [ErrorCode.NONE]


@pytest.mark.parametrize(
    ("version", "size"), [*((version, MIB + 1) for version in range(10)), (0, 50 * MIB), (9, 50 * MIB)]
)
def test_94_a_members_metadata_too_large(client: TypedClient, version: int, size: int) -> None:
    """It would have to be told to every leader, and kept."""
    protocols = [JoinGroupRequestProtocol(name="range", metadata=bytes(size))]
    assert codes(client.ask(join("fat", protocols=protocols), version)) == [ErrorCode.INVALID_REQUEST]


@versions(ApiKey.SYNC_GROUP)
def test_94_an_assignment_too_large(client: TypedClient, member: Member, version: int) -> None:
    """The leader may try again with less."""
    part = SyncGroupRequestAssignment(member_id=member.member_id, assignment=bytes(MIB + 1))
    request = sync(member, assignments=[part], protocol_type="consumer", protocol_name="range")
    assert codes(client.ask(request, version)) == [ErrorCode.INVALID_REQUEST]
    assert codes(client.ask(heartbeat(member), 0)) == [ErrorCode.NONE]


@versions(ApiKey.JOIN_GROUP)
def test_94_nonsense_in_a_blob_is_nobodys_business(client: TypedClient, version: int) -> None:
    """Metadata is opaque: what does not parse as a subscription is kept and told as it came."""
    group = f"nonsense-{version}"
    noise = [JoinGroupRequestProtocol(name="range", metadata=b"\xff" * 100)]
    answer = client.ask(join(group, protocols=noise), version)
    if answer.error_code == ErrorCode.MEMBER_ID_REQUIRED:
        answer = client.ask(join(group, answer.member_id, protocols=noise), version)
    assert [bytes(each.metadata) for each in answer.members] == [b"\xff" * 100]
    described = client.ask(DescribeGroupsRequest(groups=[group]), 5).groups[0]
    assert described.error_code == ErrorCode.NONE


@versions(ApiKey.OFFSET_COMMIT, since=1)
def test_95_commit_metadata_too_long(client: TypedClient, orders: UUID, member: Member, version: int) -> None:
    too_long = commit(member, version, topic_id=orders, committed_metadata="m" * 4_097)
    assert codes(client.ask(too_long, version)) == [ErrorCode.OFFSET_METADATA_TOO_LARGE]
    assert offset_of(client, member.group) == -1
    fits = commit(member, version, topic_id=orders, committed_metadata="m" * 4_096)
    assert codes(client.ask(fits, version)) == [ErrorCode.NONE]


@versions(ApiKey.OFFSET_COMMIT)
def test_96_commit_for_a_topic_that_is_not_there(client: TypedClient, member: Member, version: int) -> None:
    unknown = ErrorCode.UNKNOWN_TOPIC_ID if version >= 10 else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    request = commit(member, version, "nowhere", UUID(int=0xBAD))
    assert codes(client.ask(request, version)) == [unknown]


@versions(ApiKey.OFFSET_COMMIT)
@pytest.mark.parametrize("partition", [1, -1, 2**31 - 1])
def test_96_commit_for_a_partition_that_is_not_there(
    client: TypedClient, orders: UUID, member: Member, partition: int, version: int
) -> None:
    request = commit(member, version, topic_id=orders, partition_index=partition)
    assert codes(client.ask(request, version)) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
