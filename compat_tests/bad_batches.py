"""Record batches that no broker may take, built byte by byte: sound ones, and what can be wrong with them."""

import struct
from collections.abc import Sequence

from kproto.records.batch import HEADER_BYTES, build_batch
from kproto.records.checksum import crc32c
from kproto.records.compression import Codec, compress
from kproto.records.legacy import Message, write_message
from kproto.records.record import Record, write_record, write_varint

NOW_MS = 1_700_000_000_000

PLACES = {
    "base_offset": (0, ">q"),
    "batch_length": (8, ">i"),
    "magic": (16, ">b"),
    "crc": (17, ">I"),
    "attributes": (21, ">h"),
    "last_offset_delta": (23, ">i"),
    "base_timestamp": (27, ">q"),
    "max_timestamp": (35, ">q"),
    "producer_id": (43, ">q"),
    "producer_epoch": (51, ">h"),
    "base_sequence": (53, ">i"),
    "count": (57, ">i"),
}
"""Of the header's fields: where they lie and how they are written.  Source: KIP-98."""
UNCHECKED = ("base_offset", "batch_length", "magic", "crc")
"""Fields in front of what the CRC covers."""


def sound(count: int = 3, *, value: bytes = b"value", key: bytes | None = b"key", codec: Codec = Codec.NONE) -> bytes:
    records = [Record(timestamp_ms=NOW_MS + n, key=key, value=value) for n in range(count)]
    return build_batch(records, codec=codec)


def with_fields(batch: bytes, **fields: int) -> bytes:
    """The same batch with other numbers in its header, and a CRC that is right for them unless it was given."""
    changed = bytearray(batch)
    for name, number in fields.items():
        at, form = PLACES[name]
        struct.pack_into(form, changed, at, number)
    if "crc" not in fields:
        struct.pack_into(">I", changed, 17, crc32c(memoryview(changed)[21:]))
    return bytes(changed)


def around(section: bytes, count: int = 1, codec: Codec = Codec.NONE, *, compressed: bytes | None = None) -> bytes:
    """A batch whose header is right, with these records. `compressed`: bytes that stand as the stream."""
    stream = compress(codec, section) if compressed is None else compressed
    batch = bytearray(build_batch([Record(timestamp_ms=NOW_MS, value=b"")])[:HEADER_BYTES]) + stream
    fields = {"batch_length": HEADER_BYTES - 12 + len(stream), "attributes": int(codec)}
    return with_fields(bytes(batch), **fields, last_offset_delta=count - 1, count=count)


def section_of(count: int, value: bytes = b"value") -> bytes:
    """The records of a sound batch, not compressed."""
    out = bytearray()
    for number in range(count):
        write_record(out, Record(value=value), 0, number)
    return bytes(out)


def raw_record(*after_offset: int | bytes, length: int | None = None) -> bytes:
    """A record by hand: numbers become varints, bytes stand as they are. `length`: a lie about its size."""
    body = bytearray(b"\0\0\0")  # attributes, timestamp delta, offset delta
    for part in after_offset:
        if isinstance(part, bytes):
            body += part
        else:
            write_varint(body, part)
    out = bytearray()
    write_varint(out, len(body) if length is None else length)
    return bytes(out + body)


def at_times(times_ms: Sequence[int]) -> bytes:
    return build_batch([Record(timestamp_ms=each, key=b"k", value=b"v") for each in times_ms])


def old_message(magic: int) -> bytes:
    """One message of format 0 or 1, as releases before 0.11 sent it."""
    from zlib import crc32

    time = struct.pack(">q", NOW_MS) if magic else b""
    content = struct.pack(">bb", magic, 0) + time + struct.pack(">i", -1) + struct.pack(">i", 60) + bytes(60)
    message = struct.pack(">I", crc32(content)) + content
    return struct.pack(">qi", 0, len(message)) + message


def old_set(magic: int, codec: int, value: bytes | None = None) -> bytes:
    """A message with this value, by default a sound stream with one message in it."""
    out = bytearray()
    stream = compress(Codec(codec), old_message(magic)) if value is None else value
    write_message(out, Message(0, magic, codec, NOW_MS, None, stream))
    return bytes(out)
