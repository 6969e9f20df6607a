"""Messages of magic 0 and 1 as they lie in a file: a wrong CRC is told, not refused.

The layout is in kproto.records.legacy, whose readers stop at the first message that is not right.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct, error
from typing import NamedTuple
from zlib import crc32

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import MAGIC_AT
from kproto.records.compression import Codec, inflate
from kproto.records.legacy import NO_TIMESTAMP

_START = Struct(">qiIbb")
_LENGTH = Struct(">i")
_TIME = Struct(">q")
_SMALLEST = 14
_CODEC, _LOG_APPEND_TIME = 0x07, 0x08
_MAX_INFLATED_BYTES = 2**31 - 1


@dataclass(slots=True)
class OldMessage:
    """One message; key and value are read when asked for, as they may be cut off."""

    data: bytes
    offset: int
    checksum: int
    magic: int
    attributes: int
    timestamp_ms: int

    @classmethod
    def of(cls, data: bytes) -> "OldMessage":
        """Raises: ApiError INVALID_RECORD: too short for its timestamp."""
        try:
            offset, _, checksum, magic, attributes = _START.unpack_from(data)
            timestamp = _TIME.unpack_from(data, 18)[0] if magic else NO_TIMESTAMP
        except error:
            raise _invalid("a message is cut off") from None
        return cls(data, offset, checksum, magic, attributes, timestamp)

    @property
    def is_valid(self) -> bool:
        return crc32(memoryview(self.data)[MAGIC_AT:]) == self.checksum

    @property
    def codec(self) -> Codec:
        """Raises: ApiError UNSUPPORTED_COMPRESSION_TYPE."""
        codec = self.attributes & _CODEC
        if codec > Codec.ZSTD:
            raise ApiError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, f"unknown compression type {codec}")
        return Codec(codec)

    @property
    def key(self) -> "Field":
        """Raises: ApiError INVALID_RECORD."""
        return self._field(26 if self.magic else 18)

    @property
    def value(self) -> "Field":
        """Raises: ApiError INVALID_RECORD."""
        return self._field(self.key.end)

    def _field(self, position: int) -> "Field":
        if position + 4 > len(self.data):
            raise _invalid("a message ends before its value")
        (length,) = _LENGTH.unpack_from(self.data, position)
        end = position + 4 + max(length, 0)
        if end > len(self.data):
            raise _invalid("a message is shorter than it says")
        return Field(length, None if length < 0 else self.data[position + 4 : end], end)


class Field(NamedTuple):
    """A key or value: the length it claims, which is negative for null; its bytes; where it ends in the message."""

    length: int
    data: bytes | None
    end: int


class MessageSet:
    """One message as it lies in the file, with those in it if it is compressed."""

    def __init__(self, data: bytes) -> None:
        self.outer = OldMessage.of(data)
        self.magic = self.outer.magic
        self.size = len(data)
        self.last_offset = self.outer.offset
        self.max_timestamp = self.outer.timestamp_ms
        self.checksum = self.outer.checksum

    @property
    def timestamp_type(self) -> str:
        if self.magic == 0:
            return "NoTimestampType"
        return "LogAppendTime" if self.outer.attributes & _LOG_APPEND_TIME else "CreateTime"

    @property
    def is_valid(self) -> bool:
        return self.outer.is_valid

    @property
    def codec(self) -> Codec:
        """Raises: ApiError."""
        return self.outer.codec

    def messages(self) -> Iterator[OldMessage]:
        """With the offsets that they have in the log.

        Raises: ApiError.
        """
        if not self.outer.codec:
            yield self.outer
            return
        inner = list(self._inner())
        if not inner:
            raise _invalid("nothing is in a compressed message")
        base = self.outer.offset - inner[-1].offset if self.magic and self.outer.offset else 0
        if base < 0:
            raise _invalid(f"it ends at {inner[-1].offset} and says {self.outer.offset}")
        for message in inner:
            if message.codec:
                raise _invalid("a compressed message in a compressed message")
            message.offset += base
            if self.timestamp_type == "LogAppendTime":
                message.timestamp_ms = self.outer.timestamp_ms
            yield message

    def _inner(self) -> Iterator[OldMessage]:
        """Up to one that is cut off. Raises: ApiError."""
        pieces = inflate(
            self.outer.codec, self.outer.value.data or b"", _MAX_INFLATED_BYTES, any_lz4_header=self.magic == 0
        )
        data, position = b"".join(pieces), 0
        while position + 12 <= len(data):
            (length,) = _LENGTH.unpack_from(data, position + 8)
            if length < _SMALLEST:
                raise _invalid(f"a message in a compressed message has the length {length}")
            if position + 12 + length > len(data):
                return
            yield OldMessage.of(data[position : position + 12 + length])
            position += 12 + length


def _invalid(what: str) -> ApiError:
    return ApiError(ErrorCode.INVALID_RECORD, what)
