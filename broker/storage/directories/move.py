"""One log on its way to another data directory, step by step.

The batches are copied, in slices, into a future log: `orders-0.<hex>-future` in the other directory, as Kafka calls it.
Once it has nearly all of them it is made durable and marked. Then, in one step, it gets the rest, and its name, and the
log goes on in its files; the old ones go when all that was durable there is so in the new place. A crash leaves at
least one of the two whole: until the new name is durable the old directory stays as it was.
Source: KIP-113, ReplicaAlterLogDirsThread.
"""

import logging
from enum import IntEnum
from pathlib import Path
from typing import Protocol

import trio

from broker.clock import Clock
from broker.storage.contract import DiskFull, StorageFailed
from broker.storage.directories import mark
from broker.storage.directories.copying import Place, append, close_files, next_place
from broker.storage.segments import producers_file, rolling
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.names import delete_directory, future_directory
from broker.storage.segments.segment import Segment

log = logging.getLogger("barnabas.storage")

NEAR_BYTES = 1 << 20
"""So much, or less, is copied within the step that changes places."""
_COMPACTION_S = 0.01
"""How often a move looks whether compaction has exchanged its segments."""


class Checkpoints(Protocol):
    async def write_all(self, within: list[Path]) -> set[Path]: ...


class Ended(Exception):
    """The move was ended while it waited."""


class Stage(IntEnum):
    COPYING = 0
    """Most of it is not there yet."""
    MARKED = 1
    """The future log is durable but for its last batches, and says what it is."""
    LEAVING = 2
    """The log goes on in the new directory; the old one is still there."""
    OVER = 3


