"""snappy, raw as librdkafka writes it and in the chunks of Java's snappy library ("xerial"), as Java writes it.

A chunked stream is a 16-byte header (magic, version 1, lowest version that can read it 1), then chunks: an int32
length and a raw block that inflates to 32 KiB at most when we or Java wrote it. A raw block begins with its inflated
length, which is only a claim: snappy turns 3 bytes into at most 64, so a greater claim is a lie.
Source: SnappyOutputStream of org.xerial.snappy 1.1; format_description.txt of snappy.
"""

from collections.abc import Iterable, Iterator

import cramjam

from kproto.errors import ApiError, ErrorCode

_MAGIC = b"\x82SNAPPY\x00"
_HEADER = _MAGIC + bytes((0, 0, 0, 1, 0, 0, 0, 1))
_CHUNK_BYTES = 32 * 1024
_MAX_BLOCK_BYTES = 16 * 1024 * 1024


def deflated(pieces: Iterable[bytes], level: int | None) -> Iterator[bytes]:
    """A stream in chunks; snappy knows no levels."""
    yield _HEADER
    rest = b""
    for piece in pieces:
        rest += piece
        whole = len(rest) - len(rest) % _CHUNK_BYTES
        yield b"".join(_chunk(rest[start : start + _CHUNK_BYTES]) for start in range(0, whole, _CHUNK_BYTES))
        rest = rest[whole:]
    yield _chunk(rest) if rest else b""


def _chunk(data: bytes) -> bytes:
    block = bytes(cramjam.snappy.compress_raw(data))
    return len(block).to_bytes(4) + block


def inflated(data: memoryview) -> Iterator[bytes]:
    """Raises: ApiError CORRUPT_MESSAGE, INVALID_RECORD, MESSAGE_TOO_LARGE."""
    head = bytes(data[: len(_HEADER)])
    if len(head) < len(_HEADER) and (head.startswith(_MAGIC) or _MAGIC.startswith(head)):
        raise _ends_early()
    if not head.startswith(_MAGIC):
        yield _block(data)
        return
    position = len(_HEADER)
    while position < len(data):
        if (
            data[position : position + len(_MAGIC)] == _MAGIC
        ):  # Java's reader takes streams that were put one after the other
            position += len(_HEADER)
            continue
        start = position + 4
        if start > len(data):
            raise _ends_early()
        length = int.from_bytes(data[position:start], signed=True)
        if length < 0:
            raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"a snappy chunk of {length} bytes")
        position = start + length
        if position > len(data):
            raise _ends_early()
        yield _block(data[start:position])


def _block(block: memoryview) -> bytes:
    """One raw block. It cannot be inflated in parts: 16 MiB, or four times what the sender really sent."""
    claimed = _claimed_bytes(block)
    if claimed > max(_MAX_BLOCK_BYTES, 4 * len(block)):
        raise ApiError(ErrorCode.MESSAGE_TOO_LARGE, f"a snappy block of {len(block)} bytes inflates to {claimed}")
    out = bytearray(claimed)
    try:
        written = cramjam.snappy.decompress_raw_into(block, out)
    except cramjam.DecompressionError as why:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"damaged snappy stream: {why}") from None
    return bytes(memoryview(out)[:written])


def _claimed_bytes(block: memoryview) -> int:
    """The varint before a raw block; CORRUPT_MESSAGE when no such block can inflate to so much."""
    claimed = 0
    for index, byte in enumerate(block[:5]):
        claimed |= (byte & 127) << 7 * index
        if byte < 128:
            break
    else:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, "a snappy block without length")
    if claimed > len(block) * 64 // 3 + 64:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, f"a snappy block of {len(block)} bytes claims {claimed} inflated")
    return claimed


def _ends_early() -> ApiError:
    return ApiError(ErrorCode.INVALID_RECORD, "a snappy stream ends early")
