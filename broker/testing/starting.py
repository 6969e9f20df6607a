"""A start on a crashed disk: what it finds, and whether that holds together in itself."""

from collections.abc import Sequence
from pathlib import Path

from broker.storage.contract import Log, LogId
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.promises import Kept, StoredBatch, Version
from broker.testing.storage import NOW_MS, LogOptions, batch, started, storage_on, stored
from kproto.records.batch import crc_is_right, split

Found = dict[LogId, Kept]
_LOOKED_UP = 3


class Breach(AssertionError):
    """A promise is broken."""


async def found_on(disk: FakeDisk, directories: Sequence[Path], options: LogOptions, again: dict[int, Found]) -> Found:
    """Start, look at everything, start once more and append. The disk is used up.

    Args: again: what second starts have found before, by what the first one left behind.
    Raises: Breach; StorageFailed: a log is offline.
    """
    storage = await _started(disk, directories, options)
    found = {log.id: await looked_at(log) for log in storage._logs.with_id}
    left = disk.state()
    if left not in again:
        disk.forget_locks()
        again[left] = await _second_start(disk, directories, options)
    if again[left] != found:
        raise Breach(f"a second recovery found {again[left]} instead of {found}")
    return found


async def _second_start(disk: FakeDisk, directories: Sequence[Path], options: LogOptions) -> Found:
    storage = await _started(disk, directories, options)
    found = {log.id: await looked_at(log) for log in storage._logs.with_id}
    for log in storage._logs.with_id:
        end = log.end_offset
        if log.append(batch("goes on"), max(log.latest_epoch, 0), NOW_MS) != end:
            raise Breach(f"{log.name} does not go on at {end}")
    return found


async def _started(disk: FakeDisk, directories: Sequence[Path], options: LogOptions) -> SegmentStorage:
    storage = storage_on(disk, directories, defaults=options)
    await started(storage)
    return storage


async def looked_at(log: SegmentLog) -> Kept:
    """All batches, and that look-ups, epochs and CRCs agree with them.  Raises: Breach; StorageFailed."""
    log.check()
    batches = await batches_of(log)
    _is_one_row(log, batches)
    _has_the_epochs_of(log, batches)
    for one in batches[:: max(len(batches) // _LOOKED_UP, 1)]:
        await _is_found(log, one)
    newest = await log.find_max_time()
    if (newest is None) != (not batches):
        raise Breach(f"{log.name}: its newest record is {newest}")
    producers = {
        state.producer_id: (state.epoch, state.last_sequence, state.batches[-1].last_offset)
        for state in log.producers
        if state.batches
    }
    return Kept(log.start_offset, log.end_offset, batches, producers)


async def batches_of(log: Log) -> Version:
    """As a consumer gets them, from the start to the end."""
    batches: list[StoredBatch] = []
    offset = log.start_offset
    while offset < log.end_offset:
        piece = await stored(log, offset)
        for header, one in split(memoryview(piece)):
            batches.append(StoredBatch(header.base_offset, header.next_offset, bytes(one)))
        if not piece or batches[-1].next_offset <= offset:
            raise Breach(f"{log.name}: nothing at offset {offset} of {log.end_offset}")
        offset = batches[-1].next_offset
    return tuple(batches)


def _is_one_row(log: SegmentLog, batches: Version) -> None:
    offset = log.start_offset
    for one in batches:
        if one.next_offset <= offset or not crc_is_right(memoryview(one.data)):
            raise Breach(f"{log.name}: a batch at {one.base_offset} after offset {offset}, or its CRC is wrong")
        offset = one.next_offset
    if batches and offset != log.end_offset:
        raise Breach(f"{log.name} says that it ends at {log.end_offset}, its batches do at {offset}")


def _has_the_epochs_of(log: SegmentLog, batches: Version) -> None:
    epochs = [(header.leader_epoch, header.base_offset) for one in batches for header, _ in split(memoryview(one.data))]
    for epoch in {epoch for epoch, _ in epochs}:
        end = next((offset for other, offset in epochs if other > epoch), log.end_offset)
        if log.end_of_epoch(epoch) != (epoch, end):
            raise Breach(f"{log.name}: epoch {epoch} is said to end at {log.end_of_epoch(epoch)}, it does at {end}")


async def _is_found(log: SegmentLog, one: StoredBatch) -> None:
    offset = max(one.next_offset - 1, log.start_offset)
    if await _first(log, offset) != one.data:
        raise Breach(f"{log.name}: offset {offset} is not found where it is")


async def _first(log: SegmentLog, offset: int) -> bytes:
    return await stored(log, offset, max_bytes=1)
