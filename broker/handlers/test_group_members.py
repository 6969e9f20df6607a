"""FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup of every version, asked of a whole broker."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from broker.cluster.authorizer import Operation, Resource, ResourceType
from broker.testing.client import WireClient
from broker.testing.groups import SUBSCRIPTION, find, join_request, joined, stable, sync_request
from broker.testing.running import Running, running
from kproto.errors import ErrorCode
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.heartbeat import HeartbeatRequest
from kproto.messages.join_group import JoinGroupRequestProtocol
from kproto.messages.leave_group import LeaveGroupRequest, MemberIdentity
from kproto.messages.list_groups import ListGroupsRequest
from kproto.messages.metadata import MetadataRequest
from kproto.messages.sync_group import SyncGroupRequestAssignment


@pytest.fixture
async def broker(autojump_clock: MockClock) -> AsyncIterator[Running]:
    async with running() as here:
        with here.connect() as client:
            await find(client)
        yield here


@pytest.mark.parametrize("version", range(7))
async def test_first_who_asks_hears_of_the_coordinator_at_once(version: int, autojump_clock: MockClock) -> None:
    """The topic is made on the way."""
    async with running() as broker:
        with broker.connect() as client:
            answer = await client.ask(FindCoordinatorRequest(key="g", coordinator_keys=["g", "h"]), version)
            rows = answer.coordinators if version >= 4 else [answer]
            assert [(row.error_code, row.node_id, row.host, row.port) for row in rows] == [
                (0, broker.ready.broker_id, "127.0.0.1", 9092)
            ] * (2 if version >= 4 else 1)
            topics = await client.ask(MetadataRequest(topics=None), 1)
            assert [(topic.name, topic.is_internal) for topic in topics.topics] == [("__consumer_offsets", True)]


@pytest.mark.parametrize("version", range(1, 7))
@pytest.mark.parametrize("key_type", [1, 2, 9, -1])
async def test_only_groups_have_a_coordinator(version: int, key_type: int, broker: Running) -> None:
    with broker.connect() as client:
        request = FindCoordinatorRequest(key="g", coordinator_keys=["g"], key_type=key_type)
        answer = await client.ask(request, version)
        row = answer.coordinators[0] if version >= 4 else answer
        assert (row.error_code, row.node_id, row.host, row.port) == (ErrorCode.INVALID_REQUEST, -1, "", -1)


async def test_coordinator_that_cannot_be_made_says_why(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Kafka's default of three replicas on a cluster of one: clients only see that they wait."""
    async with running({"offsets.topic.replication.factor": "3"}) as broker:
        with broker.connect() as client:
            for _ in range(3):
                answer = await client.ask(FindCoordinatorRequest(key="g"), 1)
                assert answer.error_code == ErrorCode.COORDINATOR_NOT_AVAILABLE
                assert "eplication factor" in answer.error_message
    assert caplog.text.count("No groups can be served") == 1


@pytest.mark.parametrize("version", range(10))
async def test_join_of_every_version_makes_a_leader(version: int, broker: Running) -> None:
    with broker.connect("app") as client:
        first = await client.ask(join_request(), version)
        if version >= 4:
            assert (first.error_code, first.generation_id) == (ErrorCode.MEMBER_ID_REQUIRED, -1)
            first = await client.ask(join_request(member_id=first.member_id), version)
        assert (first.error_code, first.generation_id, first.protocol_name) == (0, 1, "range")
        assert first.leader == first.member_id
        assert first.member_id.startswith("app-")
        assert len(first.member_id) == len("app-") + 36
        assert [(member.member_id, member.metadata) for member in first.members] == [(first.leader, SUBSCRIPTION)]
        if version >= 7:
            assert first.protocol_type == "consumer"


@pytest.mark.parametrize("version", range(6))
async def test_sync_of_every_version_brings_the_assignment(version: int, broker: Running) -> None:
    with broker.connect() as client:
        member_id = (await joined(client)).member_id
        synced = await client.ask(sync_request(member_id, 1, b"mine"), version)
        assert (synced.error_code, synced.assignment) == (0, b"mine")
        if version >= 5:
            assert (synced.protocol_type, synced.protocol_name) == ("consumer", "range")


