"""One record that is longer than what anybody wants to hold, or has a great many headers: stepped over field by field.

Decides as `walk` does; a test compares the two, byte by byte and piece by piece.
"""

from collections.abc import Generator, Iterator

from kproto.records.walk import Walk, bad_record, header_count, read_unsigned, walk_headers

SLICE_HEADERS = 1000

Steps = Generator[None, None, None]


class Pieces:
    """Bytes that arrive in pieces, of which the one at hand is held.

    Where a method has to fetch a piece it yields first, so that the loop may serve others.
    """

    def __init__(self, data: bytes, position: int, following: Iterator[bytes]) -> None:
        """Begin at `position` of `data`; go on with `following`."""
        self.data = data
        self.position = position
        self.following = following
        self.passed = 0

    def skip(self, count: int, index: int) -> Steps:
        """Let `count` bytes pass. Raises: ApiError INVALID_RECORD when there are not so many."""
        self.passed += count
        while count > len(self.data) - self.position:
            count -= len(self.data) - self.position
            yield
            piece = next(self.following, None)
            if piece is None:
                raise bad_record(index, "it is cut off")
            self.data, self.position = piece, 0
        self.position += count

    def number(self, bits: int, index: int) -> Generator[None, None, int]:
        """A varint, before the zigzag. Raises: ApiError INVALID_RECORD, cut off or too long."""
        text = bytearray()
        while not text or (text[-1] > 127 and len(text) < 10):
            yield from self.skip(1, index)
            text.append(self.data[self.position - 1])
        return read_unsigned(bytes(text), 1, text[0], bits)[0]

    def skip_field(self, index: int) -> Generator[None, None, bool]:
        """Length and bytes of a key or value; gives back whether it is there, or null."""
        number = yield from self.number(32, index)
        if number & 1:
            return False
        yield from self.skip(number >> 1, index)
        return True


def step_over(pieces: Pieces, found: Walk) -> Steps:
    """Let the record that begins here pass, and take it into `found`.

    Raises: ApiError INVALID_RECORD; what fetching a piece raises.
    """
    index = found.index
    length = (yield from pieces.number(32, index)) >> 1
    pieces.passed = 0
    yield from pieces.skip(1, index)
    number = yield from pieces.number(64, index)
    timestamp = found.base_timestamp + (~(number >> 1) if number & 1 else number >> 1)
    if (yield from pieces.number(32, index)) != index << 1:
        raise bad_record(index, "its offset delta is wrong")
    has_key = yield from pieces.skip_field(index)
    yield from pieces.skip_field(index)
    yield from _skip_headers(pieces, index)
    if pieces.passed != length:
        raise bad_record(index, f"it is {pieces.passed - length} bytes longer than it says")
    found.take(timestamp, has_key)


def _skip_headers(pieces: Pieces, index: int) -> Steps:
    left = header_count((yield from pieces.number(32, index)), index)
    while left:
        before = pieces.position
        pieces.position, still_left = walk_headers(pieces.data, before, left, SLICE_HEADERS, index)
        pieces.passed += pieces.position - before
        if still_left == left:  # it goes on behind the piece at hand
            if not (yield from pieces.skip_field(index)):
                raise bad_record(index, "a header has no key")
            yield from pieces.skip_field(index)
            still_left -= 1
        left = still_left
        yield
