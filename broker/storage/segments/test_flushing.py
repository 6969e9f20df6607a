"""Group commit: one fsync for all who wait, and what it promises."""

import pytest
import trio

from broker.storage.contract import LogId
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import FLUSH_EVERY_BYTES, SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.storage import DATA, NOW_MS, ORDERS, LogOptions, batch, everything, started, storage_on

LOG = DATA / "orders-0" / "00000000000000000000.log"


class SlowDisk(FakeDisk):
    """Whose threads wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = trio.Event()
        self.waiting = 0

    async def in_thread(self, call):  # type: ignore[no-untyped-def]
        self.waiting += 1
        await self.go.wait()
        return call()


async def with_log(disk: FakeDisk, options: LogOptions | None = None) -> tuple[SegmentLog, SegmentStorage]:
    storage = storage_on(disk)
    await started(storage)
    return storage.create(ORDERS, "orders", options or LogOptions()), storage


async def test_what_was_flushed_outlives_a_power_cut_and_the_rest_does_not() -> None:
    disk = FakeDisk()
    log, _ = await with_log(disk, LogOptions(segment_bytes=200))
    for number in range(7):
        log.append(batch("x" * 60), number // 3, NOW_MS)
    assert await log.flush() == log.flushed_offset == 7
    for number in range(7, 14):
        log.append(batch("x" * 60), number // 3, NOW_MS)
    assert log.flushed_offset == 7
    again = storage_on(disk.after_crash())
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert (found.end_offset, found.latest_epoch) == (7, 2)


async def test_one_fsync_serves_all_who_wait_and_who_came_meanwhile_share_the_next() -> None:
    disk = SlowDisk()
    disk.go.set()
    log, _ = await with_log(disk)
    log.append(batch("a"), 0, NOW_MS)
    disk.go, disk.waiting = trio.Event(), 0
    reached: list[int] = []

    async def flush() -> None:
        reached.append(await log.flush())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(flush)
        await trio.testing.wait_all_tasks_blocked()
        log.append(batch("b"), 0, NOW_MS)
        for _ in range(20):
            nursery.start_soon(flush)
        await trio.testing.wait_all_tasks_blocked()
        assert disk.waiting == 1
        disk.go.set()
    assert sorted(reached) == [1] + [2] * 20
    assert disk.calls.count(("sync", LOG)) == 2


async def test_what_is_appended_during_a_flush_is_not_counted_as_flushed() -> None:
    disk = SlowDisk()
    disk.go.set()
    log, _ = await with_log(disk)
    log.append(batch("a"), 0, NOW_MS)
    disk.go = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(log.flush)
        await trio.testing.wait_all_tasks_blocked()
        log.append(batch("b"), 0, NOW_MS)
        disk.go.set()
    assert log.flushed_offset == 1


async def test_what_is_cut_and_written_again_during_a_flush_is_not_counted_as_flushed() -> None:
    disk = SlowDisk()
    disk.go.set()
    log, _ = await with_log(disk)
    for value in "abc":
        log.append(batch(value), 0, NOW_MS)
    disk.go = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(log.flush)
        await trio.testing.wait_all_tasks_blocked()
        log.truncate(1)
        log.append(batch("B"), 1, NOW_MS)
        log.append(batch("C"), 1, NOW_MS)
        first, disk.go = disk.go, trio.Event()
        first.set()
        await trio.testing.wait_all_tasks_blocked()
        assert log.flushed_offset == 1
        disk.go.set()
    assert log.flushed_offset == 3


async def test_the_first_waiter_may_be_cancelled_without_harm_to_the_others() -> None:
    disk = SlowDisk()
    disk.go.set()
    log, _ = await with_log(disk)
    log.append(batch("a"), 0, NOW_MS)
    disk.go = trio.Event()
    reached: list[int] = []

    async def flush() -> None:
        reached.append(await log.flush())

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as first:
            async with trio.open_nursery() as impatient:
                impatient.start_soon(flush)
                await trio.testing.wait_all_tasks_blocked()
                nursery.start_soon(flush)
                await trio.testing.wait_all_tasks_blocked()
                first.cancel()
        disk.go.set()
    assert reached == [1]
    assert log.segments[0].file.holders == 1  # type: ignore[attr-defined]


async def test_a_flush_with_nothing_to_do_asks_no_disk() -> None:
    disk = FakeDisk()
    log, _ = await with_log(disk)
    log.append(batch("a"), 0, NOW_MS)
    await log.flush()
    calls = len(disk.calls)
    assert await log.flush() == 1
    assert len(disk.calls) == calls


async def test_long_writes_are_flushed_in_the_background() -> None:
    disk = FakeDisk()
    log, storage = await with_log(disk)
    big = batch("x" * (8 << 20))
    async with trio.open_nursery() as nursery:
        await nursery.start(storage.run)
        for _ in range(FLUSH_EVERY_BYTES // len(big)):
            log.append(big, 0, NOW_MS)
        await trio.testing.wait_all_tasks_blocked()
        assert log.flushed_offset == 0
        log.append(big, 0, NOW_MS)
        await trio.testing.wait_all_tasks_blocked()
        assert log.flushed_offset == log.end_offset
        nursery.cancel_scope.cancel()


async def test_a_rolled_segment_is_flushed_in_the_background_with_its_indexes() -> None:
    disk = FakeDisk()
    log, storage = await with_log(disk, LogOptions(segment_bytes=400, index_interval_bytes=0))
    async with trio.open_nursery() as nursery:
        await nursery.start(storage.run)
        for number in range(5):
            log.append(batch("x" * 60, at_ms=NOW_MS + number), 0, NOW_MS)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    durable = disk.after_crash()
    assert durable.contents(LOG) == disk.contents(LOG)
    for path in (LOG.with_suffix(".index"), LOG.with_suffix(".timeindex")):
        assert durable.contents(path) == disk.contents(path) != b""


async def test_empty_logs_cost_no_file_and_no_fsync() -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    before = len(disk.calls)
    logs = [storage.create(LogId(ORDERS.topic_id, number), "__consumer_offsets", LogOptions()) for number in range(50)]
    for log in logs:
        assert await log.flush() == 0
    assert len(disk.calls) == before
    await storage.close()
    assert not [name for name in disk.names(DATA) if name.startswith("__consumer_offsets")]


@pytest.mark.parametrize("number", range(3))
async def test_a_batch_that_goes_over_a_segment_boundary_is_flushed_whole(number: int) -> None:
    disk = FakeDisk()
    log, _ = await with_log(disk, LogOptions(segment_bytes=100 + 80 * number))
    for _ in range(9):
        log.append(batch("x" * 60), 0, NOW_MS)
    await log.flush()
    again = storage_on(disk.after_crash())
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert await everything(found) == await everything(log)
