"""Where the records of one inflated batch are, read no further than compaction needs.  Source: KIP-98."""

from collections.abc import Iterator
from typing import NamedTuple

from kproto.errors import ApiError, ErrorCode
from kproto.records.record import read_varint, write_varint


class Place(NamedTuple):
    """One record: the bytes `[start, end)` with its length before them, and what matters of what is in them."""

    start: int
    end: int
    offset_delta: int
    timestamp_delta: int
    key: bytes | None
    has_value: bool
    attributes_at: int
    """Where its length ends and its attributes are."""
    rest_at: int
    """Where its timestamp delta ends."""


def places(data: bytes, count: int) -> Iterator[Place]:
    """Of `count` records.  Raises: ApiError INVALID_RECORD where they do not add up."""
    position = 0
    try:
        for _ in range(count):
            start = position
            length, attributes_at = read_varint(data, start)
            end = attributes_at + length
            timestamp_delta, rest_at = read_varint(data, attributes_at + 1, 64)
            offset_delta, position = read_varint(data, rest_at)
            key_length, position = read_varint(data, position)
            key = None
            if key_length >= 0:
                key = data[position : position + key_length]
                position += key_length
            value_length, position = read_varint(data, position)
            if position + max(value_length, 0) > end or end > len(data):
                raise IndexError
            yield Place(start, end, offset_delta, timestamp_delta, key, value_length >= 0, attributes_at, rest_at)
            position = end
    except IndexError:
        raise ApiError(ErrorCode.INVALID_RECORD, "a record ends after its batch") from None
    if position != len(data):
        raise ApiError(ErrorCode.INVALID_RECORD, f"a batch has bytes behind its {count} records")


def with_timestamp_delta(data: bytes, place: Place, delta: int) -> bytearray:
    """That record, its time counted from another base."""
    body = bytearray(data[place.attributes_at : place.attributes_at + 1])
    write_varint(body, delta)
    body += data[place.rest_at : place.end]
    record = bytearray()
    write_varint(record, len(body))
    return record + body