@pytest.mark.parametrize("version", range(5))
async def test_heartbeat_of_every_version(version: int, broker: Running) -> None:
    with broker.connect() as client:
        member_id = await stable(client)

        async def beat(member_id: str, generation: int) -> int:
            request = HeartbeatRequest(group_id="g", member_id=member_id, generation_id=generation)
            return int((await client.ask(request, version)).error_code)

        assert await beat(member_id, 1) == ErrorCode.NONE
        assert await beat(member_id, 2) == ErrorCode.ILLEGAL_GENERATION
        assert await beat("stranger", 1) == ErrorCode.UNKNOWN_MEMBER_ID


@pytest.mark.parametrize("version", range(6))
async def test_leave_of_every_version(version: int, broker: Running) -> None:
    with broker.connect() as client:
        member_id = await stable(client)
        members = [MemberIdentity(member_id="stranger"), MemberIdentity(member_id=member_id, reason="done")]
        answer = await client.ask(LeaveGroupRequest(group_id="g", member_id=member_id, members=members), version)
        assert answer.error_code == 0
        if version >= 3:
            codes = [(row.member_id, row.error_code) for row in answer.members]
            assert codes == [("stranger", ErrorCode.UNKNOWN_MEMBER_ID), (member_id, 0)]
        listed = await client.ask(ListGroupsRequest(), 4)
        assert [(group.group_id, group.group_state) for group in listed.groups] == [("g", "Empty")]


@pytest.mark.parametrize("version", range(3))
async def test_stranger_that_leaves_is_told_so_on_top(version: int, broker: Running) -> None:
    with broker.connect() as client:
        answer = await client.ask(LeaveGroupRequest(group_id="g", member_id="stranger"), version)
        assert answer.error_code == ErrorCode.UNKNOWN_MEMBER_ID


async def test_second_member_waits_for_the_first_to_join_again(broker: Running) -> None:
    """The whole rebalance over two connections, one of which is parked."""
    with broker.connect("one") as one, broker.connect("two") as two:
        a = await stable(one)
        b = (await two.ask(join_request(), 9)).member_id
        await two.send(join_request(member_id=b), 9)
        await trio.sleep(1)
        beat = HeartbeatRequest(group_id="g", member_id=a, generation_id=1)
        assert (await one.ask(beat, 4)).error_code == ErrorCode.REBALANCE_IN_PROGRESS
        first = await one.ask(join_request(member_id=a), 9)
        second = await two.receive()
        assert (first.generation_id, first.leader, len(first.members)) == (2, a, 2)
        assert (second.generation_id, second.leader, second.members) == (2, a, [])
        await two.send(sync_request(b, 2, assignments=[]), 5)
        rows = [SyncGroupRequestAssignment(member_id=each, assignment=each.encode()) for each in (a, b)]
        assert (await one.ask(sync_request(a, 2, assignments=rows), 5)).assignment == a.encode()
        assert (await two.receive()).assignment == b.encode()


async def test_parked_join_does_not_hold_up_answers_before_it(broker: Running) -> None:
    """[Heartbeat, JoinGroup] on one connection: the first is answered although the second waits."""
    with broker.connect() as one, broker.connect() as two:
        await stable(one)
        await two.send(HeartbeatRequest(group_id="g", member_id="x", generation_id=1), 4)
        await two.send(join_request(), 3)
        assert (await two.receive()).error_code == ErrorCode.UNKNOWN_MEMBER_ID


async def test_silent_member_makes_room_after_its_session(
    broker: Running, autojump_clock: trio.testing.MockClock
) -> None:
    with broker.connect() as one, broker.connect() as two:
        await stable(one)
        began = trio.current_time()
        second = await joined(two)
        assert 9.9 <= trio.current_time() - began <= 10.2
        assert (second.generation_id, second.leader) == (2, second.member_id)


