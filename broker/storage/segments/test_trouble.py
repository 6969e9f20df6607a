"""A disk that is full, broken, slow or short: nothing of what failed stays, and nobody is told a lie."""

import errno
from pathlib import Path

import pytest
import trio

from broker.storage.contract import DiskFull, StorageFailed
from broker.storage.directories.store import SegmentStorage
from broker.storage.files import Data, File
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk, FakeFile
from broker.testing.storage import DATA, NOW_MS, ORDERS, LogOptions, batch, everything, started, storage_on, stored
from kproto.records.batch import split

LOG = DATA / "orders-0" / "00000000000000000000.log"


async def with_log(disk: FakeDisk, options: LogOptions | None = None) -> tuple[SegmentLog, SegmentStorage]:
    storage = storage_on(disk)
    await started(storage)
    return storage.create(ORDERS, "orders", options or LogOptions()), storage


def offsets(data: bytes) -> list[int]:
    return [header.base_offset for header, _ in split(memoryview(data))]


async def test_on_a_full_disk_nothing_stays_reads_go_on_and_room_lets_writing_go_on() -> None:
    disk = FakeDisk()
    log, _ = await with_log(disk)
    log.append(batch("kept"), 0, NOW_MS)
    kept = disk.contents(LOG)
    disk.space = sum(len(disk.contents(path)) for path in disk.paths()) + 30
    with pytest.raises(DiskFull):
        log.append(batch("too much", producer=(7, 0, 0)), 1, NOW_MS)
    assert disk.contents(LOG) == kept
    assert (log.end_offset, log.latest_epoch, len(log.producers)) == (1, 0, 0)
    assert offsets(await stored(log)) == [0]
    disk.space = None
    assert log.append(batch("fits now"), 1, NOW_MS) == 1
    assert offsets(await stored(log)) == [0, 1]


async def test_of_two_batches_of_which_one_was_written_none_stays() -> None:
    """Else a start would find a whole batch that was refused."""
    disk = FakeDisk()
    log, _ = await with_log(disk)
    log.append(batch("kept"), 0, NOW_MS)
    one = bytes(batch("x" * 100))
    disk.space = sum(len(disk.contents(path)) for path in disk.paths()) + len(one) + 10
    with pytest.raises(DiskFull):
        log.append(memoryview(bytearray(one + one)), 0, NOW_MS)
    again = storage_on(disk.after_crash(power_cut=False))
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert found.end_offset == 1


async def test_a_full_disk_at_the_very_first_batch_is_no_end() -> None:
    for space in range(0, 200, 5):
        disk = FakeDisk()
        log, _ = await with_log(disk)
        disk.space = sum(len(disk.contents(path)) for path in disk.paths()) + space
        try:
            log.append(batch("x"), 0, NOW_MS)
        except DiskFull:
            disk.space = None
            assert log.append(batch("x"), 0, NOW_MS) == 0
        assert offsets(await stored(log)) == [0]


async def test_a_full_disk_at_a_roll_is_no_end() -> None:
    disk = FakeDisk()
    log, _ = await with_log(disk, LogOptions(segment_bytes=200))
    log.append(batch("x" * 100), 0, NOW_MS)
    disk.space = 0
    with pytest.raises(DiskFull):
        log.append(batch("y" * 100), 0, NOW_MS)
    disk.space = None
    assert log.append(batch("y" * 100), 0, NOW_MS) == 1
    assert offsets(await everything(log)) == [0, 1]


@pytest.mark.parametrize("call", ["write", "create"])
@pytest.mark.parametrize("suffix", [".index", ".timeindex", ".snapshot"])
async def test_a_full_disk_for_small_files_harms_no_batch(call: str, suffix: str) -> None:
    disk = FakeDisk()
    log, storage = await with_log(disk, LogOptions(segment_bytes=200, index_interval_bytes=0))
    disk.fail(call, errno.ENOSPC, path=suffix, times=1000)
    for number in range(20):
        log.append(batch("x" * 50, producer=(7, 0, number)), 0, NOW_MS + number)
    await log.flush()
    assert offsets(await everything(log)) == list(range(20))
    await storage.close()
    again = storage_on(disk.after_crash(power_cut=False))
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert offsets(await everything(found)) == list(range(20))


