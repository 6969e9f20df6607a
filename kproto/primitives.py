"""Variable-length integers, tag buffers, uuids and integer runs: what generated codec text calls by name."""

from functools import lru_cache
from struct import Struct
from typing import Any
from uuid import UUID

from kproto.errors import WireError

MAX_STRING_BYTES = 0x7FFF
_KEPT_LENGTHS = 1024


def read_uvarint(view: memoryview, position: int) -> tuple[int, int]:
    """An unsigned 32-bit varint and the position behind it. Raises: WireError over 5 bytes, IndexError if cut off."""
    value = 0
    for shift in (0, 7, 14, 21, 28):
        byte = view[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF, position
    raise WireError("varint longer than 5 bytes")


def read_string_length(view: memoryview, position: int) -> tuple[int, int]:
    """Like `read_uvarint`, for a compact string: its length plus one."""
    length, position = read_uvarint(view, position)
    if length > MAX_STRING_BYTES + 1:
        raise WireError(f"string of {length - 1} bytes")
    return length, position


def write_uvarint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Uvarints(dict[int, bytes]):
    """The varint of a number by look-up; those of one byte are kept, others are made when asked for."""

    def __init__(self) -> None:
        super().__init__((value, write_uvarint(value)) for value in range(0x80))

    def __missing__(self, value: int) -> bytes:
        return write_uvarint(value)


UVARINTS = Uvarints()


class Runs(dict[int, Struct]):
    """`struct.Struct` of n integers of one type, by n; short ones are kept."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self._code = code

    def __missing__(self, count: int) -> Struct:
        run = Struct(f">{count}{self._code}")
        if count <= _KEPT_LENGTHS:
            self[count] = run
        return run


@lru_cache(maxsize=4096)
def read_uuid(raw: bytes) -> UUID:
    """Topic ids come again and again; making a UUID costs ten times a look-up."""
    return UUID(bytes=raw)


def read_tags(view: memoryview, position: int, most: int) -> tuple[list[tuple[int, int, int]], int]:
    """(tag, start, stop) of each field of the tag buffer that begins at `position`, and the position behind it.

    Raises: WireError: more than `most` of them, or one that reaches past the end; IndexError if cut off.
    """
    count, position = read_uvarint(view, position)
    if count > most:
        raise WireError(f"{count} tagged fields")
    spans = []
    for _ in range(count):
        tag, position = read_uvarint(view, position)
        size, start = read_uvarint(view, position)
        position = start + size
        if position > len(view):
            raise WireError(f"tagged field of {size} bytes")
        spans.append((tag, start, position))
    return spans, position


def write_tags(fields: tuple[tuple[int, list[Any]], ...]) -> bytes:
    """A tag buffer; each field is its number and the parts of its content."""
    parts = [write_uvarint(len(fields))]
    for tag, content in fields:
        body = b"".join(content)
        parts += write_uvarint(tag), write_uvarint(len(body)), body
    return b"".join(parts)
