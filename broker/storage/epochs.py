"""Where each leader epoch began in one log.  Source: KIP-101, KIP-279, LeaderEpochFileCache."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise

_FOR_EVER = 2**63


class Epochs:
    """(epoch, offset of its first batch), both growing."""

    __slots__ = ("_entries", "changed")

    def __init__(self, entries: Iterable[tuple[int, int]] = ()) -> None:
        """Raises: ValueError: they do not grow."""
        self._entries = list(entries)
        self.changed = False
        """Since the file was written."""
        pairs = pairwise(self._entries)
        if any(not (a[0] < b[0] and a[1] < b[1]) for a, b in pairs) or any(e < 0 or o < 0 for e, o in self._entries):
            raise ValueError("leader epochs and their offsets must grow")

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._entries)

    @property
    def latest(self) -> int:
        return self._entries[-1][0] if self._entries else -1

    def assign(self, epoch: int, offset: int) -> None:
        """A batch of that epoch was stored there; an epoch that had its place without a batch had none."""
        if epoch > self.latest:
            while self._entries and self._entries[-1][1] >= offset:
                del self._entries[-1]
            self._entries.append((epoch, offset))
            self.changed = True

    def end_of(self, epoch: int, log_end: int) -> tuple[int, int]:
        """The largest epoch not above `epoch` and where it ended; (-1, -1) if there is none."""
        number = bisect_right(self._entries, epoch, key=lambda entry: entry[0])
        if number == 0:
            return -1, -1
        end = self._entries[number][1] if number < len(self._entries) else log_end
        return self._entries[number - 1][0], end

    def may_hold(self, epoch: int, offset: int) -> bool:
        """Whether a stored batch of that epoch can stand at that offset; old messages have no epoch, -1."""
        epochs, _ = self.around(offset)
        return epoch == -1 or epoch in epochs

    def around(self, offset: int) -> tuple[range, int]:
        """Epochs that a batch at that offset can have, and the offset from which on that is no longer so."""
        number = bisect_right(self._entries, offset, key=lambda entry: entry[1])
        until = self._entries[number][1] if number < len(self._entries) else _FOR_EVER
        if number == 0:
            return range(-(2**31), 2**31), until
        below = self._entries[number][0] if number < len(self._entries) else self.latest + 1
        return range(self._entries[number - 1][0], below), until

    def cut_end(self, offset: int) -> None:
        """Nothing at or above `offset` is left."""
        self._keep([entry for entry in self._entries if entry[1] < offset])

    def cut_start(self, offset: int) -> None:
        """Nothing below `offset` is left; the epoch that holds `offset` begins there now, also if that is the end."""
        number = bisect_right(self._entries, offset, key=lambda entry: entry[1])
        if number:
            self._keep([(self._entries[number - 1][0], offset), *self._entries[number:]])

    def _keep(self, entries: list[tuple[int, int]]) -> None:
        if entries != self._entries:
            self._entries = entries
            self.changed = True
