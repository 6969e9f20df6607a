"""Writes the offset checkpoints of every data directory: recovery points, log starts, high watermarks,
how far logs are clean.

In threads, one after the other in each directory; only a recovery point that has to go back is written on the spot,
before the cut.
Trouble in one directory is told and does not keep the others from theirs.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import trio

from broker.storage.files import Data, Disk, File, replace, write_all
from broker.storage.segments.checkpoints import (
    CLEANED_OFFSETS,
    HIGH_WATERMARKS,
    LOG_STARTS,
    RECOVERY_POINTS,
    offsets_text,
)
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.names import partition_directory

log = logging.getLogger("barnabas.storage")

_VALUE: dict[str, Callable[[SegmentLog], int]] = {
    RECOVERY_POINTS: lambda kept: kept.commit.recovery_point,
    LOG_STARTS: lambda kept: kept.start_offset,
    HIGH_WATERMARKS: lambda kept: kept.high_watermark,
    CLEANED_OFFSETS: lambda kept: kept.cleaned_offset,
}


class Checkpointer:
    """Args: directories: those that work now. logs: all that are kept now. failed: told of a file that cannot be
    written, each time.
    """

    def __init__(
        self,
        disk: Disk,
        directories: Callable[[], Sequence[Path]],
        logs: Callable[[], Iterable[SegmentLog]],
        failed: Callable[[Path, OSError], None],
    ) -> None:
        self._disk = disk
        self._directories = directories
        self._logs = logs
        self._failed = failed
        self._one_at_a_time: defaultdict[Path, trio.Lock] = defaultdict(trio.Lock)
        self._written: dict[Path, bytes] = {}
        self._lowered = 0

    async def write(self, *names: str, within: Sequence[Path] | None = None) -> set[Path]:
        """Make durable what has changed, in the directories `within` or in all; whoever waits shares the next write.

        Returns: the directories where that failed.
        """
        failed = set()
        for directory in self._directories() if within is None else within:
            async with self._one_at_a_time[directory]:
                for name in names:
                    try:
                        await self._write(directory / name)
                    except OSError as error:
                        failed.add(directory)
                        self._failed(directory / name, error)
        return failed

    async def write_all(self, within: Sequence[Path] | None = None) -> set[Path]:
        return await self.write(RECOVERY_POINTS, LOG_STARTS, HIGH_WATERMARKS, CLEANED_OFFSETS, within=within)

    async def _write(self, path: Path) -> None:
        text, lowered, fresh = self._text(path), self._lowered, path.with_name(path.name + ".tmp")
        if text == self._written.get(path):
            return
        former = await self._disk.in_thread(lambda: _write_durably(self._disk, fresh, text, path))
        try:
            if path.name == RECOVERY_POINTS and lowered != self._lowered:
                return  # what a recovery point was is more than it is now; the next checkpoint tells
            self._disk.rename(fresh, path)
            await self._disk.in_thread(lambda: self._disk.sync_directory(path.parent))
        finally:
            if former is not None:
                with trio.CancelScope(shield=True):
                    await self._disk.in_thread(former.release)
        if lowered == self._lowered:
            self._written[path] = text

    def write_recovery_points_now(self, directory: Path) -> None:
        """Before a cut. Raises: OSError."""
        self._lowered += 1
        path = directory / RECOVERY_POINTS
        text = self._text(path)
        self._written.pop(path, None)
        replace(self._disk, path, text)
        self._written[path] = text

    def _text(self, path: Path) -> bytes:
        value = _VALUE[path.name]
        offsets = {}
        for kept in self._logs():
            if kept.has_directory and kept.directory.parent == path.parent and value(kept) > 0:
                topic_and_partition = partition_directory(kept.name)
                assert topic_and_partition is not None
                offsets[topic_and_partition] = value(kept)
        return offsets_text(offsets)


def _write_durably(disk: Disk, path: Path, data: Data, replaced: Path) -> File | None:
    """Write `path`. Gives the file that it will replace, open: a rename in the loop would else wait until the blocks of
    that one are freed, and the disk has discarded them.
    """
    file = disk.create(path)
    try:
        write_all(file, data, 0)
        file.sync()
    finally:
        file.release()
    try:
        return disk.open(replaced)
    except OSError:
        return None
