"""What changes on the disk after it was checked is found by reading it again."""

import errno

import pytest
import trio
from trio.testing import MockClock

from broker.storage.contract import BatchDamaged
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments import cutting
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.scrub import FIRST_ROUND_AFTER_S, ROUND_S, Scrub
from broker.testing.disk import FakeDisk
from broker.testing.storage import (
    NOW_MS,
    ORDERS,
    LogOptions,
    StorageOptions,
    batch,
    everything,
    in_background,
    started,
    storage_on,
    stored,
)
from kproto.records.batch import read_header

MINUTE_S = 60.0


async def with_closed_segments(
    disk: FakeDisk, options: StorageOptions | None = None, *, bytes_each: int = 100
) -> tuple[SegmentStorage, SegmentLog]:
    """Three batches in a segment each, all written by this process; the last one is open."""
    storage = storage_on(disk, options=options)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions(segment_bytes=bytes_each))
    for number in range(3):
        log.append(batch(f"{number}" * bytes_each), 0, NOW_MS)
    return storage, log


def flip(disk: FakeDisk, log: SegmentLog, number: int, at: int = 40) -> None:
    path = log.segments[number].path
    data = bytearray(disk.contents(path))
    data[at] ^= 1
    disk.put(path, bytes(data))
    log.segments[number].release()


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "damaged" in record.getMessage()]


async def test_a_bit_that_changes_later_is_told_once_and_no_longer_served(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FakeDisk()
    _, log = await with_closed_segments(disk)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Scrub(StorageOptions(), lambda: [log]).run)
        await trio.sleep(FIRST_ROUND_AFTER_S + MINUTE_S)
        assert told(caplog) == []
        flip(disk, log, 1)
        await trio.sleep(ROUND_S)
        assert len(told(caplog)) == 1
        assert "offsets 1 to 1" in told(caplog)[0]
        with pytest.raises(BatchDamaged):
            await stored(log, 1)
        assert read_header(memoryview(await stored(log, 0))).base_offset == 0
        assert read_header(memoryview(await stored(log, 2))).base_offset == 2
        await trio.sleep(3 * ROUND_S)
        assert len(told(caplog)) == 1
        nursery.cancel_scope.cancel()


async def test_it_runs_in_the_background(autojump_clock: MockClock) -> None:
    disk = FakeDisk()
    storage, log = await with_closed_segments(disk)
    flip(disk, log, 0)
    async with in_background(storage):
        await trio.sleep(FIRST_ROUND_AFTER_S + MINUTE_S)
    assert len(log.segments[0].checked.damages) == 1


async def test_what_the_scrub_has_read_is_not_checked_again_for_a_reader(autojump_clock: MockClock) -> None:
    disk = FakeDisk()
    storage, _ = await with_closed_segments(disk)
    await storage.close()
    again = storage_on(disk)
    await started(again)
    log = again.create(ORDERS, "orders", LogOptions())
    assert [segment.checked.own_from > 0 for segment in log.segments] == [True, True, True]
    await Scrub(StorageOptions(), lambda: [log]).round()
    assert [segment.checked.own_from > 0 for segment in log.segments] == [False, False, True]


async def test_it_reads_no_more_bytes_a_second_than_it_may(autojump_clock: MockClock) -> None:
    storage, log = await with_closed_segments(FakeDisk(), bytes_each=3 << 20)
    began = trio.current_time()
    await Scrub(StorageOptions(barnabas_scrub_bytes_per_second=1 << 20), lambda: [log]).round()
    assert 6.0 <= trio.current_time() - began < 6.1
    await storage.close()


async def test_switched_off_it_goes_on_when_it_is_switched_on_again(autojump_clock: MockClock) -> None:
    disk = FakeDisk()
    options = StorageOptions(barnabas_scrub_bytes_per_second=0)
    _, log = await with_closed_segments(disk)
    flip(disk, log, 0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Scrub(options, lambda: [log]).round)
        await trio.sleep(ROUND_S)
        assert log.segments[0].checked.damages == []
        options.barnabas_scrub_bytes_per_second = 1 << 20
    assert len(log.segments[0].checked.damages) == 1


async def test_a_segment_that_goes_meanwhile_is_no_trouble(autojump_clock: MockClock) -> None:
    disk = FakeDisk()
    _, log = await with_closed_segments(disk, bytes_each=3 << 20)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Scrub(StorageOptions(), lambda: [log]).round)
        await trio.sleep(1)
        cutting.drop_oldest(log, NOW_MS)
        cutting.drop_oldest(log, NOW_MS)
    assert log.failure is None
    assert read_header(memoryview(await everything(log))).base_offset == 2


async def test_a_disk_that_cannot_be_read_takes_the_log_offline(autojump_clock: MockClock) -> None:
    disk = FakeDisk()
    _, log = await with_closed_segments(disk)
    disk.fail("read", errno.EIO, path="00.log")
    await Scrub(StorageOptions(), lambda: [log]).round()
    assert log.failure is not None