async def test_static_leader_is_back_under_a_new_id_and_need_not_assign(broker: Running) -> None:
    with broker.connect() as client:
        first = await client.ask(join_request(group_instance_id="I"), 9)
        assert first.member_id.startswith("I-")
        sync = sync_request(first.member_id, 1, b"mine", group_instance_id="I")
        assert (await client.ask(sync, 5)).assignment == b"mine"
        again = await client.ask(join_request(group_instance_id="I"), 9)
        assert (again.error_code, again.generation_id, again.skip_assignment) == (0, 1, True)
        assert again.leader == again.member_id != first.member_id
        assert (await client.ask(sync, 5)).error_code == ErrorCode.FENCED_INSTANCE_ID
        sync = sync_request(again.member_id, 1, group_instance_id="I", assignments=[])
        assert (await client.ask(sync, 5)).assignment == b"mine"


async def test_static_leader_of_an_old_version_is_told_another_leader(broker: Running) -> None:
    with broker.connect() as client:
        first = await client.ask(join_request(group_instance_id="I"), 5)
        await client.ask(sync_request(first.member_id, 1, group_instance_id="I"), 3)
        again = await client.ask(join_request(group_instance_id="I"), 5)
        assert (again.error_code, again.leader, again.members) == (0, first.member_id, [])


