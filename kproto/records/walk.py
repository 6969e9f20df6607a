"""Is every record of a batch sound? One pass over the inflated records: plain Python, which mypyc may compile.

The dearest thing a broker does with a batch, so it is done once, here, for all who ask: lengths, varints, counts,
offset deltas, which records lack a key, which timestamps are out of range, and the largest of them.

Compiled it costs a tenth. Both builds must behave alike, so this module imports only errors, takes `bytes` and nothing
that looks like it, and keeps to plain ints (bounds of 64 bits are compared where they can be reached, no sooner).

Source: DefaultRecord.java, LogValidator.java; KIP-98 for the layout (see record.py).
"""

from typing import Final

from kproto.errors import ApiError, ErrorCode

SHORTEST_RECORD: Final = 6
"""Bytes behind the length of a record without key, value and headers."""
MAX_REPORTED: Final = 100
"""Indexes kept of bad records; one batch may hold 160 000."""
MAX_TIMESTAMP: Final = (1 << 63) - 1
ALL_HEADERS: Final = 1 << 31
FEW_BITS: Final = 1 << 61
"""Up to here compiled code compares ints without making objects of them."""


class Walk:
    """How far the walk over one batch has come, and what it found. Times in ms; an index counts records from 0."""

    def __init__(
        self,
        count: int,
        base_timestamp: int,
        need_keys: bool = False,
        earliest: int = -MAX_TIMESTAMP,
        latest: int = MAX_TIMESTAMP,
    ) -> None:
        """Expect `count` records, by the header. `need_keys`: note records without key (compacted topics).

        `earliest`, `latest`: note timestamps outside them; -1, which means none, is always fine.
        """
        self.count = count
        self.base_timestamp = base_timestamp
        self.need_keys = need_keys
        self.earliest = earliest
        self.latest = latest
        self.index = 0
        self.headers_a_call = ALL_HEADERS
        self.cut_off = False
        self.many_headers = False
        self.max_timestamp = -1
        self.max_timestamp_index = -1
        self.without_key: list[int] = []
        self.out_of_time: list[int] = []

    def take(self, timestamp: int, has_key: bool) -> None:
        """Take in the next record, found sound by somebody else."""
        self.note_timestamp(self.index, timestamp)
        if timestamp > self.max_timestamp:
            self.max_timestamp = timestamp
            self.max_timestamp_index = self.index
        if self.need_keys and not has_key:
            self.note_without_key(self.index)
        self.index += 1

    def note_timestamp(self, index: int, timestamp: int) -> None:
        """Look closer at a timestamp that may be out of bounds."""
        if not -MAX_TIMESTAMP <= timestamp <= MAX_TIMESTAMP:
            raise bad_record(index, "its timestamp has more than 64 bits")
        if timestamp == -1 or self.earliest <= timestamp <= self.latest:
            return
        if len(self.out_of_time) < MAX_REPORTED:
            self.out_of_time.append(index)

    def note_without_key(self, index: int) -> None:
        if len(self.without_key) < MAX_REPORTED:
            self.without_key.append(index)


