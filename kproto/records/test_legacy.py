"""Messages of magic 0 and 1, with kafka-python's own reader and writer as the judge of both ways."""

import struct
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.record.legacy_records import LegacyRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from kproto.errors import ApiError, ErrorCode
from kproto.records.compression import Codec
from kproto.records.legacy import Message, build_message_set, is_old, messages, read_message_set, write_message
from kproto.records.lz4_frames import with_old_checksum
from kproto.records.record import Record

NOW_MS = 1_700_000_000_000
OLD_CODECS = [Codec.NONE, Codec.GZIP, Codec.SNAPPY, Codec.LZ4]
each_magic = pytest.mark.parametrize("magic", [0, 1])
each_codec = pytest.mark.parametrize("codec", OLD_CODECS, ids=lambda codec: codec.name.lower())


def records_at(*offsets: int) -> list[Record]:
    return [Record(offset, NOW_MS + offset, b"key %d" % offset, b"value") for offset in offsets]


def kafka_python_reads(data: bytes) -> list[tuple[Any, ...]]:
    found = MemoryRecords(data)
    read: list[tuple[Any, ...]] = []
    while (batch := found.next_batch()) is not None:
        assert batch.validate_crc()
        read += [(each.offset, each.timestamp, each.timestamp_type, each.key, each.value) for each in batch]
    return read


def kafka_python_writes(records: list[Record], magic: int, codec: Codec) -> bytes:
    builder = LegacyRecordBatchBuilder(magic=magic, compression_type=int(codec), batch_size=1 << 30)
    for record in records:
        builder.append(record.offset, timestamp=record.timestamp_ms, key=record.key, value=record.value)
    return bytes(builder.build())


def one(magic: int = 1, **fields: Any) -> bytes:
    out = bytearray()
    given = {"offset": 0, "attributes": 0, "timestamp_ms": NOW_MS, "key": None, "value": b"v", **fields}
    write_message(out, Message(magic=magic, **given))
    return bytes(out)


def refusal(data: bytes, **limits: int) -> ErrorCode:
    with pytest.raises(ApiError) as caught:
        list(read_message_set(data, **limits))
    return caught.value.code


@each_magic
@each_codec
def test_kafka_python_reads_what_we_write(magic: int, codec: Codec) -> None:
    """Offsets with gaps, as compaction leaves them, and nulls."""
    records = [*records_at(70, 71, 75), Record(80, NOW_MS, None, None)]
    expected = [
        (each.offset, each.timestamp_ms if magic else None, 0 if magic else None, each.key, each.value)
        for each in records
    ]
    assert kafka_python_reads(build_message_set(records, magic, codec=codec)) == expected


@each_codec
def test_kafka_python_finds_the_log_append_time_in_every_record(codec: Codec) -> None:
    """KIP-32: one bit says so, and then the time of the outermost message holds."""
    written = build_message_set(records_at(5, 6), 1, codec=codec, log_append_ms=NOW_MS + 99)
    assert [row[1:3] for row in kafka_python_reads(written)] == [(NOW_MS + 99, 1)] * 2
    assert [record.timestamp_ms for record in read_message_set(written)] == [NOW_MS + 99] * 2


@each_magic
@each_codec
def test_we_read_what_kafka_python_writes(magic: int, codec: Codec) -> None:
    """Its lz4 writes the wrong header checksum for magic 0, as the Java clients of that time."""
    records = [*records_at(0, 1, 2), Record(3, NOW_MS, None, None)]
    if not magic:
        for record in records:
            record.timestamp_ms = -1
    assert list(read_message_set(kafka_python_writes(records, magic, codec))) == records


@each_magic
@each_codec
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_what_is_written_comes_back(magic: int, codec: Codec, data: st.DataObject) -> None:
    offsets = sorted(data.draw(st.sets(st.integers(0, 1 << 40), min_size=1, max_size=8)))
    some_bytes = st.none() | st.binary(max_size=300)
    times = st.integers(-1, 1 << 50) if magic else st.just(-1)
    records = [Record(at, data.draw(times), data.draw(some_bytes), data.draw(some_bytes)) for at in offsets]
    assert list(read_message_set(build_message_set(records, magic, codec=codec))) == records


def test_an_outer_offset_of_0_is_no_offset() -> None:
    """As librdkafka and kafka-python produce: the inner ones count from 0 and stand."""
    inner = b"".join(one(offset=at) for at in range(3))
    gzipped = build_message_set(records_at(0), 1, codec=Codec.GZIP)
    assert [record.offset for record in read_message_set(gzipped)] == [0]
    assert [record.offset for record in read_message_set(around(inner, offset=0))] == [0, 1, 2]
    assert [record.offset for record in read_message_set(around(inner, offset=12))] == [10, 11, 12]


