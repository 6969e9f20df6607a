"""Items that tell their length, out of bytes that come in pieces: messages of magic 0 and 1, records of magic 2."""

from collections.abc import Callable, Iterator

from kproto.errors import ApiError, ErrorCode

UNKNOWN_END = -1

Item = tuple[bytes, int, int]
"""Bytes at hand, and where in them an item begins and ends."""


def items(pieces: Iterator[bytes], end_of: Callable[[bytes, int], int]) -> Iterator[Item | None]:
    """Each whole item; None wherever a piece was fetched, so that the loop may serve others.

    Only an item that goes on behind its piece is put together, whatever length it claims, from what really comes.

    Args:
        end_of: where the item at a position ends, by what it says; UNKNOWN_END if not even that is at hand.
    Raises: ApiError INVALID_RECORD: the bytes end inside an item; what `pieces` and `end_of` raise.
    """
    data, position = b"", 0
    while True:
        end = end_of(data, position) if position < len(data) else UNKNOWN_END
        if UNKNOWN_END < end <= len(data):
            yield data, position, end
            position = end
            continue
        parts = [data[position:]]
        at_hand = len(parts[0])
        wanted = at_hand + 1 if end == UNKNOWN_END else end - position
        while at_hand < wanted:
            piece = next(pieces, None)
            if piece is None:
                if at_hand:
                    raise ApiError(ErrorCode.INVALID_RECORD, f"a record is cut off after {at_hand} bytes")
                return
            parts.append(piece)
            at_hand += len(piece)
            yield None
        data, position = b"".join(parts), 0
