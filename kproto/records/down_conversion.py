"""A batch of format v2 becomes messages of magic 0 or 1, in steps, for clients that know nothing newer.

Offsets, keys and values stay, also gaps between offsets; the codec stays, with the lz4 header that magic 0 expects.
Headers and control records are left out, since these formats have no place for them, and magic 0 has no times.
Source: RecordsUtil.java, MemoryRecordsBuilder.java.
"""

from collections.abc import Iterator

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import HEADER_BYTES, BatchHeader, Bytes, read_header
from kproto.records.compression import Codec, inflate
from kproto.records.frames import UNKNOWN_END, items
from kproto.records.legacy import NO_TIMESTAMP, Message, attributes_of, wrapped, write_message
from kproto.records.limits import MAX_INFLATED_BYTES
from kproto.records.record import Record, read_record, read_varint

SLICE_RECORDS, SLICE_BYTES = 60, 32 * 1024
"""About half a millisecond of plain Python."""


def down_converted(
    batch: Bytes, magic: int, from_offset: int = 0, *, max_inflated_bytes: int = MAX_INFLATED_BYTES
) -> Iterator[bytes]:
    """The messages of one whole batch from an offset on, in pieces, of which some are empty; none of a control batch.

    Raises: ApiError UNSUPPORTED_COMPRESSION_TYPE: zstd, which these formats never knew; CORRUPT_MESSAGE,
        INVALID_RECORD, MESSAGE_TOO_LARGE: the batch is not sound.
    """
    header = read_header(batch)
    if header.is_control:
        return
    if header.codec is Codec.ZSTD:
        raise ApiError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, "zstd is not for old clients")
    attributes = attributes_of(magic, Codec.NONE, header.is_log_append_time)
    outer = Message(-1, magic, attributes | header.codec, NO_TIMESTAMP, None, None)
    pieces = _messages(_records(batch, header, max_inflated_bytes), outer, from_offset)
    if not header.codec:
        yield from pieces
        return
    for piece in wrapped(header.codec, pieces, outer):
        yield piece if outer.offset >= 0 else b""


def _messages(records: Iterator[Record | None], outer: Message, from_offset: int) -> Iterator[bytes]:
    """The messages, plain or for inside `outer`, which learns where it ends and its largest time."""
    out = bytearray()
    codec, inner = outer.attributes & 7, outer.attributes & ~7
    base: int | None = None if codec and outer.magic else 0
    for number, record in enumerate(records):
        if record is not None and record.offset >= from_offset:
            base = record.offset if base is None else base
            outer.offset = record.offset
            outer.timestamp_ms = max(outer.timestamp_ms, record.timestamp_ms)
            message = Message(record.offset - base, outer.magic, inner, record.timestamp_ms, record.key, record.value)
            write_message(out, message)
        if record is None or number % SLICE_RECORDS == 0 or len(out) > SLICE_BYTES:
            yield bytes(out)
            out.clear()
    yield bytes(out)


def _records(batch: Bytes, header: BatchHeader, max_inflated_bytes: int) -> Iterator[Record | None]:
    """The records; None where a piece was inflated."""
    section = memoryview(batch)[HEADER_BYTES : header.size]
    for item in items(inflate(header.codec, section, max_inflated_bytes), _end_of_record):
        if item is None:
            yield None
            continue
        data, position, end = item
        try:
            _, position = read_varint(data, position)
            record, position = read_record(data, position, header.base_offset, header.base_timestamp)
        except IndexError:
            position = UNKNOWN_END
        if position != end:
            raise ApiError(ErrorCode.CORRUPT_MESSAGE, "a stored record does not end where it says")
        if header.is_log_append_time:
            record.timestamp_ms = header.max_timestamp
        yield record


def _end_of_record(data: bytes, position: int) -> int:
    try:
        length, position = read_varint(data, position)
    except IndexError:
        return UNKNOWN_END
    if length < 0:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, "a stored record has a negative length")
    return position + length
