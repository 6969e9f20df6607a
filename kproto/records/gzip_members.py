"""gzip, by the standard library: it alone among our gzip libraries stops after as many bytes as it is asked for.

Several members may follow each other, as Java's reader allows.  Source: RFC 1952.
"""

import zlib
from collections.abc import Generator, Iterable, Iterator

from kproto.errors import ApiError, ErrorCode
from kproto.records.limits import MAX_STREAMS

_GZIP = 31  # zlib's name for "a gzip member, window up to 32 KiB"
_PIECE_BYTES = 32 * 1024  # a tenth of a millisecond: half as much as of other codecs
_FEED_BYTES = 64 * 1024


def deflated(pieces: Iterable[bytes], level: int | None) -> Iterator[bytes]:
    """One member. `level`: 1 to 9, -1 and None for zlib's own."""
    member = zlib.compressobj(-1 if level is None else level, wbits=_GZIP)
    for piece in pieces:
        yield member.compress(piece)
    yield member.flush()


def inflated(data: memoryview) -> Iterator[bytes]:
    """Raises: ApiError CORRUPT_MESSAGE, INVALID_RECORD."""
    for _ in range(MAX_STREAMS):
        data = yield from _member(data)
        if not data:
            return
    raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"more than {MAX_STREAMS} gzip members")


def _member(data: memoryview) -> Generator[bytes, None, memoryview]:
    """The pieces of one member; gives back what stands behind it."""
    member = zlib.decompressobj(_GZIP)
    position = 0
    rest: bytes | memoryview = b""
    try:
        while not member.eof:
            if not rest:  # fed in parts, since what is not yet used is copied each time
                rest = data[position : position + _FEED_BYTES]
                position += len(rest)
            fed = len(rest)
            piece = member.decompress(rest, _PIECE_BYTES)
            rest = member.unconsumed_tail
            if not (fed or piece):
                raise ApiError(ErrorCode.INVALID_RECORD, "a gzip stream ends early")
            yield piece
    except zlib.error as why:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"damaged gzip stream: {why}") from None
    return data[position - len(member.unused_data) :]
