"""The batches of a retired segment as compaction reads them: in long runs, in a thread, each one checked."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from zlib import crc32

from broker.storage.compaction.pacing import Pace, Throttle
from broker.storage.files import Disk, File
from broker.storage.segments.segment import Segment
from kproto.errors import ApiError
from kproto.records.batch import CRC_FROM, HEADER_BYTES, BatchHeader
from kproto.records.checksum import crc32c
from kproto.records.stored import OLD_CRC_FROM, read_stored_header, split_stored

_CHECKED_A_STEP = 256 << 10


class Uncleanable(Exception):
    """This log cannot be compacted, and trying again would not help."""


class SourceBatches:
    """Args: run_bytes: read in one call, or one batch if that is larger."""

    def __init__(self, disk: Disk, pace: Pace, throttle: Throttle, run_bytes: int) -> None:
        self._disk = disk
        self._pace = pace
        self._throttle = throttle
        self._run_bytes = run_bytes

    async def of(
        self, segment: Segment, position: int = 0, *, checked: bool
    ) -> AsyncGenerator[tuple[BatchHeader, memoryview], None]:
        """From a batch at `position` to the end.  `checked`: their CRCs too.

        Raises: OSError; Uncleanable: damage.
        """
        file = self._disk.open(segment.path)
        try:
            while position < segment.size:
                run, begin = await self._read(file, position, segment.size), position
                for header, batch in _whole_batches(run, segment, position):
                    if checked and not await self._is_right(header, batch):
                        raise Uncleanable(f"{segment.path} is damaged at byte {position}")
                    yield header, batch
                    position += header.size
                    if self._pace.is_due:
                        await self._pace.rest()
                if position == begin:
                    raise Uncleanable(f"{segment.path} has no whole batch at byte {position}")
        finally:
            file.release()

    async def _read(self, file: File, position: int, end: int) -> memoryview:
        size = min(self._run_bytes, end - position)
        run = await self._disk.in_thread(lambda: file.read(size, position))
        if len(run) >= HEADER_BYTES:
            with suppress(ApiError):
                first = read_stored_header(run).size
                if size < first <= end - position:
                    run = await self._disk.in_thread(lambda: file.read(first, position))
        await self._throttle.spend(len(run))
        return memoryview(run)

    async def _is_right(self, header: BatchHeader, batch: memoryview) -> bool:
        crc, begin = 0, CRC_FROM
        checksum: Callable[[memoryview, int], int] = crc32c
        if header.magic < 2:
            begin, checksum = OLD_CRC_FROM, crc32
        for at in range(begin, len(batch), _CHECKED_A_STEP):
            crc = checksum(batch[at : at + _CHECKED_A_STEP], crc)
            if self._pace.is_due:
                await self._pace.rest()
        return crc == header.crc


def _whole_batches(run: memoryview, segment: Segment, position: int) -> Iterator[tuple[BatchHeader, memoryview]]:
    """Raises: Uncleanable."""
    at = 0
    try:
        for header, batch in split_stored(run):
            yield header, batch
            at += header.size
    except ApiError as damage:
        raise Uncleanable(f"{segment.path} is damaged at byte {position + at}: {damage}") from damage
