"""Moves logs from one data directory to another while they are written and read.

The batches are copied, in slices, into a future log: `orders-0.<hex>-future` in the other directory, as Kafka calls it.
Once it has them all the two change places in one step, and the old files are removed. A crash leaves at least one
whole: until the new name is durable the old directory stays as it was; `.moved` in the new one says that the old one,
if it is still there, is to be compared with it. A future log that a stop or crash left goes on at the next start.
Source: KIP-113, ReplicaAlterLogDirsThread.
"""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import trio

from broker.clock import Clock
from broker.storage.contract import DiskFull, LogId, StorageFailed
from broker.storage.directories.copying import Move, Place, append, close_files, next_place
from broker.storage.files import Disk
from broker.storage.segments import producers_file, rolling
from broker.storage.segments.contents import IndexDamaged, LogDamaged
from broker.storage.segments.keeper import Keeper
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.names import MOVED, delete_directory, future_directory
from kproto.errors import ApiError

log = logging.getLogger("barnabas.storage")

NEAR_BYTES = 1 << 20
"""So much, or less, is copied within the step that changes places."""
_LOOK_S = 1.0
"""How often a slow move asks for its rate."""
RETRY_S = 1.0
"""After a full disk."""


class Checkpoints(Protocol):
    async def write_all(self, within: list[Path]) -> set[Path]: ...


