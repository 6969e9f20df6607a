"""Messages of magic 0 and 1 under compaction: they stay as they are, or what is left of them becomes a batch of v2.

So a tombstone gets its delete horizon, for which the old formats have no place. (Kafka keeps their magic, and goes by
the age of the file instead.) Offsets, times, codec and timestamp type stay.
"""

from collections.abc import Generator, Sequence

from broker.storage.compaction.key_map import KeyMap
from kproto.records.batch import BatchHeader, assemble
from kproto.records.compression import deflate
from kproto.records.record import Record, write_record
from kproto.records.stored import stored_records

_RECORDS_A_STEP = 100
_NO_PRODUCER = (-1, -1, -1)
_CODEC, _ATTRIBUTES = 0x07, 0x0F
"""Codec and timestamp type, which stand where those of a batch do."""


def records_at_most(header: BatchHeader) -> int:
    """How many records may be in there, as far as the header tells: a guess for compressed messages."""
    return header.size if header.magic < 2 and header.attributes & _CODEC else header.count


def opened(batch: memoryview) -> Generator[None, None, list[Record]]:
    """All records, in steps. Raises: ApiError."""
    records: list[Record] = []
    for record in stored_records(batch):
        if record is not None:
            records.append(record)
        if record is None or len(records) % _RECORDS_A_STEP == 0:
            yield
    return records


def note_old_keys(batch: memoryview, keys: KeyMap, from_offset: int) -> Generator[None, None, bool]:
    """As `batch_filter.note_keys`."""
    records = yield from opened(batch)
    for number, record in enumerate(records, 1):
        if record.key is not None and record.offset >= from_offset:
            if keys.is_full:
                return False
            keys.put(record.key, record.offset)
            keys.latest_offset = record.offset
        if number % _RECORDS_A_STEP == 0:
            yield
    keys.latest_offset = max(keys.latest_offset, records[-1].offset)
    return True


def as_batch(
    old: BatchHeader, first_offset: int, kept: Sequence[Record], horizon_ms: int | None, horizon_attribute: int
) -> Generator[None, None, tuple[BatchHeader, bytearray]]:
    """A batch with these records of an old message, in steps; it spans the offsets that the message had.

    Raises: ApiError UNSUPPORTED_COMPRESSION_TYPE.
    """
    times = [record.timestamp_ms for record in kept]
    base_ms = times[0] if horizon_ms is None else horizon_ms
    out = bytearray()
    for number, record in enumerate(kept, 1):
        write_record(out, record, record.timestamp_ms - base_ms, record.offset - first_offset)
        if number % _RECORDS_A_STEP == 0:
            yield
    section = bytearray()
    for piece in deflate(old.codec, (bytes(out),)):
        section += piece
        yield
    attributes = old.attributes & _ATTRIBUTES | (0 if horizon_ms is None else horizon_attribute)
    newest_ms = old.max_timestamp if old.is_log_append_time else max(times)
    last = old.last_offset - first_offset
    header = BatchHeader(first_offset, 0, -1, 2, 0, attributes, last, base_ms, newest_ms, *_NO_PRODUCER, len(kept))
    return header, assemble(header, section)


def without_messages(old: BatchHeader) -> tuple[BatchHeader, bytearray]:
    """Only a header at its last offset."""
    header = BatchHeader(old.last_offset, 0, -1, 2, 0, 0, 0, -1, old.max_timestamp, *_NO_PRODUCER, 0)
    return header, assemble(header, b"")
