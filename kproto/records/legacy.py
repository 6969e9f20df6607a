"""Messages of magic 0 and 1, the record formats before 0.11: one by one, and nested when they are compressed.

A message set is messages one after the other, without a count. Where everything lies (big endian): offset int64 at 0,
length of the rest int32 at 8, CRC-32 uint32 at 12 over everything from 16 on, magic int8 at 16, attributes int8 at 17;
with magic 1 the timestamp int64 at 18; then key and value, each behind an int32 length of which -1 is null.

A compressed set is the value of one message around it, whose offset is that of its last inner message. Inner offsets
are absolute in magic 0, and count from 0 in magic 1 (KIP-31); producers of librdkafka left the outer one at 0.
Source: KIP-31, KIP-32; LegacyRecord.java, AbstractLegacyRecordBatch.java.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from zlib import crc32

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import MAGIC_AT, Bytes
from kproto.records.compression import Codec, deflate, inflate
from kproto.records.frames import UNKNOWN_END, items
from kproto.records.limits import MAX_INFLATED_BYTES
from kproto.records.record import Record

NO_TIMESTAMP = -1
_START = Struct(">qiIbb")
_LENGTH = Struct(">i")
_CRC = Struct(">I")
_TIME = Struct(">q")
_SMALLEST = 14
_CODEC, _LOG_APPEND_TIME = 0x07, 0x08

Messages = Iterator["Message | None"]
"""None stands where a piece of a compressed stream was fetched, so that the loop may serve others."""


@dataclass(slots=True)
class Message:
    """One message; the timestamp in ms is -1 in magic 0. `size`: its bytes, with offset and length."""

    offset: int
    magic: int
    attributes: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    size: int = 0

    @property
    def codec(self) -> Codec:
        """Raises: ApiError UNSUPPORTED_COMPRESSION_TYPE: zstd, which these formats never knew, and the ids 5 to 7."""
        codec = self.attributes & _CODEC
        if codec > Codec.LZ4:
            raise ApiError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, f"compression type {codec} in magic {self.magic}")
        return Codec(codec)

    @property
    def is_log_append_time(self) -> bool:
        return self.magic > 0 and bool(self.attributes & _LOG_APPEND_TIME)


def is_old(records: Bytes | None) -> bool:
    """Whether these bytes begin with a message of magic 0 or 1."""
    return records is not None and len(records) > MAGIC_AT and records[MAGIC_AT] < 2


# --- reading ---


def messages(pieces: Iterable[bytes]) -> Messages:
    """The messages of one set, compressed ones as they stand.

    Raises: ApiError CORRUPT_MESSAGE: length, magic or CRC is wrong; INVALID_RECORD: key, value or set is cut off.
    """
    for item in items(iter(pieces), _end_of):
        yield None if item is None else _message(*item)


def inner_messages(outer: Message, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> Messages:
    """The messages in a compressed one, at least one; their offsets as they stand there.

    Raises: ApiError, as `messages`, and what `inflate` raises; INVALID_RECORD: of another magic, or compressed again.
    """
    if outer.value is None:
        raise _invalid("a compressed message has no value")
    pieces = inflate(outer.codec, outer.value, max_inflated_bytes, any_lz4_header=outer.magic == 0)
    last: Message | None = None
    for message in messages(pieces):
        if message is not None:
            if message.magic != outer.magic:
                raise _invalid(f"a message of magic {message.magic} in one of magic {outer.magic}")
            if message.codec:
                raise _invalid("a compressed message in a compressed message")
            if outer.is_log_append_time:
                message.timestamp_ms = outer.timestamp_ms
            last = message
        yield message
    if last is None:
        raise _invalid("a compressed message around nothing")
    if outer.magic and 0 != outer.offset < last.offset:
        raise _invalid(f"a compressed message at {outer.offset} ends at {last.offset}")


def read_message_set(data: Bytes, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> Iterator[Record]:
    """The records of whole messages, with the offsets that they have in a log.

    Raises: ApiError, as `inner_messages`.
    """
    for outer in messages((bytes(data),)):
        if outer is not None:
            yield from filter(None, records_of_message(outer, max_inflated_bytes))


def records_of_message(outer: Message, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> Iterator[Record | None]:
    """The records in one message of a log, in steps; a compressed one of magic 1 is inflated twice.

    Where it begins is only told by its last message.
    Raises: ApiError, as `inner_messages`.
    """
    if not outer.codec:
        yield _record(outer, 0)
        return
    base = 0
    if outer.magic and outer.offset:
        last = outer
        for message in inner_messages(outer, max_inflated_bytes):
            last = message or last
            yield None
        base = outer.offset - last.offset
    for message in inner_messages(outer, max_inflated_bytes):
        yield None if message is None else _record(message, base)


def _record(message: Message, base_offset: int) -> Record:
    return Record(base_offset + message.offset, message.timestamp_ms, message.key, message.value)


def _end_of(data: bytes, position: int) -> int:
    if position + 12 > len(data):
        return UNKNOWN_END
    (length,) = _LENGTH.unpack_from(data, position + 8)
    if length < _SMALLEST:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"a message has the length {length}")
    return int(position + 12 + length)


def _message(data: bytes, position: int, end: int) -> Message:
    offset, _, crc, magic, attributes = _START.unpack_from(data, position)
    if not 0 <= magic <= 1:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"a message has the magic {magic}")
    if crc != crc32(memoryview(data)[position + MAGIC_AT : end]):
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, "a message has a wrong checksum")
    timestamp, at = NO_TIMESTAMP, position + 18
    if magic and at + 8 <= end:
        (timestamp,) = _TIME.unpack_from(data, at)
        at += 8
    key, at = _bytes(data, at, end)
    value, at = _bytes(data, at, end)
    if at != end:
        raise _invalid(f"a message has {end - at} bytes behind its value")
    return Message(offset, magic, attributes, timestamp, key, value, end - position)


def _bytes(data: bytes, position: int, end: int) -> tuple[bytes | None, int]:
    if position + 4 > end:
        raise _invalid("a message ends before its value")
    (length,) = _LENGTH.unpack_from(data, position)
    position += 4
    if length < 0:
        return None, position
    if position + length > end:
        raise _invalid(f"a message has {end - position} bytes where it says {length}")
    return data[position : position + length], position + length


def _invalid(what: str) -> ApiError:
    return ApiError(ErrorCode.INVALID_RECORD, what)


# --- writing ---


def write_message(out: bytearray, message: Message) -> None:
    """Append one message; its attributes stand as they are."""
    start = len(out)
    out += _START.pack(message.offset, 0, 0, message.magic, message.attributes)
    if message.magic:
        out += _TIME.pack(message.timestamp_ms)
    for data in (message.key, message.value):
        out += _LENGTH.pack(-1 if data is None else len(data))
        out += data or b""
    _LENGTH.pack_into(out, start + 8, len(out) - start - 12)
    with memoryview(out) as view:
        crc = crc32(view[start + MAGIC_AT :])
    _CRC.pack_into(out, start + 12, crc)


def attributes_of(magic: int, codec: Codec, log_append_time: bool) -> int:
    return codec | (_LOG_APPEND_TIME if magic and log_append_time else 0)


def wrapped(codec: Codec, pieces: Iterable[bytes], outer: Message) -> Iterator[bytes]:
    """A set in pieces becomes the value of `outer`; empty pieces for the steps, then the whole message."""
    value = bytearray()
    for piece in deflate(codec, pieces):
        value += piece
        yield b""
    outer.value = bytes(value)
    if codec is Codec.LZ4 and outer.magic == 0:
        from kproto.records.lz4_frames import with_old_checksum

        outer.value = with_old_checksum(outer.value)
    out = bytearray()
    write_message(out, outer)
    yield bytes(out)


def build_message_set(
    records: Sequence[Record], magic: int, *, codec: Codec = Codec.NONE, log_append_ms: int | None = None
) -> bytes:
    """The records at their own offsets, as a broker of the time stored them; headers are left out.

    With `log_append_ms` all have this timestamp; magic 0 has none.
    """
    base = records[0].offset if magic and codec else 0
    inner = attributes_of(magic, Codec.NONE, log_append_ms is not None)
    out = bytearray()
    for record in records:
        timestamp = record.timestamp_ms if log_append_ms is None or codec else log_append_ms
        write_message(out, Message(record.offset - base, magic, inner, timestamp, record.key, record.value))
    if not codec:
        return bytes(out)
    latest = max(record.timestamp_ms for record in records) if log_append_ms is None else log_append_ms
    outer = Message(records[-1].offset, magic, inner | codec, latest, None, None)
    return b"".join(wrapped(codec, (bytes(out),), outer))
