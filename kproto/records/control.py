"""Control batches: one record, written by a broker, that ends a transaction in this partition.

Its key is version int16 and type int16 (0 abort, 1 commit), its value version int16 and the coordinator's epoch int32.
Consumers skip such a batch but it has an offset.  Source: KIP-98; EndTxnMarker.json.
"""

from enum import IntEnum
from struct import Struct, error

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import Bytes, build_batch, read_records
from kproto.records.record import Record
from kproto.values import frozen

_KEY = Struct(">hh")
_VALUE = Struct(">hi")


class MarkerType(IntEnum):
    """The other types (leader change, snapshots, voters) belong to KRaft's own log."""

    ABORT = 0
    COMMIT = 1


@frozen
class EndTxnMarker:
    """How the open transaction of one producer ended here."""

    type: MarkerType
    coordinator_epoch: int


def build_marker(
    marker: EndTxnMarker,
    *,
    producer_id: int,
    producer_epoch: int,
    timestamp_ms: int,
    base_offset: int = 0,
    leader_epoch: int = -1,
) -> bytes:
    """The batch with this one marker."""
    key, value = _KEY.pack(0, marker.type), _VALUE.pack(0, marker.coordinator_epoch)
    return build_batch(
        [Record(0, timestamp_ms, key, value)],
        base_offset=base_offset,
        leader_epoch=leader_epoch,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        transactional=True,
        control=True,
    )


def read_marker(batch: Bytes) -> EndTxnMarker | None:
    """The marker in a control batch; None if it holds none, or one of another type.

    Newer versions may have more bytes behind; they are ignored, as Kafka does.
    Raises: ApiError INVALID_RECORD for a key or value that is too short.
    """
    for record in read_records(batch):
        try:
            _version, kind = _KEY.unpack_from(record.key or b"")
            if kind not in (MarkerType.ABORT, MarkerType.COMMIT):
                return None
            _version, epoch = _VALUE.unpack_from(record.value or b"")
        except error:
            raise ApiError(ErrorCode.INVALID_RECORD, "a transaction marker is cut short") from None
        return EndTxnMarker(MarkerType(kind), epoch)
    return None
