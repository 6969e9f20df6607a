"""Fetch 0 to 3 from the outside: today's batches for yesterday's consumers, and what they are refused."""

from typing import Any

import pytest

from broker.testing.calls import NOW_MS, batch_of, create, fetch_request, produce, produce_request
from broker.testing.client import WireClient
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.fetch import FetchRequest
from kproto.records.batch import build_batch
from kproto.records.compression import Codec
from kproto.records.legacy import build_message_set, messages, read_message_set
from kproto.records.record import Record
from kproto.records.stored import read_stored_records, split_stored

VERSIONS = [(0, 0), (1, 0), (2, 1), (3, 1)]
"""Of Fetch, with the magic that a client of it knows."""
each_version = pytest.mark.parametrize(("version", "magic"), VERSIONS)
each_codec = pytest.mark.parametrize("codec", [c for c in Codec if c is not Codec.ZSTD], ids=lambda codec: codec.name)


async def sent(client: WireClient, batch: bytes) -> None:
    answer = await client.ask(produce_request("t", batch), 9)
    assert answer.responses[0].partition_responses[0].error_code == ErrorCode.NONE


async def row_of(client: WireClient, request: FetchRequest, version: int) -> Any:
    return (await client.ask(request, version)).responses[0].partitions[0]


async def read(client: WireClient, version: int, offset: int = 0, max_bytes: int = 1 << 20) -> list[Record]:
    request = fetch_request("t", offset)
    request.topics[0].partitions[0].partition_max_bytes = max_bytes
    row = await row_of(client, request, version)
    assert row.error_code == ErrorCode.NONE
    return list(read_message_set(row.records))


@each_version
@each_codec
async def test_an_old_consumer_reads_batches_of_today(version: int, magic: int, codec: Codec) -> None:
    """In the format of its version, with the codec of the batch and without its headers."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            records = [Record(at, NOW_MS + at, b"k", b"v%d" % at, [("h", b"x")]) for at in range(200)]
            await sent(client, build_batch(records, codec=codec))
            row = await row_of(client, fetch_request("t"), version)
            assert (row.error_code, row.high_watermark) == (ErrorCode.NONE, 200)
            outer = [message for message in messages((bytes(row.records),)) if message]
            assert {(each.magic, each.codec) for each in outer} == {(magic, codec)}
            found = list(read_message_set(row.records))
            assert [(each.offset, each.key, each.value) for each in found] == [
                (at, b"k", b"v%d" % at) for at in range(200)
            ]
            assert [each.timestamp_ms for each in found] == [NOW_MS + at if magic else -1 for at in range(200)]


@each_version
async def test_it_goes_on_in_the_middle_of_a_batch(version: int, magic: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a", "b", "c")
            await produce(client, "t", "d")
            assert [(each.offset, each.value) for each in await read(client, version, 2)] == [(2, b"c"), (3, b"d")]
            assert await read(client, version, 4) == []


@each_version
async def test_limits_hold_but_for_the_first_batch(version: int, magic: int) -> None:
    """Old formats are larger than what is stored, and still no client gets much more than it asked for."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            for _ in range(50):
                await produce(client, "t", *("0123456789" * 2))
            assert len(await read(client, version, max_bytes=1)) == 20
            request = fetch_request("t")
            request.topics[0].partitions[0].partition_max_bytes = 2_000
            row = await row_of(client, request, version)
            assert 0 < len(row.records) <= 2_000
            offset = 0
            while found := await read(client, version, offset, 2_000):
                assert found[0].offset == offset
                offset = found[-1].offset + 1
            assert offset == 1_000


async def test_log_append_time_is_told_by_magic_1() -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t", message_timestamp_type="LogAppendTime")
            await sent(client, build_batch([Record(0, NOW_MS - 500, None, b"v")]))
            row = await row_of(client, fetch_request("t"), 2)
            [message] = [each for each in messages((bytes(row.records),)) if each]
            assert (message.is_log_append_time, message.timestamp_ms) == (True, NOW_MS)


