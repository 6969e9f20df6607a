"""A bit of a stored batch changed while the broker was down (row 53 of the fault catalogue): what clients are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broker.testing.calls import NOW_MS, batch_of, create, fetch_request, produce_request
from broker.testing.client import WireClient
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.records.batch import split
from kproto.records.legacy import read_message_set

SEGMENT = "t-0/00000000000000000000.log"


@asynccontextmanager
async def with_a_damaged_batch(data: Path, damaged: int, at: int = 65) -> AsyncIterator[WireClient]:
    """Offsets 0 to 3 in a batch each, all in a closed segment, 4 in an open one; one bit of `damaged` is flipped."""
    batches = [batch_of(f"{number}" * 50) for number in range(5)]
    async with running(data=data) as broker:
        with broker.connect() as client:
            await create(client, "t", segment_bytes=str(4 * len(batches[0]) + 10))
            for batch in batches:
                answer = await client.ask(produce_request("t", batch), 9)
                assert answer.responses[0].partition_responses[0].error_code == ErrorCode.NONE
    stored = bytearray((data / SEGMENT).read_bytes())
    stored[damaged * len(batches[0]) + at] ^= 4
    (data / SEGMENT).write_bytes(stored)
    async with running(data=data) as broker:
        with broker.connect() as client:
            yield client


@pytest.mark.parametrize("version", [4, 11, 12])
async def test_a_damaged_batch_is_refused_and_all_others_are_served(tmp_path: Path, version: int) -> None:
    async with with_a_damaged_batch(tmp_path, 2) as client:
        for offset, served in ((0, [0, 1]), (1, [1]), (2, None), (3, [3]), (4, [4])):
            row = (await client.ask(fetch_request("t", offset), version)).responses[0].partitions[0]
            if served is None:
                assert (row.error_code, row.records or b"") == (ErrorCode.CORRUPT_MESSAGE, b"")
            else:
                assert row.error_code == ErrorCode.NONE
                assert row.high_watermark == 5
                assert [header.base_offset for header, _ in split(memoryview(row.records))] == served


@pytest.mark.parametrize("version", [0, 1, 2, 3])
async def test_for_old_consumers_it_is_not_rewritten(tmp_path: Path, version: int) -> None:
    async with with_a_damaged_batch(tmp_path, 2) as client:
        row = (await client.ask(fetch_request("t", 0), version)).responses[0].partitions[0]
        assert [record.offset for record in read_message_set(row.records)] == [0, 1]
        row = (await client.ask(fetch_request("t", 2), version)).responses[0].partitions[0]
        assert (row.error_code, row.records or b"") == (ErrorCode.CORRUPT_MESSAGE, b"")
        row = (await client.ask(fetch_request("t", 3), version)).responses[0].partitions[0]
        assert 3 in [record.offset for record in read_message_set(row.records)]


async def test_a_time_in_it_is_refused_and_start_and_end_are_told(tmp_path: Path) -> None:
    async with with_a_damaged_batch(tmp_path, 0) as client:
        for time_ms, code in (
            (NOW_MS, ErrorCode.CORRUPT_MESSAGE),
            (-2, ErrorCode.NONE),
            (-1, ErrorCode.NONE),
        ):
            row = ListOffsetsPartition(partition_index=0, timestamp=time_ms)
            request = ListOffsetsRequest(topics=[ListOffsetsTopic(name="t", partitions=[row])])
            answer = (await client.ask(request, 5)).topics[0].partitions[0]
            assert answer.error_code == code, time_ms
            assert answer.offset == {NOW_MS: -1, -2: 0, -1: 5}[time_ms]