class Moves:
    """All that are under way.

    Args: rate: bytes a second that may be copied in all.
    """

    def __init__(
        self, disk: Disk, clock: Clock, keeper: Keeper, checkpoints: Checkpoints, rate: Callable[[], float]
    ) -> None:
        self._disk = disk
        self._clock = clock
        self._keeper = keeper
        self._checkpoints = checkpoints
        self._rate = rate
        self._moves: dict[LogId, Move] = {}
        self._wanted = trio.Event()

    def __iter__(self) -> Iterator[Move]:
        return iter(tuple(self._moves.values()))

    def futures(self) -> list[SegmentLog]:
        return [move.future for move in self if move.leaving is None]

    def get(self, log_id: LogId) -> Move | None:
        return self._moves.get(log_id)

    # --- beginning and ending ---

    def begin(self, current: SegmentLog, target: Path) -> None:
        """Where it is already, or back there, ends a move.  Raises: StorageFailed."""
        move = self._moves.get(current.id)
        if move is not None:
            if move.leaving is not None:
                move.then = target
                return
            if move.future.directory.parent == target:
                return
            self.end(current.id)
        if current.directory.parent == target:
            return
        if not current.has_directory:
            current.directory, current.space = target / current.name, self._keeper.space_of(target)
            return
        directory = target / future_directory(current.name, self._keeper.unique())
        future = SegmentLog(current.id, current.name, directory, current.settings, self._disk, self._keeper)
        future.start_offset = future.end_offset = current.start_offset
        self._add(Move(current, future))
        log.info("%s moves from %s to %s", current.name, current.directory.parent, target)

    def go_on(self, current: SegmentLog, future: SegmentLog) -> None:
        """With what an earlier process had copied: it never has more than the log itself.  Raises: StorageFailed."""
        future.check()
        if future.end_offset > current.end_offset:
            future.truncate(current.end_offset)
        self._add(Move(current, future))
        log.info("%s goes on moving from %s to %s", current.name, current.directory.parent, future.directory.parent)

    def _add(self, move: Move) -> None:
        self._moves[move.current.id] = move
        self._wanted.set()

    def end(self, log_id: LogId) -> Path | None:
        """Nothing stays of the future log, or of the old one where places were changed.

        Returns: the directory whose names have changed by that.  Raises: StorageFailed.
        """
        move = self._moves.pop(log_id, None)
        if move is None:
            return None
        if move.leaving is None:
            self.discard(move.future)
            return move.future.directory.parent
        try:
            self._disk.sync_directory(move.current.directory.parent)
            self._leave(move)
            self._disk.sync_directory(move.leaving.parent)
            self._remove_mark(move)
        except OSError as error:
            raise move.current.failed(error) from error
        return move.leaving.parent

    def discard(self, future: SegmentLog) -> None:
        """Let go of it and have its files removed."""
        future.failure = future.failure or StorageFailed(f"{future.name} moves no more")
        for segment in future.segments:
            segment.release()
        if future.has_directory:
            try:
                self._remove_later(future.directory, future.name, future.settings.file_delete_delay_ms)
            except OSError as error:
                log.error("%s cannot be removed: %s", future.directory, error.strerror or error)

    def _remove_later(self, directory: Path, name: str, after_ms: int) -> Path:
        gone = directory.with_name(delete_directory(name, self._keeper.unique()))
        self._disk.rename(directory, gone)
        self._keeper.remove_later([gone], after_ms)
        return gone

    def truncated(self, cut: SegmentLog, offset: int) -> None:
        """Before `cut` loses everything from `offset` on: what was copied of it goes too.  Raises: StorageFailed."""
        move = self._moves.get(cut.id)
        if move is None or move.current is not cut:
            return
        if move.leaving is not None:
            self.end(cut.id)
        elif move.future.end_offset > offset:
            try:
                move.future.truncate(offset)
            except StorageFailed as failure:
                self._give_up(move, str(failure))

    def _give_up(self, move: Move, reason: str) -> None:
        if self._moves.get(move.current.id) is move:
            del self._moves[move.current.id]
            log.error("%s stays in %s: %s", move.current.name, move.current.directory.parent, reason)
            self.discard(move.future)

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
            await self._step(move)
        except DiskFull:
            await trio.sleep(RETRY_S)  # the directory has told it
        except IndexDamaged as damage:
            await move.current.reader.rebuild(damage.contents)
        except (StorageFailed, LogDamaged, OSError, ApiError, ValueError, AssertionError) as trouble:
            if move.current.failure is not None:
                self._moves.pop(move.current.id, None)  # what there is stays for the next start
            elif move.leaving is None:
                self._give_up(move, str(trouble))
            else:
                self._moves.pop(move.current.id, None)
                log.error("%s has moved, but %s cannot be removed: %s", move.current.name, move.leaving, trouble)
        except Gone:
            return

    async def _step(self, move: Move) -> None:
        current, future = move.current, move.future
        current.check()
        if move.leaving is not None:
            await self._finish(move, move.leaving)
            return
        future.check()
        future.settings = current.settings
        place = next_place(move)
        if place is not None and (place.bytes_left > NEAR_BYTES or not future.segments):
            await self._copy(move, place)
        elif not move.marked:
            await self._mark(move)
        else:
            await self._change_places(move)

    async def _copy(self, move: Move, place: "Place") -> None:
        place.file.hold()
        try:
            data = await self._disk.in_thread(place.read)
        finally:
            place.file.release()
        self._must_be_on(move)
        if place.is_as_it_was() and move.future.end_offset == place.copied_upto:
            append(move, data, self._clock.now_ms())
            close_files(move, place.segment)
            await self._pay(len(data))

    async def _pay(self, size: int) -> None:
        """Wait as long as so many bytes may take; the rate may change meanwhile, and be 0."""
        while size > 0:
            rate = self._rate()
            seconds = min(size / rate, _LOOK_S) if rate > 0 else _LOOK_S
            if seconds > 0:
                await trio.sleep(seconds)
            size -= math.ceil(rate * seconds) if rate < math.inf else size

    def _must_be_on(self, move: Move) -> None:
        """Raises: Gone: it was cancelled meanwhile."""
        if self._moves.get(move.current.id) is not move:
            raise Gone

    async def _mark(self, move: Move) -> None:
        """Nearly all is there: make it durable, and say what it is, so that little is left for the last step."""
        future = move.future
        if not future.segments:
            self._reach(move)
        await future.flush()
        path = future.directory / MOVED

        def mark() -> None:
            self._disk.create(path).release()
            self._disk.sync_directory(path.parent)
            self._disk.sync_directory(path.parent.parent)

        await self._disk.in_thread(mark)
        await self._checkpoints.write_all([future.directory.parent])
        self._must_be_on(move)
        move.marked = True

    def _reach(self, move: Move) -> None:
        """Both end at the same offset, also where no batch is: then in a segment that begins there."""
        current, future = move.current, move.future
        if not future.segments:
            future.end_offset = current.end_offset
            rolling.begin(future, current.end_offset, self._clock.now_ms())
        elif future.segments[-1].next_offset < current.end_offset:
            rolling.roll(future, current.end_offset, self._clock.now_ms())
            future.end_offset = current.end_offset

    async def _change_places(self, move: Move) -> None:
        current, future = move.current, move.future
        for commit in (current.commit, future.commit):
            if commit.running is not None:
                await commit.running.wait()
                return
        if current.swap is not None:
            await trio.sleep(RETRY_S / 100)
            return
        self._swap(move)

    async def _finish(self, move: Move, old: Path) -> None:
        """All that the old directory has is made durable in the new one; then it goes.

        Raises: StorageFailed, OSError.
        """
        current = move.current
        await current.commit.flush_with_names()
        self._must_be_on(move)
        producers_file.save(current, current.end_offset)
        if await self._checkpoints.write_all([current.directory.parent]):
            raise DiskFull(f"{current.name}: the checkpoints of its new directory cannot be written now")
        self._must_be_on(move)
        self._leave(move)
        del self._moves[current.id]
        await self._disk.in_thread(lambda: self._disk.sync_directory(old.parent))
        self._remove_mark(move)
        await self._checkpoints.write_all([old.parent])
        if move.then is not None:
            self.begin(current, move.then)

    def _swap(self, move: Move) -> None:
        """In one go: copy what is left, give the future log its name, go on in its files.  Raises: StorageFailed."""
        current, future = move.current, move.future
        while (place := next_place(move)) is not None:
            append(move, place.read(), self._clock.now_ms())
        self._reach(move)
        directory = future.directory.with_name(current.name)
        self._disk.rename(future.directory, directory)
        move.leaving = current.directory
        move.old_segments = current.adopt(future, directory)

    def _leave(self, move: Move) -> None:
        """The new directory is durable: the old one goes.  Raises: OSError."""
        current, old = move.current, move.leaving
        assert old is not None
        gone = self._remove_later(old, current.name, current.settings.file_delete_delay_ms)
        for segment in move.old_segments:
            segment.moved_to(gone)  # somebody may still read there
            segment.release()
        log.info("%s has moved from %s to %s", current.name, old.parent, current.directory.parent)

    def _remove_mark(self, move: Move) -> None:
        """The old one is gone for good: only now, or a crash could leave both, and nothing that tells which goes on."""
        with suppress(FileNotFoundError):  # the log was deleted meanwhile
            self._disk.remove(move.current.directory / MOVED)


class Gone(Exception):
    """The move was cancelled while it waited."""


def settled(disk: Disk, one: SegmentLog, other: SegmentLog) -> tuple[SegmentLog, SegmentLog] | None:
    """Of one log in two directories, after a crash while they changed places: which goes on, and which goes.

    The longer one has all that the other has. None: that is not how they came about.
    """
    marked = [each for each in (one, other) if disk.exists(each.directory / MOVED)]
    if one.id != other.id or len(marked) != 1 or one.failure is not None or other.failure is not None:
        return None
    left, goes_on = sorted((one, other), key=lambda each: (each.end_offset, each in marked))
    goes_on.advance_start(min(max(left.start_offset, goes_on.start_offset), goes_on.end_offset))
    return goes_on, left