def walk(data: bytes, position: int, state: Walk, limit: int) -> int:
    """Walk over at most `limit` records that begin at `position`; gives back where the next one begins.

    Stops early when all `state.count` records are walked, or before a record that goes on behind the end of `data`
    (`state.cut_off`): get more, or refuse the batch. Nothing is noted of a record before which it stops.

    With `state.headers_a_call` it stops as well after a record with which so many headers are walked, and before a
    record that alone has more (`state.many_headers`), which long_record.py can divide.
    Raises: ApiError INVALID_RECORD for a record that is not sound.
    """
    # The four lines that read a varint stand here five times: a call each would double the time of the plain build.
    size = len(data)
    first = state.index
    base_timestamp = state.base_timestamp
    need_keys = state.need_keys
    earliest = max(state.earliest, -FEW_BITS)
    latest = min(state.latest, FEW_BITS)
    max_timestamp = state.max_timestamp
    max_timestamp_index = state.max_timestamp_index
    state.cut_off = state.many_headers = False
    headers = 0
    headers_a_call = state.headers_a_call
    index = first
    try:
        for index in range(first, min(state.count, first + limit)):
            start = position
            if start + SHORTEST_RECORD >= size:
                state.cut_off = True
                break
            number = data[start]
            position = start + 1
            if number > 127:
                if data[position] < 128:
                    number += (data[position] << 7) - 128
                    position += 1
                else:
                    number, position = read_unsigned(data, position, number, 32)
            if number & 1 or number < SHORTEST_RECORD * 2:
                raise bad_record(index, "its length is wrong")
            end = position + (number >> 1)
            if end > size:
                state.cut_off = True
                position = start
                break

            number = data[position + 1]  # behind the attributes, which nothing uses
            position += 2
            if number > 127:
                if data[position] < 128:
                    number += (data[position] << 7) - 128
                    position += 1
                else:
                    number, position = read_unsigned(data, position, number, 64)
            timestamp = base_timestamp + (~(number >> 1) if number & 1 else number >> 1)

            number = data[position]
            position += 1
            if number > 127:
                if data[position] < 128:
                    number += (data[position] << 7) - 128
                    position += 1
                else:
                    number, position = read_unsigned(data, position, number, 32)
            if number != index << 1:
                raise bad_record(index, "its offset delta is wrong")

            number = data[position]
            position += 1
            if number > 127:
                if data[position] < 128:
                    number += (data[position] << 7) - 128
                    position += 1
                else:
                    number, position = read_unsigned(data, position, number, 32)
            has_key = not number & 1
            if has_key:
                position += number >> 1

            number = data[position]
            position += 1
            if number > 127:
                if data[position] < 128:
                    number += (data[position] << 7) - 128
                    position += 1
                else:
                    number, position = read_unsigned(data, position, number, 32)
            if not number & 1:
                position += number >> 1

            number = data[position]
            position += 1
            if number:
                if number > 127:
                    number, position = read_unsigned(data, position, number, 32)
                if number > headers_a_call * 2 and not number & 1:
                    state.many_headers = True
                    position = start
                    break
                count = header_count(number, index)
                position, left = walk_headers(data, position, count, count, index)
                if left > 0:
                    raise bad_record(index, "it ends inside its headers")
                headers += count
            if position != end:
                raise bad_record(index, f"it is {position - end} bytes longer than it says")

            if not earliest <= timestamp <= latest:
                state.note_timestamp(index, timestamp)
            if timestamp > max_timestamp:
                max_timestamp = timestamp
                max_timestamp_index = index
            if need_keys and not has_key:
                state.note_without_key(index)
            if headers > headers_a_call:
                index += 1
                break
        else:
            index = min(state.count, first + limit)
    except IndexError:
        raise bad_record(index, "it ends inside one of its fields") from None
    state.index = index
    state.max_timestamp = max_timestamp
    state.max_timestamp_index = max_timestamp_index
    return position


def header_count(number: int, index: int) -> int:
    """Undo the zigzag. Raises: ApiError INVALID_RECORD for a negative count."""
    if number & 1:
        raise bad_record(index, "its header count is negative")
    return number >> 1


def walk_headers(data: bytes, position: int, count: int, limit: int, index: int) -> tuple[int, int]:
    """Step over at most `limit` of `count` headers: the position after them, and how many are left.

    Stops early before a header that goes on behind the end of `data`.
    Raises: ApiError INVALID_RECORD for a header without key, or one whose varints are too long.
    """
    size = len(data)
    start = position
    limit = min(limit, count)
    try:
        for done in range(limit):
            start = position
            number = data[position]
            position += 1
            if number > 127:
                number, position = read_unsigned(data, position, number, 32)
            if number & 1:
                raise bad_record(index, "a header has no key")
            position += number >> 1
            number = data[position]
            position += 1
            if number > 127:
                number, position = read_unsigned(data, position, number, 32)
            if not number & 1:
                position += number >> 1
            if position > size:
                return start, count - done
    except IndexError:
        return start, count - done
    return position, count - limit


def read_unsigned(data: bytes, position: int, first: int, bits: int) -> tuple[int, int]:
    """The rest of a varint whose first byte is `first`, before the zigzag, and the position after it.

    Raises: IndexError at the end of `data`; ApiError INVALID_RECORD when it has more than `bits` bits.
    """
    number = first & 127
    shift = 7
    byte = first
    while byte > 127:
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if shift >= 28 and number >> bits:
            raise ApiError(ErrorCode.INVALID_RECORD, f"a varint has more than {bits} bits")
        shift += 7
    return number, position


def bad_record(index: int, what: str) -> ApiError:
    """The refusal of a batch for the record at `index`."""
    return ApiError(ErrorCode.INVALID_RECORD, f"record {index}: {what}")