BAD_JOINS = [
    ({"group_id": ""}, ErrorCode.INVALID_GROUP_ID),
    ({"session_timeout_ms": 5_999}, ErrorCode.INVALID_SESSION_TIMEOUT),
    ({"session_timeout_ms": 1_800_001}, ErrorCode.INVALID_SESSION_TIMEOUT),
    ({"session_timeout_ms": -1}, ErrorCode.INVALID_SESSION_TIMEOUT),
    ({"protocols": []}, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    ({"protocol_type": ""}, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    ({"protocols": [JoinGroupRequestProtocol(name="p", metadata=bytes(1 << 20 | 1))]}, ErrorCode.INVALID_REQUEST),
    ({"protocols": [JoinGroupRequestProtocol()] * 11_000}, ErrorCode.INVALID_REQUEST),
    ({"member_id": "made up"}, ErrorCode.UNKNOWN_MEMBER_ID),
]


@pytest.mark.parametrize("version", [0, 9])
@pytest.mark.parametrize(("fields", "code"), BAD_JOINS, ids=lambda value: str(value)[:40])
async def test_bad_join(version: int, fields: dict[str, Any], code: ErrorCode, broker: Running) -> None:
    with broker.connect() as client:
        answer = await client.ask(join_request(**fields), version)
        assert (answer.error_code, answer.generation_id, answer.members) == (code, -1, [])
        assert answer.member_id == fields.get("member_id", "")
        assert (await client.ask(ListGroupsRequest(), 4)).groups == []


BAD_SYNCS = [
    ({"group_id": ""}, ErrorCode.INVALID_GROUP_ID),
    ({"generation_id": 7}, ErrorCode.ILLEGAL_GENERATION),
    ({"protocol_name": "sticky"}, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    ({"protocol_name": None}, ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    ({"group_instance_id": "I"}, ErrorCode.UNKNOWN_MEMBER_ID),
    (
        {"assignments": [SyncGroupRequestAssignment(member_id="a", assignment=bytes(1 << 20 | 1))]},
        ErrorCode.INVALID_REQUEST,
    ),
]


@pytest.mark.parametrize(("fields", "code"), BAD_SYNCS, ids=lambda value: str(value)[:40])
async def test_bad_sync(fields: dict[str, Any], code: ErrorCode, broker: Running) -> None:
    with broker.connect() as client:
        member_id = await stable(client)
        answer = await client.ask(sync_request(member_id, 1, **{"generation_id": 1, **fields}), 5)
        assert (answer.error_code, answer.assignment) == (code, b"")


class NoText(str):
    """Goes out as bytes that are no UTF-8; read, they are replacement characters, three times as long."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff" * 20_000


TOO_LONG = NoText()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"group_id": TOO_LONG}, ErrorCode.INVALID_GROUP_ID),
        ({"group_instance_id": TOO_LONG}, ErrorCode.INVALID_REQUEST),
        ({"protocol_type": TOO_LONG}, ErrorCode.INVALID_REQUEST),
        ({"protocols": [JoinGroupRequestProtocol(name=TOO_LONG)]}, ErrorCode.INVALID_REQUEST),
    ],
)
async def test_texts_that_no_record_can_hold_are_refused_before_they_are_in_a_group(
    fields: dict[str, Any], code: ErrorCode, broker: Running
) -> None:
    with broker.connect() as client:
        assert (await client.ask(join_request(**fields), 9)).error_code == code
        assert (await client.ask(ListGroupsRequest(), 4)).groups == []


async def test_client_id_of_any_length_makes_a_member(broker: Running) -> None:
    with broker.connect("c" * 32_767) as client:
        answer = await client.ask(join_request(), 3)
        assert answer.error_code == 0
        assert (await client.ask(sync_request(answer.member_id, 1, b"mine"), 3)).assignment == b"mine"


async def test_groups_need_a_name() -> None:
    async with running() as broker:
        with broker.connect() as client:
            for request in (HeartbeatRequest(member_id="a"), LeaveGroupRequest(members=[MemberIdentity()])):
                assert (await client.ask(request, 4)).error_code == ErrorCode.INVALID_GROUP_ID


async def test_full_group_turns_newcomers_away(autojump_clock: MockClock) -> None:
    async with running({"group.max.size": "1"}) as broker:
        with broker.connect() as one, broker.connect() as two:
            await find(one)
            await stable(one)
            assert (await two.ask(join_request(), 9)).error_code == ErrorCode.GROUP_MAX_SIZE_REACHED


async def test_without_the_topic_nobody_is_coordinator() -> None:
    async with running() as broker:
        with broker.connect() as client:
            assert (await client.ask(join_request(), 9)).error_code == ErrorCode.NOT_COORDINATOR


async def test_members_gather_before_the_first_generation(autojump_clock: MockClock) -> None:
    """`group.initial.rebalance.delay.ms`"""
    async with running({"group.initial.rebalance.delay.ms": "3000"}) as broker:
        with broker.connect() as one, broker.connect() as two:
            await find(one)
            await one.send(join_request(), 3)
            await trio.sleep(1)
            await two.send(join_request(), 3)
            assert (await one.receive()).generation_id == (await two.receive()).generation_id == 1


async def test_group_outlives_a_restart_with_members_and_generation(tmp_path: Path) -> None:
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            await find(client)
            member_id = await stable(client)
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            await find(client)
            answer = await until_loaded(client, sync_request(member_id, 1, assignments=[]), 5)
            assert (answer.error_code, answer.assignment) == (0, b"all")


async def until_loaded(client: WireClient, request: Any, version: int) -> Any:
    """As a client: to join again is what it is told while the groups are read back."""
    with trio.fail_after(10):
        while True:
            answer = await client.ask(request, version)
            if answer.error_code != ErrorCode.REBALANCE_IN_PROGRESS:
                return answer
            await trio.sleep(0.01)


class Deny:
    """Everything on one kind of resource."""

    def __init__(self, kind: ResourceType) -> None:
        self.kind = kind

    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        return resource.type is not self.kind


async def test_who_may_not_use_the_group_is_no_member(autojump_clock: MockClock) -> None:
    async with running(authorizer=Deny(ResourceType.GROUP)) as broker:
        with broker.connect() as client:
            denied = ErrorCode.GROUP_AUTHORIZATION_FAILED
            answer = await client.ask(FindCoordinatorRequest(coordinator_keys=["g"]), 4)
            assert [(row.error_code, row.node_id) for row in answer.coordinators] == [(denied, -1)]
            assert (await client.ask(join_request(), 9)).error_code == denied
            assert (await client.ask(sync_request("a", 1), 5)).error_code == denied
            assert (await client.ask(HeartbeatRequest(group_id="g"), 4)).error_code == denied
            assert (await client.ask(LeaveGroupRequest(group_id="g"), 4)).error_code == denied
            assert (await client.ask(ListGroupsRequest(), 4)).groups == []
