"""The producer states of one log in `.snapshot` files: saved at rolls and clean stops, read at starts and cuts.

Nothing here is needed to be there: what snapshots do not tell, the batch headers do. Aborted transactions are noted on
the way, each in its segment's `.txnindex`.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from broker.storage.files import read_whole, write_all
from broker.storage.producers import ProducerStates
from broker.storage.segments.contents import BATCHES_A_STEP
from broker.storage.segments.names import SNAPSHOT, offset_file, offset_of
from broker.storage.segments.snapshot import SnapshotDamaged, decode_snapshot, encode_snapshot
from kproto.errors import ApiError
from kproto.records.batch import BatchHeader, Bytes
from kproto.records.control import EndTxnMarker, read_marker

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog
    from broker.storage.segments.segment import Segment


def offsets(log: "SegmentLog") -> list[int]:
    """Of all snapshots that are there, largest first."""
    found = (offset_of(name, SNAPSHOT) for name in log.disk.names(log.directory))
    return sorted((offset for offset in found if offset is not None), reverse=True)


def save(log: "SegmentLog", offset: int) -> None:
    """Write what is known below `offset`, which is the log's end; on a full disk nothing."""
    path = offset_file(log.directory, offset, SNAPSHOT)
    try:
        file = log.disk.create(path)
        try:
            write_all(file, encode_snapshot(log.producers), 0)
        finally:
            file.release()
    except OSError:
        return  # a torn one has a wrong CRC


def remove_above(log: "SegmentLog", offset: int) -> None:
    """Raises: OSError."""
    for old in offsets(log):
        if old > offset:
            log.disk.remove(offset_file(log.directory, old, SNAPSHOT))


def remove_strays(log: "SegmentLog", used: int) -> None:
    """Keep the newest snapshot and the one at the base of each segment, as Kafka does.

    Args: used: the newest up to here goes too far back to be told again by the log, so the next start needs it as well.
    Raises: OSError.
    """
    kept = {segment.base_offset for segment in log.segments}
    there = offsets(log)
    kept.update(there[:1], [old for old in there if old <= used][:1])
    for old in there:
        if old not in kept:
            log.disk.remove(offset_file(log.directory, old, SNAPSHOT))


def reload(log: "SegmentLog", newest: int | None = None) -> Iterator[None]:
    """Make `log.producers` right from files: the newest sound snapshot, then the headers after it, some at each step.

    Args:
        newest: trust no snapshot above this offset.
    Raises: OSError.
    """
    offset = _take_snapshot(log, log.producers, log.end_offset if newest is None else newest)
    yield from _replay(log, log.producers, offset, log.end_offset)


def restore_aborted(log: "SegmentLog", segments: Sequence["Segment"]) -> Iterator[None]:
    """Note once more, in one go, which transactions were aborted in those segments, some batches at each step.

    Raises: OSError.
    """
    states = ProducerStates()
    offset = _take_snapshot(log, states, segments[0].base_offset)
    yield from _replay(log, states, offset, segments[-1].next_offset)


def note(states: ProducerStates, segment: "Segment", header: BatchHeader, batch: Bytes, now_ms: int) -> None:
    """One more batch of a producer lies in `segment`; `batch` is needed of control batches only."""
    aborted = states.update(header, header.base_offset, now_ms, _marker(batch) if header.is_control else None)
    if aborted is not None:
        segment.aborted.note(aborted)


def _marker(batch: Bytes) -> EndTxnMarker | None:
    try:
        return read_marker(batch)
    except ApiError:
        return None  # as in a batch of another type


def _replay(log: "SegmentLog", states: ProducerStates, offset: int, below: int) -> Iterator[None]:
    for segment in log.segments_from(offset):
        if offset >= segment.next_offset:
            continue
        if segment.base_offset >= below:
            return
        stored = segment.sound_headers(segment.indexed(offset) if offset > segment.base_offset else 0)
        while step := list(islice(stored, BATCHES_A_STEP)):
            for position, header in step:
                if header.base_offset >= offset and header.producer_id >= 0:
                    batch = segment.file.read(header.size, position) if header.is_control else b""
                    note(states, segment, header, batch, header.max_timestamp)
            yield


def _take_snapshot(log: "SegmentLog", states: ProducerStates, newest: int) -> int:
    for offset in offsets(log):
        if offset <= newest:
            path = offset_file(log.directory, offset, SNAPSHOT)
            try:
                states.replace(decode_snapshot(read_whole(log.disk, path)))
            except SnapshotDamaged:
                log.disk.remove(path)
            else:
                return offset
    states.replace(())
    return log.segments[0].base_offset if log.segments else log.start_offset
