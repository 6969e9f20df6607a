"""What is not stored as it came: messages of magic 0 and 1, and batches of topics with a codec of their own."""

from collections.abc import Sequence
from typing import Any

import pytest

from broker.partitions.rewriting import check_or_rewrite, takes_steps
from broker.partitions.test_validation import NOW_MS, Broker, batch, rules
from broker.partitions.validation import Batch, InvalidRecords
from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import build_batch, crc_is_right, read_header, read_records
from kproto.records.compression import Codec
from kproto.records.legacy import build_message_set
from kproto.records.record import Record

OLD_CODECS = [Codec.NONE, Codec.GZIP, Codec.SNAPPY, Codec.LZ4]
each_magic = pytest.mark.parametrize("magic", [0, 1])
each_old_codec = pytest.mark.parametrize("codec", OLD_CODECS, ids=lambda codec: codec.name.lower())


async def no_wait() -> None:
    return


async def rewritten(records: bytes, version: int = 2, **options: Any) -> Batch:
    """What would be stored; sound in itself."""
    stored = await check_or_rewrite(memoryview(bytearray(records)), rules(version, **options), no_wait)
    assert crc_is_right(stored.view)
    assert stored.header == read_header(stored.view)
    assert stored.header.size == len(stored.view)
    return stored


async def refusal(records: bytes, version: int = 2, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await rewritten(records, version, **options)
    return caught.value


def some(count: int = 3, key: bytes | None = b"k") -> list[Record]:
    return [Record(number, NOW_MS + number, key, b"v%d" % number) for number in range(count)]


def plain(records: Sequence[Record]) -> list[tuple[int, int, bytes | None, bytes | None]]:
    return [(each.offset, each.timestamp_ms, each.key, each.value) for each in records]


@each_magic
@each_old_codec
async def test_old_messages_become_one_batch_of_the_same_codec(magic: int, codec: Codec) -> None:
    """As Kafka stores them since 3.0; magic 0 has no times, which is -1."""
    records = [*some(200), Record(200, NOW_MS, None, None)]
    stored = await rewritten(build_message_set(records, magic, codec=codec))
    header = stored.header
    assert (header.magic, header.codec, header.count, header.last_offset_delta) == (2, codec, 201, 200)
    assert (header.base_offset, header.producer_id, header.base_sequence) == (0, -1, -1)
    assert header.max_timestamp == (NOW_MS + 199 if magic else -1)
    for record in records:
        record.timestamp_ms = record.timestamp_ms if magic else -1
    assert plain(list(read_records(stored.view))) == plain(records)
    assert stored.append_time_ms == -1


@each_magic
async def test_the_offsets_that_a_producer_wrote_do_not_matter(magic: int) -> None:
    """0.8 wrote 0 in all of them, others counted; the broker gives new ones."""
    records = [Record(0, NOW_MS, None, b"%d" % number) for number in range(3)]
    for codec in (Codec.NONE, Codec.GZIP):
        stored = await rewritten(build_message_set(records, magic, codec=codec))
        assert [record.offset for record in read_records(stored.view)] == [0, 1, 2]


@each_magic
async def test_a_topic_of_log_append_time_stamps_them(magic: int) -> None:
    stored = await rewritten(build_message_set(some(), magic), message_timestamp_type="LogAppendTime")
    assert stored.append_time_ms == NOW_MS
    assert {record.timestamp_ms for record in read_records(stored.view)} == {NOW_MS}


async def test_bounds_of_time_are_asked_of_magic_1_only() -> None:
    """A message without time is never too old."""
    late = [Record(0, NOW_MS - 5_000, None, b"late"), Record(1, NOW_MS, None, b"now")]
    bounds = {"message_timestamp_before_max_ms": 1_000}
    no = await refusal(build_message_set(late, 1), **bounds)
    assert isinstance(no, InvalidRecords)
    assert (no.code, no.indexes) == (ErrorCode.INVALID_TIMESTAMP, [0])
    assert (await rewritten(build_message_set(late, 0), **bounds)).header.count == 2


@each_magic
@each_old_codec
async def test_a_compacted_topic_wants_keys(magic: int, codec: Codec) -> None:
    records = [*some(2), Record(2, NOW_MS, None, b"no key")]
    no = await refusal(build_message_set(records, magic, codec=codec), cleanup_policy=["compact"])
    assert isinstance(no, InvalidRecords)
    assert (no.code, no.indexes) == (ErrorCode.INVALID_RECORD, [2])


def compressed(count: int = 1, magic: int = 1) -> bytes:
    return build_message_set(some(count), magic, codec=Codec.GZIP)


REFUSED: dict[str, tuple[bytes, ErrorCode]] = {
    "two compressed messages": (compressed() * 2, ErrorCode.INVALID_RECORD),
    "compressed before plain": (compressed() + build_message_set(some(1), 1), ErrorCode.INVALID_RECORD),
    "plain before compressed": (build_message_set(some(1), 1) + compressed(), ErrorCode.INVALID_RECORD),
    "two magics": (build_message_set(some(1), 1) + build_message_set(some(1), 0), ErrorCode.INVALID_RECORD),
    "a batch behind a message": (build_message_set(some(1), 1) + build_batch(some(1)), ErrorCode.CORRUPT_MESSAGE),
    "log append time, plain": (build_message_set(some(1), 1, log_append_ms=1), ErrorCode.INVALID_TIMESTAMP),
    "log append time, compressed": (
        build_message_set(some(1), 1, codec=Codec.GZIP, log_append_ms=1),
        ErrorCode.INVALID_TIMESTAMP,
    ),
    "a wrong checksum": (build_message_set(some(1), 0)[:-1] + b"!", ErrorCode.CORRUPT_MESSAGE),
    "half a message more": (
        build_message_set(some(1), 0) + build_message_set(some(1), 0)[:20],
        ErrorCode.INVALID_RECORD,
    ),
}


@pytest.mark.parametrize(("records", "code"), REFUSED.values(), ids=REFUSED)
async def test_sets_that_no_broker_takes_are_refused(records: bytes, code: ErrorCode) -> None:
    assert (await refusal(records)).code is code


async def test_from_version_3_on_old_messages_are_refused() -> None:
    assert (await refusal(build_message_set(some(), 1), version=3)).code is ErrorCode.INVALID_RECORD


@each_magic
async def test_size_limits_hold_for_what_was_sent_and_for_what_would_be_stored(magic: int) -> None:
    large = build_message_set([Record(0, NOW_MS, None, bytes(2_000))], magic)
    small = build_message_set([Record(0, NOW_MS, None, bytes(2_000))], magic, codec=Codec.GZIP)
    assert (await refusal(large, max_message_bytes=1_000)).code is ErrorCode.MESSAGE_TOO_LARGE
    assert (await refusal(large, segment_bytes=1_000)).code is ErrorCode.RECORD_LIST_TOO_LARGE
    assert (await refusal(small, max_message_bytes=20)).code is ErrorCode.MESSAGE_TOO_LARGE
    to_plain: dict[str, Any] = {"compression_type": "uncompressed", "max_message_bytes": 1_000}
    assert (await refusal(small, **to_plain)).code is ErrorCode.MESSAGE_TOO_LARGE
    assert (await rewritten(small, max_message_bytes=1_000)).header.count == 1


async def test_what_inflates_beyond_the_cap_is_refused() -> None:
    bomb = build_message_set([Record(at, NOW_MS, None, bytes(1 << 20)) for at in range(4)], 1, codec=Codec.GZIP)
    no = await refusal(bomb, broker=Broker(barnabas_batch_inflated_max_bytes=2 << 20))
    assert no.code is ErrorCode.MESSAGE_TOO_LARGE


async def test_a_long_set_lets_others_pass() -> None:
    """A breath at least every hundred records."""
    breaths = 0

    async def breathe() -> None:
        nonlocal breaths
        breaths += 1

    records = memoryview(bytearray(build_message_set(some(2_000), 1, codec=Codec.GZIP)))
    await check_or_rewrite(records, rules(2), breathe)
    assert breaths > 20


# --- compression.type ---

NAMES = {"uncompressed": Codec.NONE, **{codec.name.lower(): codec for codec in Codec if codec}}


@pytest.mark.parametrize("wanted", NAMES)
@pytest.mark.parametrize("sent", list(Codec), ids=lambda codec: codec.name.lower())
async def test_a_topics_own_codec_replaces_that_of_the_client(wanted: str, sent: Codec) -> None:
    """Records, offsets, times and the producer's numbers stay."""
    came = build_batch(some(100), codec=sent, producer_id=7, producer_epoch=1, base_sequence=40)
    assert takes_steps(memoryview(came), rules(compression_type=wanted).topic) is (sent is not NAMES[wanted])
    stored = await rewritten(came, version=9, compression_type=wanted)
    header = stored.header
    assert header.codec is NAMES[wanted]
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (7, 1, 40)
    assert list(read_records(stored.view)) == list(read_records(came))
    if sent is NAMES[wanted]:
        assert bytes(stored.view) == came


@each_magic
async def test_old_messages_get_the_topics_codec_too(magic: int) -> None:
    """Even one that came after them: Produce 7 begins to forbid zstd to clients, not to topics."""
    stored = await rewritten(build_message_set(some(), magic, codec=Codec.SNAPPY), compression_type="zstd")
    assert stored.header.codec is Codec.ZSTD
    assert [record.value for record in read_records(stored.view)] == [b"v0", b"v1", b"v2"]


@pytest.mark.parametrize(
    ("codec", "option", "low", "high"),
    [
        ("gzip", "compression_gzip_level", 1, 9),
        ("lz4", "compression_lz4_level", 1, 17),
        ("zstd", "compression_zstd_level", -1000, 12),
    ],
)
async def test_the_levels_of_the_topic_have_an_effect(codec: str, option: str, low: int, high: int) -> None:
    words = b" ".join(b"%d" % (number * number % 9973) for number in range(3_000))
    came = build_batch([Record(0, NOW_MS, None, words)])
    sizes = [
        len((await rewritten(came, version=9, compression_type=codec, **{option: level})).view) for level in (low, high)
    ]
    assert sizes[1] < sizes[0] * 0.97


async def test_log_append_time_and_a_codec_of_its_own_go_together() -> None:
    stored = await rewritten(bytes(batch()), version=9, compression_type="lz4", message_timestamp_type="LogAppendTime")
    assert (stored.append_time_ms, stored.header.is_log_append_time) == (NOW_MS, True)
    assert {record.timestamp_ms for record in read_records(stored.view)} == {NOW_MS}


def test_what_is_stored_as_it_came_takes_no_steps() -> None:
    """The usual produce is checked at once, in the read buffer."""
    topic = rules().topic
    for records in (None, memoryview(b""), memoryview(b"\0" * 20), memoryview(bytes(batch()))):
        assert not takes_steps(records, topic)
