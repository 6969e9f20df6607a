"""All logs of one broker: where they go, what the background does with them, what is left of the deleted ones."""

import errno
from pathlib import Path
from uuid import UUID

import pytest
import trio

from broker.clock import SetClock
from broker.storage.contract import LogId, StorageFailed
from broker.storage.directories.directory import CLEAN_SHUTDOWN
from broker.storage.files import SystemDisk, read_whole
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.storage import (
    DATA,
    NOW_MS,
    ORDERS,
    LogOptions,
    StorageOptions,
    batch,
    in_background,
    started,
    storage_on,
)
from kproto.records.batch import split


def log_id(number: int) -> LogId:
    return LogId(UUID(int=1000 + number), 0)


async def test_a_new_log_goes_to_the_directory_with_the_fewest() -> None:
    disk = FakeDisk()
    directories = [Path("/a"), Path("/b"), Path("/c")]
    storage = storage_on(disk, directories)
    await started(storage)
    for number in range(7):
        storage.create(log_id(number), f"t{number}", LogOptions()).append(batch("x"), 0, NOW_MS)
    counts = [sum(name.startswith("t") for name in disk.names(path)) for path in directories]
    assert sorted(counts) == [2, 2, 3]
    await storage.close()
    again = storage_on(disk.after_crash(), directories)
    await started(again)
    assert [again.create(log_id(n), f"t{n}", LogOptions()).end_offset for n in range(7)] == [1] * 7


async def test_a_partition_in_two_directories_is_offline_and_its_neighbours_are_not() -> None:
    disk = FakeDisk()
    directories = [Path("/a"), Path("/b")]
    storage = storage_on(disk, directories)
    await started(storage)
    for number in range(2):
        storage.create(log_id(number), f"t{number}", LogOptions()).append(batch("x"), 0, NOW_MS)
    await storage.close()
    crashed = disk.after_crash()
    crashed.make_directory(Path("/b/t0-0"))
    for path in crashed.paths():
        if path.is_relative_to("/a/t0-0"):
            crashed.put(Path("/b") / path.relative_to("/a"), crashed.contents(path))
    again = storage_on(crashed, directories)
    await started(again)
    with pytest.raises(StorageFailed, match="there is another one in /b"):
        again.create(log_id(0), "t0", LogOptions())
    assert again.create(log_id(1), "t1", LogOptions()).end_offset == 1


async def test_a_directory_of_another_topic_id_is_refused_for_that_one_only() -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    storage.create(log_id(0), "orders", LogOptions()).append(batch("x"), 0, NOW_MS)
    await storage.close()
    again = storage_on(disk.after_crash())
    await started(again)
    with pytest.raises(StorageFailed, match=str(log_id(0).topic_id)):
        again.create(log_id(1), "orders", LogOptions())
    assert again.create(log_id(2), "others", LogOptions()).append(batch("x"), 0, NOW_MS) == 0


