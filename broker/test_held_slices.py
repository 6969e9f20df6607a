"""A fetch is being sent while its segment goes: what was promised is still there, from the same file."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broker.storage.directories.store import SegmentStorage
from broker.storage.files import SystemDisk
from broker.storage.segments import cutting
from broker.storage.segments.log import SegmentLog
from broker.storage.slices import Slice
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, StorageOptions, everything, started, storage_on
from broker.transport.contract import ConnectionLost
from broker.transport.pieces import whole
from kproto.records.batch import build_batch
from kproto.records.record import Record

VALUE = b"x" * 20_000


@asynccontextmanager
async def kept(path: Path) -> AsyncIterator[tuple[SegmentStorage, SegmentLog]]:
    """Four batches with the same key, large enough to be sent from the file; two in each of two closed segments."""
    options = LogOptions(
        cleanup_policy=["compact", "delete"],
        segment_bytes=50_000,
        min_cleanable_dirty_ratio=0.0,
        file_delete_delay_ms=0,
    )
    storage = storage_on(SystemDisk(), [path], options=StorageOptions(), defaults=options)
    await started(storage)
    log = storage.create(ORDERS, "orders", options)
    for number in range(5):
        record = Record(timestamp_ms=NOW_MS + number, key=b"k", value=b"%d" % number + VALUE)
        log.append(memoryview(bytearray(build_batch([record]))), 0, NOW_MS)
    log.high_watermark = log.end_offset
    yield storage, log
    await storage.close()


async def held(log: SegmentLog, offset: int) -> tuple[Slice, bytes]:
    """On its way to a client, and what it must still be when it gets there."""
    found = await log.read(offset, 1 << 20, log.end_offset)
    assert found.file is not None
    return found, found.read()


def sent(found: Slice) -> bytes:
    """As the transport takes it: by descriptor."""
    assert found.file is not None
    return os.pread(found.file, len(found), found.position)


async def test_its_segment_is_dropped_by_retention(tmp_path: Path) -> None:
    async with kept(tmp_path) as (_, log):
        found, promised = await held(log, 0)
        cutting.drop_oldest(log, NOW_MS)
        for path in (tmp_path / "orders-0").glob("*.deleted"):
            path.unlink()
        assert sent(found) == found.read() == promised
        descriptor = found.file
        assert descriptor is not None
        found.release()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


async def test_its_segment_is_exchanged_by_compaction(tmp_path: Path) -> None:
    async with kept(tmp_path) as (storage, log):
        first, promised_first = await held(log, 0)
        second, promised_second = await held(log, 2)
        before, size = log.segments[0], log.size_bytes
        assert await storage._chores.cleaning.clean_next()
        assert log.segments[0] is not before
        assert log.size_bytes < size
        assert sent(first) == promised_first
        assert sent(second) == promised_second
        assert promised_first[:1000] not in await everything(log)
        assert sent(first) == promised_first
        first.release()
        second.release()


async def test_its_segment_is_rolled_and_others_are_read_until_its_file_is_closed(tmp_path: Path) -> None:
    async with kept(tmp_path) as (_, log):
        found, promised = await held(log, 4)
        for _ in range(20):
            log.append(memoryview(bytearray(build_batch([Record(NOW_MS, NOW_MS, b"k", VALUE)]))), 0, NOW_MS)
        for offset in range(4, log.end_offset):
            (await log.read(offset, 1, log.end_offset)).release()
        assert sent(found) == promised
        found.release()


async def test_its_log_is_cut_so_the_connection_ends(tmp_path: Path) -> None:
    """A follower's log; whatever is appended afterwards must not be sent as what was promised."""
    async with kept(tmp_path) as (_, log):
        found, promised = await held(log, 0)
        log.truncate(1)
        assert promised.startswith(found.read())
        with pytest.raises(ConnectionLost):
            whole(found)
        found.release()


async def test_its_log_is_closed(tmp_path: Path) -> None:
    async with kept(tmp_path) as (storage, log):
        found, promised = await held(log, 0)
        await storage.delete(ORDERS)
        assert sent(found) == promised
        found.release()
        found.release()
