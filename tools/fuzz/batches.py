"""Record batches of every format, through all that a broker does with one.

What the check of a produce request lets pass must be readable afterwards, whole, by whoever asks for it.
"""

from contextlib import suppress
from random import Random
from struct import Struct, pack_into

from kproto.errors import ApiError
from kproto.records.batch import (
    CRC_FROM,
    HEADER_BYTES,
    build_batch,
    crc_is_right,
    read_header,
    read_records,
    split,
    stamp,
)
from kproto.records.check import check_of
from kproto.records.checksum import crc32c
from kproto.records.compression import Codec, compress
from kproto.records.down_conversion import down_converted
from kproto.records.legacy import build_message_set, read_message_set
from kproto.records.record import Record
from kproto.records.stored import read_stored_records, split_stored
from kproto.records.up_conversion import UpConversion
from kproto.records.walk import Walk
from tools.fuzz.runner import Target
from tools.fuzz.spoiling import number, some_bytes, spoiled

MAX_BYTES = 1 << 20
FIELDS = {0: 64, 8: 32, 12: 32, 16: 8, 21: 16, 23: 32, 27: 64, 35: 64, 43: 64, 51: 16, 53: 32, 57: 32}
"""Of a header: position to bits. The checksum is put right or left wrong as a whole."""
_INT = Struct(">i")


def targets() -> list[Target]:
    return [
        Target("batches", batch, take_in, (ApiError,)),
        Target("messages-0-1", message_set, take_in_old, (ApiError,)),
    ]


def records(chance: Random, offset: int = 0) -> list[Record]:
    start = chance.choice((0, -1, 1_700_000_000_000, 2**62))
    return [
        Record(
            offset + place,
            start + chance.randrange(1000),
            None if chance.random() < 0.3 else some_bytes(chance, 60),
            None if chance.random() < 0.2 else some_bytes(chance, 600),
            [("h" * chance.randrange(4), chance.choice((None, b"v"))) for _ in range(chance.choice((0, 0, 1, 3)))],
        )
        for place in range(chance.choice((1, 1, 2, 5, 40)))
    ]


def batch(chance: Random) -> bytes:
    """Wrong in its header, in its records before they are packed, in the packed bytes, or nowhere."""
    codec = chance.choice(list(Codec))
    whole = build_batch(records(chance), transactional=chance.random() < 0.2, control=chance.random() < 0.05)
    section = spoiled(chance, whole[HEADER_BYTES:]) if chance.random() < 0.6 else whole[HEADER_BYTES:]
    packed = compress(codec, section)
    if chance.random() < 0.3:
        packed = spoiled(chance, packed)
    out = bytearray(whole[:HEADER_BYTES]) + packed
    out[22] = out[22] & ~7 | codec
    _INT.pack_into(out, 8, len(out) - 12)
    for place in chance.sample(list(FIELDS), chance.choice((0, 0, 0, 1, 1, 3))):
        size = FIELDS[place] // 8
        out[place : place + size] = number(chance, FIELDS[place]).to_bytes(size, "big", signed=True)
    if chance.random() < 0.9:
        pack_into(">I", out, 17, crc32c(memoryview(out)[CRC_FROM:]))
    return spoiled(chance, bytes(out)) if chance.random() < 0.1 else bytes(out)


def take_in(data: bytes) -> None:
    """As a produce request, then as a fetch of clients new and old."""
    for _, piece in split(memoryview(data)):
        _take_in_one(bytes(piece))


def _take_in_one(one: bytes) -> None:
    header = read_header(one)
    if not crc_is_right(one):
        _ = list(zip(range(50), read_stored_records(one, max_inflated_bytes=MAX_BYTES), strict=False))
        return
    check_of(one, header, need_keys=True, latest=2**60, max_inflated_bytes=MAX_BYTES).run()
    stored = bytearray(one)
    stamp(stored, 5, 0)
    one = bytes(stored)
    for found in (read_records(one, max_inflated_bytes=MAX_BYTES), read_stored_records(one)):
        assert sum(1 for _ in found) == header.count, "a batch that passed the check cannot be read again"
    for magic in (0, 1):
        if header.codec is not Codec.ZSTD:
            _must_be_readable(b"".join(down_converted(one, magic)), 0 if header.is_control else header.count)


def _must_be_readable(old: bytes, count: int) -> None:
    assert sum(1 for _ in read_message_set(old)) == count, "what was made for an old client cannot be read"


def message_set(chance: Random) -> bytes:
    """Plain or wrapped messages; with right checksums where only the inside of a wrapper is wrong."""
    magic, codec = chance.randrange(2), chance.choice((Codec.NONE, Codec.GZIP, Codec.SNAPPY, Codec.LZ4))
    out = b"".join(build_message_set(records(chance), magic, codec=codec) for _ in range(chance.choice((1, 1, 2))))
    if chance.random() < 0.5:
        return spoiled(chance, out)
    return _with_checksums(spoiled(chance, out, most=2))


def _with_checksums(data: bytes) -> bytes:
    """Right as far as the lengths lead."""
    from zlib import crc32

    out, at = bytearray(data), 0
    while at + 26 <= len(out):
        end = at + 12 + _INT.unpack_from(out, at + 8)[0]
        if end <= at + 16 or end > len(out):
            break
        pack_into(">I", out, at + 12, crc32(memoryview(out)[at + 16 : end]))
        at = end
    return bytes(out)


def take_in_old(data: bytes) -> None:
    """As the produce request of an old client, and as what an old broker left in a log."""
    for _, piece in split_stored(memoryview(data)):
        with suppress(ApiError):
            list(read_stored_records(piece, max_inflated_bytes=MAX_BYTES))
    conversion = UpConversion(data, Walk(0, 0, need_keys=True), max_inflated_bytes=MAX_BYTES)
    for _ in conversion.slices():
        pass
    made = bytes(conversion.batch)
    check_of(made, read_header(made)).run()
    assert sum(1 for _ in read_records(made)) == conversion.found.index