async def test_a_deleted_log_is_gone_at_once_and_its_files_later(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    async with in_background(storage):
        storage.create(ORDERS, "orders", LogOptions(file_delete_delay_ms=60_000)).append(batch("x"), 0, NOW_MS)
        await storage.delete(ORDERS)
        names = disk.names(DATA)
        assert "orders-0" not in names
        waiting = [name for name in names if name.startswith("orders-0.") and name.endswith("-delete")]
        assert len(waiting) == 1
        assert len(waiting[0]) == len("orders-0.") + 32 + len("-delete")
        await trio.sleep(59)
        assert waiting[0] in disk.names(DATA)
        await trio.sleep(2)
        assert waiting[0] not in disk.names(DATA)


async def test_a_re_created_topic_never_shows_what_its_namesake_had_not_even_after_a_crash() -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    old = storage.create(log_id(0), "orders", LogOptions())
    for _ in range(9):
        old.append(batch("old"), 4, NOW_MS)
    old.advance_start(5)
    old.high_watermark = 9
    await old.flush()
    await storage._checkpointer.write_all()
    await storage.delete(log_id(0))
    new = storage.create(log_id(1), "orders", LogOptions())
    new.append(batch("new"), 0, NOW_MS)
    await new.flush()
    again = storage_on(disk.after_crash())
    await started(again)
    found = again.get(log_id(1))
    assert found is not None
    assert (found.start_offset, found.end_offset, found.latest_epoch) == (0, 1, 0)
    assert found.high_watermark == 0


async def test_checkpoints_are_written_now_and_then(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    async with in_background(storage):
        log = storage.create(ORDERS, "orders", LogOptions())
        for _ in range(9):
            log.append(batch("x"), 0, NOW_MS)
        await log.flush()
        log.high_watermark = 7
        await trio.sleep(6)
        durable = disk.after_crash()
        assert durable.contents(DATA / "replication-offset-checkpoint") == b"0\n1\norders 0 7\n"
        await trio.sleep(55)
        assert disk.after_crash().contents(DATA / "recovery-point-offset-checkpoint") == b"0\n1\norders 0 9\n"
        log.advance_start(4)
        await trio.sleep(1)
        assert disk.after_crash().contents(DATA / "log-start-offset-checkpoint") == b"0\n1\norders 0 4\n"


async def test_a_start_that_moves_while_the_last_move_is_written_is_written_soon_too(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    async with in_background(storage):
        log = storage.create(ORDERS, "orders", LogOptions())
        for _ in range(9):
            log.append(batch("x"), 0, NOW_MS)
        log.advance_start(4)
        await trio.sleep(0.05)
        log.advance_start(5)
        await trio.sleep(1)
        assert disk.after_crash().contents(DATA / "log-start-offset-checkpoint") == b"0\n1\norders 0 5\n"


async def test_a_high_watermark_above_what_recovery_found_comes_down() -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    log.append(batch("flushed"), 0, NOW_MS)
    await log.flush()
    log.append(batch("lost"), 0, NOW_MS)
    log.high_watermark = 2
    await storage._checkpointer.write_all()
    again = storage_on(disk.after_crash())
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert found.high_watermark == 1


async def test_producers_that_write_no_more_are_forgotten_in_the_background(autojump_clock: object) -> None:
    clock = SetClock(NOW_MS)
    storage = storage_on(FakeDisk(), options=StorageOptions(producer_id_expiration_ms=1000), clock=clock)
    await started(storage)
    async with in_background(storage):
        log = storage.create(ORDERS, "orders", LogOptions())
        log.append(batch("x", producer=(7, 0, 0)), 0, NOW_MS)
        await trio.sleep(601)
        assert len(log.producers) == 1
        clock.advance(1000)
        await trio.sleep(601)
        assert len(log.producers) == 0


async def test_segments_that_retention_dropped_are_removed_from_the_disk_later(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    options = LogOptions(segment_bytes=100, retention_bytes=0)
    async with in_background(storage):
        log = storage.create(ORDERS, "orders", options)
        for _ in range(4):
            log.append(batch("x" * 60), 0, NOW_MS)
        log.high_watermark = 4
        await trio.sleep(301)
        assert len(disk.paths(".log.deleted")) == 4
        await trio.sleep(61)
        assert not disk.paths(".deleted")
        assert [path.name for path in disk.paths(".log")] == ["00000000000000000004.log"]


@pytest.mark.parametrize(("call", "number"), [("write", errno.ENOSPC), ("sync", errno.EIO)])
async def test_a_stop_that_could_not_make_all_durable_is_not_clean(call: str, number: int) -> None:
    """After a clean one the next start believes that the log ends at its recovery point."""
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    storage.create(ORDERS, "orders", LogOptions()).append(batch("x"), 0, NOW_MS)
    disk.fail(call, number, path="leader-epoch-checkpoint.tmp", times=9)
    await storage.close()
    assert not disk.exists(DATA / CLEAN_SHUTDOWN)
    again = storage_on(disk.after_crash())
    await started(again)
    assert again.create(ORDERS, "orders", LogOptions()).end_offset == 1


# --- rolling ---


def bases(log: SegmentLog) -> list[int]:
    return [segment.base_offset for segment in log.segments]


async def rolled(options: LogOptions, *at_ms: int, now_ms: int = NOW_MS) -> list[int]:
    storage = storage_on(FakeDisk())
    await started(storage)
    log = storage.create(ORDERS, "orders", options)
    for one_ms in at_ms:
        log.append(batch("x" * 60, at_ms=one_ms), 0, now_ms)
    return bases(log)


async def test_a_segment_rolls_before_it_grows_over_its_size() -> None:
    size = len(batch("x" * 60))
    assert await rolled(LogOptions(segment_bytes=2 * size), *[NOW_MS] * 5) == [0, 2, 4]
    assert await rolled(LogOptions(segment_bytes=2 * size - 1), *[NOW_MS] * 3) == [0, 1, 2]


async def test_a_segment_rolls_by_the_timestamps_of_its_records() -> None:
    assert await rolled(LogOptions(segment_ms=1000), NOW_MS, NOW_MS + 1000, NOW_MS + 1001, NOW_MS + 1500) == [0, 2]


async def test_a_segment_rolls_when_its_index_is_full() -> None:
    options = LogOptions(index_interval_bytes=0, segment_index_bytes=36)
    assert await rolled(options, *[NOW_MS] * 7) == [0, 5]


async def test_a_batch_larger_than_a_segment_gets_one_of_its_own() -> None:
    assert await rolled(LogOptions(segment_bytes=14), NOW_MS, NOW_MS) == [0, 1]


# --- files ---


async def test_files_in_a_real_directory_are_kafkas(tmp_path: Path) -> None:
    storage = storage_on(SystemDisk(), [tmp_path])
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions(segment_bytes=300, index_interval_bytes=0))
    for number in range(6):
        log.append(batch("x" * 60, producer=(7, 0, number), at_ms=NOW_MS + number), number // 4, NOW_MS)
    log.high_watermark = 6
    await storage.close()
    assert SystemDisk().names(tmp_path) == [
        ".kafka_cleanshutdown",
        ".lock",
        "cleaner-offset-checkpoint",
        "log-start-offset-checkpoint",
        "orders-0",
        "recovery-point-offset-checkpoint",
        "replication-offset-checkpoint",
    ]
    assert SystemDisk().names(tmp_path / "orders-0") == [
        "00000000000000000000.index",
        "00000000000000000000.log",
        "00000000000000000000.timeindex",
        "00000000000000000002.index",
        "00000000000000000002.log",
        "00000000000000000002.snapshot",
        "00000000000000000002.timeindex",
        "00000000000000000004.index",
        "00000000000000000004.log",
        "00000000000000000004.snapshot",
        "00000000000000000004.timeindex",
        "00000000000000000006.snapshot",
        "leader-epoch-checkpoint",
        "partition.metadata",
    ]
    disk, partition = SystemDisk(), tmp_path / "orders-0"
    stored = read_whole(disk, partition / "00000000000000000000.log")
    assert [header.base_offset for header, _ in split(memoryview(stored))] == [0, 1]
    entry = bytes([0, 0, 0, 1]) + (len(stored) // 2).to_bytes(4, "big")
    assert read_whole(disk, partition / "00000000000000000000.index") == entry
    assert read_whole(disk, partition / "00000000000000000000.timeindex") == (NOW_MS + 1).to_bytes(8, "big") + entry[:4]
    assert read_whole(disk, partition / "leader-epoch-checkpoint") == b"0\n2\n0 0\n1 4\n"
    assert read_whole(disk, partition / "partition.metadata") == b"version: 0\ntopic_id: AAAAAAAAAAABI0VniavN7w"
