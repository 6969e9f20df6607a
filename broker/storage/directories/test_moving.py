"""A log moves to another data directory while it is written and read; at every crash one of the two is whole."""

import errno
from itertools import count
from pathlib import Path

import pytest
import trio

from broker.storage.contract import DiskFull, NoSuchDirectory, StorageFailed
from broker.storage.directories import copying, moving
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.swapping import Sources, SourcesChanged, Swap
from broker.testing.crashes import KILL, POWER_CUT, Crash
from broker.testing.disk import FakeDisk, PowerCut
from broker.testing.storage import (
    NOW_MS,
    ORDERS,
    LogOptions,
    batch,
    everything,
    in_background,
    started,
    storage_on,
)
from kproto.records.batch import read_records, split

A, B, C = Path("/a"), Path("/b"), Path("/c")
OPTIONS = LogOptions(segment_bytes=500, index_interval_bytes=100)


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "SLICE_BYTES", 300)
    monkeypatch.setattr(moving, "NEAR_BYTES", 300)


async def with_log(disk: FakeDisk, *directories: Path) -> tuple[SegmentStorage, SegmentLog]:
    storage = storage_on(disk, directories or (A, B), defaults=OPTIONS)
    await started(storage)
    return storage, storage.create(ORDERS, "orders", OPTIONS)


def append(log: SegmentLog, batches: int, *, producer: int = 7) -> None:
    for number in range(log.end_offset, log.end_offset + batches):
        log.append(batch(f"value {number}", producer=(producer, 0, number)), number // 10, NOW_MS + number)


async def values(log: SegmentLog) -> list[str]:
    data = await everything(log)
    records = [record for _, one in split(memoryview(data)) for record in read_records(one)]
    assert [record.offset for record in records] == list(range(log.start_offset, log.end_offset))
    return [(record.value or b"").decode() for record in records]


def expected(log: SegmentLog) -> list[str]:
    return [f"value {number}" for number in range(log.start_offset, log.end_offset)]


def move(storage: SegmentStorage, path: Path) -> None:
    storage.move("orders", 0, ORDERS, str(path))


async def until_moved(storage: SegmentStorage) -> None:
    with trio.fail_after(60):
        while list(storage._moves):  # noqa: ASYNC110 -- nobody is told of the end but by the log's directory
            await trio.sleep(0.1)


def partition_directories(disk: FakeDisk) -> dict[str, list[str]]:
    return {str(path): [n for n in disk.names(path) if n.startswith("orders")] for path in (A, B) if disk.exists(path)}


async def test_a_log_moves_while_it_is_written_and_read_and_nobody_notices(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 40)
    async with in_background(storage):
        move(storage, B)
        for _ in range(30):
            append(log, 1)
            assert await values(log) == expected(log)
            await trio.lowlevel.checkpoint()
        await until_moved(storage)
        assert log.directory == B / "orders-0"
        append(log, 10)
        assert await values(log) == expected(log)
        assert log.end_of_epoch(3) == (3, 40)
        assert log.producers.check(next(split(batch("x", producer=(7, 0, 79))))[0]) is not None
        await trio.sleep(61)
    assert partition_directories(disk) == {"/a": [], "/b": ["orders-0"]}
    await storage.close()
    again, found = await with_log(disk.after_crash())
    assert found.directory == B / "orders-0"
    assert await values(found) == [f"value {number}" for number in range(80)]
    await again.close()


async def test_directories_tell_of_the_move(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 40)
    storage.pace_moves(lambda: 100.0)
    async with in_background(storage):
        move(storage, B)
        await trio.sleep(10)
        first, second = await storage.directories()
        assert (first.sizes, first.futures) == ({ORDERS: log.size_bytes}, {})
        size, lag = second.futures[ORDERS]
        assert second.sizes == {}
        assert 0 < size < log.size_bytes
        assert 0 < lag < 40
        assert [name.split(".")[0] for name in disk.names(B) if name.endswith("-future")] == ["orders-0"]
        before = trio.current_time()
        await until_moved(storage)
        assert log.size_bytes * 0.5 / 100 < trio.current_time() - before < log.size_bytes / 100


async def test_an_empty_log_is_just_made_elsewhere() -> None:
    storage, log = await with_log(FakeDisk())
    move(storage, B)
    append(log, 1)
    assert log.directory == B / "orders-0"
    assert list(storage._moves) == []


async def test_a_log_whose_records_are_all_gone_keeps_its_offsets(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 10)
    storage.note_high_watermark(ORDERS, 10)
    log.advance_start(10)
    await log.tidy(NOW_MS)
    async with in_background(storage):
        move(storage, B)
        await until_moved(storage)
    assert (log.directory.parent, log.start_offset, log.end_offset) == (B, 10, 10)
    append(log, 3)
    await storage.close()
    _, found = await with_log(disk.after_crash())
    assert (found.start_offset, found.end_offset) == (10, 13)


@pytest.mark.parametrize("when", [0.0, 5.0, 10.0])
async def test_the_log_start_moves_during_the_move(when: float, autojump_clock: object) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 60)
    storage.note_high_watermark(ORDERS, 60)
    storage.pace_moves(lambda: 300.0)
    async with in_background(storage):
        move(storage, B)
        await trio.sleep(when)
        log.advance_start(45)
        await log.tidy(NOW_MS)
        append(log, 5)
        await until_moved(storage)
        assert log.start_offset == 45
        assert await values(log) == expected(log)
    found = (await with_log(disk.after_crash()))[1]
    assert (found.directory.parent, found.start_offset, found.end_offset) == (B, 45, 65)
    assert await values(found) == expected(found)


