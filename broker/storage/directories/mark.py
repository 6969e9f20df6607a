"""The mark `.moved`: the directory that has it came from another data directory, or is about to.

It is made before the two change places and goes once the old one is gone for good. In between a crash may leave both:
then it tells that they are one log, and which of them goes on.
"""

from contextlib import suppress

from broker.storage.segments.log import SegmentLog
from broker.storage.segments.names import MOVED


def put(future: SegmentLog) -> None:
    """Durably.  Sleeps in the kernel.  Raises: OSError."""
    disk, directory = future.disk, future.directory
    disk.create(directory / MOVED).release()
    disk.sync_directory(directory)
    disk.sync_directory(directory.parent)


def is_on(kept: SegmentLog) -> bool:
    return kept.disk.exists(kept.directory / MOVED)


def remove(kept: SegmentLog) -> None:
    """Raises: OSError."""
    with suppress(FileNotFoundError):  # the log was deleted meanwhile
        kept.disk.remove(kept.directory / MOVED)


def settled(one: SegmentLog, other: SegmentLog) -> tuple[SegmentLog, SegmentLog] | None:
    """Of one log in two directories, after a crash while they changed places: which goes on, and which goes.

    The longer one has all that the other has. None: that is not how they came about.
    """
    marked = [each for each in (one, other) if is_on(each)]
    if one.id != other.id or len(marked) != 1 or one.failure is not None or other.failure is not None:
        return None
    left, goes_on = sorted((one, other), key=lambda each: (each.end_offset, each in marked))
    goes_on.advance_start(min(max(left.start_offset, goes_on.start_offset), goes_on.end_offset))
    return goes_on, left
