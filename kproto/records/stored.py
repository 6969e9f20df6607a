"""Batches as they lie in logs, of every format: v2, and the messages of magic 0 and 1 that older brokers wrote there.

A message of magic 0 or 1 counts as a batch. A compressed one has the offset of its last inner message; where it begins
is only told by what is in it, so here its base offset is that last one, too. Nothing new is stored in these formats.
"""

from collections.abc import Iterator
from struct import Struct

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import (
    HEADER_BYTES,
    MAGIC_AT,
    BatchHeader,
    Bytes,
    read_header,
)
from kproto.records.compression import inflate
from kproto.records.frames import UNKNOWN_END, items
from kproto.records.legacy import NO_TIMESTAMP, messages, records_of_message
from kproto.records.limits import MAX_INFLATED_BYTES
from kproto.records.record import Record, read_record, read_varint

SMALLEST_BYTES = 26
"""A message of magic 0 without key and value."""
OLD_CRC_FROM = 16
_OLD_START = Struct(">qiIbb")
_OLD_TIME = Struct(">q")
_OLD_ATTRIBUTES = {0: 0x07, 1: 0x0F}

StoredRecords = Iterator["Record | None"]
"""None stands where a piece of a compressed stream was inflated, so that the loop may serve others."""


def read_stored_header(view: Bytes, position: int = 0) -> BatchHeader:
    """The header of the batch at `position`, whatever its magic; the batch may end beyond the bytes at hand.

    Of an old message: count 1, last offset delta 0, the CRC-32 of all behind it, time -1 in magic 0, no producer, no
    leader epoch; codec and timestamp type stand where a v2 batch has them.
    Raises: ApiError CORRUPT_MESSAGE: too short, an impossible length or magic.
    """
    if len(view) - position <= MAGIC_AT or view[position + MAGIC_AT] > 1:
        return read_header(view, position)
    if len(view) - position < SMALLEST_BYTES:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, "a stored message is cut off")
    offset, length, crc, magic, attributes = _OLD_START.unpack_from(view, position)
    if length < SMALLEST_BYTES - 12 + 8 * magic:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"a stored message has the length {length}")
    time_ms = _OLD_TIME.unpack_from(view, position + 18)[0] if magic else NO_TIMESTAMP
    attributes &= _OLD_ATTRIBUTES[magic]
    return BatchHeader(offset, length, -1, magic, crc, attributes, 0, time_ms, time_ms, -1, -1, -1, 1)


def split_stored(batches: memoryview) -> Iterator[tuple[BatchHeader, memoryview]]:
    """Each whole batch with its header; what is cut off at the end is left out.

    Raises: ApiError, as `read_stored_header`.
    """
    position, size = 0, len(batches)
    while size - position >= SMALLEST_BYTES:
        if batches[position + MAGIC_AT] > 1 and size - position < HEADER_BYTES:
            return
        header = read_stored_header(batches, position)
        end = position + header.size
        if end > size:
            return
        yield header, batches[position:end]
        position = end


def stored_records(batch: Bytes, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> StoredRecords:
    """The records of one whole batch, in steps, with the offsets and times that consumers see.

    Raises: ApiError: it is not sound, or inflates to more than that.
    """
    header = read_stored_header(batch)
    if header.magic < 2:
        for message in messages((bytes(batch),)):
            if message is not None:
                yield from records_of_message(message, max_inflated_bytes)
        return
    section = memoryview(batch)[HEADER_BYTES : header.size]
    for item in items(inflate(header.codec, section, max_inflated_bytes), _end_of_record):
        yield None if item is None else _record(header, *item)


def read_stored_records(batch: Bytes, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> Iterator[Record]:
    """All of `stored_records`, without the steps."""
    return filter(None, stored_records(batch, max_inflated_bytes=max_inflated_bytes))


def _record(header: BatchHeader, data: bytes, position: int, end: int) -> Record:
    try:
        _, position = read_varint(data, position)
        record, position = read_record(data, position, header.base_offset, header.base_timestamp)
    except IndexError:
        position = UNKNOWN_END
    if position != end:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, "a stored record does not end where it says")
    if header.is_log_append_time:
        record.timestamp_ms = header.max_timestamp
    return record


def _end_of_record(data: bytes, position: int) -> int:
    try:
        length, position = read_varint(data, position)
    except IndexError:
        return UNKNOWN_END
    if length < 0:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, "a stored record has a negative length")
    return position + length