@pytest.mark.parametrize("when", [0.0, 5.0, 10.0, 100.0])
async def test_a_log_is_cut_during_the_move(when: float, autojump_clock: object) -> None:
    """As a follower cuts what its new leader does not have."""
    storage, log = await with_log(FakeDisk())
    append(log, 40)
    storage.pace_moves(lambda: 300.0)
    async with in_background(storage):
        move(storage, B)
        await trio.sleep(when)
        log.truncate(15)
        for number in range(15, 30):
            log.append(batch(f"other {number}"), 9, NOW_MS)
        await until_moved(storage)
    assert log.directory.parent == B
    assert await values(log) == [f"value {n}" for n in range(15)] + [f"other {n}" for n in range(15, 30)]


async def test_back_where_it_is_ends_the_move_and_nothing_is_left(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 40)
    storage.pace_moves(lambda: 100.0)
    async with in_background(storage):
        move(storage, B)
        await trio.sleep(10)
        move(storage, A)
        assert list(storage._moves) == []
        append(log, 1)
        await trio.sleep(100)
    assert partition_directories(disk) == {"/a": ["orders-0"], "/b": []}
    assert await values(log) == expected(log)


async def test_to_a_third_directory_before_it_has_arrived_in_the_second(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk, A, B, C)
    append(log, 40)
    storage.pace_moves(lambda: 1000.0)
    async with in_background(storage):
        move(storage, B)
        await trio.sleep(1)
        move(storage, C)
        move(storage, C)
        await until_moved(storage)
        await trio.sleep(100)
    assert log.directory.parent == C
    assert partition_directories(disk) == {"/a": [], "/b": []}


@pytest.mark.parametrize("when", [0.0, 5.0, 10.0])
async def test_a_log_that_is_deleted_meanwhile_is_gone_from_both(when: float, autojump_clock: object) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 40)
    storage.pace_moves(lambda: 500.0)
    async with in_background(storage):
        move(storage, B)
        await trio.sleep(when)
        await storage.delete(ORDERS)
        await trio.sleep(100)
    assert partition_directories(disk) == {"/a": [], "/b": []}
    again = storage_on(disk.after_crash(), [A, B])
    await started(again)
    assert again.get(ORDERS) is None


async def test_before_there_is_a_log_its_directory_is_remembered() -> None:
    storage = storage_on(FakeDisk(), [A, B, C])
    await started(storage)
    storage.move("orders", 0, None, "/c")
    assert storage.create(ORDERS, "orders", OPTIONS).directory.parent == C


async def test_a_directory_that_is_not_configured_or_failed_is_refused() -> None:
    disk = FakeDisk()
    disk.fail("create", errno.EIO, path="/b/meta.properties.tmp")
    storage, log = await with_log(disk)
    append(log, 1)
    with pytest.raises(NoSuchDirectory):
        move(storage, C)
    with pytest.raises(StorageFailed, match="/b is offline"):
        move(storage, B)


