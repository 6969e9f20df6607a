"""What a start makes of what an unclean stop left, and of files that somebody damaged."""

from dataclasses import replace

import pytest

from broker.storage.contract import BatchDamaged, StorageFailed
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.storage import DATA, NOW_MS, ORDERS, LogOptions, batch, everything, started, storage_on, stored
from kproto.errors import ApiError
from kproto.records.batch import split

PARTITION = DATA / "orders-0"
LOG = PARTITION / "00000000000000000000.log"
OPTIONS = LogOptions(segment_bytes=600, index_interval_bytes=150)


async def opened(disk: FakeDisk) -> SegmentLog:
    log, _ = await opened_with_storage(disk)
    return log


async def opened_with_storage(disk: FakeDisk) -> tuple[SegmentLog, SegmentStorage]:
    storage = storage_on(disk, defaults=OPTIONS)
    await started(storage)
    log = storage.get(ORDERS)
    assert log is not None
    return log, storage


async def written(disk: FakeDisk, count: int, options: LogOptions = OPTIONS) -> tuple[SegmentLog, SegmentStorage]:
    """`count` batches of two records, of an idempotent producer, a leader epoch for each ten; nothing flushed."""
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", options)
    for number in range(count):
        log.append(
            batch(f"{number} a", f"{number} b", producer=(7, 0, 2 * number), at_ms=at(number)), number // 10, NOW_MS
        )
    return log, storage


def at(number: int) -> int:
    return NOW_MS + 1000 * number


