"""One batch in, what is left of it out: the same bytes, fewer records, only a header, or nothing.

What is left keeps its offsets, leader epoch, producer, sequence, timestamps and codec. A batch that keeps a tombstone
(or a marker whose transaction has no data any more) for the first time gets a delete horizon: attribute bit 6, and the
horizon as base timestamp.  Source: Cleaner.java, MemoryRecords.filterTo, KIP-534.
"""

from collections.abc import Generator
from dataclasses import replace

from broker.storage.compaction.key_map import KeyMap
from broker.storage.compaction.old_messages import as_batch, note_old_keys, opened, without_messages
from broker.storage.compaction.records import Place, places, with_timestamp_delta
from broker.storage.compaction.transactions import Transactions
from broker.storage.producers import ProducerStates
from kproto.records.batch import HEADER_BYTES, BatchHeader, assemble
from kproto.records.compression import deflate, inflate
from kproto.records.control import EndTxnMarker, read_marker
from kproto.values import frozen

DELETE_HORIZON = 0x40
_CODEC = 0x07
_RECORDS_A_STEP = 100


@frozen
class Left:
    """A batch to write."""

    header: BatchHeader
    data: bytes | bytearray | memoryview


def delete_horizon_ms(header: BatchHeader) -> int | None:
    """When its tombstones and markers may go; None if nobody said yet."""
    return header.base_timestamp if header.attributes & DELETE_HORIZON else None


def marker_in(header: BatchHeader, batch: memoryview) -> EndTxnMarker | None:
    """Of a control batch; None if it has no record, or one of another kind. Raises: ApiError."""
    return read_marker(batch) if header.count else None


def inflated(header: BatchHeader, batch: memoryview) -> Generator[None, None, bytes]:
    """Its record section, in steps. Raises: ApiError."""
    pieces = []
    for piece in inflate(header.codec, batch[HEADER_BYTES : header.size]):
        pieces.append(piece)
        yield
    return b"".join(pieces)


def note_keys(header: BatchHeader, batch: memoryview, keys: KeyMap, from_offset: int) -> Generator[None, None, bool]:
    """Tell the map of the records at or above `from_offset`, in steps; False once it is full. Raises: ApiError."""
    if header.magic < 2:
        return (yield from note_old_keys(batch, keys, from_offset))
    data = yield from inflated(header, batch)
    for number, place in enumerate(places(data, header.count), 1):
        offset = header.base_offset + place.offset_delta
        if place.key is not None and offset >= from_offset:
            if keys.is_full:
                return False
            keys.put(place.key, offset)
            keys.latest_offset = offset
        if number % _RECORDS_A_STEP == 0:
            yield
    keys.latest_offset = max(keys.latest_offset, header.last_offset)
    return True


class LastOfProducers:
    """The batches that must not vanish, since they say where each producer goes on."""

    def __init__(self, producers: ProducerStates) -> None:
        self._last = {
            state.producer_id: (state.batches[-1].last_offset if state.batches else None, state.epoch)
            for state in producers
        }

    def has(self, header: BatchHeader) -> bool:
        """The one with its last sequence; without one, the marker that has its epoch."""
        if header.producer_id < 0 or header.producer_id not in self._last:
            return False
        last_offset, epoch = self._last[header.producer_id]
        if last_offset is not None:
            return header.last_offset == last_offset
        return header.is_control and header.producer_epoch == epoch


