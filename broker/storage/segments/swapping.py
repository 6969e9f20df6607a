"""A cleaned segment takes the place of those it was made of; a crash at any step leaves the old ones or the new one.

The steps, as Kafka's: the new files are called `.cleaned` until they are durable; then `.swap`, from which moment they
are the truth; the old ones become `.deleted`; the new ones get their own names. The `.log` is renamed last each time,
and names are made durable between the steps.
Source: LocalLog.replaceSegments, LogLoader.removeTempFilesAndCollectSwapFiles.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from broker.storage.files import Disk
from broker.storage.segments.contents import BATCHES_A_STEP
from broker.storage.segments.names import CLEANED, INDEX, LOG, SWAP, TIME_INDEX, TXN_INDEX, offset_file, offset_of
from broker.storage.segments.scan import headers
from broker.storage.segments.segment import Segment

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog

log = logging.getLogger("barnabas.storage")

_SUFFIXES = (LOG, INDEX, TIME_INDEX, TXN_INDEX)


class SourcesChanged(Exception):
    """What was being cleaned is not what it was: cut, dropped or offline. The next round sees."""


class Sources:
    """Retired segments of one log, one after the other, as they were when work on them began."""

    def __init__(self, kept: "SegmentLog", segments: Sequence[Segment]) -> None:
        self.log = kept
        self.segments = list(segments)
        self._directory = kept.directory
        self._cuts = [segment.cuts for segment in segments]

    def check(self) -> int:
        """Where the first one is among the log's.  Raises: SourcesChanged."""
        listed, count = self.log.segments, len(self.segments)
        if self.log.failure is None and self.log.directory == self._directory and self.segments[0] in listed:
            first = listed.index(self.segments[0])
            same = listed[first : first + count] == self.segments and first + count < len(listed)
            if same and [segment.cuts for segment in self.segments] == self._cuts:
                return first
        raise SourcesChanged(self.log.name)


class Swap:
    """Puts `cleaned`, whose files are durable and called `.cleaned`, in the place of `sources`."""

    def __init__(self, sources: Sources, cleaned: Segment) -> None:
        self._log = sources.log
        self._sources = sources
        self._cleaned = cleaned
        self._disk = self._log.disk

    async def run(self) -> None:
        """Raises: SourcesChanged: nothing has happened. StorageFailed: the log is offline, the next start goes on."""
        directory = self._log.directory
        self._sources.check()
        self._log.swap = self
        try:
            self._rename(SWAP)
            await self._disk.in_thread(lambda: self._disk.sync_directory(directory))
            first = self._check_again()
            self._replace(first)
            await self._disk.in_thread(lambda: self._disk.sync_directory(directory))
        except OSError as error:
            if self._log.failure is not None:
                raise SourcesChanged(self._log.name) from error
            raise self._log.fail(f"segments cannot be exchanged: {error.strerror or error}") from error
        finally:
            self._log.swap = None

    def _rename(self, suffix: str) -> None:
        self._cleaned.take_suffix(suffix)

    def _check_again(self) -> int:
        try:
            return self._sources.check()
        except SourcesChanged:
            if self._log.failure is None:
                self.abandon()
            raise

    def abandon(self) -> None:
        """Before the sources are cut: no start may take the new one for them.  Raises: OSError."""
        if self._cleaned.suffix == SWAP:
            self._cleaned.release()
            for contents in (LOG, INDEX, TIME_INDEX):
                with suppress(FileNotFoundError):
                    self._disk.remove(offset_file(self._cleaned.directory, self._cleaned.base_offset, contents + SWAP))
            self._log.commit.names_changed = True

    def _replace(self, first: int) -> None:
        """In one go: nobody sees the log without either."""
        kept, old = self._log, self._sources.segments
        self._cleaned.next_offset = old[-1].next_offset
        self._cleaned.created_ms = old[-1].created_ms
        kept.segments[first : first + len(old)] = [self._cleaned]
        gone: list[Path] = []
        for segment in reversed(old):
            gone += segment.discard(snapshot=segment.base_offset != self._cleaned.base_offset)
        self._rename("")
        self._cleaned.synced_size = self._cleaned.size
        self._cleaned.settled = True
        kept.keeper.remove_later(gone, kept.settings.file_delete_delay_ms)


# --- what a crash left ---


async def settle_leftovers(disk: Disk, directory: Path, pause: Callable[[], Awaitable[None]]) -> None:
    """Finish the exchange that had begun, and forget the one that had not.  Raises: OSError."""
    names = disk.names(directory)
    cleaned = [name for name in names if name.endswith(CLEANED)]
    swaps = [name for name in names if name.endswith(SWAP)]
    if not cleaned and not swaps:
        return
    not_whole = min((base for base in map(_base_of, cleaned) if base is not None), default=None)
    for name in cleaned:
        disk.remove(directory / name)
    for base in sorted({base for base in map(_base_of, swaps) if base is not None}):
        await _settle(disk, directory, base, names, pause, unfinished=not_whole is not None and base >= not_whole)
    for name in swaps:
        with suppress(FileNotFoundError):
            disk.remove(directory / name)
    disk.sync_directory(directory)


def _base_of(name: str) -> int | None:
    """Of `00000000000000000042.log.swap`: 42."""
    own = name.removesuffix(CLEANED).removesuffix(SWAP)
    return next((base for suffix in _SUFFIXES if (base := offset_of(own, suffix)) is not None), None)


async def _settle(
    disk: Disk,
    directory: Path,
    base: int,
    names: Sequence[str],
    pause: Callable[[], Awaitable[None]],
    *,
    unfinished: bool,
) -> None:
    swap = offset_file(directory, base, LOG + SWAP)
    if unfinished or swap.name not in names:
        return
    end, whole = await _measure(disk, swap, base, pause)
    if not whole and offset_file(directory, base, LOG).name in names:
        log.warning("%s is damaged and not used; what it was made of is there", swap)
        return
    log.info("%s takes the place of the segments from %d to %d, as was begun", swap, base, end)
    for old in sorted((name for name in names if not name.endswith((SWAP, CLEANED))), reverse=True):
        at = _base_of(old)
        if at is not None and (at == base or base <= at < end):
            disk.remove(directory / old)
    for suffix in (TXN_INDEX, TIME_INDEX, INDEX, LOG):
        if f"{offset_file(directory, base, suffix).name}{SWAP}" in names:
            disk.rename(offset_file(directory, base, suffix + SWAP), offset_file(directory, base, suffix))


async def _measure(disk: Disk, path: Path, base: int, pause: Callable[[], Awaitable[None]]) -> tuple[int, bool]:
    """The offset after its last batch, and whether that is where the file ends."""
    file, end, position = disk.open(path), base, 0
    try:
        size = file.size()
        for count, (at, header) in enumerate(headers(file, 0, size), 1):
            position, end = at + header.size, header.next_offset
            if count % BATCHES_A_STEP == 0:
                await pause()
        return end, position == size
    finally:
        file.release()
