"""`.snapshot` (producer states) and `.txnindex` (aborted transactions) as lines."""

from collections.abc import Iterator
from pathlib import Path
from struct import Struct

from kproto.codec import decode
from kproto.errors import WireError
from kproto.messages.log_files import AbortedTxn, ProducerEntry, ProducerSnapshot
from kproto.records.checksum import crc32c
from tools.dump_log.problems import unreadable

_START = Struct(">hI")
_VERSION = Struct(">h")
_SNAPSHOT_VERSION, _ABORTED_VERSION = 1, 0
_ABORTED_BYTES = 34
_MAX_SEQUENCE = 0x7FFFFFFF


class Damaged(Exception):
    """A snapshot that cannot be what was written; told on stderr, and the next file is dumped."""


def snapshot_lines(path: Path) -> Iterator[str]:
    """A line per producer. Raises: Damaged; OperatorError."""
    for entry in _entries(_content(path)):
        start = entry.current_txn_first_offset
        yield (
            f"producerId: {entry.producer_id} producerEpoch: {entry.epoch} coordinatorEpoch: {entry.coordinator_epoch}"
            f" currentTxnFirstOffset: OptionalLong{f'[{start}]' if start >= 0 else '.empty'}"
            f" lastTimestamp: {entry.timestamp} {_last_batch(entry)}"
        )


def _entries(data: bytes) -> list[ProducerEntry]:
    if len(data) < _VERSION.size:
        raise Damaged("Snapshot failed schema validation: it is cut off before its version")
    (version,) = _VERSION.unpack_from(data)
    if version != _SNAPSHOT_VERSION:
        raise Damaged(f"Snapshot contained an unknown file version {version}")
    try:
        snapshot = decode(ProducerSnapshot, version, memoryview(data)[_VERSION.size :])
    except WireError as no:
        raise Damaged(f"Snapshot failed schema validation: {no}") from None
    computed = crc32c(memoryview(data)[_START.size :])
    if computed != snapshot.crc:
        raise Damaged(
            f"Snapshot is corrupt (CRC is no longer valid). Stored crc: {snapshot.crc}. Computed crc: {computed}"
        )
    return snapshot.producer_entries


def _last_batch(entry: ProducerEntry) -> str:
    """Nothing if the producer only ended transactions."""
    if entry.last_offset < 0:
        return ""
    first = (entry.last_sequence - entry.offset_delta) & _MAX_SEQUENCE
    return (
        f"firstSequence: {first} lastSequence: {entry.last_sequence} lastOffset: {entry.last_offset}"
        f" offsetDelta: {entry.offset_delta} timestamp: {entry.timestamp}"
    )


def transaction_index_lines(path: Path) -> Iterator[str]:
    """A line per aborted transaction; an entry that is cut off ends it. Raises: OperatorError: a newer version."""
    data = memoryview(_content(path))
    for position in range(0, len(data) - _ABORTED_BYTES + 1, _ABORTED_BYTES):
        (version,) = _VERSION.unpack_from(data, position)
        if version > _ABORTED_VERSION:
            raise unreadable(
                f"Unexpected aborted transaction version {version} in transaction index {path},"
                f" current version is {_ABORTED_VERSION}"
            )
        aborted = decode(AbortedTxn, _ABORTED_VERSION, data[position + _VERSION.size : position + _ABORTED_BYTES])
        yield (
            f"version: {version} producerId: {aborted.producer_id} firstOffset: {aborted.first_offset}"
            f" lastOffset: {aborted.last_offset} lastStableOffset: {aborted.last_stable_offset}"
        )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as no:
        raise unreadable(f"{path} cannot be read.", str(no)) from None
