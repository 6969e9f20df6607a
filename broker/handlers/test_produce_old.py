"""Produce 0 to 2 from the outside, and topics with a codec of their own: what is stored, and what is answered."""

from typing import Any

import pytest

from broker.testing.calls import NOW_MS, batch_of, create, fetch_request, fetched, produce, produce_request, values_in
from broker.testing.client import WireClient
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.records.batch import BatchHeader, split
from kproto.records.compression import Codec
from kproto.records.legacy import build_message_set
from kproto.records.record import Record

each_version = pytest.mark.parametrize("version", [0, 1, 2])


def old_messages(*values: str, magic: int = 1, codec: Codec = Codec.NONE) -> bytes:
    records = [Record(at, NOW_MS + at, None, value.encode()) for at, value in enumerate(values)]
    return build_message_set(records, magic, codec=codec)


async def sent(client: WireClient, version: int, records: bytes) -> Any:
    """The row of the answer."""
    answer = await client.ask(produce_request("t", records), version)
    return answer.responses[0].partition_responses[0]


async def stored(client: WireClient) -> list[BatchHeader]:
    answer = await client.ask(fetch_request("t"), 11)
    return [header for header, _ in split(memoryview(answer.responses[0].partitions[0].records))]


@each_version
@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("codec", [Codec.NONE, Codec.GZIP, Codec.SNAPPY, Codec.LZ4], ids=lambda codec: codec.name)
async def test_old_messages_are_stored_as_one_batch(version: int, magic: int, codec: Codec) -> None:
    """Any magic at any of these versions, as Kafka takes them; today's consumers read them."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "before")
            row = await sent(client, version, old_messages("a", "b", "c", magic=magic, codec=codec))
            assert (row.error_code, row.base_offset, row.log_append_time_ms) == (ErrorCode.NONE, 1, -1)
            assert await fetched(client, "t") == ["before", "a", "b", "c"]
            assert [header.codec for header in await stored(client)][1:] == [codec]


@each_version
async def test_a_batch_of_today_is_taken_as_it_is(version: int) -> None:
    """Kafka never checked this, and some clients rely on it."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            assert (await sent(client, version, batch_of("a"))).error_code == ErrorCode.NONE
            assert await fetched(client, "t") == ["a"]


async def test_version_2_tells_the_time_that_the_broker_stamped() -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t", message_timestamp_type="LogAppendTime")
            assert (await sent(client, 2, old_messages("a"))).log_append_time_ms == NOW_MS
            assert (await sent(client, 1, old_messages("b"))).log_append_time_ms == -1
            assert [header.max_timestamp for header in await stored(client)] == [NOW_MS, NOW_MS]


@each_version
async def test_without_acks_old_messages_are_stored_and_a_bad_one_hangs_up(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client, broker.connect() as reader:
            await create(reader, "t")
            await client.send(produce_request("t", old_messages("a"), acks=0), version, answered=False)
            assert values_in(await reader.ask(fetch_request("t", max_wait_ms=60_000), 11)) == ["a"]
            await client.send(produce_request("t", old_messages("b")[:-1], acks=0), version, answered=False)
            with pytest.raises(EOFError):
                await client.receive()
            assert await fetched(reader, "t") == ["a"]


async def test_requests_behind_a_conversion_wait_their_turn() -> None:
    """Conversions take turns with other connections; on their own connection order is kept."""
    async with running() as broker:
        with broker.connect() as client, broker.connect() as other:
            await create(client, "t")
            many = old_messages(*(str(number) for number in range(3_000)), codec=Codec.GZIP)
            await client.send_together((produce_request("t", many), 2), (produce_request("t", batch_of("last")), 9))
            await produce(other, "t", "amid")
            rows = [(await client.receive()).responses[0].partition_responses[0] for _ in range(2)]
            assert [row.error_code for row in rows] == [ErrorCode.NONE] * 2
            values = await fetched(client, "t")
            assert values.index("last") > values.index("2999")
            assert values[0] == "amid"


@pytest.mark.parametrize("version", [2, 9])
async def test_a_topic_keeps_its_own_codec(version: int) -> None:
    """`compression.type`: whatever clients send, and without a trace in the answer."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t", compression_type="zstd")
            for records in (batch_of("a"), batch_of("b", codec=Codec.GZIP)):
                assert (await sent(client, version, records)).error_code == ErrorCode.NONE
            assert [header.codec for header in await stored(client)] == [Codec.ZSTD] * 2
            assert await fetched(client, "t") == ["a", "b"]