@each_version
async def test_a_long_poll_of_an_old_consumer_ends_when_something_comes(version: int, magic: int) -> None:
    async with running() as broker:
        with broker.connect() as reader, broker.connect() as writer:
            await create(writer, "t")
            await reader.send(fetch_request("t", max_wait_ms=60_000), version)
            await produce(writer, "t", "a")
            row = (await reader.receive()).responses[0].partitions[0]
            assert [each.value for each in read_message_set(row.records)] == [b"a"]


@each_version
async def test_zstd_is_refused_where_it_comes_and_not_before(version: int, magic: int) -> None:
    """KIP-110: code 76 says why, where an old client would only find rubbish."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a")
            await sent(client, batch_of("b", codec=Codec.ZSTD))
            assert [each.value for each in await read(client, version)] == [b"a"]
            row = await row_of(client, fetch_request("t", 1), version)
            assert (row.error_code, row.records) == (ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, b"")


@pytest.mark.parametrize(("version", "code"), [(3, 76), (9, 76), (10, 0), (12, 0)])
async def test_a_topic_of_zstd_is_refused_before_version_10(version: int, code: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t", compression_type="zstd")
            await produce(client, "t", "a")
            assert (await row_of(client, fetch_request("t"), version)).error_code == code


@pytest.mark.parametrize(("version", "code"), [(0, 35), (3, 35), (4, 0), (12, 0)])
async def test_a_topic_may_rewrite_its_batches_for_nobody(version: int, code: int) -> None:
    """KIP-283: message.downconversion.enable=false."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t", message_downconversion_enable="false")
            await produce(client, "t", "a")
            row = await row_of(client, fetch_request("t", max_wait_ms=60_000), version)
            assert (row.error_code, row.high_watermark) == (code, -1 if code else 1)


async def test_a_long_conversion_lets_others_pass() -> None:
    """100,000 records for one old consumer, while another client's small requests are served."""
    import trio

    async with running() as broker:
        with broker.connect() as slow, broker.connect() as quick:
            await create(slow, "t")
            await create(slow, "u")
            await sent(slow, build_batch([Record(0, NOW_MS, None, b"") for _ in range(100_000)]))
            passed = 0

            async def pass_by() -> None:
                nonlocal passed
                while True:
                    await produce(quick, "u", "x")
                    passed += 1

            async with trio.open_nursery() as nursery:
                nursery.start_soon(pass_by)
                assert len(await read(slow, 3, max_bytes=1)) == 100_000
                nursery.cancel_scope.cancel()
            assert passed > 100


@pytest.mark.parametrize("stored", [0, 1])
@pytest.mark.parametrize(("version", "known"), [(0, 0), (2, 1), (4, 2), (11, 2)])
@pytest.mark.parametrize("codec", [Codec.NONE, Codec.GZIP, Codec.LZ4], ids=lambda codec: codec.name)
async def test_messages_that_an_old_broker_left_are_sent_as_they_lie_if_the_client_knows_them(
    stored: int, version: int, known: int, codec: Codec
) -> None:
    """Only magic 1 is rewritten, for those who know magic 0; what follows in today's format too, as ever."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            [partition] = [each for each in broker.broker._partitions if each.topic == "t"]
            records = [Record(at, NOW_MS + at, b"k", b"v%d" % at) for at in range(10)]
            written = build_message_set(records, stored, codec=codec)
            partition.log.append_as_follower(memoryview(bytearray(written)), NOW_MS)
            partition.advance_high_watermark()
            await produce(client, "t", "today")
            row = await row_of(client, fetch_request("t"), version)
            assert (row.error_code, row.high_watermark) == (ErrorCode.NONE, 11)
            data = bytes(row.records)
            assert data.startswith(written) == (stored <= known)
            batches = list(split_stored(memoryview(data)))
            assert {header.magic for header, _ in batches[:-1]} == {min(stored, known)}
            assert batches[-1][0].magic == known
            found = [record for _, one in batches for record in read_stored_records(one)]
            assert [(each.offset, each.value) for each in found] == [
                *((at, b"v%d" % at) for at in range(10)),
                (10, b"today"),
            ]
            middle = await row_of(client, fetch_request("t", 7), version)
            again = [one for _, one in split_stored(memoryview(bytes(middle.records)))]
            offsets = [record.offset for one in again for record in read_stored_records(one)]
            assert [offset for offset in offsets if offset >= 7] == [7, 8, 9, 10]
