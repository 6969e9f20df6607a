"""DescribeProducers: what a leader remembers of its producers, and every refusal."""

from pathlib import Path
from typing import Any

from broker.testing.calls import NOW_MS, batch_of, create, produce_request
from broker.testing.client import WireClient
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.describe_producers import DescribeProducersRequest, TopicRequest


async def ask(client: WireClient, topic: str, *indexes: int) -> list[Any]:
    request = DescribeProducersRequest(topics=[TopicRequest(name=topic, partition_indexes=list(indexes))])
    (answer,) = (await client.ask(request, 0)).topics
    assert answer.name == topic
    rows: list[Any] = answer.partitions
    return rows


async def write(client: WireClient, producer_id: int, epoch: int, sequence: int, *values: str) -> None:
    batch = batch_of(*values, producer_id=producer_id, producer_epoch=epoch, base_sequence=sequence)
    answer = await client.ask(produce_request("orders", batch), 9)
    assert answer.responses[0].partition_responses[0].error_code == 0


def told(row: Any) -> list[tuple[int, int, int]]:
    """Id, epoch and last sequence of each, none of them in a transaction."""
    assert row.error_code == 0
    for each in row.active_producers:
        assert (each.last_timestamp, each.coordinator_epoch, each.current_txn_start_offset) == (NOW_MS, -1, -1)
    return sorted((each.producer_id, each.producer_epoch, each.last_sequence) for each in row.active_producers)


async def test_idempotent_producers_are_told_and_others_are_not() -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await client.ask(produce_request("orders", batch_of("x")), 9)
            assert told((await ask(client, "orders", 0))[0]) == []
            await write(client, 77, 3, 0, "a", "b")
            await write(client, 78, 0, 0, "c")
            assert told((await ask(client, "orders", 0))[0]) == [(77, 3, 1), (78, 0, 0)]
            await write(client, 77, 4, 0, "d")
            assert told((await ask(client, "orders", 0))[0]) == [(77, 4, 0), (78, 0, 0)]


async def test_a_partition_named_often_is_told_once() -> None:
    """Else a small question could have an answer of any size."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await write(client, 77, 3, 0, "a", "b")
            topic = TopicRequest(name="orders", partition_indexes=[0] * 1_000)
            (answer,) = (await client.ask(DescribeProducersRequest(topics=[topic] * 100), 0)).topics
            assert [told(row) for row in answer.partitions] == [[(77, 3, 1)]]


async def test_they_are_remembered_over_a_restart(tmp_path: Path) -> None:
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await write(client, 77, 3, 0, "a", "b")
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            assert told((await ask(client, "orders", 0))[0]) == [(77, 3, 1)]


async def test_partitions_that_are_not_there_are_refused_each() -> None:
    """With the codes of Kafka 3.9.2."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "orders")
            codes = [row.error_code for row in await ask(client, "orders", 0, 9, -1)]
            assert codes == [0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
            (row,) = await ask(client, "nosuch", 0)
            assert row.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            (row,) = await ask(client, "", 0)
            assert row.error_code == ErrorCode.INVALID_TOPIC_EXCEPTION
            assert row.error_message == "Topic name is invalid: the empty string is not allowed"
            assert await ask(client, "orders") == []