async def holds_together(log: SegmentLog, count: int) -> None:
    """The log has exactly the first `count` batches, and all that is derived from them is right."""
    assert log.end_offset == 2 * count
    data = await everything(log)
    assert [header.base_offset for header, _ in split(memoryview(data))] == list(range(0, 2 * count, 2))
    for offset in range(0, 2 * count, 7):
        assert next(split(memoryview(await stored(log, offset))))[0].base_offset == offset // 2 * 2
    assert log.end_of_epoch(0) == ((0, min(20, 2 * count)) if count else (-1, -1))
    if count:
        assert log.latest_epoch == (count - 1) // 10
        last, _ = next(split(batch("", "", producer=(7, 0, 2 * count - 2))))
        assert log.producers.check(last) == (2 * count - 2, at(count - 1) + 1)
        newest = await log.find_max_time()
        assert newest is not None
        assert newest.offset == 2 * count - 1
        middle = await log.find_time(at(count // 2))
        assert middle is not None
        assert middle.offset == count // 2 * 2
    following = batch("next", producer=(7, 0, 2 * count))
    assert log.producers.check(next(split(following))[0]) is None
    assert log.append(following, 99, NOW_MS) == 2 * count
    log.truncate(2 * count)


# --- unclean stops ---


async def test_after_kill_9_everything_that_was_appended_is_there() -> None:
    disk = FakeDisk()
    await written(disk, 25)
    await holds_together(await opened(disk.after_crash(power_cut=False)), 25)


async def test_after_a_clean_stop_nothing_is_scanned_and_everything_is_there() -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 25)
    await storage.close()
    again = disk.after_crash()
    log = await opened(again)
    assert again.calls.count(("cut", LOG)) == 0
    assert log.flushed_offset == 50
    await holds_together(log, 25)


async def test_a_torn_tail_is_cut_to_the_last_good_batch_at_every_byte() -> None:
    disk = FakeDisk()
    options = LogOptions(index_interval_bytes=150)
    await written(disk, 3, options)
    whole = disk.contents(LOG)
    size = len(whole) // 3
    for length in range(len(whole) + 1):
        crashed = disk.after_crash(power_cut=False)
        crashed.put(LOG, whole[:length])
        log = await opened(crashed)
        assert len(crashed.contents(LOG)) == length // size * size
        await holds_together(log, length // size)


@pytest.mark.parametrize(
    "tail", [bytes(1), bytes(61), bytes(5000), b"\xff" * 200, b"garbage " * 50, bytes(16) + b"\2" * 99]
)
async def test_a_tail_of_zeros_or_garbage_is_cut(tail: bytes) -> None:
    disk = FakeDisk()
    await written(disk, 3, LogOptions())
    whole = disk.contents(LOG)
    disk.put(LOG, whole + tail)
    crashed = disk.after_crash(power_cut=False)
    await holds_together(await opened(crashed), 3)
    assert crashed.contents(LOG) == whole


async def test_older_batches_behind_the_end_are_cut_also_after_a_clean_stop() -> None:
    """They are sound, and would have been counted: the next append would have come behind them, and be lost later."""
    disk = FakeDisk()
    _, storage = await written(disk, 3)
    await storage.close()
    sound = disk.contents(LOG)
    disk.put(LOG, sound * 2)
    log, storage = await opened_with_storage(disk)
    assert log.size_bytes == len(sound)
    await holds_together(log, 3)
    log.append(batch("next"), 0, NOW_MS)
    await storage.close()
    assert (await opened(disk)).end_offset == 7


async def test_no_segment_begins_at_an_offset_of_more_than_63_bits() -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 3)
    await storage.close()
    disk.put(PARTITION / "99999999999999999999.log", disk.contents(LOG))
    await holds_together(await opened(disk), 3)


async def test_a_length_that_claims_gigabytes_is_not_believed() -> None:
    disk = FakeDisk()
    await written(disk, 2, LogOptions())
    whole = bytearray(disk.contents(LOG))
    whole[len(whole) // 2 + 8 : len(whole) // 2 + 12] = (2**31 - 1).to_bytes(4, "big")
    disk.put(LOG, bytes(whole))
    await holds_together(await opened(disk.after_crash(power_cut=False)), 1)


async def test_every_flipped_bit_in_the_last_batch_is_noticed_by_its_crc() -> None:
    """But for base offset and leader epoch, which the CRC does not cover."""
    disk = FakeDisk()
    await written(disk, 2, LogOptions())
    whole = disk.contents(LOG)
    start = len(whole) // 2
    for byte in range(start + 8, len(whole)):
        if start + 12 <= byte < start + 16:
            continue
        damaged = bytearray(whole)
        damaged[byte] ^= 1 << byte % 8
        crashed = disk.after_crash(power_cut=False)
        crashed.put(LOG, bytes(damaged))
        await holds_together(await opened(crashed), 1)


async def test_what_follows_a_damaged_batch_goes_with_all_later_segments() -> None:
    disk = FakeDisk()
    await written(disk, 25)
    logs = disk.paths(".log")
    assert len(logs) > 3
    damaged = bytearray(disk.contents(logs[1]))
    damaged[-1] ^= 1
    disk.put(logs[1], bytes(damaged))
    log = await opened(disk.after_crash(power_cut=False))
    assert log.end_offset == 26
    await holds_together(log, 13)


async def test_a_second_recovery_changes_nothing() -> None:
    disk = FakeDisk()
    await written(disk, 25)
    disk.put(disk.paths(".log")[-1], disk.contents(disk.paths(".log")[-1])[:-3])
    first = disk.after_crash(power_cut=False)
    end = (await opened(first)).end_offset
    logs = {path: first.contents(path) for path in first.paths(".log")}
    second = first.after_crash(power_cut=False)
    assert (await opened(second)).end_offset == end
    assert {path: second.contents(path) for path in second.paths(".log")} == logs


async def test_segments_below_the_recovery_point_are_not_scanned() -> None:
    disk = FakeDisk()
    log, storage = await written(disk, 25)
    await log.flush()
    await storage._checkpointer.write_all()
    log.append(batch("late"), 9, NOW_MS)
    damaged = bytearray(disk.contents(LOG))
    damaged[-1] ^= 1
    disk.put(LOG, bytes(damaged))
    again = await opened(disk.after_crash(power_cut=False))
    assert again.end_offset == 51
    assert again.failure is None


async def test_damage_below_the_recovery_point_is_never_cut_off() -> None:
    """A shorter log would hide that durable batches are gone, and a leader would make others shorter."""
    disk = FakeDisk()
    log, storage = await written(disk, 3, LogOptions())
    await log.flush()
    await storage._checkpointer.write_all()
    damaged = bytearray(disk.contents(LOG))
    damaged[-1] ^= 1
    crashed = disk.after_crash(power_cut=False)
    crashed.put(LOG, bytes(damaged))
    again = await opened(crashed)
    with pytest.raises(BatchDamaged):
        await again.read(4, 100, 6)
    assert [header.base_offset for header, _ in split(memoryview(await stored(again)))] == [0, 2]
    assert crashed.contents(LOG) == bytes(damaged)
    assert again.append(batch("x"), 9, NOW_MS) == 6


async def test_a_log_that_lost_its_last_durable_segment_is_offline() -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 25)
    await storage.close()
    crashed = disk.after_crash()
    crashed.remove(crashed.paths(".log")[-1])
    assert (await opened(crashed)).failure is not None


async def test_an_offline_log_does_not_forget_its_recovery_point() -> None:
    """Else the start after next would take the damage for a torn tail, and cut."""
    disk = FakeDisk()
    log, storage = await written(disk, 3, LogOptions())
    await log.flush()
    await storage.close()
    damaged = bytearray(disk.contents(LOG))
    damaged[-20] ^= 1
    damaged = damaged[:-1]
    disk.put(LOG, bytes(damaged))
    for _ in range(3):
        disk = disk.after_crash()
        again, storage = await opened_with_storage(disk)
        assert again.failure is not None
        await storage.close()
    assert disk.contents(LOG) == bytes(damaged)


async def test_the_file_of_another_partition_is_refused() -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 25)
    await storage.close()
    logs = disk.paths(".log")
    disk.put(logs[3], disk.contents(logs[1]))
    assert (await opened(disk.after_crash())).failure is not None


