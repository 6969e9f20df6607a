"""The power goes at every single call to the disk: what was flushed is there, and what is there holds together."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from broker.storage.segments.store import SegmentStorage
from broker.testing.disk import FakeDisk, PowerCut
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, batch, everything, started, storage_on
from kproto.records.batch import read_records, split

OPTIONS = LogOptions(segment_bytes=250, index_interval_bytes=100)


class Diary:
    """What was promised before the lights went out."""

    def __init__(self) -> None:
        self.values: list[str] = []
        """By offset."""
        self.flushed = 0
        self.cut_to: int | None = None
        self.deleting = self.deleted = False
        self.start = 0


Story = Callable[[SegmentStorage, Diary], Awaitable[None]]


def append(storage: SegmentStorage, diary: Diary, name: str, epoch: int) -> None:
    log = storage.create(ORDERS, "orders", OPTIONS)
    value = f"{name} {len(diary.values)}"
    log.append(batch(value, producer=(7, epoch, len(diary.values) if epoch == 0 else -1)), epoch, NOW_MS)
    diary.values.append(value)


async def flush(storage: SegmentStorage, diary: Diary) -> None:
    diary.flushed = await storage.create(ORDERS, "orders", OPTIONS).flush()


async def append_roll_and_flush(storage: SegmentStorage, diary: Diary) -> None:
    for number in range(9):
        append(storage, diary, "first", 0)
        if number % 4 == 3:
            await flush(storage, diary)
    await storage._checkpointer.write_all()
    append(storage, diary, "late", 0)


async def cut_and_write_again(storage: SegmentStorage, diary: Diary) -> None:
    """A follower that follows a new leader: the old tail was durable, the new one is not yet."""
    for _ in range(9):
        append(storage, diary, "first", 0)
    await flush(storage, diary)
    await storage._checkpointer.write_all()
    diary.cut_to = diary.flushed = 3
    storage.create(ORDERS, "orders", OPTIONS).truncate(3)
    del diary.values[3:]
    for _ in range(6):
        append(storage, diary, "second", 1)
    await flush(storage, diary)


async def drop_old_segments(storage: SegmentStorage, diary: Diary) -> None:
    for _ in range(9):
        append(storage, diary, "first", 0)
    await flush(storage, diary)
    log = storage.create(ORDERS, "orders", OPTIONS)
    storage.note_high_watermark(ORDERS, 9)
    log.advance_start(5)
    diary.start = 5
    await log.tidy(NOW_MS)
    await storage._checkpointer.write_all()


async def stop(storage: SegmentStorage, diary: Diary) -> None:
    for _ in range(5):
        append(storage, diary, "first", 0)
    await storage.close()
    diary.flushed = len(diary.values)


async def delete(storage: SegmentStorage, diary: Diary) -> None:
    for _ in range(5):
        append(storage, diary, "first", 0)
    await flush(storage, diary)
    await storage._checkpointer.write_all()
    diary.deleting = True
    await storage.delete(ORDERS)
    diary.deleted = True


async def check(disk: FakeDisk, diary: Diary) -> None:
    """A start on what is left, and another one after that."""
    ends = []
    for _ in range(2):
        storage = storage_on(disk, defaults=OPTIONS)
        await started(storage)
        log = storage.get(ORDERS)
        if log is None:
            assert diary.flushed == 0 or diary.deleting
            return
        assert not diary.deleted
        log.check()
        assert log.end_offset >= diary.flushed
        assert log.start_offset <= diary.start
        await check_contents(await everything(log), log.start_offset, diary)
        ends.append(log.end_offset)
        disk = disk.after_crash(power_cut=False)  # before this start writes anything of its own
        log.append(batch("goes on"), 9, NOW_MS)
    assert ends[0] == ends[1]


async def check_contents(data: bytes, start: int, diary: Diary) -> None:
    offset = start
    for header, one in split(memoryview(data)):
        assert header.base_offset == offset
        for record in read_records(one):
            before_cut = f"first {record.offset}".encode()
            wanted = {diary.values[record.offset].encode()} if record.offset < len(diary.values) else set()
            if diary.cut_to is not None and record.offset >= max(diary.cut_to, diary.flushed):
                wanted |= {before_cut, f"second {record.offset}".encode()}
            if record.offset == len(diary.values):
                wanted |= {f"{kind} {record.offset}".encode() for kind in ("first", "late", "second")}
            assert record.value in wanted
            offset += 1


def nothing(path: Path, tail: int) -> int:
    return 0


def half(path: Path, tail: int) -> int:
    return tail // 2


def all_but_one_byte(path: Path, tail: int) -> int:
    return max(tail - 1, 0)


@pytest.mark.parametrize("story", [append_roll_and_flush, cut_and_write_again, drop_old_segments, stop, delete])
@pytest.mark.parametrize("torn", [None, nothing, half, all_but_one_byte], ids=["kill", "power", "half", "byte"])
async def test_every_crash_state_recovers(story: Story, torn: Callable[[Path, int], int] | None) -> None:
    crash_at = 0
    while True:
        disk, diary = FakeDisk(), Diary()
        storage = storage_on(disk, defaults=OPTIONS)
        await started(storage)
        disk.crash_at = len(disk.calls) + crash_at
        finished = True
        try:
            await story(storage, diary)
        except* PowerCut:
            finished = False
        disk.crash_at = None
        await check(disk.after_crash(power_cut=torn is not None, torn_bytes=torn), diary)
        if finished:
            assert crash_at > 10
            return
        crash_at += 1


async def test_a_crash_at_any_call_of_a_recovery_is_recovered_from() -> None:
    disk, diary = FakeDisk(), Diary()
    storage = storage_on(disk, defaults=OPTIONS)
    await started(storage)
    await append_roll_and_flush(storage, diary)
    for cut in range(60):
        crashed = disk.after_crash(torn_bytes=half)
        crashed.crash_at = cut
        try:
            await started(storage_on(crashed, defaults=OPTIONS))
        except PowerCut:
            crashed.crash_at = None
            await check(crashed.after_crash(), diary)
        else:
            return
    pytest.fail("the recovery never finished")
