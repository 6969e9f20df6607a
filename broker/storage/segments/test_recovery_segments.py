"""A damage in the segment that was written last: what was durable is refused or served, at this start and the next."""

from collections.abc import Iterable

import pytest

from broker.storage.contract import BatchDamaged
from broker.storage.directories.directory import CLEAN_SHUTDOWN
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.storage import DATA, NOW_MS, ORDERS, LogOptions, batch, started, storage_on, stored
from kproto.records.batch import split

LOG = DATA / "orders-0" / "00000000000000000000.log"
BATCHES = 6
END = 2 * BATCHES
PLACES = (2, BATCHES - 2, BATCHES - 1)
"""Of the batch that is damaged: indexed, and behind the last index entry."""
OPTIONS = LogOptions(index_interval_bytes=150)
OUTSIDE_THE_CHECKSUM = {*range(8), *range(12, 16)}
"""Bytes of a batch: base offset and leader epoch. After a kill nobody knows what stood there at the end of the log."""


async def opened(disk: FakeDisk) -> tuple[SegmentStorage, SegmentLog]:
    storage = storage_on(disk, defaults=OPTIONS)
    await started(storage)
    return storage, storage.create(ORDERS, "orders", OPTIONS)


def append(log: SegmentLog, count: int) -> None:
    """Batches of two records, of an idempotent producer."""
    for _ in range(count):
        number = log.end_offset // 2
        producer = (7, 0, log.end_offset)
        log.append(batch(f"{number}" * 9, "b", at_ms=NOW_MS + number, producer=producer), number // 3, NOW_MS)


async def left_by_a_clean_stop() -> tuple[FakeDisk, list[bytes]]:
    """One segment of six batches, and these."""
    disk = FakeDisk()
    storage, log = await opened(disk)
    append(log, BATCHES)
    await storage.close()
    return disk, batches_in(disk)


def batches_in(disk: FakeDisk) -> list[bytes]:
    return [bytes(piece) for _, piece in split(memoryview(disk.contents(LOG)))]


def put(disk: FakeDisk, *batches: bytes) -> FakeDisk:
    damaged = disk.after_crash(power_cut=False)
    damaged.put(LOG, b"".join(batches))
    return damaged


def flipped(batches: list[bytes], number: int, bit: int) -> list[bytes]:
    changed = bytearray(batches[number])
    changed[bit // 8] ^= 1 << bit % 8
    return [*batches[:number], bytes(changed), *batches[number + 1 :]]


def unclean(disk: FakeDisk) -> FakeDisk:
    """As if the broker had been killed right after all was flushed."""
    disk.remove(DATA / CLEAN_SHUTDOWN)
    return disk


async def served(log: SegmentLog, offset: int) -> bytes | None:
    """The batch that a consumer gets who asks for that offset; None for CORRUPT_MESSAGE."""
    try:
        return bytes(next(split(memoryview(await stored(log, offset))))[1])
    except BatchDamaged:
        return None


async def must_serve_all_but(number: int, batches: list[bytes], log: SegmentLog) -> None:
    assert log.end_offset == 2 * len(batches)
    for offset in range(log.end_offset):
        wanted = None if offset // 2 == number else batches[offset // 2]
        assert await served(log, offset) == wanted, f"offset {offset}"


async def is_served_around(disk: FakeDisk, batches: list[bytes], number: int, bits: Iterable[int]) -> None:
    """At a start after a clean stop, at the next one, and after a kill; what is written then comes behind all."""
    for bit in bits:
        damaged = put(disk, *flipped(batches, number, bit))
        for _ in range(2):
            storage, log = await opened(damaged)
            await must_serve_all_but(number, batches, log)
            await storage.close()
        if bit // 8 not in OUTSIDE_THE_CHECKSUM:
            _, log = await opened(unclean(damaged))
            append(log, 1)
            await must_serve_all_but(number, [*batches, damaged.contents(LOG)[sum(map(len, batches)) :]], log)


@pytest.mark.parametrize("number", PLACES)
async def test_a_bit_of_the_newest_segment_is_served_around_at_every_start(number: int) -> None:
    disk, batches = await left_by_a_clean_stop()
    await is_served_around(disk, batches, number, range(number, 8 * len(batches[number]), 11))


@pytest.mark.campaign
@pytest.mark.parametrize("number", PLACES)
async def test_every_bit_of_the_newest_segment_is_served_around_at_every_start(number: int) -> None:
    disk, batches = await left_by_a_clean_stop()
    await is_served_around(disk, batches, number, range(8 * len(batches[number])))


async def test_behind_a_damage_a_torn_end_is_cut_and_nothing_else() -> None:
    disk, _ = await left_by_a_clean_stop()
    storage, log = await opened(disk)
    append(log, 3)
    await storage._checkpointer.write_all()
    written = batches_in(disk)
    sound, torn = written[:-1], written[-1][:-1]
    damaged = put(disk, *flipped(sound, 2, 8 * 70), torn)
    for _ in range(2):
        _, log = await opened(damaged)
        await must_serve_all_but(2, sound, log)
        assert len(damaged.contents(LOG)) == sum(map(len, sound))
        damaged = damaged.after_crash()


async def test_producers_behind_a_damage_are_known() -> None:
    """The batch whose length is wrong ends the row of headers; a retry of a later one must not be stored again."""
    disk, batches = await left_by_a_clean_stop()
    _, log = await opened(put(disk, *flipped(batches, BATCHES - 2, 8 * 8)))
    last, _ = next(split(memoryview(batches[-1])))
    assert log.producers.check(last) == (END - 2, NOW_MS + BATCHES)


async def test_where_batches_may_be_missing_at_the_end_the_log_is_offline_and_its_file_as_it_was() -> None:
    disk, batches = await left_by_a_clean_stop()
    for size in range(1, len(batches[-1]) + len(batches[-2])):
        cut = put(disk, b"".join(batches)[:-size])
        before = cut.contents(LOG)
        storage = storage_on(cut)
        await started(storage)
        found = storage.get(ORDERS)
        assert found is not None
        assert found.failure is not None
        assert cut.contents(LOG) == before
