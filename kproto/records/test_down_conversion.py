"""Batches for old clients, read by kafka-python as one of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import build_batch
from kproto.records.compression import Codec
from kproto.records.control import EndTxnMarker, MarkerType, build_marker
from kproto.records.down_conversion import SLICE_RECORDS, down_converted
from kproto.records.legacy import build_message_set, read_message_set
from kproto.records.record import Record
from kproto.records.stored import split_stored
from kproto.records.test_legacy import NOW_MS, OLD_CODECS, each_codec, each_magic, kafka_python_reads
from kproto.records.up_conversion import UpConversion
from kproto.records.walk import Walk


def some(count: int) -> list[Record]:
    return [Record(0, NOW_MS + number, b"k%d" % number, b"v", [("h", b"x")]) for number in range(count)]


def converted(batch: bytes, magic: int, from_offset: int = 0) -> bytes:
    return b"".join(down_converted(batch, magic, from_offset))


@each_magic
@each_codec
def test_kafka_python_reads_the_records_with_their_offsets_and_times(magic: int, codec: Codec) -> None:
    """Headers are lost: the old formats have none."""
    data = converted(build_batch(some(200), codec=codec, base_offset=1_000), magic)
    expected = [
        (1_000 + at, NOW_MS + at if magic else None, 0 if magic else None, b"k%d" % at, b"v") for at in range(200)
    ]
    assert kafka_python_reads(data) == expected


@each_codec
def test_log_append_time_is_kept_in_magic_1(codec: Codec) -> None:
    data = converted(build_batch(some(3), codec=codec, log_append_ms=NOW_MS + 50), 1)
    assert [row[1:3] for row in kafka_python_reads(data)] == [(NOW_MS + 50, 1)] * 3


@each_magic
@each_codec
def test_what_lies_before_the_offset_asked_for_is_left_out(magic: int, codec: Codec) -> None:
    batch = build_batch(some(10), codec=codec, base_offset=70)
    assert [row[0] for row in kafka_python_reads(converted(batch, magic, 77))] == [77, 78, 79]
    assert converted(batch, magic, 80) == b""


@each_magic
def test_control_batches_leave_nothing(magic: int) -> None:
    """An old client would take them for records."""
    end = EndTxnMarker(MarkerType.COMMIT, 0)
    marker = build_marker(end, producer_id=7, producer_epoch=0, timestamp_ms=NOW_MS, base_offset=5)
    assert converted(marker, magic) == b""


@each_magic
def test_zstd_is_refused(magic: int) -> None:
    with pytest.raises(ApiError) as caught:
        converted(build_batch(some(1), codec=Codec.ZSTD), magic)
    assert caught.value.code is ErrorCode.UNSUPPORTED_COMPRESSION_TYPE


@each_codec
def test_a_long_batch_is_converted_in_steps(codec: Codec) -> None:
    pieces = list(down_converted(build_batch(some(2_000), codec=codec), 1))
    assert len(pieces) >= 2_000 // SLICE_RECORDS


@each_codec
def test_a_stored_batch_that_inflates_beyond_the_cap_is_refused(codec: Codec) -> None:
    batch = build_batch([Record(0, NOW_MS, None, bytes(1 << 20)) for _ in range(4)], codec=codec)
    if codec:
        with pytest.raises(ApiError) as caught:
            list(down_converted(batch, 1, max_inflated_bytes=2 << 20))
        assert caught.value.code is ErrorCode.MESSAGE_TOO_LARGE


@each_magic
@each_codec
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_down_and_up_again_gives_the_same_records(magic: int, codec: Codec, data: st.DataObject) -> None:
    """But for times in magic 0, and for offsets, which a broker gives anew."""
    some_bytes = st.none() | st.binary(max_size=300)
    times = st.integers(0, 1 << 50)
    fields = data.draw(st.lists(st.tuples(times, some_bytes, some_bytes), min_size=1, max_size=10))
    records = [Record(at, time, key, value) for at, (time, key, value) in enumerate(fields)]
    old = converted(build_batch(records, codec=codec), magic)
    conversion = UpConversion(old, Walk(0, 0))
    for _ in conversion.slices():
        pass
    for record in records:
        record.timestamp_ms = record.timestamp_ms if magic else -1
    assert list(read_message_set(old)) == records
    assert bytes(conversion.batch) == build_batch(records, codec=codec)


def test_the_codecs_of_old_clients_are_all_there() -> None:
    assert set(OLD_CODECS) == set(Codec) - {Codec.ZSTD}


@each_codec
def test_magic_1_becomes_magic_0_with_absolute_offsets_and_the_old_lz4_header(codec: Codec) -> None:
    """As in a log that a broker of 0.10 left, for a consumer of 0.8."""
    records = [Record(offset, NOW_MS, b"k%d" % offset, b"v") for offset in (70, 71, 75)]
    stored = build_message_set(records, 1, codec=codec)
    converted = b"".join(
        piece for _, one in split_stored(memoryview(stored)) for piece in down_converted(one, 0, from_offset=71)
    )
    expected = build_message_set(records[1:], 0, codec=codec)
    assert list(read_message_set(converted)) == list(read_message_set(expected))
    assert codec != Codec.LZ4 or converted == expected


@each_magic
def test_what_is_old_enough_already_is_sent_as_it_stands(magic: int) -> None:
    stored = build_message_set([Record(5, NOW_MS, b"k", b"v")], magic, codec=Codec.GZIP)
    assert b"".join(down_converted(stored, 1, from_offset=5)) == stored
