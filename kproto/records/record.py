"""One record inside a batch of format v2, written and read.

All numbers are zigzag varints: length, attributes (one byte, unused), timestamp delta, offset delta, key length and
key, value length and value, header count, and per header key length, key, value length, value. A length of -1 is null.
Source: KIP-82, KIP-98.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kproto.errors import ApiError, ErrorCode


@dataclass(slots=True)
class Record:
    """A record as a client knows it. Writing a new batch counts `offset` itself and ignores what stands here."""

    offset: int = 0
    timestamp_ms: int = -1
    key: bytes | None = None
    value: bytes | None = None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)


def write_varint(out: bytearray, number: int) -> None:
    """Append a zigzag varint (also varlong: the two differ only in how far they may go)."""
    number = number << 1 if number >= 0 else ((-number - 1) << 1) | 1
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def read_varint(data: bytes, position: int, bits: int = 32) -> tuple[int, int]:
    """A zigzag varint of at most `bits` bits: its value and the position after it.

    Raises: IndexError at the end of `data`; ApiError INVALID_RECORD when it is too long.
    """
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
    if number >> bits:
        raise ApiError(ErrorCode.INVALID_RECORD, f"a varint has more than {bits} bits")
    return (number >> 1) ^ -(number & 1), position


def write_record(out: bytearray, record: Record, timestamp_delta: int, offset_delta: int) -> None:
    """Append one record with its length before it."""
    body = bytearray(1)
    write_varint(body, timestamp_delta)
    write_varint(body, offset_delta)
    _write_bytes(body, record.key)
    _write_bytes(body, record.value)
    write_varint(body, len(record.headers))
    for key, value in record.headers:
        _write_bytes(body, key.encode())
        _write_bytes(body, value)
    write_varint(out, len(body))
    out += body


def _write_bytes(out: bytearray, data: bytes | None) -> None:
    if data is None:
        out.append(1)
        return
    write_varint(out, len(data))
    out += data


def read_records_of(data: bytes, count: int, base_offset: int, base_timestamp_ms: int) -> Iterator[Record]:
    """The `count` records of an inflated record section, one by one.

    Raises: ApiError INVALID_RECORD where they do not add up.
    """
    position = 0
    for _ in range(count):
        try:
            length, position = read_varint(data, position)
            record, end = read_record(data, position, base_offset, base_timestamp_ms)
        except IndexError:
            raise ApiError(ErrorCode.INVALID_RECORD, "a record ends after its batch") from None
        if end != position + length:
            raise ApiError(ErrorCode.INVALID_RECORD, f"a record is {end - position} bytes long and says {length}")
        position = end
        yield record
    if position < len(data):
        raise ApiError(ErrorCode.INVALID_RECORD, f"a batch has bytes behind its {count} records")


def read_record(data: bytes, position: int, base_offset: int, base_timestamp_ms: int) -> tuple[Record, int]:
    """The record whose length ends before `position`, and where it ends.

    Raises: IndexError at the end of `data`; ApiError INVALID_RECORD.
    """
    timestamp_delta, position = read_varint(data, position + 1, bits=64)
    offset_delta, position = read_varint(data, position)
    key, position = _read_bytes(data, position)
    value, position = _read_bytes(data, position)
    header_count, position = read_varint(data, position)
    if header_count < 0:
        raise ApiError(ErrorCode.INVALID_RECORD, "a header count is negative")
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(header_count):
        header_key, position = _read_bytes(data, position)
        header_value, position = _read_bytes(data, position)
        if header_key is None:
            raise ApiError(ErrorCode.INVALID_RECORD, "a header has no key")
        headers.append((header_key.decode(errors="replace"), header_value))
    return Record(base_offset + offset_delta, base_timestamp_ms + timestamp_delta, key, value, headers), position


def _read_bytes(data: bytes, position: int) -> tuple[bytes | None, int]:
    length, position = read_varint(data, position)
    if length < 0:
        return None, position
    if position + length > len(data):
        raise IndexError
    return data[position : position + length], position + length
