"""Which bytes of a segment's log are known to be right, and which are known to be damaged.

Known to be right is what this process wrote, what it checked when it started, and what it checked since. All else is
checked before it is served for the first time.
"""

from broker.storage.contract import BatchDamaged
from kproto.values import frozen

_RUNS = 256
"""Checked runs that are remembered of one segment; readers in many places cost another check, never memory."""


@frozen
class Damage:
    """The bytes from `position` to `end` should hold the offsets from `offset` to `next_offset`, and do not."""

    position: int
    end: int
    offset: int
    next_offset: int


@frozen
class Run:
    """Checked bytes from `begin` to `end`, both at the edge of a batch; the next batch is at or above `next_offset`."""

    begin: int
    end: int
    next_offset: int


class Checked:
    """Of one segment.

    Args:
        own_from: from that byte on all is known to be right, also what will be written.
    """

    __slots__ = ("_runs", "damages", "own_from")

    def __init__(self, own_from: int = 0) -> None:
        self.own_from = own_from
        self.damages: list[Damage] = []
        """In the order of their bytes."""
        self._runs: list[Run] = []

    def run_at(self, position: int) -> Run | None:
        """The checked run that holds `position` or ends there."""
        return next((run for run in self._runs if run.begin <= position <= run.end), None)

    def run_before(self, position: int) -> Run | None:
        """The last one that ends at or before `position`."""
        return max((run for run in self._runs if run.end <= position), key=lambda run: run.end, default=None)

    def end_from(self, position: int, size: int) -> int:
        """How far all is known, damages included, from `position` on; `size` is the end of the log."""
        if position >= self.own_from:
            return size
        run = self.run_at(position)
        end = position if run is None else run.end
        return size if end >= self.own_from else end

    def add(self, added: Run) -> None:
        """These bytes are known now."""
        begin, end, next_offset = added.begin, added.end, added.next_offset
        for run in [run for run in self._runs if run.begin <= added.end and added.begin <= run.end]:
            self._runs.remove(run)
            begin = min(begin, run.begin)
            if run.end > end:
                end, next_offset = run.end, run.next_offset
        if begin == 0 and end >= self.own_from:
            self.own_from = 0
            self._runs.clear()
            return
        if len(self._runs) >= _RUNS:
            self._runs.remove(min(self._runs, key=lambda run: run.end - run.begin))
        self._runs.append(Run(begin, end, next_offset))

    def cut(self, size: int) -> None:
        """Nothing is left from `size` on; what comes there is ours."""
        self.own_from = min(self.own_from, size)
        self._runs = [run for run in self._runs if run.end <= size]
        self.damages = [damage for damage in self.damages if damage.position < size]

    # --- damages ---

    def damaged(self, found: Damage) -> bool:
        """Remember it; False if it was known."""
        if any(known.position <= found.position < known.end for known in self.damages):
            return False
        self.damages = sorted([*self.damages, found], key=lambda damage: damage.position)
        return True

    def damage_of(self, offset: int) -> Damage | None:
        return next((damage for damage in self.damages if damage.offset <= offset < damage.next_offset), None)

    def damage_at(self, position: int) -> Damage | None:
        return next((damage for damage in self.damages if damage.position <= position < damage.end), None)

    def past(self, start: int, offset: int) -> int:
        """Where to look for `offset` from, if that was `start`: behind the damages in between.

        Raises: BatchDamaged: it is the offset of a damaged batch.
        """
        damage = self.damage_of(offset)
        if damage is not None:
            raise BatchDamaged(f"offset {offset} lies in a damaged batch")
        behind = (damage.end for damage in self.damages if damage.next_offset <= offset)
        return max(start, *behind, start)

    def sound_until(self, position: int, end: int) -> int:
        """Where the run of sound bytes at `position` ends, at most `end`."""
        return min((damage.position for damage in self.damages if position <= damage.position < end), default=end)
