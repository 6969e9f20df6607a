"""The check of a whole batch: counts, codecs, bombs, and that no step does much."""

from struct import pack_into

import pytest

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import HEADER_BYTES, build_batch, read_header
from kproto.records.check import SLICE_RECORDS, check_of
from kproto.records.compression import Codec
from kproto.records.record import Record, write_record

MIB = 1024 * 1024
codecs = pytest.mark.parametrize("codec", Codec)


def many(count: int, value: bytes = b"v" * 50) -> list[Record]:
    return [Record(0, 1_000 + index % 7, b"k", value) for index in range(count)]


def code_of(batch: bytes, **options: int) -> ErrorCode:
    with pytest.raises(ApiError) as refused:
        check_of(batch, read_header(batch), **options).run()  # type: ignore[arg-type]
    return refused.value.code


def with_section(batch: bytes, section: bytes) -> bytes:
    """The same header over other bytes."""
    out = bytearray(batch[:HEADER_BYTES] + section)
    pack_into(">i", out, 8, len(out) - 12)
    return bytes(out)


@codecs
def test_a_long_batch_is_walked_in_slices(codec: Codec) -> None:
    count = 10 * SLICE_RECORDS
    batch = build_batch(many(count), codec=codec)
    check = check_of(batch, read_header(batch), latest=1_005)
    indexes = [check.walk.index for _ in check.slices()]
    assert max(b - a for a, b in zip([0, *indexes], indexes, strict=False)) <= SLICE_RECORDS
    assert (check.walk.index, check.walk.max_timestamp, check.walk.max_timestamp_index) == (count, 1_006, 6)
    assert check.walk.out_of_time[:2] == [6, 13]


@codecs
@pytest.mark.parametrize("count", [-1, 0, 9, 11])
def test_a_count_that_is_not_that_of_the_records_is_refused(codec: Codec, count: int) -> None:
    """Rows 52 and 53 of the bad inputs, with and without the last offset delta telling the same lie."""
    batch = bytearray(build_batch(many(10), codec=codec))
    pack_into(">i", batch, 57, count)
    assert code_of(bytes(batch)) == ErrorCode.INVALID_RECORD
    pack_into(">i", batch, 23, count - 1)
    assert code_of(bytes(batch)) == ErrorCode.INVALID_RECORD


@codecs
def test_a_record_larger_than_what_is_held_is_stepped_over(codec: Codec) -> None:
    records = [Record(0, 5, b"k"), Record(0, 9, None, bytes(range(256)) * 4 * 1024 * 5), Record(0, 7, b"k")]
    batch = build_batch(records, codec=codec)
    found = check_of(batch, read_header(batch), need_keys=True).run()
    assert (found.index, found.max_timestamp_index, found.without_key) == (3, 1, [1])


@codecs
def test_a_long_batch_may_hold_a_long_record_too(codec: Codec) -> None:
    """Then it comes in pieces also where nothing is compressed."""
    long = Record(0, 9_000, None, bytes(range(256)) * 4 * 400)
    records = [*many(SLICE_RECORDS), long, *many(10)]
    batch = build_batch(records, codec=codec)
    found = check_of(batch, read_header(batch), need_keys=True).run()
    assert (found.index, found.max_timestamp_index, found.without_key) == (len(records), SLICE_RECORDS, [SLICE_RECORDS])
    assert code_of(with_section(batch, batch[HEADER_BYTES:-1])) == ErrorCode.INVALID_RECORD


@codecs
def test_a_record_of_very_many_headers_takes_slices_too(codec: Codec) -> None:
    headers: list[tuple[str, bytes | None]] = [("", None)] * 50_000
    batch = build_batch([Record(headers=headers), Record()], codec=codec)
    check = check_of(batch, read_header(batch))
    assert sum(1 for _ in check.slices()) >= 50
    assert check.walk.index == 2


def test_a_stream_with_nothing_in_it_can_be_interrupted_all_the_same() -> None:
    """Blocks of one byte, 16 000 of them, of a record that never ends."""
    record = bytearray()
    write_record(record, Record(value=bytes(16_000)), 0, 0)
    batch = build_batch([Record()], codec=Codec.LZ4)
    blocks = b"".join((0x80000001).to_bytes(4, "little") + record[i : i + 1] for i in range(len(record) - 1))
    stream = bytes.fromhex("04224d186040") + b"\x82" + blocks + bytes(4)
    check = check_of(with_section(batch, stream), read_header(with_section(batch, stream)))
    steps = 0
    with pytest.raises(ApiError) as refused:
        for _ in check.slices():
            steps += 1
    assert refused.value.code == ErrorCode.INVALID_RECORD
    assert steps > 50


@pytest.mark.parametrize("codec", [Codec.GZIP, Codec.SNAPPY, Codec.LZ4, Codec.ZSTD])
def test_a_batch_over_the_cap_is_too_large_and_one_that_is_cut_off_invalid(codec: Codec) -> None:
    batch = build_batch(many(1, bytes(3 * MIB)), codec=codec)
    assert code_of(batch, max_inflated_bytes=2 * MIB) == ErrorCode.MESSAGE_TOO_LARGE
    assert code_of(with_section(batch, batch[HEADER_BYTES:-9])) == ErrorCode.INVALID_RECORD


def test_bytes_behind_the_last_record_are_refused() -> None:
    batch = build_batch(many(10))
    assert code_of(with_section(batch, batch[HEADER_BYTES:] + b"\x00")) == ErrorCode.INVALID_RECORD
