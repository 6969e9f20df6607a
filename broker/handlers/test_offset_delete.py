"""OffsetDelete asked of a whole broker: what goes, what stays, and every refusal."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio.lowlevel import checkpoint
from trio.testing import MockClock

from broker.testing.calls import create
from broker.testing.client import WireClient
from broker.testing.groups import find, joined, stable
from broker.testing.running import Running, running
from kproto.errors import ErrorCode
from kproto.messages.list_groups import ListGroupsRequest
from kproto.messages.offset_commit import OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic
from kproto.messages.offset_delete import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from kproto.messages.offset_fetch import OffsetFetchRequest

UNKNOWN, READ = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC


@pytest.fixture
async def broker(autojump_clock: MockClock) -> AsyncIterator[Running]:
    """With the topics t and u, of one partition each."""
    async with running() as here:
        with here.connect() as client:
            await find(client)
            await create(client, "t", "u")
        yield here


async def commit(client: WireClient, *topics: str, member: str = "", generation: int = -1) -> None:
    row = OffsetCommitRequestPartition(committed_offset=5, committed_metadata="")
    rows = [OffsetCommitRequestTopic(name=topic, partitions=[row]) for topic in topics]
    request = OffsetCommitRequest(group_id="g", member_id=member, generation_id_or_member_epoch=generation, topics=rows)
    answer = await client.ask(request, 2)
    assert [each.partitions[0].error_code for each in answer.topics] == [0] * len(topics)


async def committed(client: WireClient) -> set[str]:
    """Once the coordinator has read its log, as any client waits for that."""
    asked = OffsetFetchRequest(group_id="g", topics=None)
    while (answer := await client.ask(asked, 2)).error_code == ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
        await checkpoint()
    assert answer.error_code == ErrorCode.NONE
    return {topic.name for topic in answer.topics}


async def delete(
    client: WireClient, *rows: tuple[str, int], group: str = "g"
) -> tuple[int, list[tuple[str, int, int]]]:
    """The code on top, and of each row topic, partition and code."""
    topics = [
        OffsetDeleteRequestTopic(name=topic, partitions=[OffsetDeleteRequestPartition(partition_index=index)])
        for topic, index in rows
    ]
    answer = await client.ask(OffsetDeleteRequest(group_id=group, topics=topics), 0)
    told = [(topic.name, row.partition_index, row.error_code) for topic in answer.topics for row in topic.partitions]
    return answer.error_code, told


async def test_offsets_go_and_the_group_with_the_last_of_them(broker: Running) -> None:
    with broker.connect() as client:
        await commit(client, "t", "u")
        assert await delete(client, ("t", 0), ("t", 9), ("nosuch", 0)) == (
            0,
            [("t", 0, 0), ("t", 9, UNKNOWN), ("nosuch", 0, UNKNOWN)],
        )
        assert await committed(client) == {"u"}
        assert await delete(client, ("t", 0)) == (0, [("t", 0, 0)])
        assert await delete(client, ("u", 0)) == (0, [("u", 0, 0)])
        assert (await client.ask(ListGroupsRequest(), 0)).groups == []
        assert await delete(client, ("u", 0)) == (ErrorCode.GROUP_ID_NOT_FOUND, [])


async def test_a_topic_that_members_read_keeps_its_offsets(broker: Running) -> None:
    with broker.connect() as client:
        member = await stable(client)
        await commit(client, "t", "u", member=member, generation=1)
        assert await delete(client, ("t", 0), ("u", 0)) == (0, [("t", 0, READ), ("u", 0, 0)])
        assert await committed(client) == {"t"}


async def test_members_that_are_no_consumers_keep_everything(broker: Running) -> None:
    with broker.connect() as client:
        await joined(client, protocol_type="connect")
        assert await delete(client, ("t", 0)) == (ErrorCode.NON_EMPTY_GROUP, [])


@pytest.mark.parametrize(
    ("group", "code"), [("", ErrorCode.INVALID_GROUP_ID), ("nosuch", ErrorCode.GROUP_ID_NOT_FOUND)]
)
async def test_a_group_that_is_not_there_is_refused_on_top(broker: Running, group: str, code: ErrorCode) -> None:
    with broker.connect() as client:
        assert await delete(client, ("t", 0), group=group) == (code, [])


async def test_what_was_deleted_is_gone_after_a_restart(tmp_path: Path) -> None:
    async with running(data=tmp_path) as first:
        with first.connect() as client:
            await find(client)
            await create(client, "t", "u")
            await commit(client, "t", "u")
            assert await delete(client, ("t", 0)) == (0, [("t", 0, 0)])
    async with running(data=tmp_path) as second:
        with second.connect() as client:
            await find(client)
            assert await committed(client) == {"u"}
