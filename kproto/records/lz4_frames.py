"""lz4 in its frame format, whose blocks are independent of each other: Java's clients refuse linked ones.

The library inflates a whole frame or nothing, so it gets one block after the other. What the frame says of its
inflated size is ignored, like its checksum over everything (Kafka checks neither; the batch has a CRC); header and
block checksums are checked.  Source: lz4_Frame_format.md 1.6; Lz4BlockInputStream of Kafka.

Clients of magic 0 take the frame's magic into the header checksum, which is wrong, and expect it so (KAFKA-3160).
"""

from collections.abc import Generator, Iterable, Iterator
from functools import lru_cache

import cramjam

from kproto.errors import ApiError, ErrorCode
from kproto.records.limits import MAX_STREAMS

_MAGIC = bytes.fromhex("04224d18")
_END_MARK = bytes(4)
_STORED = 0x80000000
"""In the size of a block: it is not compressed."""
_BEST_RATIO = 255  # one byte prolongs a match by at most so many; so a tiny block costs no 4 MiB
_VERSION, _INDEPENDENT, _BLOCK_CHECKSUM, _SIZE, _CHECKSUM, _DICTIONARY = 0xC0, 0x20, 0x10, 0x08, 0x04, 0x01


def deflated(pieces: Iterable[bytes], level: int | None) -> Iterator[bytes]:
    """One frame, which comes at the end. `level`: 1 to 12, None for the fastest."""
    compressor = cramjam.lz4.Compressor(level=1 if level is None else level, block_linked=False)
    for piece in pieces:
        compressor.compress(piece)
        yield b""
    yield _without_checksums(bytes(compressor.finish()))


def _without_checksums(frame: bytes) -> bytes:
    """The same frame as Java's clients write it. 0.8 and 0.9 take every second checksum of a block for a wrong one."""
    flags = frame[4] & ~(_BLOCK_CHECKSUM | _CHECKSUM)
    position = 7 + (8 if flags & _SIZE else 0)
    descriptor = bytes((flags,)) + frame[5 : position - 1]
    out = bytearray(_MAGIC + descriptor + bytes((xxh32_of_few(descriptor) >> 8 & 0xFF,)))
    checksum_bytes = 4 if frame[4] & _BLOCK_CHECKSUM else 0
    while length := int.from_bytes(frame[position : position + 4], "little") & 0x7FFFFFFF:
        out += frame[position : position + 4 + length]
        position += 4 + length + checksum_bytes
    return bytes(out + _END_MARK)


def with_old_checksum(frame: bytes) -> bytes:
    """The same frame with the header checksum that clients of magic 0 expect."""
    at = 6 + (8 if frame[4] & _SIZE else 0)
    return frame[:at] + bytes((xxh32_of_few(frame[:at]) >> 8 & 0xFF,)) + frame[at + 1 :]


def inflated(data: memoryview, *, check_header: bool = True) -> Iterator[bytes]:
    """One piece per block, at most 4 MiB. `check_header`: whether its checksum has to be right.

    Raises: ApiError CORRUPT_MESSAGE, INVALID_RECORD.
    """
    position = 0
    try:
        for _ in range(MAX_STREAMS):
            position = yield from _frame(data, position, check_header)
            if position == len(data):
                return
    except IndexError:
        raise ApiError(ErrorCode.INVALID_RECORD, "an lz4 stream ends early") from None
    raise _damaged(f"more than {MAX_STREAMS} frames")