async def test_a_target_that_fails_leaves_the_log_where_it_is(
    caplog: pytest.LogCaptureFixture, autojump_clock: object
) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 40)
    storage.pace_moves(lambda: 300.0)
    async with in_background(storage):
        move(storage, B)
        await trio.sleep(5)
        disk.fail("write", errno.EIO, path=".log")
        await trio.sleep(20)
        assert list(storage._moves) == []
        append(log, 5)
        assert await values(log) == expected(log)
    assert log.directory.parent == A
    assert log.failure is None
    assert "orders-0 stays in /a" in caplog.text


async def test_a_full_target_is_waited_for(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 40)
    async with in_background(storage):
        disk.fail("write", errno.ENOSPC, path="500.log", times=0)
        future_writes = iter(range(5))
        real = storage._directories.at(B).space.take

        class FullForNow:
            room = 0

            def take(self, size: int, *, from_reserve: bool) -> None:
                if next(future_writes, None) is not None:
                    raise DiskFull("full")
                real(size, from_reserve=from_reserve)

            def measured(self, total: int, usable: int) -> None: ...

        storage._directories.at(B).space = FullForNow()  # type: ignore[assignment]
        move(storage, B)
        await until_moved(storage)
    assert log.directory.parent == B
    assert await values(log) == expected(log)


async def test_a_damaged_batch_is_not_taken_along(caplog: pytest.LogCaptureFixture, autojump_clock: object) -> None:
    """Copied it would count as written by this process, and nobody would look at its checksum again."""
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 40)
    path = log.segments[1].path
    raw = bytearray(disk.contents(path))
    raw[-1] ^= 1
    disk.put(path, bytes(raw))
    async with in_background(storage):
        move(storage, B)
        await until_moved(storage)
        await trio.sleep(61)
    assert log.directory.parent == A
    assert "damaged at byte" in caplog.text
    assert partition_directories(disk) == {"/a": ["orders-0"], "/b": []}


async def test_a_move_goes_on_after_a_clean_stop(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 40)
    storage.pace_moves(lambda: 300.0)
    async with in_background(storage):
        move(storage, B)
        await trio.sleep(5)
    await storage.close()
    again, found = await with_log(disk.after_crash())
    (under_way,) = again._moves
    assert 0 < under_way.future.end_offset < 40
    async with in_background(again):
        append(found, 5)
        await until_moved(again)
    assert found.directory.parent == B
    assert await values(found) == expected(found)


async def test_what_a_future_log_has_more_than_the_log_is_cut(autojump_clock: object) -> None:
    """After a power cut: the log lost its tail, and what was copied of it was durable."""
    disk = FakeDisk()
    storage, log = await with_log(disk)
    log.settings = LogOptions()  # a roll would flush
    append(log, 10)
    await log.flush()
    append(log, 10)
    async with in_background(storage):
        storage.pace_moves(lambda: 300.0)
        move(storage, B)
        await trio.sleep(4)
        (under_way,) = storage._moves
        await under_way.future.flush()
    copied = under_way.future.end_offset
    assert copied > 10
    again, found = await with_log(disk.crashed(POWER_CUT))
    assert 10 <= found.end_offset < copied
    for number in range(found.end_offset, 25):
        found.append(batch(f"value {number}"), 9, NOW_MS)
    async with in_background(again):
        await until_moved(again)
    assert found.directory.parent == B
    assert await values(found) == expected(found)


