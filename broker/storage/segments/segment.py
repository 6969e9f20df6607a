"""One `.log` file with its two indexes: a run of a partition's batches, in offset order.

Source: LogSegment.java.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from errno import EIO
from itertools import islice
from pathlib import Path

from broker.storage.files import Data, Disk, File, write_all
from broker.storage.segments.index import offset_index, time_index
from broker.storage.segments.names import DELETED, INDEX, LOG, SNAPSHOT, TIME_INDEX, TXN_INDEX, offset_file
from broker.storage.segments.scan import find, headers
from kproto.records.batch import HEADER_BYTES, BatchHeader

NO_TIMESTAMP = -1
_REMEMBERED = 32
_LARGEST_RELATIVE_OFFSET = 2**31 - 1
BATCHES_A_STEP = 250
"""Headers read between two chances for others, about half a millisecond."""


class IndexDamaged(Exception):
    """What the index of `segment` says is not in its log; build it anew."""

    def __init__(self, segment: "Segment") -> None:
        super().__init__(str(segment.path))
        self.segment = segment


class LogDamaged(Exception):
    """The log itself is not what was written."""


class Segment:
    """Offsets in `[base_offset, next_offset)`, bytes in `[0, size)`.

    The newest one is written; it keeps its indexes in memory and its file open. The others are `retired`.
    """

    __slots__ = (
        "_disk",
        "_file",
        "_remembered",
        "_since_entry",
        "base_offset",
        "created_ms",
        "cuts",
        "directory",
        "first_timestamp_ms",
        "index",
        "max_timestamp_ms",
        "max_timestamp_offset",
        "next_offset",
        "settled",
        "size",
        "synced_size",
        "times",
    )

    def __init__(self, disk: Disk, directory: Path, base_offset: int, created_ms: int) -> None:
        self._disk = disk
        self._file: File | None = None
        self.directory = directory
        self.base_offset = base_offset
        self.next_offset = base_offset
        self.size = 0
        self.synced_size = 0
        """Bytes known to be durable."""
        self.settled = False
        """Retired, and durable with all its files."""
        self.created_ms = created_ms
        self.first_timestamp_ms = NO_TIMESTAMP
        self.max_timestamp_ms = NO_TIMESTAMP
        self.max_timestamp_offset = -1
        """Last offset of the batch that has the largest timestamp."""
        self.index = offset_index(disk, offset_file(directory, base_offset, INDEX))
        self.times = time_index(disk, offset_file(directory, base_offset, TIME_INDEX))
        self.cuts = 0
        self._since_entry = 0
        self._remembered: dict[int, int] = {}

    @property
    def path(self) -> Path:
        return offset_file(self.directory, self.base_offset, LOG)

    @property
    def file(self) -> File:
        """Opened when first asked for."""
        if self._file is None:
            self._file = self._disk.open(self.path)
        return self._file

    def create(self) -> None:
        self._file = self._disk.create(self.path)

    # --- writing ---

    def append(self, batches: Data, stored: Sequence[BatchHeader], interval_bytes: int) -> None:
        """Write batches whose headers say where they belong. Raises: OSError: nothing of them stays."""
        file = self.file
        try:
            write_all(file, batches, self.size)
        except OSError as error:
            try:
                file.cut(self.size)
            except OSError as stuck:
                raise OSError(EIO, f"{self.path}: a torn batch cannot be cut off ({error})") from stuck
            raise
        for header in stored:
            self.note(header, interval_bytes)
        self.save_crowded()

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
            self._note_time()
            self._since_entry = 0
        size = header.batch_length + 12
        self._since_entry += size
        self.size += size
        self.next_offset = last_offset + 1

    def _note_time(self) -> None:
        newest = self.times.last
        if self.max_timestamp_ms > (newest[0] if newest else NO_TIMESTAMP):
            self.times.append(self.max_timestamp_ms, self.max_timestamp_offset - self.base_offset)

    def save_crowded(self) -> None:
        """Write index entries of which there are many; a full disk does not matter here, they stay in memory."""
        if self.index.crowded():
            with suppress(OSError):
                self.index.save()
        if self.times.crowded():
            with suppress(OSError):
                self.times.save()

    def save_indexes(self) -> None:
        """Write both indexes, the last time entry included, as at a roll and a clean stop. Raises: OSError."""
        if not self.times.frozen:
            self._note_time()
        self.index.save()
        self.times.save()

    def is_full(self, more_bytes: int, last_offset: int, segment_bytes: int, index_bytes: int) -> bool:
        """Whether a batch of that size with that last offset has to go into the next segment."""
        if last_offset - self.base_offset > _LARGEST_RELATIVE_OFFSET:
            return True
        return self.size > 0 and (
            self.size + more_bytes > segment_bytes
            or len(self.index) >= index_bytes // 8
            or len(self.times) >= index_bytes // 12 - 1
        )

    def is_old(self, timestamp_ms: int, now_ms: int, segment_ms: int) -> bool:
        """By the timestamps of records where there are any, as Kafka; else by the age of the segment."""
        if self.first_timestamp_ms != NO_TIMESTAMP and timestamp_ms != NO_TIMESTAMP:
            return self.size > 0 and timestamp_ms - self.first_timestamp_ms > segment_ms
        return self.size > 0 and now_ms - self.created_ms > segment_ms

    def cut(self, offset: int, interval_bytes: int) -> None:
        """Keep the batches that end below `offset`; from now on it is written again. Raises: OSError, LogDamaged."""
        try:
            place = self.find(offset)
        except IndexDamaged:
            _exhaust(self.rebuild(interval_bytes))
            place = self.find(offset)
        if place is not None:
            self.size = place[0]
            self.file.cut(self.size)
        self.synced_size = min(self.synced_size, self.size)
        self.settled = False
        self.cuts += 1
        self._remembered.clear()
        self.index.keep_keys_below(offset - self.base_offset)
        self.times.keep_values_below(offset - self.base_offset)
        try:
            _exhaust(self.measure())
        except IndexDamaged:
            _exhaust(self.rebuild(interval_bytes))

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
                for _, header in islice(headers(file, before, self.size), BATCHES_A_STEP):
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

    def _without_entries(self) -> "Segment":
        return Segment(self._disk, self.directory, self.base_offset, self.created_ms)

    # --- looking up ---

    def find(self, offset: int) -> tuple[int, int, int] | None:
        """Position, size and base offset of the first batch that ends at or above `offset`; None if there is none.

        Raises: OSError; IndexDamaged.
        """
        remembered = self._remembered.get(offset)
        start = self.indexed(offset) if remembered is None else remembered
        try:
            found = find(self.file, offset, start, self.size)
        except ValueError as damage:
            raise IndexDamaged(self) from damage
        if remembered is None and found is not None and found[0] == start and start and found[2] > offset:
            raise IndexDamaged(self)
        return found

    def indexed(self, offset: int) -> int:
        """Position of a batch that does not begin above `offset`, as the index says.  Raises: IndexDamaged."""
        try:
            entry = self.index.floor(offset - self.base_offset)
        except (OSError, ValueError) as damage:
            raise IndexDamaged(self) from damage
        if entry is None:
            return 0
        if entry[1] >= self.size:
            raise IndexDamaged(self)
        return entry[1]

    def remember(self, offset: int, position: int) -> None:
        """A reader got everything below `offset` and will come back for what lies at `position`."""
        if len(self._remembered) >= _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[offset] = position

    # --- ageing ---

    def forget(self) -> None:
        """As if nothing was known of the file: `note` will tell, batch by batch."""
        self.index.clear()
        self.times.clear()
        self.size = self.synced_size = self._since_entry = 0
        self.next_offset = self.base_offset
        self.first_timestamp_ms = self.max_timestamp_ms = NO_TIMESTAMP
        self.max_timestamp_offset = -1

    def retire(self) -> None:
        """No more is written here: indexes leave memory, unless they cannot be saved now."""
        with suppress(OSError):
            self.save_indexes()
            self.index.freeze()
            self.times.freeze()

    def open_retired(self, next_offset: int) -> bool:
        """Know an older segment by its files alone; False if its indexes must be built anew.  Raises: OSError."""
        self.size = self.synced_size = self._disk.size(self.path)
        self.settled = True
        self.next_offset = next_offset
        return self.index.open_frozen() and self.times.open_frozen() and (len(self.times) > 0 or self.size == 0)

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

    def place_of_time(self, entry: tuple[int, int]) -> int:
        """Position of the batch that a time entry means.  Raises: OSError; IndexDamaged: there is no such batch."""
        place = self.find(self.base_offset + entry[1])
        if place is not None:
            _, header = next(headers(self.file, place[0], self.size, HEADER_BYTES))
            if header.max_timestamp == entry[0] and header.last_offset == self.base_offset + entry[1]:
                return place[0]
        raise IndexDamaged(self)

    def files(self) -> list[Path]:
        """All that belongs to it and is there."""
        suffixes = (LOG, INDEX, TIME_INDEX, TXN_INDEX, SNAPSHOT)
        paths = [offset_file(self.directory, self.base_offset, suffix) for suffix in suffixes]
        return [path for path in paths if self._disk.exists(path)]

    def discard(self) -> list[Path]:
        """Rename the files so that no start finds them, and let go of them. Returns the new names; OSError."""
        self.release()
        renamed = []
        for path in self.files():
            gone = path.with_name(path.name + DELETED)
            self._disk.rename(path, gone)
            renamed.append(gone)
        return renamed

    def release(self) -> None:
        self.index.close()
        self.times.close()
        if self._file is not None:
            held, self._file = self._file, None
            held.release()


def _exhaust(steps: Iterator[None]) -> None:
    for _ in steps:
        continue
