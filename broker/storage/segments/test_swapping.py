"""The power goes at every call of a compaction: either the old segments are there or the new one, never a mixture."""

from contextlib import suppress
from random import Random

import pytest

from broker.storage.directories.store import SegmentStorage
from broker.testing import crashes
from broker.testing.crashes import KILL, POWER_CUT, Crash
from broker.testing.disk import FakeDisk, PowerCut
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, everything, started, storage_on
from kproto.records.batch import build_batch, read_records, split
from kproto.records.record import Record

KEYS = 3


def options() -> LogOptions:
    return LogOptions(
        cleanup_policy=["compact"],
        segment_bytes=300,
        index_interval_bytes=100,
        min_cleanable_dirty_ratio=0.0,
        file_delete_delay_ms=0,
    )


class Diary:
    """What was promised before the lights went out: values by offset, and how many of them are durable."""

    def __init__(self) -> None:
        self.values: list[tuple[bytes, bytes]] = []
        self.flushed = 0

    def newest(self) -> dict[bytes, int]:
        return {key: offset for offset, (key, _) in enumerate(self.values[: self.flushed])}


def append(storage: SegmentStorage, diary: Diary, count: int) -> None:
    log = storage.create(ORDERS, "orders", options())
    for _ in range(count):
        number = len(diary.values)
        key = f"k{number % KEYS}".encode() if number else b"only once"
        value = f"value {number}".encode()
        made = build_batch([Record(0, NOW_MS + number, key, value)])
        log.append(memoryview(bytearray(made)), 0, NOW_MS)
        diary.values.append((key, value))
    log.high_watermark = log.end_offset


async def compaction(storage: SegmentStorage, diary: Diary) -> None:
    """Two passes, so that the second one meets segments that were cleaned before."""
    log = storage.create(ORDERS, "orders", options())
    for count in (13, 8):
        append(storage, diary, count)
        diary.flushed = await log.flush()
        assert await storage._chores.cleaning.clean_next()
    append(storage, diary, 1)


async def check(disk: FakeDisk, diary: Diary) -> None:
    """A start on what is left, and another one after that."""
    for _ in range(2):
        storage = storage_on(disk, defaults=options())
        await started(storage)
        log = storage.get(ORDERS)
        if log is None:
            assert diary.flushed == 0
            return
        log.check()
        assert log.end_offset >= diary.flushed
        records = [one for _, batch in split(memoryview(await everything(log))) for one in read_records(batch)]
        offsets = [record.offset for record in records]
        assert offsets == sorted(set(offsets))
        assert set(diary.newest().values()) <= set(offsets)
        for record in records:
            assert (record.key, record.value) == diary.values[record.offset]
        assert not [path for path in disk.paths() if path.name.endswith((".cleaned", ".swap"))]
        await storage.close()
        disk = disk.after_crash(power_cut=False)


def crashes_by(chance: Random, calls: int) -> list[Crash]:
    """The plain ones, and some by chance."""
    made = [
        KILL,
        POWER_CUT,
        Crash(crashes.first_bytes(lambda tail: tail // 2), crashes.no_name),
        Crash(crashes.no_byte, crashes.every_name),
        Crash(crashes.every_byte, crashes.no_name),
        Crash(crashes.zeros, crashes.every_name),
    ]
    for names in (crashes.names_by_chance(chance), crashes.names_until(chance.randint(0, calls))):
        made.append(Crash(crashes.blocks(chance, chance.choice([64, 512])), names))
    return made


EVERY_CALL = pytest.param(1, marks=pytest.mark.campaign)


@pytest.mark.parametrize("step", [13, EVERY_CALL])
async def test_a_crash_at_any_call_leaves_the_newest_value_of_each_key(step: int) -> None:
    chance, seen = Random(step), set()
    for crash_at in range(0, 10_000, step):
        disk, diary = FakeDisk(), Diary()
        storage = storage_on(disk, defaults=options())
        await started(storage)
        disk.crash_at = len(disk.calls) + crash_at
        finished = True
        try:
            await compaction(storage, diary)
        except* PowerCut:
            finished = False
        disk.crash_at = None
        for crash in crashes_by(chance, len(disk.calls)):
            left = disk.crashed(crash)
            if left.state() not in seen:
                seen.add(left.state())
                await check(left, diary)
        if finished:
            break
    assert len(seen) > 60


async def crashed_with_swap() -> tuple[FakeDisk, Diary]:
    """The new segment is the truth, and all old ones are there still."""
    crash_at = 0
    while True:
        disk, diary = FakeDisk(), Diary()
        storage = storage_on(disk, defaults=options())
        await started(storage)
        append(storage, diary, 13)
        diary.flushed = await storage.create(ORDERS, "orders", options()).flush()
        disk.crash_at = len(disk.calls) + crash_at
        with suppress(PowerCut):
            await storage._chores.cleaning.clean_next()
        disk.crash_at = None
        if disk.paths(".log.swap") and not disk.paths(".deleted"):
            return disk.after_crash(power_cut=False), diary
        crash_at += 1


@pytest.mark.parametrize("step", [7, EVERY_CALL])
async def test_a_crash_at_any_call_of_that_recovery_is_recovered_from(step: int) -> None:
    for cut in range(0, 200, step):
        disk, diary = await crashed_with_swap()
        disk.crash_at = cut
        finished = False
        with suppress(PowerCut):
            await started(storage_on(disk, defaults=options()))
            finished = True
        disk.crash_at = None
        if not finished:
            await check(disk.after_crash(), diary)
            continue
        assert cut > 10
        return
    pytest.fail("the recovery never finished")


async def test_an_exchange_that_had_begun_is_finished() -> None:
    disk, diary = await crashed_with_swap()
    (swap,) = disk.paths(".log.swap")
    new = disk.contents(swap)
    assert new != disk.contents(swap.with_suffix(""))
    await check(disk, diary)
    assert disk.contents(swap.with_suffix("")) == new


async def test_a_damaged_file_is_not_taken_for_the_segments_it_was_made_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    disk, diary = await crashed_with_swap()
    (swap,) = disk.paths(".log.swap")
    disk.put(swap, disk.contents(swap)[:-1])
    await check(disk, diary)
    assert [record.message for record in caplog.records if "is damaged and not used" in record.message]


async def test_what_was_not_whole_yet_is_forgotten() -> None:
    """Also a `.swap` above a `.cleaned`, which older brokers left when they split a segment."""
    disk, diary = await crashed_with_swap()
    (swap,) = disk.paths(".log.swap")
    disk.put(swap.with_name(swap.name.replace(".swap", ".cleaned")), b"half")
    before = {path: disk.contents(path) for path in disk.paths(".log")}
    await check(disk, diary)
    assert {path: disk.contents(path) for path in disk.paths(".log")} == before
