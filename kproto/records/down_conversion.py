"""A stored batch becomes messages of magic 0 or 1, in steps, for clients that know nothing newer.

What is of that magic or an older one already, in logs of brokers before 0.11, is sent as it stands.

Offsets, keys and values stay, also gaps between offsets; the codec stays, with the lz4 header that magic 0 expects.
Headers and control records are left out, since these formats have no place for them, and magic 0 has no times.
Source: RecordsUtil.java, MemoryRecordsBuilder.java.
"""

from collections.abc import Iterator

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import Bytes
from kproto.records.compression import Codec
from kproto.records.legacy import NO_TIMESTAMP, Message, attributes_of, wrapped, write_message
from kproto.records.limits import MAX_INFLATED_BYTES
from kproto.records.record import Record
from kproto.records.stored import read_stored_header, stored_records

SLICE_RECORDS, SLICE_BYTES = 60, 32 * 1024
"""About half a millisecond of plain Python."""


def down_converted(
    batch: Bytes, magic: int, from_offset: int = 0, *, max_inflated_bytes: int = MAX_INFLATED_BYTES
) -> Iterator[bytes]:
    """The messages of one whole batch from an offset on, in pieces, of which some are empty; none of a control batch.

    Raises: ApiError UNSUPPORTED_COMPRESSION_TYPE: zstd, which these formats never knew; CORRUPT_MESSAGE,
        INVALID_RECORD, MESSAGE_TOO_LARGE: the batch is not sound.
    """
    header = read_stored_header(batch)
    if header.magic <= magic:
        yield bytes(batch)
        return
    if header.is_control:
        return
    if header.codec is Codec.ZSTD:
        raise ApiError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, "zstd is not for old clients")
    attributes = attributes_of(magic, Codec.NONE, header.is_log_append_time)
    outer = Message(-1, magic, attributes | header.codec, NO_TIMESTAMP, None, None)
    pieces = _messages(stored_records(batch, max_inflated_bytes=max_inflated_bytes), outer, from_offset)
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
