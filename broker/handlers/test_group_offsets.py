"""OffsetCommit, OffsetFetch, DescribeGroups, ListGroups, DeleteGroups of every version, asked of a whole broker."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import trio
from trio.testing import MockClock

from broker.cluster.authorizer import Operation, Resource, ResourceType
from broker.testing.calls import NOW_MS, create
from broker.testing.client import WireClient
from broker.testing.groups import SUBSCRIPTION, find, join_request, stable
from broker.testing.running import Running, running
from kproto.errors import ErrorCode
from kproto.messages.delete_groups import DeleteGroupsRequest
from kproto.messages.delete_topics import DeleteTopicsRequest
from kproto.messages.describe_groups import DescribeGroupsRequest
from kproto.messages.list_groups import ListGroupsRequest
from kproto.messages.metadata import MetadataRequest
from kproto.messages.offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from kproto.messages.offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopic,
    OffsetFetchRequestTopics,
)
from kproto.schema import ZERO_UUID

NOT_ASKED = -(2**31)


@pytest.fixture
async def broker(autojump_clock: MockClock) -> AsyncIterator[Running]:
    """With the topics t and u, of one partition each."""
    async with running() as here:
        with here.connect() as client:
            await find(client)
            await create(client, "t", "u")
        yield here


async def id_of(client: WireClient, topic: str) -> UUID:
    answer = await client.ask(MetadataRequest(topics=None), 10)
    found: UUID = next(each.topic_id for each in answer.topics if each.name == topic)
    return found


async def commit(client: WireClient, version: int, offset: int = 5, topic: str = "t", **more: Any) -> int:
    """The code of one row; `row`: its other fields."""
    fields = more.pop("row", {})
    row = OffsetCommitRequestPartition(committed_offset=offset, **{"committed_metadata": "note", **fields})
    topic_id = more.pop("topic_id", None) or (await id_of(client, topic) if version >= 10 else ZERO_UUID)
    topics = [OffsetCommitRequestTopic(name=topic, topic_id=topic_id, partitions=[row])]
    answer = await client.ask(OffsetCommitRequest(**{"group_id": "g", "topics": topics, **more}), version)
    [topic_row] = answer.topics
    assert topic_row.name == (topic if version < 10 else "")
    assert topic_row.topic_id == topic_id
    [row] = topic_row.partitions
    return int(row.error_code)


async def fetch(client: WireClient, version: int, *topics: str, group_id: str = "g", partition: int = 0) -> Any:
    """What the answer says of one group; no topics: all."""
    names = [OffsetFetchRequestTopic(name=topic, partition_indexes=[partition]) for topic in topics]
    ids = [await id_of(client, topic) if version >= 10 else ZERO_UUID for topic in topics]
    rows = [
        OffsetFetchRequestTopics(name=topic, topic_id=topic_id, partition_indexes=[partition])
        for topic, topic_id in zip(topics, ids, strict=True)
    ]
    group = OffsetFetchRequestGroup(group_id=group_id, topics=rows or None)
    request = OffsetFetchRequest(group_id=group_id, topics=names or None, groups=[group])
    answer = await client.ask(request, version)
    return answer.groups[0] if version >= 8 else answer


def cells(answer: Any) -> dict[str, tuple[int, str, int]]:
    """Offset, metadata and code by topic."""
    return {
        topic.name: (row.committed_offset, row.metadata, row.error_code)
        for topic in answer.topics
        for row in topic.partitions
    }


@pytest.mark.parametrize("version", range(1, 11))
async def test_offset_of_every_version_is_committed_and_fetched(version: int, broker: Running) -> None:
    with broker.connect() as client:
        assert await commit(client, version) == 0
        answer = await fetch(client, version, "t", "u")
        assert answer.error_code == 0
        if version < 10:
            assert cells(answer) == {"t": (5, "note", 0), "u": (-1, "", 0)}
        else:
            assert [(topic.topic_id, topic.partitions[0].committed_offset) for topic in answer.topics] == [
                (await id_of(client, "t"), 5),
                (await id_of(client, "u"), -1),
            ]


@pytest.mark.parametrize("version", [6, 10])
async def test_leader_epoch_is_kept(version: int, broker: Running) -> None:
    with broker.connect() as client:
        await commit(client, version, row={"committed_leader_epoch": 7})
        [topic] = (await fetch(client, version, "t")).topics
        assert topic.partitions[0].committed_leader_epoch == 7


@pytest.mark.parametrize("version", range(2, 11))
async def test_null_topics_are_all_that_was_committed(version: int, broker: Running) -> None:
    with broker.connect() as client:
        await commit(client, 5)
        answer = await fetch(client, version)
        assert [topic.partitions[0].committed_offset for topic in answer.topics] == [5]
        assert answer.topics[0].name == ("t" if version < 10 else "")


async def test_several_groups_in_one_fetch_answer_for_themselves(broker: Running) -> None:
    with broker.connect() as client:
        await commit(client, 8, 5)
        await commit(client, 8, 6, group_id="h")
        groups = [OffsetFetchRequestGroup(group_id=each, topics=None) for each in ("h", "nobody", "g")]
        answer = await client.ask(OffsetFetchRequest(groups=groups, require_stable=True), 8)
        found = [(g.group_id, [t.partitions[0].committed_offset for t in g.topics]) for g in answer.groups]
        assert found == [("h", [6]), ("nobody", []), ("g", [5])]


async def test_version_0_commits_where_clients_of_that_time_look(broker: Running) -> None:
    """In the registry; the group's log knows nothing of it, and the other way round."""
    with broker.connect() as client:
        await commit(client, 1, 8)
        assert cells(await fetch(client, 0, "t")) == {"t": (-1, "", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)}
        for offset in (5, 6):
            assert await commit(client, 0, offset) == 0
        assert cells(await fetch(client, 0, "t", "u", "no such topic")) == {
            "t": (6, "", 0),
            "u": (-1, "", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
            "no such topic": (-1, "", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        }
        assert cells(await fetch(client, 1, "t")) == {"t": (8, "note", 0)}


@pytest.mark.parametrize("group_id", ["", ".", "..", "a/b", "a\0b"])
async def test_version_0_refuses_names_that_no_node_has(group_id: str, broker: Running) -> None:
    with broker.connect() as client:
        assert await commit(client, 0, group_id=group_id) == ErrorCode.INVALID_GROUP_ID
        assert cells(await fetch(client, 0, "t", group_id=group_id))["t"][2] == ErrorCode.INVALID_GROUP_ID


async def test_group_without_a_name_keeps_offsets(broker: Running) -> None:
    """As in Kafka: members need a group with a name, offsets do not."""
    with broker.connect() as client:
        assert await commit(client, 1, group_id="") == 0
        assert cells(await fetch(client, 1, "t", group_id=""))["t"][0] == 5


BAD_COMMITS = [
    ({"topic": "no such topic"}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ({"row": {"partition_index": 1}}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ({"row": {"partition_index": -1}}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ({"row": {"committed_metadata": "x" * 4097}}, ErrorCode.OFFSET_METADATA_TOO_LARGE),
    ({"generation_id_or_member_epoch": 1, "member_id": "a"}, ErrorCode.ILLEGAL_GENERATION),
]


@pytest.mark.parametrize(("fields", "code"), BAD_COMMITS, ids=lambda value: str(value)[:40])
async def test_bad_commit(fields: dict[str, Any], code: ErrorCode, broker: Running) -> None:
    with broker.connect() as client:
        assert await commit(client, 8, **fields) == code
        assert (await fetch(client, 8)).topics == []


async def test_bad_row_does_not_keep_its_neighbours_from_being_committed(broker: Running) -> None:
    with broker.connect() as client:
        rows = [OffsetCommitRequestPartition(partition_index=index, committed_offset=5) for index in (0, 1)]
        topics = [OffsetCommitRequestTopic(name="t", partitions=rows)]
        answer = await client.ask(OffsetCommitRequest(group_id="g", topics=topics), 8)
        assert [row.error_code for row in answer.topics[0].partitions] == [0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
        assert cells(await fetch(client, 7)) == {"t": (5, "", 0)}


async def test_commit_of_a_group_that_is_gone_has_a_code_of_its_own_from_version_9(broker: Running) -> None:
    with broker.connect() as client:
        member: dict[str, Any] = {"generation_id_or_member_epoch": 1, "member_id": "a"}
        assert await commit(client, 9, **member) == ErrorCode.GROUP_ID_NOT_FOUND
        assert await commit(client, 10, topic_id=UUID(int=1)) == ErrorCode.UNKNOWN_TOPIC_ID


async def test_member_commits_and_strangers_do_not(broker: Running) -> None:
    with broker.connect() as client:
        member_id = await stable(client)
        assert await commit(client, 8) == ErrorCode.UNKNOWN_MEMBER_ID
        assert await commit(client, 8, member_id=member_id, generation_id_or_member_epoch=1) == 0
        late: dict[str, Any] = {"member_id": member_id, "generation_id_or_member_epoch": 0}
        assert await commit(client, 8, **late) == ErrorCode.ILLEGAL_GENERATION
        assert cells(await fetch(client, 7, "t"))["t"][0] == 5


async def test_offset_of_a_deleted_topic_is_not_that_of_its_successor(broker: Running) -> None:
    with broker.connect() as client:
        await commit(client, 8)
        await client.ask(DeleteTopicsRequest(topic_names=["t"], timeout_ms=30_000), 5)
        await create(client, "t")
        assert cells(await fetch(client, 7, "t")) == {"t": (-1, "", 0)}
        assert (await fetch(client, 8)).topics == []


async def test_retention_time_of_old_clients_is_kept(autojump_clock: MockClock) -> None:
    """Versions 2 to 4: the client says how long; a time per row in version 1 is when it was committed."""
    interval = {"offsets.retention.check.interval.ms": "1000", "offsets.retention.minutes": "1"}
    async with running(interval) as broker:
        with broker.connect() as client:
            await find(client)
            await create(client, "t", "u")
            await commit(client, 2, retention_time_ms=3_600_000)
            await commit(client, 1, topic="u", row={"commit_timestamp": NOW_MS - 59_000})
            broker.world.clock.advance(2_000)  # type: ignore[attr-defined]
            await trio.sleep(1.5)
            assert cells(await fetch(client, 7)) == {"t": (5, "note", 0)}
            broker.world.clock.advance(3_600_000)  # type: ignore[attr-defined]
            await trio.sleep(1.5)
            assert cells(await fetch(client, 7)) == {}
            assert (await client.ask(ListGroupsRequest(), 4)).groups == []


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("kept_ms", [2**63 - 1, -(2**63)])
async def test_retention_time_beyond_the_end_of_time_is_no_error_of_ours(
    version: int, kept_ms: int, broker: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with broker.connect() as client:
        assert await commit(client, version, retention_time_ms=kept_ms) == ErrorCode.NONE
        assert cells(await fetch(client, 7)) == {"t": (5, "note", 0)}
    assert "a bug of the broker" not in caplog.text


@pytest.mark.parametrize("version", range(7))
async def test_description_of_every_version(version: int, broker: Running) -> None:
    with broker.connect("app") as client:
        member_id = await stable(client)
        request = DescribeGroupsRequest(groups=["g", "nobody"], include_authorized_operations=version == 6)
        group, nobody = (await client.ask(request, version)).groups
        assert (group.error_code, group.group_state, group.protocol_type, group.protocol_data) == (
            0,
            "Stable",
            "consumer",
            "range",
        )
        [member] = group.members
        assert (member.member_id, member.client_id, member.client_host) == (member_id, "app", "/10.0.0.1")
        assert (member.member_metadata, member.member_assignment) == (SUBSCRIPTION, b"all")
        operations = 1 << Operation.READ | 1 << Operation.DELETE | 1 << Operation.DESCRIBE
        if version == 6:
            assert group.authorized_operations & operations == operations
            assert (nobody.error_code, nobody.error_message) == (
                ErrorCode.GROUP_ID_NOT_FOUND,
                "Group nobody not found.",
            )
        else:
            assert group.authorized_operations == NOT_ASKED
            assert nobody.error_code == 0
        assert (nobody.group_id, nobody.group_state) == ("nobody", "Dead")


@pytest.mark.parametrize("version", range(6))
async def test_list_of_every_version(version: int, broker: Running) -> None:
    with broker.connect() as client:
        await stable(client, "g")
        await commit(client, 1, group_id="h")
        answer = await client.ask(ListGroupsRequest(), version)
        assert {(group.group_id, group.protocol_type) for group in answer.groups} == {("g", "consumer"), ("h", "")}
        if version >= 4:
            assert {group.group_state for group in answer.groups} == {"Stable", "Empty"}
        if version >= 5:
            assert {group.group_type for group in answer.groups} == {"classic"}


async def test_list_is_filtered_by_state_and_type(broker: Running) -> None:
    with broker.connect() as client:
        await stable(client, "g")
        await commit(client, 1, group_id="h")

        async def listed(states: list[str], types: list[str]) -> list[str]:
            answer = await client.ask(ListGroupsRequest(states_filter=states, types_filter=types), 5)
            return sorted(group.group_id for group in answer.groups)

        assert await listed(["Stable"], []) == ["g"]
        assert await listed(["empty", "Dead"], ["Classic"]) == ["h"]
        assert await listed([], ["consumer"]) == []
        assert await listed(["no such state"], []) == []


@pytest.mark.parametrize("version", range(4))
async def test_delete_of_every_version(version: int, broker: Running) -> None:
    with broker.connect() as client:
        await stable(client, "g")
        await commit(client, 1, group_id="h")
        names = ["g", "h", "nobody", "h"]
        answer = await client.ask(DeleteGroupsRequest(groups_names=names), version)
        assert {row.group_id: row.error_code for row in answer.results} == {
            "g": ErrorCode.NON_EMPTY_GROUP,
            "h": ErrorCode.NONE,
            "nobody": ErrorCode.GROUP_ID_NOT_FOUND,
        }
        assert cells(await fetch(client, 7, group_id="h")) == {}


async def test_request_about_thousands_of_groups_lets_others_have_their_turn(broker: Running) -> None:
    """One client with a long list must not stop the loop for the others."""
    with broker.connect() as greedy, broker.connect() as patient:
        await greedy.send(DescribeGroupsRequest(groups=[f"group {number}" for number in range(5_000)]), 5)
        async with trio.open_nursery() as nursery:
            answered: list[str] = []

            async def note(name: str, client: WireClient) -> None:
                await client.receive()
                answered.append(name)

            nursery.start_soon(note, "greedy", greedy)
            await trio.lowlevel.checkpoint()
            await patient.send(ListGroupsRequest(), 4)
            nursery.start_soon(note, "patient", patient)
        assert answered == ["patient", "greedy"]


async def test_offsets_outlive_a_restart(tmp_path: Path) -> None:
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            await find(client)
            await create(client, "t")
            assert await commit(client, 8) == 0
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            await find(client)
            for _ in range(1000):
                answer = await fetch(client, 8, "t")
                if answer.error_code != ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
                    break
                await trio.sleep(0.01)
            assert cells(answer) == {"t": (5, "note", 0)}


class Deny:
    """Everything on one kind of resource."""

    def __init__(self, kind: ResourceType | None) -> None:
        self.kind = kind

    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        return resource.type is not self.kind


async def test_who_may_not_use_the_group_hears_nothing_of_it(autojump_clock: MockClock) -> None:
    denied, deny = ErrorCode.GROUP_AUTHORIZATION_FAILED, Deny(ResourceType.GROUP)
    async with running(authorizer=deny) as broker:
        with broker.connect() as client:
            deny.kind = None
            await find(client)
            await create(client, "t")
            await commit(client, 8)
            deny.kind = ResourceType.GROUP
            assert await commit(client, 8) == denied
            assert cells(await fetch(client, 1, "t")) == {"t": (-1, "", denied)}
            for version in (2, 8, 10):
                answer = await fetch(client, version)
                assert (answer.error_code, answer.topics) == (denied, [])
            [described] = (await client.ask(DescribeGroupsRequest(groups=["g"]), 6)).groups
            assert (described.error_code, described.group_state) == (denied, "")
            [deleted] = (await client.ask(DeleteGroupsRequest(groups_names=["g"]), 3)).results
            assert deleted.error_code == denied


async def test_who_may_not_read_the_topic_neither_commits_nor_sees_its_offsets(autojump_clock: MockClock) -> None:
    denied, deny = ErrorCode.TOPIC_AUTHORIZATION_FAILED, Deny(ResourceType.TOPIC)
    async with running(authorizer=deny) as broker:
        with broker.connect() as client:
            deny.kind = None
            await find(client)
            await create(client, "t")
            for version in (0, 8):
                await commit(client, version)
            deny.kind = ResourceType.TOPIC
            for version in (0, 8):
                assert await commit(client, version, 6) == denied
            for version in (0, 1, 7):
                assert cells(await fetch(client, version, "t")) == {"t": (-1, "", denied)}
            assert (await fetch(client, 7)).topics == []


async def test_groups_are_listed_for_who_may_describe_either_the_cluster_or_the_group(
    autojump_clock: MockClock,
) -> None:
    deny = Deny(None)
    async with running(authorizer=deny) as broker:
        with broker.connect() as client:
            await find(client)
            assert (await client.ask(join_request(), 9)).error_code == ErrorCode.MEMBER_ID_REQUIRED
            for kind, seen in ((ResourceType.CLUSTER, ["g"]), (ResourceType.GROUP, ["g"])):
                deny.kind = kind
                answer = await client.ask(ListGroupsRequest(), 4)
                assert [group.group_id for group in answer.groups] == seen


async def test_a_disk_full_to_the_last_byte_refuses_commits_for_now_and_keeps_the_group(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """NOT_COORDINATOR is what clients try again; the group goes on where it was."""
    async with running(data=tmp_path) as here:
        with here.connect() as client:
            await find(client)
            await create(client, "t")
            assert await commit(client, 8, offset=5) == 0
            storage: Any = here.world.storage
            (directory,) = storage._directories
            measure, directory.measure = directory.measure, lambda: (1 << 30, 1 << 10)
            await storage._watch.look_at_space()
            caplog.clear()
            for _ in range(3):
                assert await commit(client, 8, offset=6) == ErrorCode.NOT_COORDINATOR
            assert [record.getMessage() for record in caplog.records if record.levelname != "INFO"] == []
            directory.measure = measure
            await storage._watch.look_at_space()
            assert await commit(client, 8, offset=7) == 0
