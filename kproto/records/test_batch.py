"""Batches, judged by the codecs of kafka-python and aiokafka, both ways and with every compression."""

from struct import pack_into
from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatch as AiokafkaBatch
from aiokafka.record.default_records import DefaultRecordBatchBuilder as AiokafkaBuilder
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatch as KafkaPythonBatch
from kafka.record.default_records import DefaultRecordBatchBuilder as KafkaPythonBuilder

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import (
    BatchHeader,
    build_batch,
    crc_is_right,
    read_header,
    read_records,
    split,
    stamp,
    stamp_max_timestamp,
)
from kproto.records.compression import Codec
from kproto.records.record import Record

codecs = pytest.mark.parametrize("codec", Codec)
some_bytes = st.none() | st.binary(max_size=200)
headers = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=20)), max_size=3)
times = st.integers(0, 1 << 60)
records = st.lists(st.builds(Record, st.just(0), times, some_bytes, some_bytes, headers), min_size=1, max_size=70)

THREE = [
    Record(0, 1_000, b"a", b"first", [("trace", b"\x01"), ("empty", None)]),
    Record(1, 1_700, None, b"second" * 40),
    Record(2, 1_300, b"c", None),
]


def plain(record: Any) -> tuple[Any, ...]:
    """Any library's record, as bytes."""
    pairs = [(key, value if value is None else bytes(value)) for key, value in record.headers]
    key, value = (None if data is None else bytes(data) for data in (record.key, record.value))
    return record.offset, record.timestamp, key, value, pairs


def ours(record: Record) -> tuple[Any, ...]:
    return record.offset, record.timestamp_ms, record.key, record.value, record.headers


def numbered(batch: list[Record], base_offset: int) -> list[tuple[Any, ...]]:
    return [(base_offset + i, r.timestamp_ms, r.key, r.value, r.headers) for i, r in enumerate(batch)]


@codecs
@settings(deadline=None, max_examples=30)
@given(batch=records)
def test_kafka_python_reads_what_we_build(codec: Codec, batch: list[Record]) -> None:
    theirs = KafkaPythonBatch(build_batch(batch, codec=codec, base_offset=77))
    assert theirs.validate_crc()
    assert [plain(record) for record in theirs] == numbered(batch, 77)


@codecs
@settings(deadline=None, max_examples=30)
@given(batch=records)
def test_we_read_what_kafka_python_builds(codec: Codec, batch: list[Record]) -> None:
    builder = KafkaPythonBuilder(2, codec, True, 9, 1, 4, 1 << 30)
    for index, r in enumerate(batch):
        assert builder.append(index, r.timestamp_ms, r.key, r.value, r.headers)
    data = bytes(builder.build())
    assert crc_is_right(data)
    header = read_header(data)
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (9, 1, 4)
    assert (header.codec in (codec, Codec.NONE), header.is_transactional) == (True, True)  # it skips what will not pack
    assert [ours(record) for record in read_records(data)] == numbered(batch, 0)


@codecs
def test_aiokafka_reads_what_we_build_and_we_what_it_builds(codec: Codec) -> None:
    theirs = AiokafkaBatch(bytearray(build_batch(THREE, codec=codec)))
    assert theirs.validate_crc()
    assert [plain(record) for record in theirs] == numbered(THREE, 0)
    builder = AiokafkaBuilder(2, codec, 0, -1, -1, 0, 1 << 20)
    for index, r in enumerate(THREE):
        builder.append(index, r.timestamp_ms, r.key, r.value, r.headers)
    built = bytes(builder.build())
    assert crc_is_right(built)
    assert [ours(record) for record in read_records(built)] == numbered(THREE, 0)


def test_a_batch_is_built_as_kafka_python_builds_it_byte_for_byte() -> None:
    builder = KafkaPythonBuilder(2, 0, False, 9, 1, 4, 1 << 20)
    for index, r in enumerate(THREE):
        builder.append(index, r.timestamp_ms, r.key, r.value, r.headers)
    built = bytearray(build_batch(THREE, producer_id=9, producer_epoch=1, base_sequence=4))
    their_epoch = read_header(bytes(builder.build())).leader_epoch
    stamp(built, 0, their_epoch)
    assert bytes(built) == bytes(builder.build())


