"""Producer states in a file: `<offset>.snapshot` holds what was known of producers just below that offset.

int16 version 1, uint32 CRC-32C of what follows, int32 count, then per producer: id int64, epoch int16, last sequence
int32, last offset int64, offset delta int32 of its last batch, its timestamp int64, coordinator epoch int32, first
offset of its open transaction int64 or -1.  Source: ProducerStateManager (ProducerSnapshot.json).
"""

from collections.abc import Iterable
from struct import Struct, error

from broker.storage.producers import NO_OFFSET, NO_SEQUENCE, KeptBatch, ProducerState
from kproto.records.checksum import crc32c

_START = Struct(">hI")
_COUNT = Struct(">i")
_PRODUCER = Struct(">qhiqiqiq")
_VERSION = 1


class SnapshotDamaged(Exception):
    """Not what was written; the log can tell the same."""


def encode_snapshot(states: Iterable[ProducerState]) -> bytes:
    rows = [_row(state) for state in states]
    body = _COUNT.pack(len(rows)) + b"".join(rows)
    return _START.pack(_VERSION, crc32c(body)) + body


def _row(state: ProducerState) -> bytes:
    last = (
        state.batches[-1] if state.batches else KeptBatch(NO_SEQUENCE, NO_SEQUENCE, NO_OFFSET, NO_OFFSET, state.seen_ms)
    )
    return _PRODUCER.pack(
        state.producer_id,
        state.epoch,
        last.last_sequence,
        last.last_offset,
        last.last_offset - last.base_offset,
        last.timestamp_ms,
        state.coordinator_epoch,
        state.transaction_start,
    )


def decode_snapshot(data: bytes) -> list[ProducerState]:
    """Raises: SnapshotDamaged."""
    try:
        version, crc = _START.unpack_from(data)
        body = data[_START.size :]
        (count,) = _COUNT.unpack_from(body)
        if version != _VERSION or crc != crc32c(body) or len(body) != _COUNT.size + count * _PRODUCER.size:
            raise SnapshotDamaged
        return [_state(row) for row in _PRODUCER.iter_unpack(body[_COUNT.size :])]
    except error:
        raise SnapshotDamaged from None


def _state(row: tuple[int, ...]) -> ProducerState:
    producer_id, epoch, last_sequence, last_offset, delta, timestamp_ms, coordinator_epoch, transaction_start = row
    state = ProducerState(producer_id, epoch, [], timestamp_ms, coordinator_epoch, transaction_start)
    if last_offset >= 0:
        first_sequence = (last_sequence - delta) & 0x7FFFFFFF
        state.batches.append(KeptBatch(first_sequence, last_sequence, last_offset - delta, last_offset, timestamp_ms))
    return state
