"""Finds frames in memory that the caller owns: four bytes of size, then as many bytes."""

import struct

from kproto.errors import WireError

_SIZE = struct.Struct(">i")
SIZE_BYTES = _SIZE.size


def frame_size(
    memory: bytes | bytearray | memoryview, start: int, max_frame_bytes: int, *, min_frame_bytes: int = 1
) -> int:
    """Bytes that follow the four of the size field, which begins at `start` and is there.

    Args:
        max_frame_bytes, min_frame_bytes: limits of the result. An empty frame is legal inside SASL only.
    Raises: WireError: negative, too small or too large, which is also how TLS and HTTP look.
    """
    size: int = _SIZE.unpack_from(memory, start)[0]
    if not min_frame_bytes <= size <= max_frame_bytes:
        raise WireError(f"frame of {size} bytes, where {min_frame_bytes} to {max_frame_bytes} are allowed")
    return size


def size_field(size: int) -> bytes:
    """What stands before a frame of `size` bytes."""
    return _SIZE.pack(size)
