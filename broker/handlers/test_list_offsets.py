"""ListOffsets and OffsetForLeaderEpoch from the outside."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from trio.lowlevel import checkpoint

from broker.handlers.list_offsets import start_of
from broker.partitions.partition import Partition
from broker.storage.contract import Breathe, OffsetOutOfRange, TimedOffset
from broker.storage.slices import BytesSlice
from broker.testing.calls import NOW_MS, create, produce, produce_request
from broker.testing.client import WireClient
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.messages.offset_for_leader_epoch import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from kproto.records.batch import build_batch
from kproto.records.record import Record


async def at(client: WireClient, timestamp_ms: int, version: int = 11, topic: str = "t") -> Any:
    row = ListOffsetsPartition(timestamp=timestamp_ms, max_num_offsets=5)
    answer = await client.ask(ListOffsetsRequest(topics=[ListOffsetsTopic(name=topic, partitions=[row])]), version)
    return answer.topics[0].partitions[0]


async def fill(client: WireClient) -> None:
    """Times 1000, 3000, 2000 after now, a batch each."""
    await create(client, "t")
    for later_ms in (1_000, 3_000, 2_000):
        batch = build_batch([Record(0, NOW_MS + later_ms, None, b"x", [])])
        await client.ask(produce_request("t", batch), 9)


@pytest.mark.parametrize("version", range(1, 12))
async def test_start_and_end_are_told_at_every_version(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            await fill(client)
            assert (await at(client, -2, version)).offset == 0
            assert (await at(client, -1, version)).offset == 3


async def test_times_find_the_first_record_at_or_after_them() -> None:
    """And the largest time its own record (KIP-734)."""
    async with running() as broker:
        with broker.connect() as client:
            await fill(client)
            found = await at(client, NOW_MS + 1_500)
            assert (found.offset, found.timestamp, found.leader_epoch) == (1, NOW_MS + 3_000, 0)
            assert (await at(client, NOW_MS + 9_000)).offset == -1
            assert (await at(client, -3)).offset == 1
            assert (await at(client, -4)).offset == 0
            assert (await at(client, -5)).offset == -1


async def test_version_0_answers_with_a_list() -> None:
    async with running() as broker:
        with broker.connect() as client:
            await fill(client)
            assert (await at(client, -1, 0)).old_style_offsets == [3, 0]
            assert (await at(client, -2, 0)).old_style_offsets == [0]


@pytest.mark.parametrize(("timestamp_ms", "version"), [(-7, 11), (-3, 6), (-4, 7), (-5, 8), (-6, 10)])
async def test_a_special_time_that_this_version_does_not_know_is_refused(timestamp_ms: int, version: int) -> None:
    """Row 83."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            assert (await at(client, timestamp_ms, version)).error_code == ErrorCode.UNSUPPORTED_VERSION


async def test_a_partition_named_twice_is_refused_at_both_places() -> None:
    """Row 83."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            rows = [ListOffsetsPartition(timestamp=-1), ListOffsetsPartition(timestamp=-2)]
            answer = await client.ask(ListOffsetsRequest(topics=[ListOffsetsTopic(name="t", partitions=rows)]), 5)
            assert [row.error_code for row in answer.topics[0].partitions] == [ErrorCode.INVALID_REQUEST] * 2


async def test_the_end_of_an_epoch_is_told_to_who_asks() -> None:
    """KIP-101: the current epoch ends at the log end, one of the future nowhere."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a", "b")
            rows = [OffsetForLeaderPartition(partition=0, leader_epoch=epoch) for epoch in (0, 5)]
            request = OffsetForLeaderEpochRequest(topics=[OffsetForLeaderTopic(topic="t", partitions=rows)])
            found = (await client.ask(request, 4)).topics[0].partitions
            assert [(row.error_code, row.leader_epoch, row.end_offset) for row in found] == [(0, 0, 2), (0, -1, -1)]


class MovingLog:
    """Its start moves while it is read for the first time, as by retention while the disk is waited for."""

    def __init__(self, start_then: int, batch: bytes) -> None:
        self.start_offset, self.end_offset = 0, 2
        self._start_then = start_then
        self._batch = batch

    async def read(self, offset: int, max_bytes: int, below: int, breathe: Breathe) -> BytesSlice:
        self.start_offset = self._start_then
        if offset < self.start_offset:
            raise OffsetOutOfRange
        return BytesSlice(self._batch)


BATCH = build_batch([Record(0, NOW_MS, None, b"x", [])], base_offset=1, leader_epoch=7)


@pytest.mark.parametrize(
    ("start_then", "batch", "told"),
    [
        (1, BATCH, TimedOffset(1, -1, 7)),
        (2, BATCH, TimedOffset(2, -1, 9)),  # nothing is left
        (0, b"", TimedOffset(0, -1, 9)),  # compaction has left nothing
    ],
)
async def test_a_start_that_moves_while_it_is_looked_at_is_told_as_it_is_then(
    start_then: int, batch: bytes, told: TimedOffset
) -> None:
    partition = SimpleNamespace(log=MovingLog(start_then, batch), leadership=SimpleNamespace(epoch=9))
    assert await start_of(cast(Partition, partition), checkpoint) == told
