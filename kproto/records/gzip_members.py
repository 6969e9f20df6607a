"""gzip, by the standard library: it alone among our gzip libraries stops after as many bytes as it is asked for.

Several members may follow each other, as Java's reader allows.  Source: RFC 1952.
"""

import zlib
from collections.abc import Iterator

from kproto.errors import ApiError, ErrorCode

_GZIP = 31  # zlib's name for "a gzip member, window up to 32 KiB"
_PIECE_BYTES = 256 * 1024
_FEED_BYTES = 64 * 1024


def deflated(data: bytes) -> bytes:
    return zlib.compress(data, wbits=_GZIP)


def inflated(data: bytes) -> Iterator[bytes]:
    """Raises: ApiError CORRUPT_MESSAGE, INVALID_RECORD."""
    member = zlib.decompressobj(_GZIP)
    position, rest = 0, b""
    try:
        while rest or position < len(data):
            if member.eof:
                member = zlib.decompressobj(_GZIP)
            if not rest:
                rest = data[position : position + _FEED_BYTES]
                position += len(rest)
            yield member.decompress(rest, _PIECE_BYTES)
            rest = member.unused_data if member.eof else member.unconsumed_tail
        while not member.eof and (piece := member.decompress(b"", _PIECE_BYTES)):
            yield piece
    except zlib.error as why:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"damaged gzip stream: {why}") from None
    if not member.eof:
        raise ApiError(ErrorCode.INVALID_RECORD, "a gzip stream ends early")
