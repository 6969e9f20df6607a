"""Sorted entries of fixed size: `.index` (offset to position) and `.timeindex` (timestamp to offset).

In memory while the segment is written, read from the file afterwards. What is found is a place to start looking
from; whoever looks checks what stands there, so an index is never needed to be right.
Source: OffsetIndex.java, TimeIndex.java.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from struct import Struct

from broker.storage.files import Disk, File, read_whole, write_all

_SAVE_EVERY = 512
"""Entries that wait in memory before they are written."""


class Index:
    """Pairs of a key and a value, both growing.

    Args:
        layout: one entry in the file, big-endian.
        key_type: of `array`, wide enough for the key.
    """

    __slots__ = ("_disk", "_file", "_keys", "_layout", "_length", "_saved", "_values", "path")

    def __init__(self, disk: Disk, path: Path, layout: Struct, key_type: str) -> None:
        self.path = path
        self._disk = disk
        self._layout = layout
        self._keys = array(key_type)
        self._values = array("I")
        self._length = 0
        self._saved = 0  # entries that are in the file
        self._file: File | None = None  # open while entries are read from it

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> tuple[int, int]:
        """Raises: OSError, ValueError: the file does not have it."""
        if not self.frozen:
            return self._keys[number], self._values[number]
        if self._file is None:
            self._file = self._disk.open(self.path)
        raw = self._file.read(self._layout.size, number * self._layout.size)
        if len(raw) < self._layout.size:
            raise ValueError(f"{self.path} is shorter than it was")
        key, value = self._layout.unpack(raw)
        return key, value

    @property
    def frozen(self) -> bool:
        """Whether entries are read from the file."""
        return len(self._keys) < self._length

    @property
    def last(self) -> tuple[int, int] | None:
        return self[self._length - 1] if self._length else None

    def floor(self, key: int) -> tuple[int, int] | None:
        """The last entry whose key is not above `key`."""
        if not self.frozen:
            number = bisect_right(self._keys, key)
        else:
            number = bisect_right(range(self._length), key, key=lambda n: self[n][0])
        return self[number - 1] if number else None

    def value_above(self, value: int) -> int | None:
        """The smallest value above `value`.  Raises: OSError, ValueError."""
        number = bisect_right(range(self._length), value, key=lambda n: self[n][1])
        return self[number][1] if number < self._length else None

    def append(self, key: int, value: int) -> None:
        """Only while in memory."""
        self._keys.append(key)
        self._values.append(value)
        self._length += 1

    def crowded(self) -> bool:
        """Whether `save` is due."""
        return self._length - self._saved >= _SAVE_EVERY

    def keep_keys_below(self, bound: int) -> None:
        self._cut(lambda: bisect_left(self._keys, bound))

    def keep_values_below(self, bound: int) -> None:
        self._cut(lambda: bisect_left(self._values, bound))

    def _cut(self, length_kept: Callable[[], int]) -> None:
        """Back into memory, then keep so many entries from the front."""
        if self.frozen and not self.load():
            self.clear()
        length = length_kept()
        if length < self._length:
            del self._keys[length:]
            del self._values[length:]
            self._length = length
            self._saved = 0  # the whole file is written anew

    def save(self) -> None:
        """Write the entries that are not in the file yet."""
        if not self.frozen and (self._saved < self._length or not self._saved):
            raw = b"".join(map(self._layout.pack, self._keys[self._saved :], self._values[self._saved :]))
            fresh = self._saved == 0
            file = self._disk.create(self.path) if fresh else self._disk.open(self.path)
            try:
                write_all(file, raw, self._saved * self._layout.size)
            finally:
                file.release()
            self._saved = self._length

    def freeze(self) -> None:
        """All is saved: free the memory and read from the file from now on."""
        if self._length and self._saved == self._length:
            del self._keys[:]
            del self._values[:]

    def load(self) -> bool:
        """Take the file's entries into memory; False, and nothing is taken, if they cannot be those of an index."""
        try:
            raw = read_whole(self._disk, self.path)
        except OSError:
            return False
        if len(raw) % self._layout.size:
            return False
        pairs = list(self._layout.iter_unpack(raw))
        if any(not (a[0] < b[0] and a[1] < b[1]) for a, b in pairwise(pairs)):
            return False
        if pairs and (pairs[0][0] < 0 or pairs[0][1] < 0):
            return False
        self._keys = array(self._keys.typecode, [pair[0] for pair in pairs])
        self._values = array("I", [pair[1] for pair in pairs])
        self._length = self._saved = len(pairs)
        self.close()
        return True

    def open_frozen(self) -> bool:
        """Read entries from the file when they are asked for; False if it cannot be an index."""
        try:
            size = self._disk.size(self.path)
        except OSError:
            return False
        self._length = self._saved = size // self._layout.size
        return size % self._layout.size == 0

    def read_like(self, other: "Index") -> None:
        """Read entries from the file, as many as the other one has saved there."""
        self._length = self._saved = other._saved

    def clear(self) -> None:
        """Forget everything; the file too, at the next `save`."""
        self.close()
        del self._keys[:]
        del self._values[:]
        self._length = self._saved = 0

    def close(self) -> None:
        if self._file is not None:
            held, self._file = self._file, None
            held.release()


def offset_index(disk: Disk, path: Path) -> Index:
    """`.index`: (last offset of a batch relative to the segment's base, position of that batch), 8 bytes an entry."""
    return Index(disk, path, Struct(">II"), "I")


def time_index(disk: Disk, path: Path) -> Index:
    """`.timeindex`: (largest timestamp up to there in ms, relative last offset of its batch), 12 bytes an entry."""
    return Index(disk, path, Struct(">qI"), "q")
