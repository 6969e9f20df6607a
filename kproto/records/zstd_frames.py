"""zstd, by the module that Python 3.14 brings and its backport: it stops after as many bytes as it is asked for.

A frame names the window that its reader must keep: 8 MiB up to level 19, 128 MiB at level 22, 2^63 bytes in a
liar's. We keep 8 MiB: a frame that names more is read as one of 8 MiB that does not tell its size, which changes
nothing before 8 MiB of content; there, such a frame is too large for us.  Source: RFC 8878; KIP-110.
"""

import sys
from collections.abc import Generator, Iterable, Iterator

from kproto.errors import ApiError, ErrorCode
from kproto.records.limits import MAX_STREAMS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MAGIC = bytes.fromhex("28b52ffd")
_LEVEL = 3
_PIECE_BYTES = 64 * 1024
_WINDOW_BYTES = 8 * 1024 * 1024
_UNKNOWN = -1
_WINDOW = bytes((13 << 3,))  # 2^(10+13)


def deflated(pieces: Iterable[bytes], level: int | None) -> Iterator[bytes]:
    """One frame, which does not tell its size. `level`: -131072 to 22, None for 3."""
    encoder = zstd.ZstdCompressor(_LEVEL if level is None else level)
    for piece in pieces:
        yield encoder.compress(piece)
    yield encoder.flush()


def inflated(data: memoryview) -> Iterator[bytes]:
    """Raises: ApiError CORRUPT_MESSAGE, INVALID_RECORD, MESSAGE_TOO_LARGE."""
    for _ in range(MAX_STREAMS):
        data = yield from _frame(data)
        if not data:
            return
    raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"more than {MAX_STREAMS} zstd frames")


def _frame(data: memoryview) -> Generator[bytes, None, memoryview]:
    """The pieces of one frame; gives back what stands behind it."""
    frame, claimed = _with_our_window(data)
    decoder = zstd.ZstdDecompressor()
    count = 0
    try:
        while not decoder.eof:
            piece = decoder.decompress(frame, _PIECE_BYTES)
            frame = b""
            count += len(piece)
            if not piece and decoder.needs_input:
                raise ApiError(ErrorCode.INVALID_RECORD, "a zstd stream ends early")
            yield piece
    except zstd.ZstdError as why:
        if claimed is not None and count >= _WINDOW_BYTES:
            raise ApiError(ErrorCode.MESSAGE_TOO_LARGE, "a zstd window of more than 8 MiB") from None
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"damaged zstd stream: {why}") from None
    if claimed is not None and claimed not in (_UNKNOWN, count):
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"a zstd frame of {count} bytes says {claimed}")
    return data[len(data) - len(decoder.unused_data) :]


def _with_our_window(data: memoryview) -> tuple[bytes | memoryview, int | None]:
    """The same frame with a window of at most 8 MiB; and, if it had to be cut, the content size that it claims."""
    if data[:4] != _MAGIC or len(data) < 6:
        return data, None
    flags = data[4]
    single_segment = bool(flags & 0x20)
    size_bytes = (1 if single_segment else 0, 2, 4, 8)[flags >> 6]
    dictionary_at = 5 if single_segment else 6
    size_at = dictionary_at + (0, 1, 2, 4)[flags & 3]
    end = size_at + size_bytes
    claimed = int.from_bytes(data[size_at:end], "little") + (256 if size_bytes == 2 else 0) if size_bytes else _UNKNOWN
    if single_segment:
        window = claimed
    else:
        window = (1 << 10 + (data[5] >> 3)) // 8 * (8 + (data[5] & 7))
    if window <= _WINDOW_BYTES:
        return data, None
    without_size = bytes((flags & 0x07,))
    return b"".join((_MAGIC, without_size, _WINDOW, data[dictionary_at:size_at], data[end:])), claimed
