"""Batch headers of a log file, one after the other, of every format. Records are never opened here.

Messages of magic 0 and 1, in the directories of older brokers, count as batches; see `kproto.records.stored`.
"""

from collections.abc import Callable, Iterator
from struct import Struct
from zlib import crc32

from broker.storage.files import File
from kproto.errors import ApiError
from kproto.records.batch import CRC_FROM, HEADER_BYTES, BatchHeader
from kproto.records.checksum import crc32c
from kproto.records.stored import OLD_CRC_FROM, SMALLEST_BYTES, read_stored_header

_PIECE_BYTES = 1 << 20
_WINDOW_BYTES = 4096
_PLACE = Struct(">qi4xb4x2xi")
"""Of a header: base offset, batch length, magic, last offset delta."""
_PADDING = b"\0"
"""One byte longer than the smallest message: then its place can be read as if it was a batch."""
_CODEC_AT, _CODEC = 17, 0x07
"""Of an old message."""


def headers(file: File, position: int, end: int, window_bytes: int = 1 << 16) -> Iterator[tuple[int, BatchHeader]]:
    """Positions and headers of the whole batches in `[position, end)`; stops before the first that is not one."""
    window, start = memoryview(b""), position
    while position + SMALLEST_BYTES <= end:
        if position - start + HEADER_BYTES > len(window) and start + len(window) < end:
            window, start = memoryview(file.read(min(window_bytes, end - position), position)), position
        try:
            header = read_stored_header(window, position - start)
        except ApiError:
            return
        if position + header.size > end:
            return
        yield position, header
        position += header.size


def find(file: File, offset: int, position: int, end: int) -> tuple[int, int, int] | None:
    """The first batch from `position` on that ends at or above `offset`: its position, size and base offset.

    None if there is none. The quick twin of `headers`: four fields of each batch instead of all. Where a compressed
    message of magic 0 or 1 begins is not known; it may well be `offset`.
    Raises: ValueError: there is no batch at `position` or at a place where one should follow.
    """
    window, start = b"", position
    while position + SMALLEST_BYTES <= end:
        at = position - start
        if at + HEADER_BYTES > len(window):
            window, start, at = file.read(min(_WINDOW_BYTES, end - position), position) + _PADDING, position, 0
            if len(window) < _PLACE.size:
                raise ValueError(f"no byte {position}")
        base, length, magic, delta = _PLACE.unpack_from(window, at)
        size, smallest = length + 12, HEADER_BYTES
        if 0 <= magic < 2:
            delta, smallest = 0, SMALLEST_BYTES
            if base >= offset and window[at + _CODEC_AT] & _CODEC:
                base = offset
        elif magic != 2:
            size = 0
        if size < smallest or position + size > end or delta < 0:
            raise ValueError(f"no batch at byte {position}")
        if base + delta >= offset:
            return position, size, base
        position += size
    return None


def crc_is_right(file: File, position: int, header: BatchHeader) -> bool:
    """Check a stored batch in pieces, so that a length in a damaged header is never a size in memory."""
    if header.magic < 2:
        return _crc(file, position + OLD_CRC_FROM, position + header.size, crc32) == header.crc
    return _crc(file, position + CRC_FROM, position + header.size, crc32c) == header.crc


def is_one_batch(file: File, position: int, end: int) -> bool:
    """Whether one batch lies there, damaged somewhere, by its length or else by its CRC: so nothing is cut off."""
    size = end - position
    if not SMALLEST_BYTES <= size < 1 << 31:
        return False
    head, length = bytearray(file.read(HEADER_BYTES, position)), (size - 12).to_bytes(4, "big")
    if head[8:12] == length:
        return True
    head[8:12] = length
    try:
        return crc_is_right(file, position, read_stored_header(head, 0))
    except ApiError:
        return False


def _crc(file: File, at: int, end: int, checksum: Callable[[bytes, int], int]) -> int | None:
    """None if the file ends before `end`."""
    crc = 0
    while at < end:
        piece = file.read(min(_PIECE_BYTES, end - at), at)
        if not piece:
            return None
        crc = checksum(piece, crc)
        at += len(piece)
    return crc
