"""Batches of every format, side by side as in the logs of a broker that has been upgraded."""

from collections.abc import Callable

import pytest

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import BatchHeader, build_batch
from kproto.records.compression import Codec
from kproto.records.legacy import build_message_set
from kproto.records.record import Record
from kproto.records.stored import (
    SMALLEST_BYTES,
    read_stored_header,
    read_stored_records,
    split_stored,
    stored_records,
)

NOW_MS = 1_700_000_000_000


def records_at(*offsets: int) -> list[Record]:
    return [Record(offset, NOW_MS + offset, b"key", b"value %d" % offset) for offset in offsets]


def one_of_each() -> bytes:
    return (
        build_message_set(records_at(0, 1), 0)
        + build_message_set(records_at(2, 3), 0, codec=Codec.LZ4)
        + build_message_set(records_at(4, 5), 1, codec=Codec.SNAPPY)
        + build_batch(records_at(6, 7), codec=Codec.ZSTD, base_offset=6)
    )


def test_batches_of_all_formats_are_told_apart() -> None:
    found = [(header.magic, header.base_offset, header.last_offset) for header, _ in split_stored_all(one_of_each())]
    assert found == [(0, 0, 0), (0, 1, 1), (0, 3, 3), (1, 5, 5), (2, 6, 7)]


def split_stored_all(data: bytes) -> list[tuple[BatchHeader, memoryview]]:
    return list(split_stored(memoryview(data)))


def test_their_records_have_the_offsets_of_the_log() -> None:
    found = [record for _, one in split_stored_all(one_of_each()) for record in read_stored_records(one)]
    assert [record.offset for record in found] == list(range(8))
    assert [record.value for record in found] == [b"value %d" % offset for offset in range(8)]
    assert [record.timestamp_ms - NOW_MS for record in found[4:]] == [4, 5, 6, 7]


def test_wherever_the_bytes_end_only_whole_batches_are_told() -> None:
    data = one_of_each()
    ends = [len(data)]
    for _, one in reversed(split_stored_all(data)):
        ends.insert(0, ends[0] - len(one))
    for size in range(len(data)):
        assert len(split_stored_all(data[:size])) == sum(end <= size for end in ends[1:])


def test_the_smallest_message_is_read() -> None:
    smallest = build_message_set([Record(9, -1, None, None)], 0)
    assert len(smallest) == SMALLEST_BYTES
    assert read_stored_header(smallest).next_offset == 10
    assert [record.offset for record in read_stored_records(smallest)] == [9]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:16] + b"\3" + data[17:], id="magic"),
        pytest.param(lambda data: data[:8] + b"\0\0\0\4" + data[12:], id="length"),
        pytest.param(lambda data: data[:20], id="cut off"),
    ],
)
@pytest.mark.parametrize("magic", [0, 1, 2])
def test_what_is_no_header_is_refused(damage: Callable[[bytes], bytes], magic: int) -> None:
    sound = build_batch(records_at(1)) if magic == 2 else build_message_set(records_at(1), magic)
    with pytest.raises(ApiError) as caught:
        read_stored_header(damage(sound))
    assert caught.value.code == ErrorCode.CORRUPT_MESSAGE


def test_a_message_that_was_changed_is_refused_when_it_is_opened() -> None:
    data = bytearray(build_message_set(records_at(1), 1))
    data[-1] ^= 1
    with pytest.raises(ApiError) as caught:
        list(read_stored_records(data))
    assert caught.value.code == ErrorCode.CORRUPT_MESSAGE


def test_a_long_compressed_message_is_opened_in_steps() -> None:
    many = [Record(n, NOW_MS, None, b"x" * 1000) for n in range(1000)]
    steps = list(stored_records(build_message_set(many, 1, codec=Codec.GZIP)))
    assert steps.count(None) > 8
    assert len(steps) - steps.count(None) == 1000
