"""The walk over all records of one batch: inflated in pieces, in slices between which the loop may serve others.

    check = check_of(batch, header, need_keys=True, latest=now_ms + 3_600_000)
    for _ in check.slices():
        await ctx.pause(...)                      # or check.run(), for a batch of few records
    check.walk.max_timestamp, check.walk.without_key, ...

Of a long batch at most one piece and what is left of the piece before it are held, never the whole: a record of more
than `LONG_RECORD_BYTES` that goes on behind its piece is stepped over field by field.
"""

from collections.abc import Iterator
from types import BuiltinFunctionType

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import HEADER_BYTES, BatchHeader, Bytes
from kproto.records.compression import Codec, inflate
from kproto.records.limits import MAX_INFLATED_BYTES
from kproto.records.long_record import SLICE_HEADERS, Pieces, step_over
from kproto.records.walk import MAX_TIMESTAMP, Walk, bad_record, walk

LONG_RECORD_BYTES = 256 * 1024
SLICE_RECORDS = 5_000 if isinstance(walk, BuiltinFunctionType) else 500
"""Half a millisecond; compiled, a record costs a tenth."""
PIECE_RECORDS = SLICE_RECORDS // 4
"""A piece of a compressed stream counts as so many."""
_PIECE_BYTES = 64 * 1024


def check_of(
    batch: Bytes,
    header: BatchHeader,
    *,
    need_keys: bool = False,
    earliest: int = -MAX_TIMESTAMP,
    latest: int = MAX_TIMESTAMP,
    max_inflated_bytes: int = MAX_INFLATED_BYTES,
) -> "RecordCheck":
    """The check of one whole batch, not begun; `header` is read from `batch`, which must not change meanwhile.

    `need_keys`: note records without key. `earliest`, `latest`: note timestamps in ms outside them.
    Raises: ApiError INVALID_RECORD when the counts of the header contradict each other, UNSUPPORTED_COMPRESSION_TYPE.
    """
    if header.count <= 0 or header.last_offset_delta != header.count - 1:
        what = f"a batch of {header.count} records ends at offset delta {header.last_offset_delta}"
        raise ApiError(ErrorCode.INVALID_RECORD, what)
    found = Walk(header.count, header.base_timestamp, need_keys, earliest, latest)
    if header.codec is Codec.NONE and header.count <= SLICE_RECORDS:
        return RecordCheck(found, Pieces(bytes(batch), HEADER_BYTES, iter(())))
    section = memoryview(batch)[HEADER_BYTES : header.size]
    if header.codec is Codec.NONE:
        return RecordCheck(found, Pieces(b"", 0, _copied(section)), piece_records=0)
    return RecordCheck(found, Pieces(b"", 0, inflate(header.codec, section, max_inflated_bytes)))


def _copied(section: memoryview) -> Iterator[bytes]:
    """In pieces: a second copy of the whole beside the caller's would be memory that is new to the process."""
    for start in range(0, len(section), _PIECE_BYTES):
        yield bytes(section[start : start + _PIECE_BYTES])


class RecordCheck:
    """One walk, as far as it has come. `walk` holds what it found so far."""

    def __init__(
        self,
        found: Walk,
        pieces: Pieces,
        long_record_bytes: int = LONG_RECORD_BYTES,
        piece_records: int = PIECE_RECORDS,
    ) -> None:
        """`piece_records`: as how many records one piece more counts."""
        found.headers_a_call = SLICE_HEADERS
        self.walk = found
        self._pieces = pieces
        self._long_record_bytes = long_record_bytes
        self._piece_records = piece_records

    def run(self) -> Walk:
        """The whole walk in one go.

        Raises: ApiError, as `slices`.
        """
        for _ in self.slices():
            pass
        return self.walk

    def slices(self) -> Iterator[None]:
        """Go on by at most `SLICE_RECORDS` per step, or by pieces that cost as much.

        Raises: ApiError INVALID_RECORD for records that are not sound, too few or too many; and what `inflate` raises.
        """
        found, pieces = self.walk, self._pieces
        left = SLICE_RECORDS
        while found.index < found.count:
            begun = found.index
            pieces.position = walk(pieces.data, pieces.position, found, left)
            left -= found.index - begun
            if found.index == found.count:
                break
            if found.cut_off and self._fetch():
                left -= self._piece_records
                if left > 0:
                    continue
            elif found.cut_off or found.many_headers:
                yield from step_over(pieces, found)
            yield
            left = SLICE_RECORDS
        yield from self._nothing_left()

    def _fetch(self) -> bool:
        """One piece more, for a record that goes on behind those at hand; False if too much of it is held already."""
        pieces, found = self._pieces, self.walk
        rest = pieces.data[pieces.position :]
        if len(rest) > self._long_record_bytes:
            return False
        piece = next(pieces.following, None)
        if piece is None:
            raise bad_record(found.index, f"it is cut off or missing; the batch announced {found.count}")
        pieces.data, pieces.position = rest + piece, 0
        return True

    def _nothing_left(self) -> Iterator[None]:
        """The end of the last record is the end of the batch; a compressed stream must end well, too."""
        left = len(self._pieces.data) > self._pieces.position
        while not left and (piece := next(self._pieces.following, None)) is not None:
            left = bool(piece)
            yield
        if left:
            raise ApiError(ErrorCode.INVALID_RECORD, f"a batch has bytes behind its {self.walk.count} records")
