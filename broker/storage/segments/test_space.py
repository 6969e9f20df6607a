"""A disk that fills up: records are refused early, all else goes on, and it heals by itself."""

import errno
import logging
from uuid import UUID

import pytest
import trio

from broker.storage.contract import DiskFull, LogId
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.storage import (
    DATA,
    NOW_MS,
    ORDERS,
    LogOptions,
    StorageOptions,
    batch,
    everything,
    in_background,
    started,
    storage_on,
)

SPACE, RESERVE = 200_000, 10_000
"""The reserve is a twentieth of the disk, though the option asks for more."""


def used(disk: FakeDisk) -> int:
    return sum(len(disk.contents(path)) for path in disk.paths())


async def on_small_disk(options: LogOptions | None = None) -> tuple[FakeDisk, SegmentStorage, SegmentLog]:
    disk = FakeDisk(SPACE)
    storage = storage_on(disk, options=StorageOptions(barnabas_log_dir_reserve_bytes=1 << 30))
    await started(storage)
    return disk, storage, storage.create(ORDERS, "orders", options or LogOptions())


def fill(log: SegmentLog, size: int = 1_000) -> int:
    """Append until refused; how many were taken."""
    count = 0
    while True:
        try:
            log.append(batch("x" * size), 0, NOW_MS)
        except DiskFull:
            return count
        count += 1


def lines(caplog: pytest.LogCaptureFixture, text: str) -> int:
    return sum(text in record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING)


async def test_records_are_refused_before_the_disk_is_full_and_reads_go_on() -> None:
    disk, _, log = await on_small_disk()
    count = fill(log)
    assert RESERVE <= SPACE - used(disk) < RESERVE + 1_100
    assert log.end_offset == count
    assert len(await everything(log)) == log.size_bytes


async def test_the_brokers_own_records_may_use_most_of_the_reserve() -> None:
    disk, storage, log = await on_small_disk()
    fill(log)
    own = storage.create(LogId(UUID(int=9), 0), "__consumer_offsets", LogOptions())
    own.from_reserve = True
    assert fill(own, 100) > 10
    assert RESERVE // 4 <= SPACE - used(disk) < RESERVE // 4 + 200


async def test_checkpoints_snapshots_and_a_clean_stop_have_room_on_a_full_disk() -> None:
    disk, storage, log = await on_small_disk()
    fill(log)
    await log.flush()
    await storage.close()
    assert disk.exists(DATA / ".kafka_cleanshutdown")
    assert disk.paths(".snapshot")
    assert disk.contents(DATA / "recovery-point-offset-checkpoint").endswith(f"orders 0 {log.end_offset}\n".encode())


async def test_it_heals_when_there_is_room_again_with_one_line_for_each(
    caplog: pytest.LogCaptureFixture, autojump_clock: object
) -> None:
    disk, storage, log = await on_small_disk()
    async with in_background(storage):
        fill(log)
        for _ in range(50):
            with pytest.raises(DiskFull):
                log.append(batch("x" * 1_000), 0, NOW_MS)
            await trio.sleep(0.3)
        disk.space = 2 * SPACE
        await trio.sleep(2)
        log.append(batch("x" * 1_000), 0, NOW_MS)
    assert lines(caplog, "is full") == 1
    assert lines(caplog, "has room again") == 1


async def test_a_disk_that_somebody_else_fills_is_seen_too(autojump_clock: object) -> None:
    disk, storage, log = await on_small_disk()
    async with in_background(storage):
        log.append(batch("x"), 0, NOW_MS)
        disk.put(DATA / "somebody's", b"x" * (SPACE - used(disk) - RESERVE // 2))
        await trio.sleep(2)
        with pytest.raises(DiskFull):
            log.append(batch("x"), 0, NOW_MS)
        disk.remove(DATA / "somebody's")
        await trio.sleep(2)
        log.append(batch("x"), 0, NOW_MS)


async def test_retention_goes_on_and_makes_room(autojump_clock: object) -> None:
    options = LogOptions(segment_bytes=20_000, retention_bytes=60_000, file_delete_delay_ms=0)
    _, storage, log = await on_small_disk(options)
    async with in_background(storage):
        count = fill(log)
        log.high_watermark = log.end_offset
        await log.tidy(NOW_MS)
        assert log.start_offset > 0
        await trio.sleep(2)
        assert log.append(batch("x" * 1_000), 0, NOW_MS) == count


async def test_a_quota_that_statvfs_does_not_know_is_one_line_and_heals(
    caplog: pytest.LogCaptureFixture, autojump_clock: object
) -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    log.append(batch("kept"), 0, NOW_MS)
    async with in_background(storage):
        disk.fail("write", errno.EDQUOT, path=".log", times=20)
        for _ in range(20):
            with pytest.raises(DiskFull):
                log.append(batch("x"), 0, NOW_MS)
            await trio.sleep(0.5)
        assert log.append(batch("x"), 0, NOW_MS) == 1
        await trio.sleep(3)
    assert lines(caplog, "is full") == 1
    assert lines(caplog, "has room again") == 1
    assert log.failure is None


async def test_a_checkpoint_without_room_is_no_end_and_is_written_later(
    caplog: pytest.LogCaptureFixture, autojump_clock: object
) -> None:
    disk = FakeDisk()
    storage = storage_on(disk, options=StorageOptions(log_flush_offset_checkpoint_interval_ms=1_000))
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    log.append(batch("kept"), 0, NOW_MS)
    await log.flush()
    disk.fail("create", errno.ENOSPC, path="recovery-point-offset-checkpoint.tmp", times=10)
    async with in_background(storage):
        await trio.sleep(20)
    assert disk.contents(DATA / "recovery-point-offset-checkpoint").endswith(b"orders 0 1\n")
    assert lines(caplog, "is full") == 1
    assert [use.failed for use in await storage.places.uses()] == [False]
