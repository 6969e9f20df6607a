"""Fetch from the outside: what is found, and what a long poll waits for."""

from pathlib import Path

import pytest
import trio

from broker.handlers.fetch import A_READ_IN_LOOKS, LOOKS_A_STEP
from broker.partitions.partition import Partition
from broker.testing.calls import (
    NOW_MS,
    batch_of,
    create,
    fetch_request,
    fetched,
    produce,
    produce_request,
    values_in,
)
from broker.testing.client import WireClient
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic, ReplicaState
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.records.batch import read_header, read_records, split
from kproto.records.control import EndTxnMarker, MarkerType, build_marker

NEWEST = 18


async def test_a_fetch_begins_with_the_batch_that_holds_the_offset() -> None:
    """Whole batches leave: the client skips what it did not ask for."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a", "b", "c")
            await produce(client, "t", "d")
            assert await fetched(client, "t", 1) == ["a", "b", "c", "d"]
            assert await fetched(client, "t", 3) == ["d"]
            assert await fetched(client, "t", 4) == []


async def test_a_long_poll_ends_when_something_comes() -> None:
    """Not before, and not at the end of its time."""
    async with running() as broker:
        with broker.connect() as reader, broker.connect() as writer:
            await create(writer, "t")
            await reader.send(fetch_request("t", max_wait_ms=60_000), 11)
            began = trio.current_time()
            await trio.sleep(0.01)
            await produce(writer, "t", "a")
            assert values_in(await reader.receive()) == ["a"]
            assert trio.current_time() - began < 30


async def test_a_long_poll_waits_for_enough_bytes() -> None:
    """`min_bytes` counts over all appends, the time limit ends it all the same."""
    async with running() as broker:
        with broker.connect() as reader, broker.connect() as writer:
            await create(writer, "t")
            one = len(batch_of("a"))
            await reader.send(fetch_request("t", max_wait_ms=60_000, min_bytes=2 * one), 11)
            await produce(writer, "t", "a")
            await produce(writer, "t", "b")
            assert values_in(await reader.receive()) == ["a", "b"]
            await reader.send(fetch_request("t", max_wait_ms=50, min_bytes=1_000_000), 11)
            assert values_in(await reader.receive()) == ["a", "b"]


async def test_a_long_poll_ends_when_the_flush_makes_it_readable(tmp_path: Path) -> None:
    """`flush.messages=1`: the high watermark moves after the append, and nobody counts the bytes then."""
    async with running(data=tmp_path) as broker:
        with broker.connect() as reader, broker.connect() as writer:
            await create(writer, "t", flush_messages="1")
            await reader.send(fetch_request("t", max_wait_ms=600_000), 11)
            began = trio.current_time()
            await trio.sleep(0.01)
            await produce(writer, "t", "a")
            assert values_in(await reader.receive()) == ["a"]
            assert trio.current_time() - began < 60


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (FetchPartition(partition=0, fetch_offset=5), ErrorCode.OFFSET_OUT_OF_RANGE),
        (FetchPartition(partition=0, fetch_offset=-1), ErrorCode.OFFSET_OUT_OF_RANGE),
        (FetchPartition(partition=3), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        (FetchPartition(partition=0, current_leader_epoch=99), ErrorCode.UNKNOWN_LEADER_EPOCH),
    ],
    ids=["past the end", "negative", "no such partition", "epoch of the future"],
)
async def test_a_wrong_row_is_answered_at_once(asked: FetchPartition, code: ErrorCode) -> None:
    """Rows 76 and 77: waiting would not help."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a")
            asked.partition_max_bytes = 1_000
            request = FetchRequest(max_wait_ms=600_000, min_bytes=1, topics=[FetchTopic(topic="t", partitions=[asked])])
            answer = await client.ask(request, 12)
            assert answer.responses[0].partitions[0].error_code == code


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (FetchRequest(session_id=7, session_epoch=3), ErrorCode.FETCH_SESSION_ID_NOT_FOUND),
        (FetchRequest(isolation_level=7), ErrorCode.INVALID_REQUEST),
    ],
    ids=["a session that is not there", "isolation level 7"],
)
async def test_a_wrong_request_is_refused_as_a_whole(request_: FetchRequest, code: ErrorCode) -> None:
    """Rows 78 and 80."""
    async with running() as broker:
        with broker.connect() as client:
            assert (await client.ask(request_, 11)).error_code == code


