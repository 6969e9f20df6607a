"""Reads that wait for the disk, hold files, or meet an index that is wrong."""

import os
from pathlib import Path

import pytest

from broker.storage.contract import BatchDamaged, StorageFailed
from broker.storage.files import SystemDisk
from broker.storage.segments import rolling
from broker.storage.segments.contents import BATCHES_A_STEP
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.reading import OPEN_RETIRED
from broker.testing.disk import FakeDisk
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, batch, everything, started, storage_on, stored
from kproto.records.batch import split


async def with_batches(disk: FakeDisk, count: int, options: LogOptions) -> SegmentLog:
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", options)
    for number in range(count):
        log.append(batch(f"{number:060d}", at_ms=NOW_MS + number), 0, NOW_MS)
    return log


class CountingDisk(FakeDisk):
    """Counts what is handed to threads."""

    threads = 0

    async def in_thread(self, call):  # type: ignore[no-untyped-def]
        self.threads += 1
        return await super().in_thread(call)


async def test_old_pages_that_are_not_in_memory_are_waited_for_in_a_thread() -> None:
    disk = CountingDisk()
    log = await with_batches(disk, 20, LogOptions(segment_bytes=500))
    disk.cold = True
    for segment in log.segments[:-1]:
        segment.release()
    before = disk.threads
    assert next(split(memoryview(await stored(log, 0))))[0].base_offset == 0
    assert disk.threads > before
    again = disk.threads
    await stored(log, 0)
    assert disk.threads == again


async def test_the_tail_is_never_asked_about() -> None:
    disk = CountingDisk()
    log = await with_batches(disk, 20, LogOptions())
    before = disk.threads
    for offset in range(20):
        await stored(log, offset)
    assert disk.threads == before


async def test_a_run_of_a_file_can_be_sent_by_its_descriptor(tmp_path: Path) -> None:
    storage = storage_on(SystemDisk(), [tmp_path])
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    for _ in range(5):
        log.append(batch("x" * 10_000), 0, NOW_MS)
    found = await log.read(1, 25_000, 5)
    assert found.file is not None
    assert os.pread(found.file, len(found), found.position) == found.read()
    assert next(split(memoryview(found.read())))[0].base_offset == 1
    await storage.delete(ORDERS)
    assert len(found.read()) == len(found) == 25_000
    found.release()
    await storage.close()


async def test_few_files_of_old_segments_stay_open(tmp_path: Path) -> None:
    storage = storage_on(SystemDisk(), [tmp_path])
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions(segment_bytes=100))
    for _ in range(40):
        log.append(batch("x" * 60), 0, NOW_MS)
    await log.flush()
    await everything(log)
    opened = [segment for segment in log.segments if segment._file is not None]
    assert len(opened) <= OPEN_RETIRED + 1
    await storage.close()


async def test_a_reader_that_comes_back_where_it_stopped_needs_no_index() -> None:
    log = await with_batches(FakeDisk(), 10, LogOptions(index_interval_bytes=0))
    await stored(log, 3)
    log.append(batch("next"), 0, NOW_MS)
    log.segments[-1].index.clear()
    assert next(split(memoryview(await stored(log, 10))))[0].base_offset == 10


async def test_an_index_damaged_while_the_broker_runs_is_built_anew_in_slices() -> None:
    disk = FakeDisk()
    count = 3 * BATCHES_A_STEP
    log = await with_batches(disk, count, LogOptions(segment_bytes=150 * count, index_interval_bytes=100))
    rolling.roll(log, log.end_offset, NOW_MS)
    retired = log.segments[0]
    assert retired.index.frozen
    retired.index.close()
    disk.put(retired.index.path, bytes(len(disk.contents(retired.index.path)) - 8) + b"\0\0\0\1\0\0\0\7")
    for offset in (1, 400, count - 1):
        assert next(split(memoryview(await stored(log, offset))))[0].base_offset == offset


async def test_a_log_damaged_in_the_middle_refuses_the_damaged_batch_and_serves_the_rest() -> None:
    disk = FakeDisk()
    log = await with_batches(disk, 10, LogOptions(index_interval_bytes=1 << 20))
    path = log.segments[0].path
    size = len(disk.contents(path)) // 10
    damaged = bytearray(disk.contents(path))
    damaged[5 * size + 8 : 5 * size + 12] = b"\xff\xff\xff\xff"
    disk.put(path, bytes(damaged))
    log.segments[0].release()
    log.segments[0]._remembered.clear()
    assert next(split(memoryview(await stored(log, 8))))[0].base_offset == 8
    with pytest.raises(BatchDamaged):
        await stored(log, 5)
    assert next(split(memoryview(await stored(log, 2))))[0].base_offset == 2


async def test_a_file_cut_shorter_behind_our_back_is_noticed() -> None:
    disk = FakeDisk()
    log = await with_batches(disk, 3, LogOptions())
    path = log.segments[0].path
    disk.put(path, disk.contents(path)[:-5])
    log.segments[0].release()
    with pytest.raises(StorageFailed):
        await stored(log, 0)


class TellingDisk(FakeDisk):
    """Says when somebody waits for it; `said` is its reader's, too."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    async def in_thread(self, call):  # type: ignore[no-untyped-def]
        self.said.append("disk")
        return await super().in_thread(call)

    async def breathe(self) -> None:
        self.said.append("breathe")


@pytest.mark.parametrize("question", ["read", "find_time", "find_max_time"])
async def test_who_waits_for_the_disk_is_told_before(question: str) -> None:
    """So that answers made before do not wait with it."""
    disk = TellingDisk()
    before = storage_on(disk)
    await started(before)
    written = before.create(ORDERS, "orders", LogOptions(segment_bytes=500))
    for number in range(20):
        written.append(batch(f"{number:060d}", at_ms=NOW_MS + number), 0, NOW_MS)
    await before.close()
    disk.cold = True
    storage = storage_on(disk)
    storage.claim(None)
    (log,) = await storage.load()
    disk.said.clear()
    if question == "read":
        (await log.read(2, 1 << 20, 20, disk.breathe)).release()
    elif question == "find_time":
        assert (await log.find_time(NOW_MS + 5, disk.breathe)) is not None
    else:
        assert (await log.find_max_time(disk.breathe)) is not None
    assert "disk" in disk.said
    for number, said in enumerate(disk.said):
        assert said == "breathe" or disk.said[number - 1] == "breathe", disk.said
