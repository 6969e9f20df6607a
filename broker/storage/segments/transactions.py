"""Which aborted transactions a reader of committed records must be told of, out of the segments' `.txnindex` files.

Source: LocalLog.collectAbortedTransactions.
"""

from bisect import bisect_left
from typing import TYPE_CHECKING

from broker.storage.producers import AbortedTransaction
from broker.storage.segments.contents import IndexDamaged
from broker.storage.segments.segment import Segment

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog


async def aborted_transactions(log: "SegmentLog", offset: int, size_bytes: int, below: int) -> list[AbortedTransaction]:
    """See `broker.storage.contract.Log.aborted_transactions`.

    A transaction stands in the index of the segment that has its marker, which may be a later one.
    """
    log.check()
    segments = log.segments_from(offset)
    if not any(map(_has_some, segments)):
        return []
    try:
        bound = min(_end_of_run(segments[0], offset, size_bytes), below)
        found: list[AbortedTransaction] = []
        for segment in filter(_has_some, segments):
            more, complete = segment.aborted.between(offset, bound)
            found += more
            if complete:
                break
    except OSError as error:
        raise log.failed(error) from error
    return found


def _has_some(segment: Segment) -> bool:
    return len(segment.aborted) > 0


def _end_of_run(segment: Segment, offset: int, size_bytes: int) -> int:
    """An offset above all in the `size_bytes` from the batch of `offset` on, as near as the index tells."""
    index = segment.index
    try:
        place = segment.find(offset)
        if place is not None and place[0] + size_bytes < segment.size:
            end = place[0] + size_bytes
            number = bisect_left(range(len(index)), end, key=lambda number: index[number][1])
            if number < len(index):
                return segment.base_offset + index[number][0] + 1
    except (IndexDamaged, ValueError):
        pass  # whoever reads next builds it anew
    return segment.next_offset
