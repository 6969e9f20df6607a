"""One bit of a stored batch is not what was written (row 53 of the fault catalogue): no reader ever gets it as good."""

import pytest

from broker.storage.contract import BatchDamaged, StorageFailed
from broker.storage.segments import rolling
from broker.storage.segments.checked import Checked
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.storage import DATA, NOW_MS, ORDERS, LogOptions, batch, started, storage_on, stored
from kproto.records.batch import build_batch, read_header, split
from kproto.records.compression import Codec
from kproto.records.record import Record

LOG = DATA / "orders-0" / "00000000000000000000.log"
BATCHES = 6
OPTIONS = LogOptions(segment_bytes=1 << 20, index_interval_bytes=150)


async def left_by_a_clean_stop(codec: Codec = Codec.NONE) -> tuple[FakeDisk, list[bytes]]:
    """A closed segment of six batches of two records, an open one behind it; and the batches."""
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", OPTIONS)
    for number in range(BATCHES):
        log.append(batch(f"{number}" * 9, "second", at_ms=NOW_MS + number, codec=codec), number // 3, NOW_MS)
    rolling.roll(log, log.end_offset, NOW_MS)
    log.append(batch("open"), 1, NOW_MS)
    await storage.close()
    return disk, [bytes(piece) for _, piece in split(memoryview(disk.contents(LOG)))]


async def opened(disk: FakeDisk) -> SegmentLog:
    storage = storage_on(disk.after_crash(power_cut=False))
    await started(storage)
    return storage.create(ORDERS, "orders", OPTIONS)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


async def served(log: SegmentLog, offset: int) -> list[bytes]:
    """Whole batches, as a consumer takes them from one answer; none if the answer is a refusal."""
    try:
        return [bytes(piece) for _, piece in split(memoryview(await stored(log, offset)))]
    except BatchDamaged:
        return []


async def must_serve_all_but(log: SegmentLog, batches: list[bytes], damaged: int) -> None:
    """Every sound batch from each offset, the damaged one never, and no other answer than these."""
    for offset in range(2 * BATCHES):
        pieces = await served(log, offset)
        number = offset // 2
        assert pieces == ([] if number == damaged else batches[number : damaged if number < damaged else None])


def bits_of(number: int, batches: list[bytes]) -> range:
    before = sum(map(len, batches[:number]))
    return range(8 * before, 8 * (before + len(batches[number])))


async def test_every_bit_of_a_batch_flipped_while_the_broker_was_down(caplog: pytest.LogCaptureFixture) -> None:
    disk, batches = await left_by_a_clean_stop()
    sound = disk.contents(LOG)
    for bit in bits_of(2, batches):
        disk.put(LOG, flipped(sound, bit))
        caplog.clear()
        log = await opened(disk)
        assert log.end_offset == 2 * BATCHES + 1
        await must_serve_all_but(log, batches, 2)
        told = [record for record in caplog.records if "damaged" in record.getMessage()]
        assert len(told) == 1, bit
        assert "offsets 4 to 5" in told[0].getMessage()


async def every_bit(codec: Codec, numbers: range) -> None:
    disk, batches = await left_by_a_clean_stop(codec)
    sound = disk.contents(LOG)
    log = await opened(disk)
    segment, at = log.segments[0], log.disk
    assert isinstance(at, FakeDisk)
    for number in numbers:
        for bit in bits_of(number, batches):
            at.put(LOG, flipped(sound, bit))
            segment.release()
            segment.checked = Checked(own_from=segment.size)
            segment._remembered.clear()
            await must_serve_all_but(log, batches, number)


async def test_every_bit_of_the_first_and_the_last_batch_of_a_segment() -> None:
    await every_bit(Codec.NONE, range(0, BATCHES, BATCHES - 1))


@pytest.mark.campaign
@pytest.mark.parametrize("codec", Codec)
async def test_every_bit_of_a_segment(codec: Codec) -> None:
    await every_bit(codec, range(BATCHES))


async def test_two_batches_that_overlap_behind_a_gap_are_both_refused() -> None:
    """Compaction leaves gaps: then nobody can tell which of the two has moved."""
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", OPTIONS)
    sound = [bytes(batch("one", "two", base_offset=offset, epoch=0)) for offset in (4, 6, 8)]
    log.append_as_follower(memoryview(bytearray(b"".join(sound))), NOW_MS)
    rolling.roll(log, log.end_offset, NOW_MS)
    await storage.close()
    data = disk.contents(LOG)
    disk.put(LOG, flipped(data, 8 * (len(sound[0]) + 7) + 1))
    log = await opened(disk)
    assert log.segments[0].base_offset == 0
    for offset in (4, 5, 6, 7):
        assert await served(log, offset) == []
    assert await served(log, 8) == sound[2:]


async def test_behind_a_damaged_length_only_a_batch_that_can_follow_is_taken_for_one() -> None:
    """The wrong length leads into a value that looks like an older batch; it is none of this log."""
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions(segment_bytes=1 << 20))
    log.append(batch("first"), 0, NOW_MS)
    inner = bytes(batch("inner", base_offset=0, epoch=0))
    record = Record(timestamp_ms=NOW_MS, value=b"-" * 40 + inner)
    log.append(memoryview(bytearray(build_batch([record]))), 0, NOW_MS)
    log.append(batch("last"), 0, NOW_MS)
    rolling.roll(log, log.end_offset, NOW_MS)
    await storage.close()
    data = bytearray(disk.contents(LOG))
    pieces = [bytes(piece) for _, piece in split(memoryview(bytes(data)))]
    at = len(pieces[0])
    data[at + 8 : at + 12] = (bytes(data).index(inner) - at - 12).to_bytes(4, "big")
    disk.put(LOG, bytes(data))
    log = await opened(disk)
    assert await served(log, 0) == pieces[:1]
    assert await served(log, 1) == []
    assert await served(log, 2) == pieces[2:]