async def test_a_future_log_of_another_topic_is_removed(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 3)
    await storage.close()
    other = B / f"orders-0.{'a' * 32}-future"
    disk.make_directory(other)
    disk.put(other / "partition.metadata", b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ")
    again, _ = await with_log(disk.after_crash())
    async with in_background(again):
        await trio.sleep(61)
        assert list(again._moves) == []
    assert not any("future" in name for name in again._disk.names(B))


async def test_places_are_not_changed_while_compaction_exchanges_segments(autojump_clock: object) -> None:
    """Its new segment would be given its name in the directory that is left."""
    storage, log = await with_log(FakeDisk())
    append(log, 20)
    source = Sources(log, log.segments[:1])
    async with in_background(storage):
        log.swap = Swap(source, log.segments[0])
        move(storage, B)
        await trio.sleep(20)
        assert log.directory.parent == A
        log.swap = None
        await until_moved(storage)
    assert log.directory.parent == B
    with pytest.raises(SourcesChanged):
        source.check()


async def story(storage: SegmentStorage, log: SegmentLog, promised: list[int]) -> None:
    """Appends all the time; `promised` is what was flushed, and what was appended."""
    async with in_background(storage):
        move(storage, B)
        for _ in range(12):
            append(log, 1)
            promised[1] = log.end_offset
            await trio.lowlevel.checkpoint()
        promised[0] = await log.flush()
        with trio.fail_after(60):
            while list(storage._moves):
                append(log, 1)
                promised[1] = log.end_offset
                if log.end_offset % 3 == 0:
                    promised[0] = await log.flush()
                await trio.lowlevel.checkpoint()
        append(log, 1)
        promised[0] = await log.flush()
        promised[1] = log.end_offset
        await trio.sleep(61)


@pytest.mark.parametrize("steps", [61, pytest.param(1, marks=pytest.mark.campaign)])
@pytest.mark.parametrize("crash", [KILL, POWER_CUT], ids=["kill", "power"])
async def test_a_crash_at_every_step_leaves_one_of_both_whole(crash: Crash, steps: int, autojump_clock: object) -> None:
    for crash_at in count(0, steps):
        disk = FakeDisk()
        storage, log = await with_log(disk)
        append(log, 12)
        promised = [await log.flush(), log.end_offset]
        await storage._checkpointer.write_all()
        disk.crash_at = len(disk.calls) + crash_at
        finished = True
        try:
            await story(storage, log, promised)
        except* PowerCut:
            finished = False
        disk.crash_at = None
        await check(disk.crashed(crash), promised, killed=crash is KILL)
        if finished:
            assert crash_at > 50
            return


async def check(disk: FakeDisk, promised: list[int], *, killed: bool) -> None:
    """A start on what is left finds all that was promised, goes on with the move, and so does the next start."""
    storage, log = await with_log(disk)
    log.check()
    assert log.end_offset >= (promised[1] if killed else promised[0])
    assert await values(log) == expected(log)
    async with in_background(storage):
        await until_moved(storage)
        append(log, 1)
        assert await values(log) == expected(log)
        await trio.sleep(61)
    end_offset = log.end_offset
    await storage.close()
    assert sum(len(names) for names in partition_directories(disk).values()) == 1
    assert not disk.paths(".moved")
    _, again = await with_log(disk.after_crash())
    assert again.end_offset == end_offset
    assert await values(again) == expected(again)


async def test_what_was_flushed_in_the_old_place_is_durable_in_the_new_one_before_the_old_one_goes() -> None:
    """Nobody else flushes here: whatever the power cut leaves, it is the move's own doing."""
    for crash_at in count():
        disk = FakeDisk()
        storage, log = await with_log(disk)
        append(log, 12)
        move(storage, B)
        (under_way,) = storage._moves
        while not under_way.marked:
            await storage._moves._step(under_way)
        append(log, 3)
        assert await log.flush() == 15
        disk.crash_at = len(disk.calls) + crash_at
        finished = True
        try:
            while list(storage._moves):
                await storage._moves._step(under_way)
        except PowerCut:
            finished = False
        disk.crash_at = None
        crashed = disk.crashed(POWER_CUT)
        _, found = await with_log(crashed)
        found.check()
        assert found.end_offset == 15
        assert await values(found) == expected(found)
        if finished:
            assert crash_at > 15
            return


async def test_what_is_flushed_right_after_the_change_of_places_is_durable_under_the_new_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its bytes in a directory that comes back as a future log would be cut off to what the old one has."""
    disk = FakeDisk()
    storage, log = await with_log(disk)
    append(log, 12)
    await log.flush()
    await storage._checkpointer.write_all()
    move(storage, B)
    (under_way,) = storage._moves
    while under_way.leaving is None:
        await storage._moves._step(under_way)
    append(log, 3)
    promised = await log.flush()
    with pytest.raises(StorageFailed, match="goes on as"):
        await under_way.future.flush()
    assert "offline" not in caplog.text
    _, again = await with_log(disk.after_crash())
    assert again.end_offset == promised
