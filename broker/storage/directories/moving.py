"""All logs that are on their way from one data directory to another, while they are written and read.

A slice of each in turn, at the pace that is allowed. A future log that a stop or crash left goes on at the next start.
"""

import logging
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import trio

from broker.clock import Clock
from broker.storage.contract import DiskFull, LogId, StorageFailed
from broker.storage.directories.move import Checkpoints, Ended, Move, Stage, discard, future_of
from broker.storage.segments.contents import IndexDamaged, LogDamaged
from broker.storage.segments.keeper import Keeper
from broker.storage.segments.log import SegmentLog
from kproto.errors import ApiError

log = logging.getLogger("barnabas.storage")

_LOOK_S = 1.0
"""How often a slow move asks for its rate."""
RETRY_S = 1.0
"""After a full disk."""
_HOPELESS = (StorageFailed, LogDamaged, OSError, ApiError, ValueError, AssertionError)


class Moves:
    """Those that are under way."""

    def __init__(self, clock: Clock, keeper: Keeper, checkpoints: Checkpoints) -> None:
        self.rate: Callable[[], float] = lambda: math.inf
        """Bytes a second that may be copied in all; asked anew all the time."""
        self._clock = clock
        self._keeper = keeper
        self._checkpoints = checkpoints
        self._moves: dict[LogId, Move] = {}
        self._wanted = trio.Event()

    def __iter__(self) -> Iterator[Move]:
        return iter(tuple(self._moves.values()))

    def futures(self) -> list[SegmentLog]:
        """Of moves that have not changed places yet."""
        return [move.future for move in self if move.stage < Stage.LEAVING]

    def coming_to(self, directory: Path) -> dict[LogId, tuple[int, int]]:
        """Of each that moves there: bytes that have been copied, and offsets that have not."""
        coming = (move for move in self if move.stage < Stage.LEAVING and move.target == directory)
        return {move.current.id: (move.future.size_bytes, move.lag) for move in coming}

    # --- beginning and ending ---

    def begin(self, current: SegmentLog, target: Path) -> None:
        """Where it is already, or back there, ends a move.  Raises: StorageFailed."""
        move = self._moves.get(current.id)
        if move is not None and move.stage is Stage.LEAVING:
            move.then = target
            return
        if move is not None and move.target == target:
            return
        self.end(current.id)
        if current.directory.parent == target:
            return
        if current.has_directory:
            self._add(current, future_of(current, target))
            log.info("%s moves from %s to %s", current.name, current.directory.parent, target)
        else:
            current.directory, current.space = target / current.name, self._keeper.space_of(target)

    def go_on(self, current: SegmentLog | None, future: SegmentLog) -> None:
        """With what an earlier process had copied: it never has more than the log itself.  Raises: StorageFailed.

        Args: current: the log of that name, if there is one.
        """
        if current is None or current.failure is not None:
            log.warning("%s belongs to no log that is here, and stays as it is", future.directory)
            for segment in future.segments:
                segment.release()
        elif self._may_go_on(current, future):
            if future.end_offset > current.end_offset:
                future.truncate(current.end_offset)
            self._add(current, future)
            log.info("%s goes on moving from %s to %s", current.name, current.directory.parent, future.directory.parent)
        else:
            discard(future)

    def _may_go_on(self, current: SegmentLog, future: SegmentLog) -> bool:
        return (
            future.failure is None
            and current.has_metadata
            and future.id == current.id
            and future.directory.parent != current.directory.parent
            and current.id not in self._moves
        )

    def _add(self, current: SegmentLog, future: SegmentLog) -> None:
        self._moves[current.id] = Move(current, future, self._clock, self._checkpoints)
        self._wanted.set()

    def end(self, log_id: LogId) -> Path | None:
        """See `Move.end`; None if that log does not move.  Raises: StorageFailed."""
        move = self._moves.pop(log_id, None)
        return None if move is None else move.end()

    def truncated(self, cut: SegmentLog, offset: int) -> None:
        """Before `cut` loses everything from `offset` on: what was copied of it goes too.  Raises: StorageFailed."""
        move = self._moves.get(cut.id)
        if move is None or move.current is not cut:
            return
        if move.stage is Stage.LEAVING:
            self.end(cut.id)
        elif move.future.end_offset > offset:
            try:
                move.future.truncate(offset)
            except StorageFailed as failure:
                self._give_up(move, failure)

    # --- the work ---

    async def run(self) -> None:
        """Until cancelled; a slice of each move in turn."""
        while True:
            self._wanted = trio.Event()
            if not self._moves:
                await self._wanted.wait()
            for move in self:
                await self._work_on(move)
                await trio.lowlevel.checkpoint()

    async def _work_on(self, move: Move) -> None:
        try:
            await self.advance(move)
        except Ended:
            return
        except DiskFull:
            await trio.sleep(RETRY_S)  # the directory has told it
        except _HOPELESS as trouble:
            if self._is_on(move):
                self._give_up(move, trouble)

    async def advance(self, move: Move) -> None:
        """A slice of one.  Raises: as `Move.step`."""
        try:
            copied = await move.step()
        except IndexDamaged as damage:
            await move.current.reader.rebuild(damage.contents)
            return
        if move.stage is Stage.OVER and self._is_on(move):
            del self._moves[move.current.id]
            if await move.clear_up() and move.then is not None:
                self.begin(move.current, move.then)
        await self._pay(copied)

    def _is_on(self, move: Move) -> bool:
        """Whether nobody ended it."""
        return self._moves.get(move.current.id) is move

    async def _pay(self, size: int) -> None:
        """Wait as long as so many bytes may take; the rate may change meanwhile, and be 0."""
        while size > 0:
            rate = self.rate()
            seconds = min(size / rate, _LOOK_S) if rate > 0 else _LOOK_S
            if seconds > 0:
                await trio.sleep(seconds)
            size -= math.ceil(rate * seconds) if rate < math.inf else size

    def _give_up(self, move: Move, trouble: Exception) -> None:
        current = move.current
        del self._moves[current.id]
        if current.failure is not None:
            return  # what there is stays for the next start
        if move.stage is Stage.LEAVING:
            log.error("%s has moved, but the old directory cannot be removed: %s", current.name, trouble)
            return
        log.error("%s stays in %s: %s", current.name, current.directory.parent, trouble)
        discard(move.future)
