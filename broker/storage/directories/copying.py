"""One log on its way to another data directory: what is copied, and how the next slice of it is found and read."""

from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from broker.storage.files import File
from broker.storage.segments.contents import LogDamaged
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.scan import crc_is_right, headers
from broker.storage.segments.segment import Segment
from kproto.records.stored import read_stored_header

SLICE_BYTES = 256 << 10
"""Copied between two chances for others."""


@dataclass(slots=True, eq=False)
class Move:
    """One log on its way. `future` holds what has been copied; `leaving` is the old directory once places changed."""

    current: SegmentLog
    future: SegmentLog
    marked: bool = False
    leaving: Path | None = None
    old_segments: list[Segment] = field(default_factory=list)
    then: Path | None = None
    """Where it was asked to go while it changed places."""

    @property
    def lag(self) -> int:
        return max(self.current.end_offset - self.future.end_offset, 0)


class Place:
    """Batches of the current log that the future one lacks, as of now."""

    def __init__(self, segment: Segment, position: int, copied_upto: int, bytes_left: int) -> None:
        self.file: File = segment.file
        self.copied_upto = copied_upto
        self.bytes_left = bytes_left
        self.segment = segment
        self._position = position
        self._size = segment.size
        self._cuts = segment.cuts

    def is_as_it_was(self) -> bool:
        return self.segment.cuts == self._cuts

    def read(self) -> bytes:
        """Whole batches, about a slice of them, checked. Sleeps in the kernel. Raises: OSError, LogDamaged."""
        position = self._position
        found = list(headers(self.file, position, min(position + SLICE_BYTES, self._size)))
        if not found:
            found = list(islice(headers(self.file, position, self._size), 1))
        for at, header in found:
            if not crc_is_right(self.file, at, header):
                raise LogDamaged(f"{self.segment.path} is damaged at byte {at}")
        if not found:
            raise LogDamaged(f"{self.segment.path} is damaged at byte {position}")
        end = found[-1][0] + found[-1][1].size
        return self.file.read(end - position, position)


def next_place(move: Move) -> Place | None:
    """None: everything is copied.  Raises: OSError, IndexDamaged."""
    current, copied_upto = move.current, move.future.end_offset
    offset = max(copied_upto, current.start_offset)
    segments = current.segments_from(offset) if current.segments else []
    for number, segment in enumerate(segments):
        place = segment.find(offset)
        if place is not None:
            left = segment.size - place[0] + sum(each.size for each in segments[number + 1 :])
            return Place(segment, place[0], copied_upto, left)
    return None


def append(move: Move, data: bytes, now_ms: int) -> None:
    future = move.future
    batches = memoryview(bytearray(data))
    if not future.segments:
        future.start_offset = future.end_offset = read_stored_header(batches, 0).base_offset
    future.append_as_follower(batches, now_ms)


def close_files(move: Move, copied: Segment) -> None:
    """Of segments that nobody is about to read or write, so that a long log does not use up the descriptors."""
    if copied is not move.current.segments[-1] and not move.current.reader.has_open(copied):
        copied.release()
    for segment in move.future.segments[:-1]:
        if segment.settled:
            segment.release()