async def test_topics_are_found_by_id() -> None:
    """Version 13 and later; an id that nobody knows has a code of its own (row 79)."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a")
            metadata = await client.ask(MetadataRequest(topics=[MetadataRequestTopic(name="t")]), 12)
            row = FetchPartition(partition=0, partition_max_bytes=1_000)
            known = FetchTopic(topic_id=metadata.topics[0].topic_id, partitions=[row])
            unknown = FetchTopic(topic_id=broker.world.chance.uuid(), partitions=[row])
            answer = await client.ask(FetchRequest(topics=[known, unknown]), NEWEST)
            codes = [topic.partitions[0].error_code for topic in answer.responses]
            assert codes == [ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_ID]
            assert len(answer.responses[0].partitions[0].records) == len(batch_of("a"))


async def test_a_client_that_poses_as_a_replica_gets_nothing() -> None:
    """Row 81: broker 0 is the leader itself, and broker 5 has no replica."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a")
            for replica in (0, 5):
                request = fetch_request("t")
                request.replica_id, request.replica_state = replica, ReplicaState(replica_id=replica)
                answer = await client.ask(request, 11)
                row = answer.responses[0].partitions[0]
                assert (row.error_code, bytes(row.records)) == (ErrorCode.NOT_LEADER_OR_FOLLOWER, b"")


async def test_limits_still_let_the_first_batch_through() -> None:
    """Row 82, KIP-74: or a consumer with small limits would stand still for ever."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a")
            await produce(client, "t", "b")
            request = fetch_request("t")
            request.max_bytes = 0
            request.topics[0].partitions[0].partition_max_bytes = 1
            assert values_in(await client.ask(request, 11)) == ["a"]


async def test_a_wrong_offset_is_told_even_when_the_answer_is_full() -> None:
    """Or the reader would learn it only once its neighbours are quiet."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t", "u")
            await produce(client, "t", "a")
            request = fetch_request("t")
            request.max_bytes = 1
            request.topics += fetch_request("u", 5).topics
            answer = await client.ask(request, 11)
            assert answer.responses[1].partitions[0].error_code == ErrorCode.OFFSET_OUT_OF_RANGE
            assert values_in(answer) == ["a"]


async def test_a_diverging_reader_is_told_where_its_log_parted() -> None:
    """KIP-595: an epoch that the leader never had."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a")
            request = fetch_request("t", 1)
            request.topics[0].partitions[0].last_fetched_epoch = 7
            row = (await client.ask(request, 12)).responses[0].partitions[0]
            assert row.error_code == ErrorCode.NONE
            assert (row.diverging_epoch.epoch, row.diverging_epoch.end_offset) == (0, 1)


async def test_an_epoch_without_a_batch_ends_where_the_log_does() -> None:
    """A reader that follows the leader into a new epoch has not parted from it; nothing is known of an epoch before."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            for epoch, code in ((0, ErrorCode.NONE), (7, ErrorCode.OFFSET_OUT_OF_RANGE)):
                request = fetch_request("t")
                request.topics[0].partitions[0].last_fetched_epoch = epoch
                row = (await client.ask(request, 12)).responses[0].partitions[0]
                assert (row.error_code, row.diverging_epoch) == (code, None)


async def test_a_deleted_topic_wakes_its_readers() -> None:
    """They are told at once, not when their time is up."""
    from kproto.messages.delete_topics import DeleteTopicsRequest

    async with running() as broker:
        with broker.connect() as reader, broker.connect() as admin:
            await create(admin, "t")
            await reader.send(fetch_request("t", max_wait_ms=600_000), 11)
            began = trio.current_time()
            await trio.sleep(0.01)
            await admin.ask(DeleteTopicsRequest(topic_names=["t"], timeout_ms=10_000), 5)
            row = (await reader.receive()).responses[0].partitions[0]
            assert row.error_code in (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.NOT_LEADER_OR_FOLLOWER)
            assert trio.current_time() - began < 60


