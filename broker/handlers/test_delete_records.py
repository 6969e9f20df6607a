"""DeleteRecords: every version, every refusal, what is left to read, and what a restart finds.

Codes are what Kafka 3.9.2 answered to the same questions.
"""

from pathlib import Path
from typing import Any

import pytest

from broker.testing.calls import NOW_MS, create, fetch_request, fetched, produce, produce_request
from broker.testing.client import WireClient
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.delete_records import DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.records.batch import build_batch
from kproto.records.record import Record

NONE, OUT_OF_RANGE = ErrorCode.NONE, ErrorCode.OFFSET_OUT_OF_RANGE
HIGH_WATERMARK = -1


async def delete(client: WireClient, topic: str, *rows: tuple[int, int], version: int = 2) -> list[tuple[int, int]]:
    """Code and low watermark of each row; a row is partition and offset."""
    partitions = [DeleteRecordsPartition(partition_index=index, offset=offset) for index, offset in rows]
    request = DeleteRecordsRequest(topics=[DeleteRecordsTopic(name=topic, partitions=partitions)], timeout_ms=1_000)
    (answer,) = (await client.ask(request, version)).topics
    assert answer.name == topic
    assert [row.partition_index for row in answer.partitions] == [index for index, _ in rows]
    return [(row.error_code, row.low_watermark) for row in answer.partitions]


async def earliest(client: WireClient, topic: str) -> int:
    row = ListOffsetsPartition(timestamp=-2)
    request = ListOffsetsRequest(replica_id=-1, topics=[ListOffsetsTopic(name=topic, partitions=[row])])
    return int((await client.ask(request, 5)).topics[0].partitions[0].offset)


async def fetch_code(client: WireClient, topic: str, offset: int) -> int:
    answer: Any = await client.ask(fetch_request(topic, offset), 11)
    return int(answer.responses[0].partitions[0].error_code)


@pytest.mark.parametrize("version", [0, 1, 2])
async def test_nothing_below_the_offset_is_read_again(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "orders")
            for value in "abcd":
                await produce(client, "orders", value)
            assert await delete(client, "orders", (0, 2), version=version) == [(NONE, 2)]
            assert await earliest(client, "orders") == 2
            assert await fetch_code(client, "orders", 1) == OUT_OF_RANGE
            assert await fetched(client, "orders", 2) == ["c", "d"]
            assert await produce(client, "orders", "e") == 4


@pytest.mark.parametrize("version", [0, 1, 2])
async def test_minus_one_is_the_high_watermark(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await produce(client, "orders", "a", "b", "c")
            assert await delete(client, "orders", (0, HIGH_WATERMARK), version=version) == [(NONE, 3)]
            assert await fetched(client, "orders", 3) == []
            assert await produce(client, "orders", "d") == 3
            assert await fetched(client, "orders", 3) == ["d"]


async def test_a_start_inside_a_batch_and_one_that_lies_behind_are_fine() -> None:
    """The batch stays whole, clients skip what is below; the start never goes back."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await produce(client, "orders", "a", "b", "c")
            assert await delete(client, "orders", (0, 1), (0, 0), (0, 2), (0, 1)) == [
                (NONE, 1),
                (NONE, 1),
                (NONE, 2),
                (NONE, 2),
            ]
            assert await earliest(client, "orders") == 2
            assert await fetched(client, "orders", 2) == ["a", "b", "c"]


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize(
    ("topic", "row", "code"),
    [
        ("orders", (0, 4), OUT_OF_RANGE),
        ("orders", (0, 2**63 - 1), OUT_OF_RANGE),
        ("orders", (0, -2), OUT_OF_RANGE),
        ("orders", (7, 1), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ("orders", (-1, 1), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ("nosuch", (0, 1), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ("", (0, 1), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ("compacted", (0, 0), ErrorCode.POLICY_VIOLATION),
        ("__consumer_offsets", (0, 0), ErrorCode.INVALID_TOPIC_EXCEPTION),
    ],
)
async def test_a_refused_row_moves_nothing(topic: str, row: tuple[int, int], code: ErrorCode, version: int) -> None:
    """Row 105 of the fault catalogue."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "orders", "__consumer_offsets")
            await create(client, "compacted", cleanup_policy="compact")
            await produce(client, "orders", "a", "b", "c")
            assert await delete(client, topic, row, version=version) == [(code, -1)]
            assert await earliest(client, "orders") == 0


async def test_a_topic_that_is_compacted_and_deleted_may_lose_its_beginning() -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "both", cleanup_policy="compact,delete")
            keyed = build_batch([Record(timestamp_ms=NOW_MS, key=b"k", value=value) for value in (b"a", b"b")])
            await client.ask(produce_request("both", keyed), 9)
            assert await delete(client, "both", (0, 1)) == [(NONE, 1)]


async def test_rows_answer_for_themselves() -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await produce(client, "orders", "a", "b")
            assert await delete(client, "orders", (0, 9), (5, 0), (0, 1)) == [
                (OUT_OF_RANGE, -1),
                (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1),
                (NONE, 1),
            ]
            assert (await client.ask(DeleteRecordsRequest(), 2)).topics == []


async def test_what_is_not_flushed_yet_is_above_the_high_watermark() -> None:
    """With `flush.messages=1` only flushed records count, so no more than these can go."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await produce(client, "orders", "a", "b", "c")
            (partition,) = [each for each in broker.broker._partitions if each.topic == "orders"]
            partition.log.high_watermark = 2
            assert await delete(client, "orders", (0, 3)) == [(OUT_OF_RANGE, -1)]
            assert await delete(client, "orders", (0, HIGH_WATERMARK)) == [(NONE, 2)]


async def test_a_long_request_lets_others_have_their_turn() -> None:
    """A hundred thousand rows are no reason to keep a heartbeat waiting."""
    rows = [DeleteRecordsPartition(partition_index=0, offset=9)] * 100_000
    request = DeleteRecordsRequest(topics=[DeleteRecordsTopic(name="orders", partitions=rows)], timeout_ms=1_000)
    async with running() as broker:
        with broker.connect() as greedy, broker.connect() as modest:
            await create(greedy, "orders")
            await produce(greedy, "orders", "a")
            await greedy.send(request, 2)
            assert await delete(modest, "orders", (0, 1)) == [(NONE, 1)]
            assert greedy.is_quiet
            (answer,) = (await greedy.receive()).topics
            assert {row.error_code for row in answer.partitions} == {OUT_OF_RANGE}
            assert len(answer.partitions) == len(rows)


async def test_the_new_start_outlives_the_broker(tmp_path: Path) -> None:
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            for value in "abc":
                await produce(client, "orders", value)
            assert await delete(client, "orders", (0, 2)) == [(NONE, 2)]
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            assert await earliest(client, "orders") == 2
            assert await fetched(client, "orders", 2) == ["c"]


async def test_segments_below_the_start_go_with_the_next_round_of_retention(tmp_path: Path) -> None:
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "orders", segment_bytes="200", file_delete_delay_ms="0")
            for value in ("a" * 80, "b" * 80, "c" * 80):
                await produce(client, "orders", value)
            (partition,) = [each for each in broker.broker._partitions if each.topic == "orders"]
            size = partition.log.size_bytes
            assert await delete(client, "orders", (0, 2)) == [(NONE, 2)]
            await partition.log.tidy(broker.world.clock.now_ms())
            assert partition.log.size_bytes < size / 2
            assert await fetched(client, "orders", 2) == ["c" * 80]