def around(inner: bytes, codec: Codec = Codec.GZIP, magic: int = 1, **fields: Any) -> bytes:
    from kproto.records.compression import compress

    return one(magic, attributes=int(codec), value=compress(codec, inner), **fields)


def test_lz4_of_magic_0_has_the_header_checksum_of_old_clients_and_magic_1_the_right_one() -> None:
    """KAFKA-3160: a reader of magic 1 checks it, one of magic 0 must not."""
    value = next(message.value for message in messages((around(one(), Codec.LZ4),)) if message)
    assert value is not None
    wrong = with_old_checksum(value)
    assert (wrong[:6], wrong[7:]) == (value[:6], value[7:])
    assert wrong[6] != value[6]
    assert refusal(one(1, attributes=3, value=wrong)) == ErrorCode.CORRUPT_MESSAGE
    [old] = [message for message in messages((build_message_set(records_at(0), 0, codec=Codec.LZ4),)) if message]
    assert old.value is not None
    assert with_old_checksum(old.value) == old.value


@each_magic
def test_a_flipped_bit_anywhere_behind_the_length_is_noticed(magic: int) -> None:
    """The offset is the broker's and outside the checksum, as in every format."""
    data = one(magic, key=b"k")
    for at in range(12, len(data)):
        broken = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        assert refusal(broken) == ErrorCode.CORRUPT_MESSAGE, at


@each_magic
def test_a_set_that_ends_inside_a_message_is_refused_at_every_length(magic: int) -> None:
    data = one(magic) + one(magic, offset=1)
    for size in range(1, len(data)):
        if size != len(data) // 2:
            assert refusal(data[:size]) == ErrorCode.INVALID_RECORD, size


def with_length_and_sum(content: bytes, length: int | None = None) -> bytes:
    message = struct.pack(">I", crc32(content)) + content
    return struct.pack(">qi", 0, len(message) if length is None else length) + message


BAD = {
    "length 13": (with_length_and_sum(b"\1\0" + bytes(8), 13), ErrorCode.CORRUPT_MESSAGE),
    "length -1": (with_length_and_sum(b"\1\0" + bytes(8), -1), ErrorCode.CORRUPT_MESSAGE),
    "magic 2": (with_length_and_sum(b"\2\0" + bytes(16)), ErrorCode.CORRUPT_MESSAGE),
    "no key": (with_length_and_sum(b"\0\0" + b"\0\0\0"), ErrorCode.CORRUPT_MESSAGE),
    "no value": (with_length_and_sum(b"\1\0" + bytes(8) + b"\xff" * 4), ErrorCode.INVALID_RECORD),
    "a key beyond the message": (with_length_and_sum(b"\0\0\0\0\0\5" + b"\xff" * 4), ErrorCode.INVALID_RECORD),
    "bytes behind the value": (with_length_and_sum(b"\0\0" + b"\xff" * 8 + b"!"), ErrorCode.INVALID_RECORD),
    "zstd": (one(attributes=4), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
    "compression id 7": (one(attributes=7), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
    "compressed null": (one(attributes=1, value=None), ErrorCode.INVALID_RECORD),
    "compressed nothing": (around(b""), ErrorCode.INVALID_RECORD),
    "compressed twice": (around(around(one())), ErrorCode.INVALID_RECORD),
    "another magic inside": (around(one(0)), ErrorCode.INVALID_RECORD),
    "an outer offset below the last inner one": (around(one(offset=7), offset=3), ErrorCode.INVALID_RECORD),
    "a damaged stream": (one(attributes=1, value=b"\x1f\x8b nonsense"), ErrorCode.CORRUPT_MESSAGE),
    "cut off inside": (around(one()[:-1]), ErrorCode.INVALID_RECORD),
    "a wrong checksum inside": (around(one()[:-1] + b"!"), ErrorCode.CORRUPT_MESSAGE),
}


@pytest.mark.parametrize(("data", "code"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_refused(data: bytes, code: ErrorCode) -> None:
    assert refusal(data) == code


@each_magic
def test_a_bomb_is_put_down_once_it_is_over_the_cap(magic: int) -> None:
    bomb = around(one(magic, value=bytes(1 << 20)) * 4, magic=magic)
    assert len(bomb) < 20_000
    assert refusal(bomb, max_inflated_bytes=2 << 20) == ErrorCode.MESSAGE_TOO_LARGE
    assert len(list(read_message_set(bomb, max_inflated_bytes=5 << 20))) == 4


@each_magic
def test_old_messages_are_told_from_batches_by_one_byte(magic: int) -> None:
    from kproto.records.batch import build_batch

    assert is_old(one(magic))
    assert not is_old(build_batch(records_at(0)))
    assert not is_old(None)
    assert not is_old(b"")