async def test_overlapping_segments_are_refused_and_left_alone() -> None:
    disk = FakeDisk()
    await written(disk, 25)
    foreign = PARTITION / "00000000000000000003.log"
    disk.put(foreign, disk.contents(disk.paths(".log")[-1]))
    crashed = disk.after_crash(power_cut=False)
    assert (await opened(crashed)).failure is not None
    assert crashed.contents(foreign) == disk.contents(foreign)


async def test_a_missing_segment_in_the_middle_leaves_the_other_offsets_as_they_were() -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 25)
    await storage.close()
    crashed = disk.after_crash()
    crashed.remove(crashed.paths(".log")[1])
    log = await opened(crashed)
    assert log.end_offset == 50
    assert next(split(memoryview(await stored(log, 40))))[0].base_offset == 40


async def test_the_offsets_of_a_missing_segment_are_refused_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Else a consumer would never know that it was given less than was acknowledged."""
    disk = FakeDisk()
    _, storage = await written(disk, 25)
    await storage.close()
    crashed = disk.after_crash()
    lost, next_one = crashed.paths(".log")[1:3]
    crashed.remove(lost)
    log = await opened(crashed)
    missing = range(int(lost.stem), int(next_one.stem))
    for offset in [*missing, *missing]:
        with pytest.raises(BatchDamaged):
            await log.read(offset, 1 << 20, log.end_offset)
    for offset in set(range(0, 50, 2)) - set(missing):
        assert next(split(memoryview(await stored(log, offset))))[0].base_offset == offset
    (line,) = [record.getMessage() for record in caplog.records if "missing" in record.getMessage()]
    assert f"offsets {missing[0]} to {missing[-1]} are missing" in line
    log.advance_start(missing[-1] + 1)
    assert len(await everything(log)) > 0


@pytest.mark.parametrize("compacted", ["still", "once"])
async def test_between_segments_of_a_compacted_log_offsets_may_be_missing(compacted: str) -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 25)
    await storage.close()
    crashed = disk.after_crash()
    lost, next_one = crashed.paths(".log")[1:3]
    crashed.remove(lost)
    log = await opened(crashed)
    if compacted == "still":
        log.settings = replace(OPTIONS, cleanup_policy=["compact"])
    else:
        log.cleaned_offset = int(next_one.stem)
    first = next(split(memoryview(await stored(log, int(lost.stem)))))[0]
    assert first.base_offset == int(next_one.stem)


async def test_a_log_that_ends_below_its_start_begins_again_at_the_start() -> None:
    disk = FakeDisk()
    log, storage = await written(disk, 3, LogOptions())
    log.advance_start(6)
    await storage._checkpointer.write_all()
    crashed = disk.after_crash(power_cut=False)
    crashed.put(LOG, crashed.contents(LOG)[:-1])
    again = await opened(crashed)
    assert (again.start_offset, again.end_offset) == (6, 6)
    assert again.append(batch("x"), 5, NOW_MS) == 6


async def test_the_log_start_outlives_a_stop() -> None:
    disk = FakeDisk()
    log, storage = await written(disk, 25)
    log.advance_start(13)
    await storage.close()
    again = await opened(disk.after_crash())
    assert again.start_offset == 13


# --- small files damaged or missing ---

SMALL = [".index", ".timeindex", ".snapshot", "leader-epoch-checkpoint"]
DAMAGES = {
    "missing": None,
    "empty": b"",
    "one byte": b"\0",
    "zeros": bytes(96),
    "garbage": bytes(range(7, 103)),
}


@pytest.mark.parametrize("suffix", SMALL)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("clean", [True, False], ids=["clean stop", "kill -9"])
async def test_small_files_are_rebuilt_or_done_without(suffix: str, damage: str, clean: bool) -> None:
    disk = FakeDisk()
    log, storage = await written(disk, 25)
    await log.flush()
    if clean:
        await storage.close()
    crashed = disk.after_crash(power_cut=False)
    paths = [path for path in crashed.paths(suffix) if path.parent == PARTITION]
    assert paths or not clean
    for path in paths:
        data = DAMAGES[damage]
        if data is None:
            crashed.remove(path)
        else:
            crashed.put(path, data)
    await holds_together(await opened(crashed), 25)


@pytest.mark.parametrize("suffix", [".index", ".timeindex"])
async def test_every_flipped_bit_of_an_index_costs_time_only(suffix: str) -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 25)
    await storage.close()
    for path in disk.paths(suffix):
        sound = disk.contents(path)
        for bit in range(0, len(sound) * 8, 3):
            damaged = bytearray(sound)
            damaged[bit // 8] ^= 1 << bit % 8
            crashed = disk.after_crash()
            crashed.put(path, bytes(damaged))
            log = await opened(crashed)
            data = await everything(log)
            assert [header.base_offset for header, _ in split(memoryview(data))] == list(range(0, 50, 2))
            for offset in range(0, 50, 5):
                assert next(split(memoryview(await stored(log, offset))))[0].base_offset == offset // 2 * 2


@pytest.mark.parametrize(
    "name", ["recovery-point-offset-checkpoint", "log-start-offset-checkpoint", "replication-offset-checkpoint"]
)
@pytest.mark.parametrize("text", [b"", b"0\n", b"1\n0\n", b"0\n5\norders 0 3\n", b"0\n1\norders 0 x\n", b"\xff\xfe"])
@pytest.mark.parametrize("clean", [True, False], ids=["clean stop", "kill -9"])
async def test_a_damaged_checkpoint_is_done_without(name: str, text: bytes, clean: bool) -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 25)
    if clean:
        await storage.close()
    crashed = disk.after_crash(power_cut=False)
    crashed.put(DATA / name, text)
    await holds_together(await opened(crashed), 25)


async def test_a_missing_epoch_file_is_made_anew_from_all_batches() -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 25)
    await storage.close()
    crashed = disk.after_crash()
    crashed.remove(PARTITION / "leader-epoch-checkpoint")
    log, storage = await opened_with_storage(crashed)
    assert [log.end_of_epoch(epoch) for epoch in range(3)] == [(0, 20), (1, 40), (2, 50)]
    log.append(batch("x"), 7, NOW_MS)
    await storage.close()
    assert crashed.contents(PARTITION / "leader-epoch-checkpoint") == b"0\n4\n0 0\n1 20\n2 40\n7 50\n"


async def test_producers_are_known_from_the_headers_alone() -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 25)
    await storage.close()
    crashed = disk.after_crash()
    for path in crashed.paths(".snapshot"):
        crashed.remove(path)
    log = await opened(crashed)
    repeat, _ = next(split(batch("", "", producer=(7, 0, 42))))
    assert log.producers.check(repeat) == (42, at(21) + 1)
    old, _ = next(split(batch("", "", producer=(7, 0, 38))))
    with pytest.raises(ApiError):
        log.producers.check(old)


async def test_stray_snapshots_are_removed() -> None:
    disk = FakeDisk()
    log, storage = await written(disk, 25)
    await storage.close()
    crashed = disk.after_crash()
    crashed.put(PARTITION / "00000000000000000001.snapshot", b"stray")
    crashed.put(PARTITION / "00000000000000009999.snapshot", b"stray")
    log = await opened(crashed)
    bases = {f"{segment.base_offset:020d}" for segment in log.segments}
    assert {path.stem for path in crashed.paths(".snapshot")} <= bases | {f"{50:020d}"}
    await holds_together(log, 25)


async def test_what_a_crash_left_half_way_is_cleared_away() -> None:
    import trio

    disk = FakeDisk()
    await written(disk, 5, LogOptions())
    crashed = disk.after_crash(power_cut=False)
    for name in ("00000000000000000000.log.deleted", "leader-epoch-checkpoint.tmp", "00000000000000000099.index"):
        crashed.put(PARTITION / name, b"x")
    crashed.make_directory(DATA / "old-0.0123456789abcdef0123456789abcdef-delete")
    crashed.put(DATA / "old-0.0123456789abcdef0123456789abcdef-delete" / "x.log", b"x")
    log, storage = await opened_with_storage(crashed)
    async with trio.open_nursery() as nursery:
        await nursery.start(storage.run)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert not [name for name in crashed.names(PARTITION) if name.endswith((".deleted", ".tmp", "99.index"))]
    assert not [name for name in crashed.names(DATA) if name.endswith("-delete")]
    assert log.end_offset == 10


async def test_a_directory_that_does_not_say_whose_it_is_goes_to_who_asks_by_name() -> None:
    """Brokers before 2.8 wrote no `partition.metadata`."""
    disk = FakeDisk()
    _, storage = await written(disk, 5, LogOptions())
    await storage.close()
    crashed = disk.after_crash()
    crashed.remove(PARTITION / "partition.metadata")
    storage = storage_on(crashed)
    await started(storage)
    assert storage.get(ORDERS) is None
    log = storage.create(ORDERS, "orders", LogOptions())
    assert (log.end_offset, storage.get(ORDERS)) == (10, log)
    assert crashed.contents(PARTITION / "partition.metadata").startswith(
        b"version: 0\ntopic_id: AAAAAAAAAAABI0VniavN7w"
    )


@pytest.mark.parametrize(
    "text", [b"version: 1\ntopic_id: AAAAAAAAAAABI0VniavN7w", b"nonsense", b"version: 0\ntopic_id: " + b"x" * 30]
)
async def test_a_directory_whose_owner_cannot_be_read_fails_alone(text: bytes) -> None:
    disk = FakeDisk()
    _, storage = await written(disk, 5, LogOptions())
    await storage.close()
    crashed = disk.after_crash()
    crashed.put(PARTITION / "partition.metadata", text)
    storage = storage_on(crashed)
    await started(storage)
    with pytest.raises(StorageFailed, match="damaged"):
        storage.create(ORDERS, "orders", LogOptions())
    assert storage.create(type(ORDERS)(ORDERS.topic_id, 1), "orders", LogOptions()).append(batch("x"), 0, NOW_MS) == 0
