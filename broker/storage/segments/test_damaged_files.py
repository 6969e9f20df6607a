"""Every bit and every length of every kind of file in a data directory: rows 51, 53 and 54 of the faults.

What may follow: nothing at all, a file built anew, or a log that is offline and says so. What may not: an exception
that nobody expects, a log that is shorter, records that are not those that were written. (Bits of `.log` files that are
met later, by a reader, are in `test_damage.py`.) By default some of them; the campaign does all.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker.config.problems import OperatorError
from broker.storage.contract import BatchDamaged, Identity, StorageFailed
from broker.storage.directories.directory import CLEAN_SHUTDOWN, META_PROPERTIES
from broker.storage.segments.checkpoints import CLEANED_OFFSETS, HIGH_WATERMARKS, LOG_STARTS, RECOVERY_POINTS
from broker.testing.disk import FakeDisk
from broker.testing.promises import Version
from broker.testing.starting import batches_of
from broker.testing.storage import DATA, NOW_MS, ORDERS, LogOptions, batch, started, storage_on, stored
from kproto.records.control import EndTxnMarker, MarkerType, build_marker

OPTIONS = LogOptions(segment_bytes=700, index_interval_bytes=100)
PARTITION = DATA / "orders-0"
START = 2
IN_PARTITION = [".log", ".index", ".timeindex", ".txnindex", ".snapshot", "leader-epoch-checkpoint"]
IN_PARTITION += ["partition.metadata"]
BESIDE = [META_PROPERTIES, RECOVERY_POINTS, LOG_STARTS, HIGH_WATERMARKS, CLEANED_OFFSETS, CLEAN_SHUTDOWN]
KINDS = IN_PARTITION + BESIDE
Count = Callable[[str, object], None]


async def written() -> tuple[FakeDisk, Version]:
    """A stopped storage with one of each kind of file, and the batches in it, also those below its start."""
    disk = FakeDisk()
    storage = storage_on(disk, defaults=OPTIONS)
    await started(storage)
    storage.identify(Identity(1, "a cluster"))
    log = storage.create(ORDERS, "orders", OPTIONS)
    for number in range(6):
        epoch = number // 3
        log.append(batch(f"{number}", producer=(7, 0, number), transactional=True), epoch, NOW_MS + 1000 * number)
        kind = MarkerType.ABORT if number % 2 else MarkerType.COMMIT
        marker = build_marker(EndTxnMarker(kind, 1), producer_id=7, producer_epoch=0, timestamp_ms=NOW_MS)
        log.append(memoryview(bytearray(marker)), epoch, NOW_MS)
        log.append(batch("plain", "x" * 50), epoch, NOW_MS + 1000 * number)
    every = await batches_of(log)
    log.advance_start(START)
    log.cleaned_offset = 1
    log.high_watermark = log.end_offset
    await storage.close()
    return disk, every


def of_kind(disk: FakeDisk, kind: str) -> list[Path]:
    folder = DATA if kind in BESIDE else PARTITION
    return [path for path in disk.paths(kind) if path.parent == folder]


def bits(data: bytes) -> Iterator[bytes]:
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        yield bytes(damaged)


def lengths(data: bytes) -> Iterator[bytes]:
    """All that are shorter, and some that are longer."""
    for length in range(len(data)):
        yield data[:length]
        yield data[:length].ljust(len(data), b"\0")
    for tail in (b"\0", b"\n", bytes(100), b"\xff" * 61, data):
        yield data + tail


WAYS = {"bits": bits, "lengths": lengths}


async def is_borne(disk: FakeDisk, kind: str, every: Version) -> str:
    """What came of the damage.  Raises: AssertionError, or what nobody expects."""
    storage = storage_on(disk, defaults=OPTIONS)
    try:
        await started(storage)
    except OperatorError:
        assert kind == META_PROPERTIES
        return "refused"
    try:
        log = storage.create(ORDERS, "orders", OPTIONS)
        assert log.end_offset >= every[-1].next_offset, "the log is shorter"
        found = await batches_of(log)
        await log.find_max_time()
        await log.aborted_transactions(log.start_offset, 1 << 20, log.end_offset)
    except (StorageFailed, BatchDamaged):
        return "offline"
    finally:
        await storage.close()
    wanted = tuple(one for one in every if one.next_offset > log.start_offset)
    if kind == ".log":
        assert not bits_of_a_batch_differ(found, wanted), "something else is there"
    else:
        assert found == wanted
    assert log.start_offset == START or kind == LOG_STARTS
    return "borne"


def bits_of_a_batch_differ(found: Version, wanted: Version) -> bool:
    """No checksum covers base offset and leader epoch; and where batches may be missing none tells that one is."""
    covered = {one.data[8:12] + one.data[16:] for one in wanted}
    return any(one.data[8:12] + one.data[16:] not in covered for one in found)


async def all_are_borne(kind: str, way: str, step: int) -> int:
    disk, every = await written()
    paths = of_kind(disk, kind)
    assert paths, "there is no such file"
    damages = 0
    for path in paths if step == 1 else paths[:2]:
        for damaged in list(WAYS[way](disk.contents(path)))[::step]:
            crashed = disk.after_crash(power_cut=False)
            crashed.put(path, damaged)
            try:
                await is_borne(crashed, kind, every)
            except Exception as breach:
                raise AssertionError(f"{path.name} as {damaged!r}") from breach
            damages += 1
    return damages


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
async def test_damage_is_borne(kind: str, way: str) -> None:
    assert await all_are_borne(kind, way, 101 if kind in (".log", ".snapshot") else 13)


@pytest.mark.campaign
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_damage_is_borne(kind: str, way: str, record_property: Count) -> None:
    record_property("counted damaged files, all borne", await all_are_borne(kind, way, 1))


async def test_the_log_is_right_where_a_damaged_index_says_otherwise() -> None:
    """An entry for every third batch; with some bits flipped it names an offset that lies before its place."""
    options = LogOptions(index_interval_bytes=150)
    disk = FakeDisk()
    storage = storage_on(disk, defaults=options)
    await started(storage)
    log = storage.create(ORDERS, "orders", options)
    for number in range(11):
        log.append(batch(f"{number:02}", at_ms=NOW_MS + number), 0, NOW_MS)
    every = await batches_of(log)
    await storage.close()
    path = of_kind(disk, ".index")[0]
    for damaged in bits(disk.contents(path)):
        crashed = disk.after_crash(power_cut=False)
        crashed.put(path, damaged)
        storage = storage_on(crashed, defaults=options)
        await started(storage)
        log = storage.create(ORDERS, "orders", options)
        for offset in range(1, 11):
            assert await stored(log, offset, max_bytes=1) == every[offset].data
        for end in (8, 5, 4):
            log.truncate(end)
            assert await batches_of(log) == every[:end]
