"""Files of partitions for the dump tools: every kind that a broker of any year writes, small and from a seed."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from struct import pack

from broker.storage.files import SystemDisk
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, batch, started, storage_on
from kproto.messages.consumer_protocol import ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicPartition
from kproto.messages.internal_topics import (
    GroupMetadataKey,
    GroupMetadataValue,
    MemberMetadata,
    OffsetCommitKey,
    OffsetCommitValue,
    PartitionsSchema,
    TransactionLogKey,
    TransactionLogValue,
)
from kproto.prefixed import key_bytes, versioned
from kproto.records.batch import BatchHeader, assemble, build_batch
from kproto.records.compression import Codec
from kproto.records.control import EndTxnMarker, MarkerType, build_marker
from kproto.records.legacy import build_message_set
from kproto.records.record import Record

FIRST = f"{0:020}.log"


async def segments(folder: Path) -> Path:
    """Our own storage writes several segments with indexes and snapshots, and stops cleanly."""
    storage = storage_on(SystemDisk(), [folder])
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions(segment_bytes=6_000, index_interval_bytes=700))
    for number in range(120):
        values = [f"value {number} {record}" for record in range(10)]
        producer = (5 + number % 2, 0, number // 2 * 10)
        codec = list(Codec)[number % len(Codec)]
        log.append(batch(*values, at_ms=NOW_MS + 100 * number, codec=codec, producer=producer), number // 50, NOW_MS)
    await storage.close()
    return folder / log.name


def odd_records(seed: int, count: int, offset: int = 0) -> list[Record]:
    """Nulls, empty ones, headers, and bytes that are not quite UTF-8."""
    chance = Random(seed)
    pieces = [
        b"\xc3\xbc",
        b"\xe2\x82\xac",
        b"\xf0\x9f\x98\x80",
        b"\xed\xa0\x80",
        b"\xff",
        b"\xe2\x82",
        b"\xc0\xaf",
        b"a",
    ]

    def some() -> bytes | None:
        return None if chance.random() < 0.2 else b"".join(chance.choices(pieces, k=chance.randrange(6)))

    return [
        Record(offset + n, NOW_MS + chance.randrange(500), some(), some(), [(f"h{i}ü", some()) for i in range(n % 3)])
        for n in range(count)
    ]


def of_today() -> bytes:
    """Every codec, log-append time, a transaction, an empty batch, a delete horizon; a gap behind each batch."""
    log, offset = bytearray(), 0
    for codec in Codec:
        for log_append_ms in (None, NOW_MS):
            records = odd_records(offset, 12)
            log += build_batch(records, codec=codec, base_offset=offset, leader_epoch=1, log_append_ms=log_append_ms)
            offset += 13
    sequence = 2**31 - 2
    log += build_batch(
        odd_records(1, 3),
        base_offset=offset,
        producer_id=9,
        producer_epoch=2,
        base_sequence=sequence,
        transactional=True,
    )
    for end in MarkerType:
        offset += 10
        marker = EndTxnMarker(end, 4)
        log += build_marker(marker, producer_id=9, producer_epoch=2, timestamp_ms=NOW_MS, base_offset=offset)
    for attributes in (0, 0x40, 0x41):
        offset += 10
        log += assemble(BatchHeader(offset, 0, 0, 2, 0, attributes, 4, NOW_MS, 5, 7, 0, 3, 0), b"")
    return bytes(log)


def of_old(magic: int) -> bytes:
    log, offset = bytearray(), 0
    for codec in (Codec.NONE, Codec.GZIP, Codec.SNAPPY, Codec.LZ4):
        for log_append_ms in (None, NOW_MS) if magic else (None,):
            log += build_message_set(odd_records(offset, 9, offset), magic, codec=codec, log_append_ms=log_append_ms)
            offset += 9
    return bytes(log)


def of_offsets() -> bytes:
    """Groups and offsets in every version of their values, tombstones, and records that nobody can read."""
    subscribed = ConsumerProtocolSubscription(["a", 'b"\n'], None, [TopicPartition("a", [0, 1])], 3, "rack")
    assigned = versioned(ConsumerProtocolAssignment([TopicPartition("a", [1])], b"\1\2"), 1)
    rows: list[tuple[bytes, bytes | None]] = []
    for version in range(4):
        rows += [(key_bytes(OffsetCommitKey("g", "t", 1)), versioned(OffsetCommitValue(5, 2, "m\1ü", 8, 9), version))]
        member = MemberMetadata("m", "static", "c", "/h", 3, 4, versioned(subscribed, version), assigned)
        for kind in ("consumer", "connect"):
            group = GroupMetadataValue(kind, 2, None, "m", 77, [member, MemberMetadata("n", assignment=b"\0")])
            rows += [(key_bytes(GroupMetadataKey("g")), versioned(group, version))]
    rows += [(key_bytes(GroupMetadataKey("g")), None), (pack(">h", 77), b"")]
    return build_batch([Record(0, NOW_MS, key, value) for key, value in rows])


def of_transactions() -> bytes:
    key = key_bytes(TransactionLogKey("tx"))
    rows = [Record(0, NOW_MS, key), Record(0, NOW_MS, pack(">h", 9), b"")]
    for status in range(8):
        partitions = [PartitionsSchema("t", [0])] if status else None  # Kafka fails on null in a transaction
        rows.append(Record(0, NOW_MS, key, versioned(TransactionLogValue(7, -1, -1, 1, -1, 60, status, partitions), 0)))
    return build_batch(rows)


def damages(data: bytes, seed: int, count: int) -> Iterator[bytes]:
    """`data` cut off, with bytes changed, or with something behind it."""
    chance = Random(seed)
    for number in range(count):
        at = chance.randrange(len(data))
        match number % 4:
            case 0:
                yield data[:at]
            case 1:
                yield data + chance.choice([bytes(100), chance.randbytes(50), data[:at]])
            case _:
                yield data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def plain(magic: int) -> bytes:
    """Some uncompressed batches, so that every byte matters for itself."""
    records = odd_records(5, 8)
    if magic < 2:
        return build_message_set(records, magic)
    first = build_batch(records, producer_id=9, producer_epoch=2, base_sequence=4)
    return first + build_batch(odd_records(6, 3), base_offset=8)
