"""The codecs of record batches, both ways; the way in never believes what the sender claims.

Both ways go in steps, so that work on many bytes can be interrupted: `deflate` and `inflate` are their generators.

`inflate` gives pieces, so whoever only looks at the records holds at most 64 KiB of a gzip or zstd stream, or one block
of lz4 or snappy, never the whole. The libraries are imported when a codec is first used.

Refusals, by Kafka's codes: CORRUPT_MESSAGE (2) for a damaged stream, INVALID_RECORD (87) for one that ends early,
MESSAGE_TOO_LARGE (10) for more bytes than the caller allows.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from functools import cache, partial

from kproto.errors import ApiError, ErrorCode
from kproto.records.limits import MAX_INFLATED_BYTES

_GATHERED_BYTES = 32 * 1024
_GATHERED_PIECES = 64
_FED_BYTES = 16 * 1024


class Codec(IntEnum):
    """Bits 0-2 of a batch's attributes.  Source: KIP-98; zstd: KIP-110."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


def compress(codec: Codec, data: bytes) -> bytes:
    """`data` as one stream, in the framing that Java's clients write and read."""
    return b"".join(deflate(codec, (data,)))


def deflate(codec: Codec, pieces: Iterable[bytes], level: int | None = None) -> Iterator[bytes]:
    """One stream of all `pieces`, in pieces, of which many are empty: a step of at most 16 KiB of input each.

    `level`: by the codec's own scale, None for its default; snappy has none.
    """
    return _compressor(codec)(_fed(pieces), level)


def _fed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece) or 1, _FED_BYTES):
            yield piece[start : start + _FED_BYTES]


def inflate(
    codec: Codec,
    data: bytes | memoryview,
    max_bytes: int = MAX_INFLATED_BYTES,
    *,
    any_lz4_header: bool = False,
) -> Iterator[bytes]:
    """The inflated bytes, in pieces; a piece may be empty, so that much work for nothing can be interrupted too.

    `data` is read where it lies until the last piece is there.
    `any_lz4_header`: the checksum of an lz4 header may be wrong, as it is in messages of magic 0.
    Raises: ApiError, see the module, also after some pieces.
    """
    inflated = gathered_bytes = 0
    gathered: list[bytes] = []
    for piece in _inflater(codec, any_lz4_header)(memoryview(data)):
        inflated += len(piece)
        if inflated > max_bytes:
            raise ApiError(ErrorCode.MESSAGE_TOO_LARGE, f"a batch inflates to more than {max_bytes} bytes")
        gathered.append(piece)
        gathered_bytes += len(piece)
        if gathered_bytes >= _GATHERED_BYTES or len(gathered) >= _GATHERED_PIECES:
            yield b"".join(gathered)
            gathered, gathered_bytes = [], 0
    if gathered:
        yield b"".join(gathered)


def decompress(codec: Codec, data: bytes | memoryview, max_bytes: int = MAX_INFLATED_BYTES) -> bytes:
    """All of `inflate` at once.

    Raises: ApiError, see the module.
    """
    return b"".join(inflate(codec, data, max_bytes))


def _compressor(codec: Codec) -> Callable[[Iterable[bytes], int | None], Iterator[bytes]]:
    match codec:
        case Codec.GZIP:
            from kproto.records.gzip_members import deflated
        case Codec.SNAPPY:
            from kproto.records.snappy_chunks import deflated
        case Codec.LZ4:
            from kproto.records.lz4_frames import deflated
        case Codec.ZSTD:
            from kproto.records.zstd_frames import deflated
        case _:
            return lambda pieces, level: iter(pieces)
    return deflated


@cache
def _inflater(codec: Codec, any_lz4_header: bool) -> Callable[[memoryview], Iterator[bytes]]:
    match codec:
        case Codec.GZIP:
            from kproto.records.gzip_members import inflated
        case Codec.SNAPPY:
            from kproto.records.snappy_chunks import inflated
        case Codec.LZ4:
            from kproto.records.lz4_frames import inflated as inflated_lz4

            return partial(inflated_lz4, check_header=not any_lz4_header)
        case Codec.ZSTD:
            from kproto.records.zstd_frames import inflated
        case _:
            return lambda data: iter((bytes(data),))
    return inflated
