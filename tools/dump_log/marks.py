"""Records of control batches: the marks that end transactions, and those of a Raft log, which KRaft brokers write."""

from struct import Struct, error

from kproto.codec import decode
from kproto.errors import WireError
from kproto.messages.control_records import KRaftVersionRecord, SnapshotFooterRecord, SnapshotHeaderRecord, VotersRecord
from kproto.records.record import Record
from tools.dump_log.json_text import json_text
from tools.dump_log.problems import unreadable

_KEY = Struct(">hh")
_END_OF_TRANSACTION = Struct(">hi")
_TRANSACTION = {0: "ABORT", 1: "COMMIT"}
_RAFT = {
    3: ("SnapshotHeader", SnapshotHeaderRecord),
    4: ("SnapshotFooter", SnapshotFooterRecord),
    5: ("KRaftVersion", KRaftVersionRecord),
    6: ("KRaftVoters", VotersRecord),
}
_LEADER_CHANGE = 2


def mark_text(record: Record) -> str:
    """Raises: OperatorError: it is cut short."""
    try:
        _, kind = _KEY.unpack_from(record.key or b"")
        if kind in _TRANSACTION:
            _, epoch = _END_OF_TRANSACTION.unpack_from(record.value or b"")
            return f"endTxnMarker: {_TRANSACTION[kind]} coordinatorEpoch: {epoch}"
        if kind in _RAFT:
            name, cls = _RAFT[kind]
            return f"{name} {json_text(decode(cls, 0, memoryview(record.value or b'')), 0)}"
    except (error, WireError) as no:
        raise unreadable(f"The control record at offset {record.offset} cannot be read.", str(no)) from None
    return f"controlType: {'LEADER_CHANGE' if kind == _LEADER_CHANGE else 'UNKNOWN'}({kind})"
