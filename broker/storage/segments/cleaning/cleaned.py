"""A segment that compaction writes: batches in offset order, in files called `.cleaned` until it takes its place."""

from contextlib import suppress
from pathlib import Path

from broker.storage.compaction.batch_filter import Left
from broker.storage.compaction.pacing import Throttle
from broker.storage.files import Disk, write_all
from broker.storage.segments.names import CLEANED, INDEX, LOG, TIME_INDEX, offset_file
from broker.storage.segments.segment import Segment

SYNC_EVERY_BYTES = 16 << 20
"""In small portions, so that nobody else's fsync waits for a gigabyte of ours."""
_LARGEST_BYTES = 2**31 - 1


class TooLarge(Exception):
    """What is left of some segments does not fit into one: compressed anew it grew."""


class CleanedSegment:
    """Args: run_bytes: written in one call."""

    def __init__(self, disk: Disk, directory: Path, base_offset: int, *, run_bytes: int, throttle: Throttle) -> None:
        self.segment = Segment(disk, directory, base_offset, 0, CLEANED)
        self._disk = disk
        self._run_bytes = run_bytes
        self._throttle = throttle
        self._waiting: list[bytes | bytearray | memoryview] = []
        self._waiting_bytes = 0
        self._written = self._synced = 0
        self.segment.create()

    async def add(self, left: Left, interval_bytes: int) -> None:
        """Raises: OSError, TooLarge."""
        self.segment.note(left.header, interval_bytes)
        self._waiting.append(left.data)
        self._waiting_bytes += len(left.data)
        if self._waiting_bytes >= self._run_bytes:
            await self._write()

    async def _write(self) -> None:
        if self.segment.size > _LARGEST_BYTES:
            raise TooLarge(f"{self.segment.path} grows beyond {_LARGEST_BYTES} bytes")
        data, position, file = b"".join(self._waiting), self._written, self.segment.file
        self._waiting, self._waiting_bytes = [], 0
        due = position + len(data) - self._synced >= SYNC_EVERY_BYTES

        def write() -> None:
            write_all(file, data, position)
            if due:
                file.sync()

        await self._disk.in_thread(write)
        self._written += len(data)
        if due:
            self._synced = self._written
        self.segment.save_crowded()
        await self._throttle.spend(len(data))

    async def finish(self) -> None:
        """All is written and durable, the names too.  Raises: OSError, TooLarge."""
        await self._write()
        segment = self.segment
        segment.save_indexes()
        segment.index.freeze()
        segment.times.freeze()

        def sync() -> None:
            segment.file.sync()
            for contents in (INDEX, TIME_INDEX):
                file = self._disk.open(offset_file(segment.directory, segment.base_offset, contents + CLEANED))
                try:
                    file.sync()
                finally:
                    file.release()
            self._disk.sync_directory(segment.directory)

        await self._disk.in_thread(sync)

    def remove(self) -> None:
        """It is not wanted; what has its place already stays."""
        if self.segment.suffix == CLEANED:
            self.segment.release()
            for contents in (LOG, INDEX, TIME_INDEX):
                with suppress(OSError):
                    self._disk.remove(offset_file(self.segment.directory, self.segment.base_offset, contents + CLEANED))