async def test_a_batch_compressed_is_checked_as_it_lies_there() -> None:
    disk, batches = await left_by_a_clean_stop(Codec.LZ4)
    disk.put(LOG, flipped(disk.contents(LOG), bits_of(3, batches)[-40]))
    await must_serve_all_but(await opened(disk), batches, 3)


async def test_what_was_checked_once_is_not_checked_again() -> None:
    disk, _ = await left_by_a_clean_stop()
    log = await opened(disk)
    assert log.segments[0].checked.own_from == log.segments[0].size
    await stored(log, 0)
    assert log.segments[0].checked.own_from == 0


async def test_a_time_is_not_looked_up_in_a_damaged_batch() -> None:
    disk, batches = await left_by_a_clean_stop()
    disk.put(LOG, flipped(disk.contents(LOG), bits_of(2, batches)[8 * 40]))
    log = await opened(disk)
    with pytest.raises(BatchDamaged):
        await log.find_time(NOW_MS + 3)
    found = await log.find_time(NOW_MS + 6)
    assert found is not None
    assert found.offset == 11


async def test_a_log_with_a_damaged_batch_can_be_cut_there_and_goes_on() -> None:
    disk, batches = await left_by_a_clean_stop()
    disk.put(LOG, flipped(disk.contents(LOG), bits_of(2, batches)[8 * 9]))
    log = await opened(disk)
    assert await served(log, 4) == []
    log.truncate(4)
    assert log.end_offset == 4
    assert log.append(batch("anew"), 3, NOW_MS) == 4
    assert read_header(memoryview(await stored(log, 4))).base_offset == 4


async def test_indexes_are_built_anew_around_a_damage() -> None:
    disk, batches = await left_by_a_clean_stop()
    disk.put(LOG, flipped(disk.contents(LOG), bits_of(2, batches)[8 * 8]))
    for suffix in (".index", ".timeindex"):
        disk.put(LOG.with_suffix(suffix), b"\xff" * 7)
    await must_serve_all_but(await opened(disk), batches, 2)


async def test_a_segment_of_noise_is_one_damage() -> None:
    disk, _ = await left_by_a_clean_stop()
    disk.put(LOG, b"\x5a" * len(disk.contents(LOG)))
    log = await opened(disk)
    for offset in range(2 * BATCHES):
        with pytest.raises(StorageFailed):
            await stored(log, offset)
    assert read_header(memoryview(await stored(log, 2 * BATCHES))).base_offset == 2 * BATCHES