async def test_a_produce_to_one_partition_does_not_answer_a_reader_of_another() -> None:
    """Each watches its own."""
    async with running() as broker:
        with broker.connect() as reader, broker.connect() as writer:
            await create(writer, "t", "u")
            await reader.send(fetch_request("t", max_wait_ms=60_000), 11)
            await writer.ask(produce_request("u", batch_of("x")), 9)
            await produce(writer, "t", "a")
            assert values_in(await reader.receive()) == ["a"]


# --- transactions ---


async def test_readers_of_committed_records_get_what_is_decided_and_hear_what_was_aborted() -> None:
    """Others get all there is. Both kinds of reader are told where the decided part ends."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            [partition] = [each for each in broker.broker._partitions if each.topic == "t"]
            in_transaction(partition, "a", 7)
            await produce(client, "t", "free")
            assert await committed(client) == ([], [], 0)
            assert await fetched(client, "t") == ["a", "free"]
            end(partition, MarkerType.ABORT, 7)
            assert await committed(client) == (["a", "free"], [(7, 0)], 3)
            in_transaction(partition, "b", 8)
            assert await committed(client) == (["a", "free"], [(7, 0)], 3)
            end(partition, MarkerType.COMMIT, 8)
            assert await committed(client, 3) == (["b"], [], 5)


async def test_a_marker_ends_the_wait_of_a_reader_of_committed_records() -> None:
    """However many bytes it waits for: what it can read now was written before."""
    async with running() as broker:
        with broker.connect() as reader, broker.connect() as client:
            await create(client, "t")
            [partition] = [each for each in broker.broker._partitions if each.topic == "t"]
            in_transaction(partition, "x" * 1000, 7)
            request = fetch_request("t", max_wait_ms=60_000, min_bytes=1000)
            request.isolation_level = 1
            began = trio.current_time()
            await reader.send(request, 11)
            await trio.sleep(0.01)
            end(partition, MarkerType.COMMIT, 7)
            row = (await reader.receive()).responses[0].partitions[0]
            assert len(row.records) > 1000
            assert trio.current_time() - began < 30


def in_transaction(partition: Partition, value: str, producer_id: int) -> None:
    written = batch_of(value, producer_id=producer_id, producer_epoch=0, base_sequence=0, transactional=True)
    batch = memoryview(bytearray(written))
    partition.append(batch, read_header(batch), -1)


def end(partition: Partition, kind: MarkerType, producer_id: int) -> None:
    """As the transaction coordinator does."""
    written = build_marker(EndTxnMarker(kind, 0), producer_id=producer_id, producer_epoch=0, timestamp_ms=NOW_MS)
    marker = memoryview(bytearray(written))
    partition.append(marker, read_header(marker), -1)


async def committed(client: WireClient, offset: int = 0) -> tuple[list[str], list[tuple[int, int]], int]:
    """Values (markers left out), aborted transactions and last stable offset."""
    request = fetch_request("t", offset)
    request.isolation_level = 1
    row = (await client.ask(request, 11)).responses[0].partitions[0]
    batches = [batch for header, batch in split(memoryview(row.records)) if not header.is_control]
    values = [(record.value or b"").decode() for batch in batches for record in read_records(batch)]
    return values, [(each.producer_id, each.first_offset) for each in row.aborted_transactions], row.last_stable_offset


@pytest.mark.parametrize(("offset", "rows"), [(1, 10 * LOOKS_A_STEP), (0, 10 * LOOKS_A_STEP // A_READ_IN_LOOKS)])
async def test_a_fetch_of_many_partitions_lets_others_in_between(offset: int, rows: int) -> None:
    """As often as its length says, though nothing is found in any of them; and more often if much is read."""
    async with running() as broker, trio.open_nursery() as nursery:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a")
            turns = 0

            async def take_turns() -> None:
                nonlocal turns
                while True:
                    await trio.lowlevel.checkpoint()
                    turns += 1

            async def turns_amid(partitions: int) -> int:
                before = turns
                asked = [FetchPartition(partition=0, fetch_offset=offset, partition_max_bytes=100)] * partitions
                answer = await client.ask(FetchRequest(topics=[FetchTopic(topic="t", partitions=asked)]), 11)
                assert [bool(row.records) for row in answer.responses[0].partitions] == [offset == 0] * partitions
                return turns - before

            nursery.start_soon(take_turns)
            assert await turns_amid(rows) >= await turns_amid(1) + 5  # some passes of the loop more or less are chance
            nursery.cancel_scope.cancel()