async def test_a_full_disk_for_checkpoints_harms_no_batch_and_the_next_start_scans() -> None:
    disk = FakeDisk()
    log, storage = await with_log(disk)
    log.append(batch("a"), 3, NOW_MS)
    disk.fail("write", errno.ENOSPC, path=".tmp", times=1000)
    assert await log.flush() == 1
    await storage.close()
    crashed = disk.after_crash()
    assert not crashed.exists(DATA / ".kafka_cleanshutdown")
    again = storage_on(crashed)
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert (found.end_offset, found.latest_epoch) == (1, 3)


class HastyDisk(FakeDisk):
    """It takes a third of what it is given, and at least a byte."""

    def open(self, path: Path) -> File:
        return HastyFile(self, path, self.file(path))

    def create(self, path: Path) -> File:
        super().create(path)
        return HastyFile(self, path, self.file(path))


class HastyFile(FakeFile):
    def write(self, data: Data, position: int) -> int:
        return super().write(memoryview(data)[: max(len(data) // 3, 1)], position)


async def test_a_disk_that_takes_little_at_a_time_keeps_the_same_log() -> None:
    """Segments, indexes, snapshots and checkpoints are the same files as on any other disk."""
    kept = []
    for disk in (FakeDisk(), HastyDisk()):
        log, storage = await with_log(disk, LogOptions(segment_bytes=400, index_interval_bytes=100))
        for number in range(30):
            log.append(batch(f"{number} " * 20, producer=(7, 0, number)), number // 10, NOW_MS + number)
        await storage.close()
        kept.append({path: disk.contents(path) for path in disk.paths()})
    assert kept[0] == kept[1]
    assert len(kept[0]) > 20


async def test_a_disk_that_fills_up_in_the_middle_of_short_writes_keeps_nothing_of_the_batch() -> None:
    for space in range(1, 200, 7):
        disk = HastyDisk()
        log, _ = await with_log(disk)
        log.append(batch("kept"), 0, NOW_MS)
        kept = disk.contents(LOG)
        disk.space = sum(len(disk.contents(path)) for path in disk.paths()) + space
        with pytest.raises(DiskFull):
            log.append(batch("x" * 300), 0, NOW_MS)
        assert disk.contents(LOG) == kept


async def test_a_broken_write_takes_the_log_offline() -> None:
    disk = FakeDisk()
    log, _ = await with_log(disk)
    log.append(batch("kept"), 0, NOW_MS)
    disk.fail("write", errno.EIO, path=".log")
    with pytest.raises(StorageFailed) as failed:
        log.append(batch("lost"), 0, NOW_MS)
    assert not isinstance(failed.value, DiskFull)
    for verb in (lambda: log.append(batch("x"), 0, NOW_MS), lambda: log.truncate(0), lambda: log.end_of_epoch(0)):
        with pytest.raises(StorageFailed):
            verb()
    with pytest.raises(StorageFailed):
        await log.read(0, 100, 1)
    with pytest.raises(StorageFailed):
        await log.flush()


async def test_a_torn_batch_that_cannot_be_cut_off_takes_the_log_offline() -> None:
    disk = FakeDisk()
    log, _ = await with_log(disk)
    log.append(batch("kept"), 0, NOW_MS)
    disk.space = sum(len(disk.contents(path)) for path in disk.paths()) + 30
    disk.fail("cut", errno.EIO, path=".log")
    with pytest.raises(StorageFailed) as failed:
        log.append(batch("torn"), 0, NOW_MS)
    assert not isinstance(failed.value, DiskFull)
    assert log.failure is not None


async def test_a_broken_read_takes_the_log_offline_and_its_neighbour_goes_on() -> None:
    disk = FakeDisk()
    log, storage = await with_log(disk)
    neighbour = storage.create(type(ORDERS)(ORDERS.topic_id, 1), "orders", LogOptions())
    log.append(batch("a"), 0, NOW_MS)
    neighbour.append(batch("b"), 0, NOW_MS)
    disk.fail("read", errno.EIO, path="orders-0/00000000000000000000.log")
    with pytest.raises(StorageFailed):
        await stored(log)
    with pytest.raises(StorageFailed):
        log.append(batch("x"), 0, NOW_MS)
    assert offsets(await stored(neighbour)) == [0]
    assert neighbour.append(batch("x"), 0, NOW_MS) == 1


async def test_a_lack_of_descriptors_passes() -> None:
    disk = FakeDisk()
    log, _ = await with_log(disk, LogOptions(segment_bytes=100))
    for _ in range(8):
        log.append(batch("x" * 60), 0, NOW_MS)
        for segment in log.segments[:-1]:
            segment.release()
    disk.fail("open", errno.EMFILE, path="00000.log")
    with pytest.raises(StorageFailed):
        await stored(log)
    assert offsets(await stored(log)) == [0]


async def test_a_failed_fsync_is_never_tried_again() -> None:
    """The kernel marks the pages clean although they are not on the disk: a second fsync would say yes."""
    disk = FakeDisk()
    log, _ = await with_log(disk)
    log.append(batch("a"), 0, NOW_MS)
    disk.fail("sync", errno.EIO, path=".log")
    with pytest.raises(StorageFailed, match="fsync"):
        await log.flush()
    assert log.flushed_offset == 0
    with pytest.raises(StorageFailed, match="fsync"):
        await log.flush()
    with pytest.raises(StorageFailed, match="fsync"):
        log.append(batch("b"), 0, NOW_MS)


async def test_all_who_wait_for_an_fsync_hear_that_it_failed() -> None:
    disk = FakeDisk()
    log, _ = await with_log(disk)
    log.append(batch("a"), 0, NOW_MS)
    disk.fail("sync", errno.EIO, path=".log")
    heard = []

    async def wait() -> None:
        try:
            await log.flush()
        except StorageFailed as failure:
            heard.append(str(failure))

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(wait)
    assert len(heard) == 5


async def test_after_a_failed_fsync_the_stop_is_not_clean() -> None:
    disk = FakeDisk()
    log, storage = await with_log(disk)
    log.append(batch("a"), 0, NOW_MS)
    disk.fail("sync", errno.EIO, path=".log")
    await storage.close()
    assert not disk.exists(DATA / ".kafka_cleanshutdown")


async def test_a_directory_that_appeared_behind_our_back_is_not_taken_over() -> None:
    disk = FakeDisk()
    log, storage = await with_log(disk)
    disk.make_directory(DATA / "orders-0")
    disk.put(DATA / "orders-0" / "partition.metadata", b"somebody's")
    with pytest.raises(StorageFailed):
        log.append(batch("a"), 0, NOW_MS)
    assert disk.contents(DATA / "orders-0" / "partition.metadata") == b"somebody's"
    other = storage.create(type(ORDERS)(ORDERS.topic_id, 1), "orders", LogOptions())
    assert other.append(batch("a"), 0, NOW_MS) == 0


@pytest.mark.parametrize("call", ["rename", "remove"])
async def test_a_file_that_cannot_be_removed_is_left_for_the_next_start(call: str, autojump_clock: object) -> None:
    disk = FakeDisk()
    log, storage = await with_log(disk, LogOptions(segment_bytes=100, retention_bytes=0, file_delete_delay_ms=0))
    for _ in range(3):
        log.append(batch("x" * 60), 0, NOW_MS)
    log.high_watermark = 3
    disk.fail(call, errno.EIO)
    async with trio.open_nursery() as nursery:
        await nursery.start(storage.run)
        try:
            await log.tidy(NOW_MS)
        except StorageFailed:
            assert call == "rename"
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    again = storage_on(disk.after_crash(power_cut=False))
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert found.end_offset == 3
