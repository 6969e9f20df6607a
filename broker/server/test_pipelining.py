"""[ApiVersions, X]: where X waits, the answer before it leaves at once, and the read buffer goes home, poisoned.

Both requests come in one run of bytes. What X waits for is in the test's hand: time, another client, the disk, the
registry.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import trio
import trio.testing

from broker.testing.calls import (
    batch_of,
    create,
    fetch_request,
    fetched,
    produce,
    produce_request,
    topic_to_create,
    values_in,
)
from broker.testing.client import WireClient
from broker.testing.gates import Gate, GatedDisk, gated
from broker.testing.questions import codes_in
from broker.testing.running import Running, running
from broker.testing.storage import storage_on
from broker.world import World
from kproto.errors import ErrorCode
from kproto.messages.api_versions import ApiVersionsRequest, ApiVersionsResponse
from kproto.messages.create_partitions import CreatePartitionsRequest, CreatePartitionsTopic
from kproto.messages.create_topics import CreateTopicsRequest
from kproto.messages.delete_groups import DeleteGroupsRequest
from kproto.messages.delete_topics import DeleteTopicsRequest
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.init_producer_id import InitProducerIdRequest
from kproto.messages.join_group import JoinGroupRequest, JoinGroupRequestProtocol
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.messages.offset_commit import OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic
from kproto.messages.offset_fetch import OffsetFetchRequest, OffsetFetchRequestTopic
from kproto.messages.sync_group import SyncGroupRequest, SyncGroupRequestAssignment
from kproto.schema import Message

POISON = 0xDD
HOUR_MS = 3_600_000


@dataclass
class Site:
    """A broker that a test can stop at its disk and at its registry."""

    broker: Running
    disk: Gate
    registry: Gate
    client: WireClient
    other: WireClient


@asynccontextmanager
async def site(**options: str) -> AsyncIterator[Site]:
    """Options with underscores for dots. Logs are segment files on a disk in memory."""
    disk, registry = Gate(), Gate()

    def change(world: World) -> None:
        world.storage = storage_on(GatedDisk(disk), clock=world.clock)
        world.storage.claim(None)
        world.open_registry = gated(world.open_registry, registry)

    texts = {name.replace("_", "."): text for name, text in options.items()}
    async with running(texts, change=change) as broker:
        with broker.connect() as client, broker.connect("other") as other:
            try:
                yield Site(broker, disk, registry, client, other)
            finally:
                disk.open()
                registry.open()


async def first_at_once(site: Site, waiting: Message, version: int) -> None:
    """Send both; when nobody can do anything any more, the first is answered, the second is not."""
    began = trio.current_time()
    await site.client.send_together((ApiVersionsRequest(), 0), (waiting, version))
    await trio.testing.wait_all_tasks_blocked()
    assert isinstance(await site.client.receive(), ApiVersionsResponse)
    assert trio.current_time() == began
    assert site.client.is_quiet, "this was to wait"
    buffers = site.broker.world.buffers
    assert buffers.out == 0, "a request that waits keeps its read buffer"
    buffer = buffers.borrow()
    assert set(buffer) == {POISON}
    buffers.give_back(buffer)


async def test_fetch_waits_for_records(autojump_clock: trio.testing.MockClock) -> None:
    async with site() as at:
        await create(at.other, "orders")
        await first_at_once(at, fetch_request("orders", max_wait_ms=HOUR_MS), 11)
        await produce(at.other, "orders", "here")
        answer = await at.client.receive()
        assert answer.responses[0].partitions[0].high_watermark == 1


async def test_fetch_waits_for_its_time(autojump_clock: trio.testing.MockClock) -> None:
    async with site() as at:
        await create(at.other, "orders")
        began = trio.current_time()
        await first_at_once(at, fetch_request("orders", max_wait_ms=HOUR_MS), 11)
        answer = await at.client.receive()
        assert answer.responses[0].partitions[0].error_code == ErrorCode.NONE
        assert trio.current_time() - began == pytest.approx(HOUR_MS / 1000)


async def test_produce_waits_for_the_disk(autojump_clock: trio.testing.MockClock) -> None:
    """`flush.messages=1`: no acknowledgement before the fsync; what is stored is not what lies in the buffer now."""
    async with site() as at:
        await create(at.other, "orders", flush_messages="1")
        at.disk.shut()
        await first_at_once(at, produce_request("orders", batch_of("precious")), 9)
        at.disk.open()
        answer = await at.client.receive()
        row = answer.responses[0].partition_responses[0]
        assert (row.error_code, row.base_offset) == (ErrorCode.NONE, 0)
        assert await fetched(at.other, "orders") == ["precious"]


async def test_produces_that_wait_for_one_fsync_are_answered_in_order(autojump_clock: trio.testing.MockClock) -> None:
    """Three in one buffer: the second lies there while the first waits, and is handled after it."""
    async with site() as at:
        await create(at.other, "orders", flush_messages="1")
        at.disk.shut()
        three = [(produce_request("orders", batch_of(value)), 9) for value in ("a", "b", "c")]
        await at.client.send_together(*three)
        await trio.testing.wait_all_tasks_blocked()
        assert at.client.is_quiet
        at.disk.open()
        offsets = [(await at.client.receive()).responses[0].partition_responses[0].base_offset for _ in three]
        assert offsets == [0, 1, 2]
        assert await fetched(at.other, "orders") == ["a", "b", "c"]


async def test_a_long_batch_is_checked_while_its_read_buffer_is_home(autojump_clock: trio.testing.MockClock) -> None:
    """It is walked in steps, over a copy: others use the buffer meanwhile, and what is stored is what was sent."""
    values = [f"line {number}" for number in range(20_000)]
    async with site() as at:
        await create(at.other, "orders", max_message_bytes="10000000")
        await at.client.send_together((ApiVersionsRequest(), 0), (produce_request("orders", batch_of(*values)), 9))
        assert isinstance(await at.client.receive(), ApiVersionsResponse)
        assert at.client.is_quiet, "this was to take longer"
        await create(at.other, "beside")
        await produce(at.other, "beside", "through the same buffer")
        assert not failed(await at.client.receive())
        assert await fetched(at.other, "orders") == values
        assert await fetched(at.other, "beside") == ["through the same buffer"]


def new_topic(name: str) -> CreateTopicsRequest:
    return CreateTopicsRequest(topics=[topic_to_create(name)], timeout_ms=HOUR_MS)


BY_REGISTRY: dict[str, tuple[Message, int]] = {
    "metadata that creates": (MetadataRequest(topics=[MetadataRequestTopic(name="fresh")]), 9),
    "create topics": (new_topic("fresh"), 5),
    "delete topics": (DeleteTopicsRequest(topic_names=["orders"], timeout_ms=HOUR_MS), 4),
    "create partitions": (
        CreatePartitionsRequest(
            topics=[CreatePartitionsTopic(name="orders", count=3, assignments=None)], timeout_ms=HOUR_MS
        ),
        2,
    ),
    "find coordinator that creates": (FindCoordinatorRequest(key="group"), 2),
    "init producer id": (InitProducerIdRequest(transactional_id=None), 1),
    "offset commit of version 0": (
        OffsetCommitRequest(
            group_id="old",
            topics=[
                OffsetCommitRequestTopic(
                    name="orders", partitions=[OffsetCommitRequestPartition(committed_metadata=None)]
                )
            ],
        ),
        0,
    ),
}


@pytest.mark.parametrize("name", BY_REGISTRY)
async def test_what_the_registry_must_hear_of_waits_for_it(autojump_clock: trio.testing.MockClock, name: str) -> None:
    """Topics made, deleted and grown; producer ids taken; offsets of the oldest clients."""
    question, version = BY_REGISTRY[name]
    async with site() as at:
        await create(at.other, "orders")
        at.registry.shut()
        await first_at_once(at, question, version)
        at.registry.open()
        assert not failed(await at.client.receive())


def failed(answer: Any) -> bool:
    return any(codes_in(answer))


def join(group: str, member_id: str = "") -> JoinGroupRequest:
    return JoinGroupRequest(
        group_id=group,
        session_timeout_ms=30_000,
        rebalance_timeout_ms=30_000,
        member_id=member_id,
        protocol_type="consumer",
        protocols=[JoinGroupRequestProtocol(name="range", metadata=b"mine")],
    )


async def ready_for(client: WireClient, group: str) -> None:
    assert not failed(await client.ask(FindCoordinatorRequest(key=group), 2))


async def test_join_waits_for_the_first_members_to_gather(autojump_clock: trio.testing.MockClock) -> None:
    async with site(group_initial_rebalance_delay_ms="3000") as at:
        await ready_for(at.other, "group")
        began = trio.current_time()
        await first_at_once(at, join("group"), 3)
        joined = await at.client.receive()
        assert joined.error_code == ErrorCode.NONE
        assert joined.members[0].metadata == b"mine"
        assert trio.current_time() - began == pytest.approx(3.0)


async def test_join_waits_for_members_that_must_join_again(autojump_clock: trio.testing.MockClock) -> None:
    async with site() as at:
        await ready_for(at.other, "group")
        leader = await at.other.ask(join("group"), 3)
        await first_at_once(at, join("group"), 3)
        again = await at.other.ask(join("group", leader.member_id), 3)
        joined = await at.client.receive()
        assert joined.generation_id == again.generation_id
        assert [bytes(member.metadata) for member in again.members] == [b"mine", b"mine"]


async def test_sync_waits_for_the_leaders_assignment(autojump_clock: trio.testing.MockClock) -> None:
    async with site() as at:
        await ready_for(at.other, "group")
        leader = await at.other.ask(join("group"), 3)
        await at.client.send(join("group"), 3)
        await trio.testing.wait_all_tasks_blocked()
        leader = await at.other.ask(join("group", leader.member_id), 3)
        follower = await at.client.receive()
        sync = SyncGroupRequest(group_id="group", generation_id=follower.generation_id, member_id=follower.member_id)
        await first_at_once(at, sync, 2)
        parts = [
            SyncGroupRequestAssignment(member_id=member.member_id, assignment=member.member_id.encode())
            for member in leader.members
        ]
        of_leader = SyncGroupRequest(
            group_id="group", generation_id=leader.generation_id, member_id=leader.member_id, assignments=parts
        )
        assert (await at.other.ask(of_leader, 2)).assignment == leader.member_id.encode()
        assert (await at.client.receive()).assignment == follower.member_id.encode()


async def test_a_commit_and_a_deletion_wait_for_the_disk(autojump_clock: trio.testing.MockClock) -> None:
    """Of `__consumer_offsets`, where every fsync comes before its answer; a question that has seen it waits too."""
    async with site(log_flush_interval_messages="1") as at:
        await create(at.other, "orders")
        await ready_for(at.other, "group")
        row = OffsetCommitRequestPartition(committed_offset=5, committed_metadata="where I was")
        commit = OffsetCommitRequest(
            group_id="group", topics=[OffsetCommitRequestTopic(name="orders", partitions=[row])]
        )
        at.disk.shut()
        await first_at_once(at, commit, 2)
        fetch = OffsetFetchRequest(
            group_id="group", topics=[OffsetFetchRequestTopic(name="orders", partition_indexes=[0])]
        )
        await at.other.send(fetch, 3)
        await trio.testing.wait_all_tasks_blocked()
        assert at.other.is_quiet, "an offset was told that a power cut could take back"
        at.disk.open()
        assert not failed(await at.client.receive())
        told = (await at.other.receive()).topics[0].partitions[0]
        assert (told.committed_offset, told.metadata) == (5, "where I was")
        at.disk.shut()
        await first_at_once(at, DeleteGroupsRequest(groups_names=["group"]), 1)
        at.disk.open()
        assert not failed(await at.client.receive())


async def closed_segments(client: WireClient) -> None:
    """Three batches; the first two in segments that are no longer written, whose files nobody holds open."""
    await create(client, "orders", segment_bytes="200")
    for _ in range(3):
        await produce(client, "orders", "0123456789" * 10)


async def test_fetch_waits_for_a_disk_that_hangs_and_nobody_else_does(autojump_clock: trio.testing.MockClock) -> None:
    async with site() as at:
        await closed_segments(at.other)
        at.disk.shut()
        await first_at_once(at, fetch_request("orders"), 11)
        await produce(at.other, "orders", "goes on")
        assert (await at.other.ask(ApiVersionsRequest(), 0)).error_code == ErrorCode.NONE
        at.disk.open()
        answer = await at.client.receive()
        assert answer.responses[0].partitions[0].error_code == ErrorCode.NONE
        assert len(values_in(answer)) == 1
