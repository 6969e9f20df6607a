"""The clean stop of all logs: each is flushed and closed, checkpoints tell where it ends, and a mark that all is so.

A directory with a log that could not be made durable gets no mark: the next start looks through its logs.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

import trio

from broker.storage.contract import StorageFailed
from broker.storage.directories.checkpointing import Checkpointer
from broker.storage.directories.directory_set import Directories
from broker.storage.files import Disk
from broker.storage.segments.log import SegmentLog

log = logging.getLogger("barnabas.storage")

_AT_ONCE = 16


async def close_all(
    logs: Iterable[SegmentLog], directories: Directories, checkpointer: Checkpointer, disk: Disk
) -> None:
    """Never raises for one log's sake, or one directory's."""
    unclean: set[Path] = set()
    limiter = trio.CapacityLimiter(_AT_ONCE)
    async with trio.open_nursery() as nursery:
        for kept in logs:
            nursery.start_soon(_close, kept, limiter, unclean)
    unclean |= await checkpointer.write_all()
    for directory in directories.live:
        if directory.path not in unclean:
            try:
                await disk.in_thread(directory.leave_clean_mark)
            except OSError as error:
                log.error("The next start has to look through the logs: %s", error.strerror or error)


async def _close(kept: SegmentLog, limiter: trio.CapacityLimiter, unclean: set[Path]) -> None:
    async with limiter:
        durable = kept.failure is None
        try:
            await kept.close()
        except StorageFailed:
            durable = False
        if not durable or kept.commit.doubtful or kept.commit.recovery_point < kept.end_offset:
            unclean.add(kept.directory.parent)
