"""Messages that stand behind an int16: records of internal topics, the consumer protocol, transaction markers.

Values begin with their version. Keys begin with the number of their type, and their body is always version 0.
"""

import struct
from collections.abc import Iterable
from typing import TypeVar

from kproto.codec import decode, encoded
from kproto.errors import WireError
from kproto.schema import Message

M = TypeVar("M", bound=Message)

_INT16 = struct.Struct(">h")


def versioned(message: Message, version: int) -> bytes:
    """The version, then the body."""
    return _INT16.pack(version) + encoded(message, version)


def read_versioned(cls: type[M], data: bytes | memoryview, *, newer_as_newest: bool = False) -> M:
    """Read what `versioned` writes.

    Args:
        newer_as_newest: read a version that is not known yet as the newest that is, as consumers do among themselves.
    Raises: WireError: an unknown version, or what `decode` says.
    """
    version = _number(data)
    if newer_as_newest:
        version = min(version, cls.VERSIONS[1])
    return decode(cls, version, memoryview(data)[_INT16.size :])


def key_bytes(key: Message) -> bytes:
    """The number of the type, then the body."""
    assert key.RECORD_TYPE is not None
    return _INT16.pack(key.RECORD_TYPE) + encoded(key, 0)


def read_key(classes: Iterable[type[M]], data: bytes | memoryview) -> M | None:
    """A key of one of these classes; None if it is of another type, which a newer release may have written.

    Raises: WireError.
    """
    number = _number(data)
    for cls in classes:
        if number == cls.RECORD_TYPE:
            return decode(cls, 0, memoryview(data)[_INT16.size :])
    return None


def _number(data: bytes | memoryview) -> int:
    if len(data) < _INT16.size:
        raise WireError("cut off before the version")
    number: int = _INT16.unpack_from(data)[0]
    return number
