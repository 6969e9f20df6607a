"""One `.log` file with its two indexes, from its creation to its removal.

Source: LogSegment.java.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from errno import EIO
from pathlib import Path

from broker.storage.files import Data, Disk, write_all
from broker.storage.segments.checked import Checked
from broker.storage.segments.contents import LARGEST_RELATIVE_OFFSET, NO_TIMESTAMP, Contents, IndexDamaged
from broker.storage.segments.names import DELETED, INDEX, LOG, SNAPSHOT, TIME_INDEX, TXN_INDEX, offset_file
from broker.storage.segments.transaction_index import TransactionIndex
from kproto.records.batch import BatchHeader


class Segment(Contents):
    """A run of a partition's batches, in offset order, with the life of its files.

    The newest one is written; it keeps its indexes in memory and its file open. The others are `retired`.
    """

    __slots__ = ("aborted", "created_ms", "settled", "synced_size")

    def __init__(self, disk: Disk, directory: Path, base_offset: int, created_ms: int, suffix: str = "") -> None:
        super().__init__(disk, directory, base_offset, suffix)
        self.aborted = TransactionIndex(disk, offset_file(directory, base_offset, TXN_INDEX + suffix))
        self.created_ms = created_ms
        self.synced_size = 0
        """Bytes known to be durable."""
        self.settled = False
        """Retired, and durable with all its files."""

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
            self.note_time()
        self.index.save()
        self.times.save()

    def is_full(self, more_bytes: int, last_offset: int, segment_bytes: int, index_bytes: int) -> bool:
        """Whether a batch of that size with that last offset has to go into the next segment."""
        if last_offset - self.base_offset > LARGEST_RELATIVE_OFFSET:
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
            place = self._place(offset)
        except IndexDamaged:
            _exhaust(self.rebuild(interval_bytes))
            place = self._place(offset)
        if place is not None:
            self.size = place
            self.file.cut(self.size)
        self.synced_size = min(self.synced_size, self.size)
        self.settled = False
        self.cuts += 1
        self.checked.cut(self.size)
        self._remembered.clear()
        self.index.keep_keys_below(offset - self.base_offset)
        self.times.keep_values_below(offset - self.base_offset)
        self.aborted.cut(offset)
        try:
            _exhaust(self.measure())
        except IndexDamaged:
            _exhaust(self.rebuild(interval_bytes))

    # --- ageing ---

    def forget(self) -> None:
        """Raises: OSError."""
        super().forget()
        self.aborted.clear()
        self.synced_size = 0

    def retire(self) -> None:
        """No more is written here: indexes leave memory, unless they cannot be saved now."""
        with suppress(OSError):
            self.save_indexes()
            self.index.freeze()
            self.times.freeze()

    def open_retired(self, next_offset: int) -> bool:
        """Know an older segment by its files alone; False if its indexes must be built anew.  Raises: OSError."""
        self.size = self.synced_size = self._disk.size(self.path)
        self.checked = Checked(own_from=self.size)
        self.settled = True
        self.next_offset = next_offset
        if not (self.index.open_frozen() and self.times.open_frozen()):
            return False
        try:
            return len(self.times) > 0 or self.size == 0 or self.without_times()
        except (IndexDamaged, ValueError):
            return False

    def _place(self, offset: int) -> int | None:
        """Of the first batch that ends at or above `offset`, also if it is damaged.  Raises: OSError; IndexDamaged."""
        damage = self.checked.damage_of(offset)
        if damage is not None:
            return damage.position
        place = self.find(offset)
        return None if place is None else place[0]

    def twin(self) -> "Segment":
        """The same files as this retired segment, for somebody to read them in a thread."""
        twin = Segment(self._disk, self.directory, self.base_offset, self.created_ms)
        twin.size, twin.next_offset = self.size, self.next_offset
        for theirs, ours in ((twin.index, self.index), (twin.times, self.times)):
            theirs.read_like(ours)
        return twin

    def moved_to(self, directory: Path) -> None:
        """Its files lie there now, as open as they were."""
        self.directory = directory
        for kept, contents in ((self.index, INDEX), (self.times, TIME_INDEX), (self.aborted, TXN_INDEX)):
            kept.path = offset_file(directory, self.base_offset, contents + self.suffix)

    def files(self) -> list[Path]:
        """All that belongs to it and is there."""
        suffixes = (LOG, INDEX, TIME_INDEX, TXN_INDEX, SNAPSHOT)
        paths = [offset_file(self.directory, self.base_offset, suffix) for suffix in suffixes]
        return [path for path in paths if self._disk.exists(path)]

    def take_suffix(self, suffix: str) -> None:
        """Rename the files, the `.log` last, so that with it all are there.  Raises: OSError."""
        self.release()
        for contents in (INDEX, TIME_INDEX, LOG):
            path = offset_file(self.directory, self.base_offset, contents + self.suffix)
            self._disk.rename(path, offset_file(self.directory, self.base_offset, contents + suffix))
        self.suffix = suffix
        for kept, contents in ((self.index, INDEX), (self.times, TIME_INDEX), (self.aborted, TXN_INDEX)):
            kept.path = offset_file(self.directory, self.base_offset, contents + suffix)

    def discard(self, *, snapshot: bool = True) -> list[Path]:
        """Rename the files so that no start finds them, and let go of them. Returns the new names; OSError.

        Without `snapshot` that of the producers stays: another segment begins there.
        """
        self.release()
        renamed = []
        for path in self.files():
            if path.suffix == SNAPSHOT and not snapshot:
                continue
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