def _frame(data: memoryview, position: int, check_header: bool) -> Generator[bytes, None, int]:
    """The blocks of one frame, inflated; gives back where the frame ends. IndexError when it ends early."""
    flags, block_max_bytes, position = _descriptor(data, position, check_header)
    checksum_bytes = 4 if flags & _BLOCK_CHECKSUM else 0
    out = bytearray()
    while length := (size := int.from_bytes(_bytes(data, position, 4), "little")) & ~_STORED:
        if length > block_max_bytes:
            raise _damaged(f"a block of {length} bytes")
        block = _bytes(data, position + 4, length + checksum_bytes)
        room = min(block_max_bytes, length * _BEST_RATIO)
        if len(out) < room:
            out = bytearray(room)
        if checksum_bytes:
            yield _checked_block(size, block, out)
        else:
            yield bytes(block) if size & _STORED else _block(block, out)
        position += 4 + len(block)
    return position + 4 + len(_bytes(data, position + 4, 4 if flags & _CHECKSUM else 0))


def _bytes(data: memoryview, position: int, count: int) -> memoryview:
    found = data[position : position + count]
    if len(found) < count:
        raise IndexError
    return found


def _descriptor(data: memoryview, position: int, check_header: bool) -> tuple[int, int, int]:
    """Flags and largest block, in bytes, of the frame that begins here, and where its first block begins."""
    if (magic := bytes(data[position : position + 4])) != _MAGIC:
        raise IndexError if _MAGIC.startswith(magic) else _damaged("no frame begins where one should")
    start = position + 4
    flags, largest = data[start], data[start + 1]
    if flags & _VERSION != 0x40 or largest & 0x70 < 0x40:
        raise _damaged("unknown version or block size")
    if not flags & _INDEPENDENT:
        raise _damaged("blocks are linked, which Kafka's clients do not read")
    end = start + 2 + (8 if flags & _SIZE else 0) + (4 if flags & _DICTIONARY else 0)
    checksum = data[end]
    if check_header and checksum != xxh32_of_few(bytes(data[start:end])) >> 8 & 0xFF:
        raise _damaged("wrong header checksum")
    return flags, 1 << 8 + 2 * (largest >> 4 & 7), end + 1


def _block(block: memoryview, out: bytearray) -> bytes:
    """One compressed block, by way of `out`, which can hold what it may inflate to."""
    try:
        written = cramjam.lz4.decompress_block_into(block, out)
    except cramjam.DecompressionError as why:
        raise _damaged(str(why)) from None
    return bytes(memoryview(out)[:written])


def _checked_block(size: int, block: memoryview, out: bytearray) -> bytes:
    """One block with its checksum behind it, which the library checks in frames only: this makes it one."""
    short = bytes((0x40 | _INDEPENDENT | _BLOCK_CHECKSUM, 0x70))
    header = _MAGIC + short + bytes((xxh32_of_few(short) >> 8 & 0xFF,))
    try:
        written = cramjam.lz4.decompress_into(header + size.to_bytes(4, "little") + block + _END_MARK, out)
    except cramjam.DecompressionError as why:
        raise _damaged(str(why)) from None
    return bytes(memoryview(out)[:written])


@lru_cache(maxsize=16)  # the headers of a client are all alike
def xxh32_of_few(data: bytes) -> int:
    """XXH32 with seed 0 of less than 16 bytes, which is all a frame header needs.  Source: xxhash_spec.md."""
    prime1, prime2, prime3, prime4, prime5 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1
    mask = 0xFFFFFFFF
    mixed = prime5 + len(data)
    words = len(data) & ~3
    for start in range(0, words, 4):
        mixed = (mixed + int.from_bytes(data[start : start + 4], "little") * prime3) & mask
        mixed = (mixed << 17 | mixed >> 15) * prime4 & mask
    for byte in data[words:]:
        mixed = (mixed + byte * prime5) & mask
        mixed = (mixed << 11 | mixed >> 21) & mask
        mixed = mixed * prime1 & mask
    mixed = (mixed ^ mixed >> 15) * prime2 & mask
    mixed = (mixed ^ mixed >> 13) * prime3 & mask
    return mixed ^ mixed >> 16


def _damaged(what: str) -> ApiError:
    return ApiError(ErrorCode.CORRUPT_MESSAGE, f"damaged lz4 stream: {what}")