class BatchFilter:
    """One pass over a log, batches told in offset order.

    Args:
        keys: the latest offsets; what lies above `keys.latest_offset` stays.
        end_offset: the batch that ends here stays, if only as a header: it says how far offsets were used.
    """

    def __init__(
        self,
        keys: KeyMap,
        transactions: Transactions,
        last_of_producers: LastOfProducers,
        *,
        end_offset: int,
        now_ms: int,
        delete_retention_ms: int,
    ) -> None:
        self._keys = keys
        self._transactions = transactions
        self._last_of_producers = last_of_producers
        self._end_offset = end_offset
        self._now_ms = now_ms
        self._delete_retention_ms = delete_retention_ms

    def left_of(self, header: BatchHeader, batch: memoryview) -> Generator[None, None, Left | None]:
        """What stays of one sound batch, in steps; None for nothing. Raises: ApiError."""
        if header.is_control:
            needless = self._transactions.is_marker_needless(header, marker_in(header, batch))
            horizon_ms = delete_horizon_ms(header)
            if header.count and not (needless and horizon_ms is not None and horizon_ms <= self._now_ms):
                sets_horizon = needless and horizon_ms is None
                if not sets_horizon:
                    return Left(header, batch)
                data = yield from inflated(header, batch)
                return (yield from self._rewritten(header, data, list(places(data, header.count)), True))
        elif not self._transactions.is_aborted(header) and header.count:
            data_left = self._left_of_data if header.magic > 1 else self._left_of_old
            left = yield from data_left(header, batch)
            if left is not None:
                return left
        if self._last_of_producers.has(header) or header.next_offset == self._end_offset:
            if header.magic < 2:
                return Left(*without_messages(header))
            return Left(header, batch) if not header.count else _without_records(header)
        return None

    def _left_of_data(self, header: BatchHeader, batch: memoryview) -> Generator[None, None, Left | None]:
        data = yield from inflated(header, batch)
        kept: list[Place] = []
        tombstones = False
        horizon_ms = delete_horizon_ms(header)
        tombstones_stay = horizon_ms is None or self._now_ms < horizon_ms
        for number, place in enumerate(places(data, header.count), 1):
            if self._stays(header.base_offset + place.offset_delta, place, tombstones_stay):
                kept.append(place)
                tombstones = tombstones or not place.has_value
            if number % _RECORDS_A_STEP == 0:
                yield
        if not kept:
            return None
        sets_horizon = tombstones and horizon_ms is None
        if len(kept) == header.count and not sets_horizon:
            return Left(header, batch)
        return (yield from self._rewritten(header, data, kept, sets_horizon))

    def _left_of_old(self, header: BatchHeader, batch: memoryview) -> Generator[None, None, Left | None]:
        """A tombstone stays until it has its horizon."""
        records = yield from opened(batch)
        kept = [each for each in records if self._is_latest(each.offset, each.key)]
        if not kept:
            return None
        tombstones = any(each.value is None for each in kept)
        if len(kept) == len(records) and not tombstones:
            return Left(header, batch)
        horizon_ms = self._now_ms + self._delete_retention_ms if tombstones else None
        return Left(*(yield from as_batch(header, records[0].offset, kept, horizon_ms, DELETE_HORIZON)))

    def _stays(self, offset: int, place: Place, tombstones_stay: bool) -> bool:
        if offset > self._keys.latest_offset:
            return True
        return self._is_latest(offset, place.key) and (place.has_value or tombstones_stay)

    def _is_latest(self, offset: int, key: bytes | None) -> bool:
        """Whether no later record with that key has been told."""
        return offset > self._keys.latest_offset or (key is not None and offset >= self._keys.get(key))

    def _rewritten(
        self, header: BatchHeader, data: bytes, kept: list[Place], sets_horizon: bool
    ) -> Generator[None, None, Left]:
        base_ms, attributes = header.base_timestamp, header.attributes
        pieces: list[bytes | bytearray] = []
        if sets_horizon:
            base_ms, attributes = self._now_ms + self._delete_retention_ms, attributes | DELETE_HORIZON
            shift = header.base_timestamp - base_ms
            for number, place in enumerate(kept, 1):
                pieces.append(with_timestamp_delta(data, place, place.timestamp_delta + shift))
                if number % _RECORDS_A_STEP == 0:
                    yield
        else:
            pieces = [data[place.start : place.end] for place in kept]
        section = []
        for piece in deflate(header.codec, (b"".join(pieces),)):
            section.append(piece)
            yield
        max_ms = header.max_timestamp
        if not header.is_log_append_time:
            max_ms = header.base_timestamp + max(place.timestamp_delta for place in kept)
        fresh = replace(header, attributes=attributes, base_timestamp=base_ms, max_timestamp=max_ms, count=len(kept))
        return Left(fresh, assemble(fresh, b"".join(section)))


def _without_records(header: BatchHeader) -> Left:
    """Only the header: offsets, epochs, sequences and the largest timestamp.  Source: DefaultRecordBatch."""
    attributes = header.attributes & ~(_CODEC | DELETE_HORIZON)
    fresh = replace(header, attributes=attributes, base_timestamp=-1, count=0)
    return Left(fresh, assemble(fresh, b""))
