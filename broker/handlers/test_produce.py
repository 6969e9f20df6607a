"""Produce from the outside: what is stored, what is answered, and when."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import trio

from broker.testing.calls import batch_of, create, fetched, topic_to_create
from broker.testing.client import WireClient
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.create_topics import CreateTopicsRequest
from kproto.messages.produce import PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData
from kproto.records.batch import build_batch
from kproto.records.compression import Codec
from kproto.records.record import Record

VERSION = 9


def request(rows: Mapping[int, bytes | None], acks: int = -1) -> ProduceRequest:
    data = [PartitionProduceData(index=index, records=records) for index, records in rows.items()]
    return ProduceRequest(acks=acks, timeout_ms=5_000, topic_data=[TopicProduceData(name="t", partition_data=data)])


async def produce(
    client: WireClient, rows: Mapping[int, bytes | None], acks: int = -1
) -> list[PartitionProduceResponse]:
    """One batch a partition; the rows of the answer."""
    answer = await client.ask(request(rows, acks), VERSION)
    found: list[PartitionProduceResponse] = answer.responses[0].partition_responses
    return found


async def create_two_partitions(client: WireClient) -> None:
    await client.ask(CreateTopicsRequest(topics=[topic_to_create("t", 2)], timeout_ms=30_000), 5)


@pytest.mark.parametrize("acks", [1, -1])
async def test_batches_get_the_next_offsets(acks: int) -> None:
    """And a fetch finds them as they were sent."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            assert [row.base_offset for row in await produce(client, {0: batch_of("a", "")}, acks)] == [0]
            assert [row.base_offset for row in await produce(client, {0: batch_of("c")}, acks)] == [2]
            assert await fetched(client, "t") == ["a", "", "c"]


async def test_a_refused_row_leaves_its_neighbours_alone() -> None:
    """Each partition answers for itself."""
    async with running() as broker:
        with broker.connect() as client:
            await create_two_partitions(client)
            rows = await produce(client, {0: batch_of("a"), 1: b"nonsense", 7: batch_of("x")})
            assert [row.error_code for row in rows] == [
                ErrorCode.NONE,
                ErrorCode.INVALID_RECORD,
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
            ]
            assert await fetched(client, "t") == ["a"]


async def test_short_refused_and_long_rows_go_together() -> None:
    """A long one sends the read buffer home; nothing of the others may lie in it still."""
    async with running() as broker:
        with broker.connect() as client:
            await create_two_partitions(client)
            bomb = build_batch([Record(0, 1_000, None, bytes(10_000), [])] * 300, codec=Codec.GZIP)
            rows = await produce(client, {0: batch_of("a"), 7: b"nonsense", 1: bomb})
            assert [row.error_code for row in rows] == [
                ErrorCode.NONE,
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                ErrorCode.NONE,
            ]
            assert await fetched(client, "t") == ["a"]


async def test_without_acks_nothing_is_answered() -> None:
    """The next answer is that of the next request."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await client.send(request({0: batch_of("a")}, acks=0), VERSION, answered=False)
            assert await fetched(client, "t") == ["a"]


async def test_without_acks_a_refusal_hangs_up() -> None:
    """Row 74: there is no other way to say no."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await client.send(request({0: b"nonsense"}, acks=0), VERSION, answered=False)
            with pytest.raises(EOFError):
                await client.receive()


async def test_a_repeat_of_an_idempotent_producer_is_answered_with_its_old_place() -> None:
    """Row 69: the answer may have been lost, the batch was not."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            first = batch_of("a", producer_id=5, producer_epoch=0, base_sequence=0)
            assert [row.base_offset for row in await produce(client, {0: first})] == [0]
            assert [row.base_offset for row in await produce(client, {0: first})] == [0]
            gap = batch_of("c", producer_id=5, producer_epoch=0, base_sequence=7)
            assert [row.error_code for row in await produce(client, {0: gap})] == [
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
            ]
            assert await fetched(client, "t") == ["a"]


async def test_acks_wait_for_the_flush_where_the_topic_asks_for_it(tmp_path: Path) -> None:
    """`flush.messages=1`: acked means on the disk, whatever the acks."""
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "t", flush_messages="1")
            for acks in (1, -1):
                assert [row.error_code for row in await produce(client, {0: batch_of("a")}, acks)] == [ErrorCode.NONE]
            (partition,) = [p for p in broker.broker._partitions if p.topic == "t"]
            assert partition.log.flushed_offset == partition.log.end_offset == 2


async def test_a_long_batch_lets_others_pass() -> None:
    """A walk over 100,000 records takes turns with another client's small requests."""
    async with running() as broker:
        with broker.connect() as slow, broker.connect() as quick:
            await create_two_partitions(slow)
            long = build_batch([Record(0, 1_000, None, b"", []) for _ in range(100_000)])
            passed = 0

            async def pass_by() -> None:
                nonlocal passed
                while True:
                    await produce(quick, {1: batch_of("x")})
                    passed += 1

            async with trio.open_nursery() as nursery:
                nursery.start_soon(pass_by)
                rows = await produce(slow, {0: long})
                nursery.cancel_scope.cancel()
            assert [row.error_code for row in rows] == [ErrorCode.NONE]
            assert passed > 10
