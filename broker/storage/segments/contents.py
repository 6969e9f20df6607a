"""What one `.log` file holds, as far as it is known: where it ends, its timestamps and its two indexes.

Source: LogSegment.java.
"""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from broker.storage.files import Disk, File
from broker.storage.segments.checked import Checked
from broker.storage.segments.index import offset_index, time_index
from broker.storage.segments.names import INDEX, LOG, TIME_INDEX, offset_file
from broker.storage.segments.scan import find, headers
from kproto.records.batch import HEADER_BYTES, BatchHeader

NO_TIMESTAMP = -1
LARGEST_RELATIVE_OFFSET = 2**31 - 1
_REMEMBERED = 32
BATCHES_A_STEP = 250
"""Headers read between two chances for others, about half a millisecond."""


class IndexDamaged(Exception):
    """What the index of `contents` says is not in its log; build it anew."""

    def __init__(self, contents: "Contents") -> None:
        super().__init__(str(contents.path))
        self.contents = contents


class LogDamaged(Exception):
    """The log itself is not what was written."""


class Contents:
    """Offsets in `[base_offset, next_offset)`, bytes in `[0, size)`: noted batch by batch, or measured."""

    __slots__ = (
        "_disk",
        "_file",
        "_remembered",
        "_since_entry",
        "base_offset",
        "checked",
        "cuts",
        "directory",
        "first_timestamp_ms",
        "index",
        "max_timestamp_ms",
        "max_timestamp_offset",
        "next_offset",
        "size",
        "suffix",
        "times",
    )

    def __init__(self, disk: Disk, directory: Path, base_offset: int, suffix: str = "") -> None:
        self._disk = disk
        self.suffix = suffix
        """Behind the names of the files, while they are not the log's own yet."""
        self._file: File | None = None
        self.directory = directory
        self.base_offset = base_offset
        self.next_offset = base_offset
        self.size = 0
        self.checked = Checked()
        self.first_timestamp_ms = NO_TIMESTAMP
        self.max_timestamp_ms = NO_TIMESTAMP
        self.max_timestamp_offset = -1
        """Last offset of the batch that has the largest timestamp."""
        self.index = offset_index(disk, offset_file(directory, base_offset, INDEX + suffix))
        self.times = time_index(disk, offset_file(directory, base_offset, TIME_INDEX + suffix))
        self.cuts = 0
        """How often bytes that were counted have gone."""
        self._since_entry = 0
        self._remembered: dict[int, int] = {}

    @property
    def path(self) -> Path:
        return offset_file(self.directory, self.base_offset, LOG + self.suffix)

    @property
    def file(self) -> File:
        """Opened when first asked for."""
        if self._file is None:
            self._file = self._disk.open(self.path)
        return self._file

    # --- learning ---

    def note(self, header: BatchHeader, interval_bytes: int) -> None:
        """A batch lies at the end of the file: count it and, now and then, make index entries."""
        last_offset = header.base_offset + header.last_offset_delta
        if self.first_timestamp_ms == NO_TIMESTAMP:
            self.first_timestamp_ms = header.max_timestamp
        if header.max_timestamp > self.max_timestamp_ms:
            self.max_timestamp_ms = header.max_timestamp
            self.max_timestamp_offset = last_offset
        if self._since_entry > interval_bytes:
            self.index.append(last_offset - self.base_offset, self.size)
            self.note_time()
            self._since_entry = 0
        size = header.batch_length + 12
        self._since_entry += size
        self.size += size
        self.next_offset = last_offset + 1

    def note_time(self) -> None:
        """Make a time entry, unless the last one says as much."""
        newest = self.times.last
        if self.max_timestamp_ms > (newest[0] if newest else NO_TIMESTAMP):
            self.times.append(self.max_timestamp_ms, self.max_timestamp_offset - self.base_offset)

    def forget(self) -> None:
        """As if nothing was known of the file: `note` will tell, batch by batch."""
        self.index.clear()
        self.times.clear()
        self.checked = Checked()
        self.size = self._since_entry = 0
        self.next_offset = self.base_offset
        self.first_timestamp_ms = self.max_timestamp_ms = NO_TIMESTAMP
        self.max_timestamp_offset = -1

    def measure(self) -> Iterator[None]:
        """Learn from the log where it ends and what follows the last index entries, some batches at each step.

        Raises: OSError; IndexDamaged.
        """
        last, newest = self.index.last, self.times.last
        self.max_timestamp_ms, self.max_timestamp_offset = NO_TIMESTAMP, -1
        position, self.next_offset = 0, self.base_offset
        if last is not None and newest is not None:
            position = min(last[1], self.place_of_time(newest))
            self.max_timestamp_ms, self.max_timestamp_offset = newest[0], newest[1] + self.base_offset
        stored = headers(self.file, position, self.size)
        while step := list(islice(stored, BATCHES_A_STEP)):
            for at, header in step:
                farthest = self.base_offset + LARGEST_RELATIVE_OFFSET
                if not self.next_offset <= header.base_offset <= header.last_offset <= farthest:
                    raise IndexDamaged(self)  # or the log is; a scan will tell
                position, self.next_offset = at + header.size, header.next_offset
                if header.max_timestamp > self.max_timestamp_ms:
                    self.max_timestamp_ms, self.max_timestamp_offset = header.max_timestamp, header.last_offset
            yield
        if position != self.size:
            raise IndexDamaged(self)
        first = next(headers(self.file, 0, self.size, HEADER_BYTES), None)
        self.first_timestamp_ms = first[1].max_timestamp if first else NO_TIMESTAMP
        self._since_entry = self.size - (last[1] if last else 0)

    def rebuild(self, interval_bytes: int) -> Iterator[None]:
        """Build the indexes anew from the log, some batches at each step; the log may grow or be cut in between.

        Raises: OSError; LogDamaged: the log is not a row of batches.
        """
        fresh, cuts, file = self._without_entries(), self.cuts, self.file
        file.hold()
        try:
            while fresh.size < self.size:
                if cuts != self.cuts:
                    fresh, cuts = self._without_entries(), self.cuts
                before = fresh.size
                if (damage := self.checked.damage_at(before)) is not None:
                    fresh.size, fresh.next_offset = damage.end, damage.next_offset
                    continue
                end = self.checked.sound_until(before, self.size)
                for _, header in islice(headers(file, before, end), BATCHES_A_STEP):
                    if not fresh.next_offset <= header.base_offset <= header.last_offset < self.next_offset:
                        raise LogDamaged(f"{self.path}: offset {header.base_offset} at byte {fresh.size}")
                    fresh.note(header, interval_bytes)
                if fresh.size == before:
                    raise LogDamaged(f"{self.path}: no batch at byte {before}")
                yield
        finally:
            file.release()
        self.index.close()
        self.times.close()
        self.index, self.times, self._since_entry = fresh.index, fresh.times, fresh._since_entry
        self.max_timestamp_ms, self.max_timestamp_offset = fresh.max_timestamp_ms, fresh.max_timestamp_offset
        self.first_timestamp_ms, self.next_offset = fresh.first_timestamp_ms, fresh.next_offset
        self._remembered.clear()

    def _without_entries(self) -> "Contents":
        return Contents(self._disk, self.directory, self.base_offset, self.suffix)

    def sound_headers(self, position: int = 0) -> Iterator[tuple[int, BatchHeader]]:
        """Positions and headers of the batches from `position` on, but for those that are known to be damaged."""
        while position < self.size:
            end = self.checked.sound_until(position, self.size)
            yield from headers(self.file, position, end)
            damage = self.checked.damage_at(end)
            position = self.size if damage is None else damage.end

    # --- looking up ---

    def find(self, offset: int, end: int | None = None) -> tuple[int, int, int] | None:
        """Position, size and base offset of the first batch that ends at or above `offset`; None if there is none.

        Args:
            end: look no further than this byte.
        Raises: OSError; IndexDamaged; BatchDamaged: the batch of that offset is known to be damaged.
        """
        remembered = self._remembered.get(offset)
        start = self.indexed(offset) if remembered is None else remembered
        if self.checked.damages:
            start = self.checked.past(start, offset)
        try:
            found = find(self.file, offset, start, self.size if end is None else end)
        except ValueError as damage:
            raise IndexDamaged(self) from damage
        if remembered is None and found is not None and found[0] == start and start and found[2] > offset:
            raise IndexDamaged(self)
        return found

    def start_for(self, offset: int) -> int:
        """Where `find` looks for `offset` from.  Raises: IndexDamaged."""
        remembered = self._remembered.get(offset)
        return self.indexed(offset) if remembered is None else remembered

    def indexed(self, offset: int) -> int:
        """Position of a batch that does not begin above `offset`, as the index says.  Raises: IndexDamaged."""
        return self.entry_for(offset)[0]

    def entry_for(self, offset: int) -> tuple[int, int]:
        """The same, with the last offset of that batch; position 0 and -1 before the first entry."""
        try:
            entry = self.index.floor(offset - self.base_offset)
        except (OSError, ValueError) as damage:
            raise IndexDamaged(self) from damage
        if entry is None:
            return 0, -1
        if entry[1] >= self.size:
            raise IndexDamaged(self)
        return entry[1], entry[0] + self.base_offset

    def place_of_time(self, entry: tuple[int, int]) -> int:
        """Position of the batch that a time entry means.  Raises: OSError; IndexDamaged: there is no such batch."""
        place = self.find(self.base_offset + entry[1])
        if place is not None:
            _, header = next(headers(self.file, place[0], self.size, HEADER_BYTES))
            if header.max_timestamp == entry[0] and place[2] <= self.base_offset + entry[1]:
                return place[0]  # we note the last offset of a batch; some releases of Kafka that of the record
        raise IndexDamaged(self)

    def without_times(self) -> bool:
        """Whether no batch has a timestamp, as far as a look at both ends tells.  Raises: OSError, IndexDamaged."""
        last = self.index.last
        near_end = headers(self.file, self.indexed(last[0] + self.base_offset) if last else 0, self.size)
        ends = chain(headers(self.file, 0, min(self.size, 1 << 16)), islice(near_end, BATCHES_A_STEP))
        return all(header.max_timestamp == NO_TIMESTAMP for _, header in ends)

    def newest(self) -> tuple[int, int]:
        """The largest timestamp in ms and the last offset of its batch; (-1, -1) if no batch has one.

        An index that ends early would make the segment look older than it is: the last entry must be true and, as far
        as a quick look tells, about the end of the segment.
        Raises: OSError, IndexDamaged.
        """
        if self.max_timestamp_ms == NO_TIMESTAMP and self.size:
            try:
                last = self.times.last
            except (OSError, ValueError) as damage:
                raise IndexDamaged(self) from damage
            if last is not None:
                position = self.place_of_time(last)
                rest = list(islice(headers(self.file, position, self.size), BATCHES_A_STEP))
                if rest[-1][0] + rest[-1][1].size != self.size or max(h.max_timestamp for _, h in rest) != last[0]:
                    raise IndexDamaged(self)
                self.max_timestamp_ms, self.max_timestamp_offset = last[0], last[1] + self.base_offset
        return self.max_timestamp_ms, self.max_timestamp_offset

    def remember(self, offset: int, position: int) -> None:
        """A reader got everything below `offset` and will come back for what lies at `position`."""
        if len(self._remembered) >= _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[offset] = position