def test_the_header_tells_everything_without_opening_the_batch() -> None:
    data = build_batch(
        THREE,
        codec=Codec.ZSTD,
        base_offset=40,
        leader_epoch=3,
        producer_id=5,
        producer_epoch=6,
        base_sequence=(1 << 31) - 2,
        transactional=True,
        control=True,
    )
    header = read_header(b"xx" + data, 2)
    assert header.size == len(data)
    assert (header.last_offset, header.next_offset, header.count, header.last_offset_delta) == (42, 43, 3, 2)
    assert (header.base_timestamp, header.max_timestamp, header.leader_epoch) == (1_000, 1_700, 3)
    assert (header.codec, header.is_transactional, header.is_control) == (Codec.ZSTD, True, True)
    assert header.last_sequence == 0, "after 2^31-1 comes 0"


def test_a_leader_stamps_offset_and_epoch_and_the_checksum_stays_right() -> None:
    data = bytearray(build_batch(THREE))
    stamp(memoryview(data), 1 << 40, 9)
    header = read_header(data)
    assert (header.base_offset, header.leader_epoch) == (1 << 40, 9)
    assert crc_is_right(data)


def test_log_append_time_is_the_time_of_every_record() -> None:
    stamped = bytearray(build_batch(THREE, codec=Codec.GZIP))
    stamp_max_timestamp(memoryview(stamped), 5_000, log_append=True)
    built = build_batch(THREE, codec=Codec.GZIP, log_append_ms=5_000)
    for data in (bytes(stamped), built):
        assert crc_is_right(data)
        assert read_header(data).is_log_append_time
        assert [record.timestamp_ms for record in read_records(data)] == [5_000] * 3
    stamp_max_timestamp(stamped, 1_700, log_append=False)
    assert bytes(stamped) == build_batch(THREE, codec=Codec.GZIP)


def test_batches_are_split_and_what_is_cut_off_at_the_end_is_left_out() -> None:
    first, second = build_batch(THREE), build_batch(THREE[:1], base_offset=3)
    found = [(header.base_offset, bytes(batch)) for header, batch in split(memoryview(first + second + first[:-1]))]
    assert found == [(0, first), (3, second)]
    assert list(split(memoryview(first[:60]))) == []


def changed(position: int, form: str, number: int) -> bytes:
    data = bytearray(build_batch(THREE))
    pack_into(form, data, position, number)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (build_batch(THREE)[:60], ErrorCode.CORRUPT_MESSAGE),
        (b"", ErrorCode.CORRUPT_MESSAGE),
        (changed(8, ">i", -1), ErrorCode.CORRUPT_MESSAGE),
        (changed(8, ">i", 48), ErrorCode.CORRUPT_MESSAGE),
        (changed(16, ">b", 3), ErrorCode.CORRUPT_MESSAGE),
        (changed(16, ">b", -1), ErrorCode.CORRUPT_MESSAGE),
        (changed(16, ">b", 0), ErrorCode.INVALID_RECORD),
        (changed(16, ">b", 1), ErrorCode.INVALID_RECORD),
    ],
)
def test_nonsense_in_a_header_is_refused(data: bytes, code: ErrorCode) -> None:
    """Rows 47 to 49 of the bad inputs."""
    with pytest.raises(ApiError) as refused:
        read_header(data)
    assert refused.value.code == code


@pytest.mark.parametrize("codec", [5, 6, 7])
def test_an_unknown_compression_is_refused(codec: int) -> None:
    """Row 59 of the bad inputs."""
    with pytest.raises(ApiError) as refused:
        list(read_records(changed(21, ">h", codec)))
    assert refused.value.code == ErrorCode.UNSUPPORTED_COMPRESSION_TYPE


@pytest.mark.parametrize("count", [2, 4])
def test_records_that_do_not_add_up_are_not_read(count: int) -> None:
    with pytest.raises(ApiError) as refused:
        list(read_records(changed(57, ">i", count)))
    assert refused.value.code == ErrorCode.INVALID_RECORD


def test_a_batch_that_compaction_emptied_has_no_records_but_keeps_its_offsets() -> None:
    """Kafka keeps the last batch of a producer so; found in its log files."""
    batch = bytearray(build_batch(THREE)[:61])
    pack_into(">i", batch, 8, 49)
    pack_into(">i", batch, 57, 0)
    header: BatchHeader = read_header(batch)
    assert (header.size, header.next_offset) == (61, 3)
    assert list(read_records(batch)) == []


def test_a_checksum_covers_the_attributes_and_all_behind_them() -> None:
    data = build_batch(THREE)
    for position in range(len(data)):
        wrong = data[:position] + bytes((data[position] ^ 1,)) + data[position + 1 :]
        assert crc_is_right(wrong) == (position < 17)
