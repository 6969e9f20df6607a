"""`.txnindex`: the aborted transactions whose markers lie in one segment. There is no file while there are none.

34 bytes each, big endian: version int16 0, producer id int64, first offset int64, last offset int64 (of the marker),
last stable offset int64; in the order of their markers.  Source: TransactionIndex.java, AbortedTxn.java.
"""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from struct import Struct

from broker.storage.files import Disk, File, read_whole, write_all
from broker.storage.producers import AbortedTransaction

_ENTRY = Struct(">hqqqq")
_VERSION = 0
_READ_AT_ONCE = 64


class TransactionIndexDamaged(Exception):
    """It is not what was written; the log can tell the same."""


class TransactionIndex:
    """Entries go to the file at once; what a full disk does not take waits in memory and is served all the same."""

    __slots__ = ("_disk", "_last_offset", "_saved", "_unsaved", "is_synced", "path")

    def __init__(self, disk: Disk, path: Path) -> None:
        self.path = path
        self._disk = disk
        self._saved = 0
        self._unsaved: list[AbortedTransaction] = []
        self._last_offset = -1
        self.is_synced = True
        """Whether a flush has nothing to do here."""

    def __len__(self) -> int:
        return self._saved + len(self._unsaved)

    def open(self, base_offset: int, next_offset: int) -> None:
        """Believe the file, if its entries can be those of this segment.  Raises: TransactionIndexDamaged, OSError."""
        self._saved, self._unsaved, self._last_offset = 0, [], -1
        if not self._disk.exists(self.path):
            return
        raw = read_whole(self._disk, self.path)
        if len(raw) % _ENTRY.size:
            raise TransactionIndexDamaged(str(self.path))
        last = base_offset - 1
        for version, _, first_offset, last_offset, last_stable in _ENTRY.iter_unpack(raw):
            in_order = last < last_offset < next_offset and 0 <= first_offset < last_offset
            if version != _VERSION or not in_order or not 0 <= last_stable <= last_offset + 1:
                raise TransactionIndexDamaged(str(self.path))
            last = last_offset
        self._saved = len(raw) // _ENTRY.size
        self._last_offset = last if self._saved else -1

    def note(self, aborted: AbortedTransaction) -> None:
        """One more; those that it knows already, from before a restart, it passes over."""
        if aborted.last_offset > self._last_offset:
            self._unsaved.append(aborted)
            self._last_offset = aborted.last_offset
            self.is_synced = False
            with suppress(OSError):
                self.save()

    def save(self) -> None:
        """Write what is not in the file yet.  Raises: OSError."""
        if self._unsaved:
            raw = b"".join(_packed(aborted) for aborted in self._unsaved)
            file = self._disk.open(self.path) if self._saved else self._disk.create(self.path)
            try:
                write_all(file, raw, self._saved * _ENTRY.size)
            finally:
                file.release()
            self._saved += len(self._unsaved)
            self._unsaved = []

    def between(self, offset: int, below: int) -> tuple[list[AbortedTransaction], bool]:
        """Those that may have records in `[offset, below)`; and whether no later segment can have more of them.

        Raises: OSError.
        """
        found = []
        for aborted in self._from(offset):
            if aborted.first_offset < below:
                found.append(aborted)
            if aborted.last_stable_offset >= below:
                return found, True
        return found, False

    def _from(self, offset: int) -> Iterator[AbortedTransaction]:
        """In order, from the first one that ends at or above `offset`."""
        if self._saved:
            file = self._disk.open(self.path)
            try:
                first = bisect_left(range(self._saved), offset, key=lambda number: _read(file, number)[0].last_offset)
                for number in range(first, self._saved, _READ_AT_ONCE):
                    yield from _read(file, number, min(_READ_AT_ONCE, self._saved - number))
            finally:
                file.release()
        yield from (aborted for aborted in self._unsaved if aborted.last_offset >= offset)

    def cut(self, offset: int) -> None:
        """Keep those that end below `offset`.  Raises: OSError."""
        if self._last_offset >= offset:
            kept = [aborted for aborted in self._from(0) if aborted.last_offset < offset]
            self.clear()
            for aborted in kept:
                self.note(aborted)

    def clear(self) -> None:
        """Forget all of them, and the file.  Raises: OSError."""
        self._saved, self._unsaved, self._last_offset = 0, [], -1
        if self._disk.exists(self.path):
            self._disk.remove(self.path)
            self.is_synced = False


def _packed(aborted: AbortedTransaction) -> bytes:
    return _ENTRY.pack(
        _VERSION, aborted.producer_id, aborted.first_offset, aborted.last_offset, aborted.last_stable_offset
    )


def _read(file: File, number: int, count: int = 1) -> list[AbortedTransaction]:
    raw = file.read(count * _ENTRY.size, number * _ENTRY.size)
    if len(raw) < count * _ENTRY.size:
        raise OSError(f"a transaction index is shorter than it was, entry {number}")
    return [AbortedTransaction(*fields) for _, *fields in _ENTRY.iter_unpack(raw)]
