"""What a move copies: how the next slice of the current log is found and read, and how the future log takes it."""

from itertools import islice

from broker.storage.files import File
from broker.storage.segments.contents import LogDamaged
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.scan import crc_is_right, headers
from broker.storage.segments.segment import Segment
from kproto.records.stored import read_stored_header

SLICE_BYTES = 256 << 10
"""Copied between two chances for others."""


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


def next_place(current: SegmentLog, future: SegmentLog) -> Place | None:
    """None: everything is copied.  Raises: OSError, IndexDamaged."""
    copied_upto = future.end_offset
    offset = max(copied_upto, current.start_offset)
    segments = current.segments_from(offset) if current.segments else []
    for number, segment in enumerate(segments):
        place = segment.find(offset)
        if place is not None:
            left = segment.size - place[0] + sum(each.size for each in segments[number + 1 :])
            return Place(segment, place[0], copied_upto, left)
    return None


def append(future: SegmentLog, data: bytes, now_ms: int) -> None:
    """Raises: StorageFailed."""
    batches = memoryview(bytearray(data))
    if not future.segments:
        future.start_offset = future.end_offset = read_stored_header(batches, 0).base_offset
    future.append_as_follower(batches, now_ms)


def close_files(current: SegmentLog, future: SegmentLog, copied: Segment) -> None:
    """Of segments that nobody is about to read or write, so that a long log does not use up the descriptors."""
    if copied is not current.segments[-1] and not current.reader.has_open(copied):
        copied.release()
    for segment in future.segments[:-1]:
        if segment.settled:
            segment.release()