class Move:
    """Of `current`; `future` holds what has been copied."""

    def __init__(self, current: SegmentLog, future: SegmentLog, clock: Clock, checkpoints: Checkpoints) -> None:
        self.current = current
        self.future = future
        self.stage = Stage.COPYING
        self.then: Path | None = None
        """Where it was asked to go while it left."""
        self._clock = clock
        self._checkpoints = checkpoints
        self._disk = current.disk
        self._old = current.directory
        self._old_segments: list[Segment] = []

    @property
    def target(self) -> Path:
        """The data directory it goes to."""
        return self.future.directory.parent

    @property
    def lag(self) -> int:
        return max(self.current.end_offset - self.future.end_offset, 0)

    async def step(self) -> int:
        """One slice of what is to be done.  Returns: bytes that were copied.

        Raises: Ended; DiskFull: it can go on later; IndexDamaged: likewise, once that index is built anew;
            StorageFailed, LogDamaged, OSError: it cannot go on.
        """
        self._must_be_on()
        self.current.check()
        if self.stage is Stage.LEAVING:
            await self._leave()
            return 0
        self.future.check()
        self.future.settings = self.current.settings
        place = next_place(self.current, self.future)
        if place is not None and (place.bytes_left > NEAR_BYTES or not self.future.segments):
            return await self._copy(place)
        if self.stage is Stage.COPYING:
            await self._mark()
        else:
            await self._change_places()
        return 0

    def _must_be_on(self) -> None:
        """Raises: Ended."""
        if self.stage is Stage.OVER:
            raise Ended

    # --- copying ---

    async def _copy(self, place: Place) -> int:
        place.file.hold()
        try:
            data = await self._disk.in_thread(place.read)
        finally:
            place.file.release()
        self._must_be_on()
        if not (place.is_as_it_was() and self.future.end_offset == place.copied_upto):
            return 0
        append(self.future, data, self._clock.now_ms())
        close_files(self.current, self.future, place.segment)
        return len(data)

    def _reach(self) -> None:
        """Both end at the same offset, also where no batch is: then in a segment that begins there."""
        current, future = self.current, self.future
        if not future.segments:
            future.end_offset = current.end_offset
            rolling.begin(future, current.end_offset, self._clock.now_ms())
        elif future.segments[-1].next_offset < current.end_offset:
            rolling.roll(future, current.end_offset, self._clock.now_ms())
            future.end_offset = current.end_offset

    # --- changing places ---

    async def _mark(self) -> None:
        if not self.future.segments:
            self._reach()
        await self.future.flush()
        await self._disk.in_thread(lambda: mark.put(self.future))
        await self._checkpoints.write_all([self.target])
        self._must_be_on()
        self.stage = Stage.MARKED

    async def _change_places(self) -> None:
        """As soon as neither is being flushed, nor the segments exchanged by compaction."""
        for commit in (self.current.commit, self.future.commit):
            if commit.running is not None:
                await commit.running.wait()
                return
        if self.current.swap is not None:
            await trio.sleep(_COMPACTION_S)
            return
        self._swap()

    def _swap(self) -> None:
        """In one go: copy what is left, give the future log its name, go on in its files.  Raises: StorageFailed."""
        current, future = self.current, self.future
        while (place := next_place(current, future)) is not None:
            append(future, place.read(), self._clock.now_ms())
        self._reach()
        directory = future.directory.with_name(current.name)
        self._disk.rename(future.directory, directory)
        self._old_segments = current.adopt(future, directory)
        self.stage = Stage.LEAVING

    # --- leaving ---

    async def _leave(self) -> None:
        """All that the old directory has is made durable in the new one; then it goes.  Raises: as `step`."""
        current = self.current
        await current.commit.flush_with_names()
        self._must_be_on()
        producers_file.save(current, current.end_offset)
        if await self._checkpoints.write_all([current.directory.parent]):
            raise DiskFull(f"{current.name}: the checkpoints of its new directory cannot be written now")
        self._must_be_on()
        self._drop_old()
        self.stage = Stage.OVER

    def _drop_old(self) -> None:
        """The new directory is durable.  Raises: OSError."""
        current, old = self.current, self._old
        gone = remove_directory(current, old)
        for segment in self._old_segments:
            segment.moved_to(gone)  # somebody may still read there
            segment.release()
        log.info("%s has moved from %s to %s", current.name, old.parent, current.directory.parent)

    async def clear_up(self) -> bool:
        """Once it is over: the mark goes when the old directory is gone for good.  Returns: whether it is."""
        try:
            await self._disk.in_thread(lambda: self._disk.sync_directory(self._old.parent))
            mark.remove(self.current)  # no sooner: a crash could leave both, and nothing that tells which goes on
        except OSError as error:
            log.error("%s cannot be removed for good: %s", self._old, error.strerror or error)
            return False
        await self._checkpoints.write_all([self._old.parent])
        return True

    # --- ending it early ---

    def end(self) -> Path:
        """Nothing stays of the future log, or of the old one if places were changed.

        Returns: the directory whose names have changed by that.  Raises: StorageFailed.
        """
        left, self.stage = self.stage is Stage.LEAVING, Stage.OVER
        if not left:
            discard(self.future)
            return self.target
        try:
            self._disk.sync_directory(self.current.directory.parent)
            self._drop_old()
            self._disk.sync_directory(self._old.parent)
            mark.remove(self.current)
        except OSError as error:
            raise self.current.failed(error) from error
        return self._old.parent


def future_of(current: SegmentLog, target: Path) -> SegmentLog:
    """An empty one in that data directory."""
    directory = target / future_directory(current.name, current.keeper.unique())
    future = SegmentLog(current.id, current.name, directory, current.settings, current.disk, current.keeper)
    future.start_offset = future.end_offset = current.start_offset
    return future


def discard(future: SegmentLog) -> None:
    """Let go of it and have its files removed."""
    future.failure = future.failure or StorageFailed(f"{future.name} moves no more")
    for segment in future.segments:
        segment.release()
    if future.has_directory:
        try:
            remove_directory(future, future.directory)
        except OSError as error:
            log.error("%s cannot be removed: %s", future.directory, error.strerror or error)


def remove_directory(kept: SegmentLog, directory: Path) -> Path:
    """Of `kept`, later.  Returns: under which name it waits for that.  Raises: OSError."""
    gone = directory.with_name(delete_directory(kept.name, kept.keeper.unique()))
    kept.disk.rename(directory, gone)
    kept.keeper.remove_later([gone], kept.settings.file_delete_delay_ms)
    return gone
