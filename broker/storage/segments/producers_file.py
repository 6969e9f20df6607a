"""The producer states of one log in `.snapshot` files: saved at rolls and clean stops, read at starts and cuts.

Nothing here is needed to be there: what snapshots do not tell, the batch headers do.
"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from broker.storage.files import read_whole, write_all
from broker.storage.segments.contents import BATCHES_A_STEP
from broker.storage.segments.names import SNAPSHOT, offset_file, offset_of
from broker.storage.segments.scan import headers
from broker.storage.segments.snapshot import SnapshotDamaged, decode_snapshot, encode_snapshot

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog


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


def remove_strays(log: "SegmentLog") -> None:
    """Keep the newest snapshot and the one at the base of each segment, as Kafka does.  Raises: OSError."""
    bases = {segment.base_offset for segment in log.segments}
    for old in offsets(log)[1:]:
        if old not in bases:
            log.disk.remove(offset_file(log.directory, old, SNAPSHOT))


def reload(log: "SegmentLog", newest: int | None = None) -> Iterator[None]:
    """Make `log.producers` right from files: the newest sound snapshot, then the headers after it, some at each step.

    Args:
        newest: trust no snapshot above this offset.
    Raises: OSError.
    """
    offset = _take_snapshot(log, log.end_offset if newest is None else newest)
    for segment in log.segments_from(offset):
        if offset >= segment.next_offset:
            continue
        stored = headers(segment.file, segment.indexed(offset) if offset > segment.base_offset else 0, segment.size)
        while step := list(islice(stored, BATCHES_A_STEP)):
            for _, header in step:
                if header.base_offset >= offset:
                    log.producers.update(header, header.base_offset, header.max_timestamp)
            yield


def _take_snapshot(log: "SegmentLog", newest: int) -> int:
    for offset in offsets(log):
        if offset <= newest:
            path = offset_file(log.directory, offset, SNAPSHOT)
            try:
                log.producers.replace(decode_snapshot(read_whole(log.disk, path)))
            except SnapshotDamaged:
                log.disk.remove(path)
            else:
                return offset
    log.producers.replace(())
    return log.segments[0].base_offset if log.segments else log.start_offset
