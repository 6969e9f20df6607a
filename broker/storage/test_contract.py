"""What every maker of storage promises, held to all of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
import trio

from broker.clock import SetClock
from broker.purgatory import Waiter
from broker.storage.contract import Log, LogId, OffsetOutOfRange, Storage, StorageFailed
from broker.storage.files import SystemDisk
from broker.storage.memory import MemoryStorage
from broker.storage.producers import AbortedTransaction
from broker.testing.disk import FakeDisk
from broker.testing.storage import (
    DATA,
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
from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import build_batch, read_records, split
from kproto.records.compression import Codec
from kproto.records.control import EndTxnMarker, MarkerType, build_marker
from kproto.records.record import Record

MAKERS = ("memory", "segments", "segments on a fake disk")


@pytest.fixture(params=MAKERS)
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    match request.param:
        case "memory":
            made: Storage = MemoryStorage(settings=StorageOptions(), clock=SetClock(NOW_MS))
        case "segments":
            made = storage_on(SystemDisk(), [tmp_path / "data"])
        case _:
            made = storage_on(FakeDisk(), [DATA])
    await started(made)
    yield made
    await made.close()


@pytest.fixture
def options() -> LogOptions:
    return LogOptions()


@pytest.fixture
def log(storage: Storage, options: LogOptions) -> Log:
    return storage.create(ORDERS, "orders", options)


def offsets_in(data: bytes) -> list[int]:
    return [record.offset for _, one in split(memoryview(data)) for record in read_records(one)]


def values_in(data: bytes) -> list[bytes | None]:
    return [record.value for _, one in split(memoryview(data)) for record in read_records(one)]


# --- append and read ---


async def test_an_empty_log_begins_and_ends_at_0_and_has_no_epoch(log: Log) -> None:
    assert (log.start_offset, log.end_offset, log.size_bytes, log.latest_epoch) == (0, 0, 0, -1)
    assert await stored(log) == b""
    assert await log.flush() == 0


async def test_batches_get_their_offsets_and_the_leader_epoch_in_the_order_of_appending(log: Log) -> None:
    assert log.append(batch("a", "b"), 3, NOW_MS) == 0
    assert log.append(batch("c"), 4, NOW_MS) == 2
    headers = [header for header, _ in split(memoryview(await stored(log)))]
    assert [(h.base_offset, h.leader_epoch, h.count) for h in headers] == [(0, 3, 2), (2, 4, 1)]
    assert (log.end_offset, log.latest_epoch) == (3, 4)


async def test_two_batches_of_one_append_stand_one_after_the_other(log: Log) -> None:
    two = memoryview(bytearray(bytes(batch("a", "b")) + bytes(batch("c"))))
    log.append(two, 0, NOW_MS)
    assert values_in(await stored(log)) == [b"a", b"b", b"c"]
    assert offsets_in(await stored(log)) == [0, 1, 2]


async def test_what_the_caller_does_with_its_buffer_afterwards_changes_nothing(log: Log) -> None:
    buffer = batch("kept")
    log.append(buffer, 0, NOW_MS)
    buffer[:] = bytes(len(buffer))
    assert values_in(await stored(log)) == [b"kept"]


@pytest.mark.parametrize("codec", list(Codec))
async def test_compressed_batches_are_kept_as_they_came(log: Log, codec: Codec) -> None:
    came = batch(*["text " * 50] * 20, codec=codec)
    log.append(came, 0, NOW_MS)
    assert (await stored(log)) == bytes(came)


async def test_a_read_begins_with_the_whole_batch_that_holds_the_offset(log: Log) -> None:
    log.append(batch("a", "b", "c"), 0, NOW_MS)
    log.append(batch("d"), 0, NOW_MS)
    assert offsets_in(await stored(log, 1)) == [0, 1, 2, 3]
    assert offsets_in(await stored(log, 3)) == [3]


async def test_the_first_batch_comes_whole_however_small_the_limit(log: Log) -> None:
    first = batch("x" * 1000)
    log.append(first, 0, NOW_MS)
    log.append(batch("y"), 0, NOW_MS)
    assert await stored(log, 0, max_bytes=0) == bytes(first)
    assert await stored(log, 0, max_bytes=1) == bytes(first)


async def test_after_the_first_batch_bytes_are_cut_at_the_limit(log: Log) -> None:
    for _ in range(3):
        log.append(batch("x" * 100), 0, NOW_MS)
    whole = await stored(log)
    size = len(whole) // 3
    assert await stored(log, 0, max_bytes=size + 10) == whole[: size + 10]


async def test_nothing_of_a_batch_at_or_above_the_bound_is_served(log: Log) -> None:
    for _ in range(3):
        log.append(batch("a", "b"), 0, NOW_MS)
    for below, expected in ((0, []), (1, []), (2, [0, 1]), (3, [0, 1]), (4, [0, 1, 2, 3]), (9, [0, 1, 2, 3, 4, 5])):
        found = await log.read(0, 1 << 20, below)
        assert offsets_in(found.read()) == expected, below
        found.release()


async def test_every_offset_is_found_among_many_batches(log: Log, options: LogOptions) -> None:
    options.index_interval_bytes, options.segment_bytes = 300, 2000
    for number in range(60):
        log.append(batch(f"{number}a", f"{number}b"), 0, NOW_MS + number)
    for offset in range(120):
        assert offsets_in(await stored(log, offset))[0] == offset // 2 * 2


async def test_a_read_at_the_end_is_empty_and_beyond_it_is_refused(log: Log) -> None:
    log.append(batch("a"), 0, NOW_MS)
    assert await stored(log, 1) == b""
    for offset in (-1, 2):
        with pytest.raises(OffsetOutOfRange):
            await log.read(offset, 100, 100)


async def test_a_slice_stays_readable_when_its_segment_is_gone(log: Log, storage: Storage) -> None:
    log.append(batch("x" * 40_000), 0, NOW_MS)
    held = await log.read(0, 1 << 20, 1)
    await storage.delete(log.id)
    assert values_in(held.read()) == [b"x" * 40_000]
    held.release()
    held.release()


async def test_a_large_run_and_a_small_one_read_the_same(log: Log) -> None:
    came = b"".join(bytes(batch("x" * 3000)) for _ in range(10))
    log.append(memoryview(bytearray(came)), 0, NOW_MS)
    large = await log.read(0, 1 << 20, log.end_offset)
    assert len(large) == len(came) == len(large.read())
    large.release()


# --- followers ---


async def test_a_follower_keeps_the_offsets_and_epochs_of_its_leader(log: Log) -> None:
    log.append_as_follower(batch("a", "b", base_offset=100, epoch=7), NOW_MS)
    log.append_as_follower(batch("c", base_offset=110, epoch=9), NOW_MS)
    assert (log.end_offset, log.latest_epoch) == (111, 9)
    assert offsets_in(await stored(log, 100)) == [100, 101, 110]


async def test_a_read_in_a_gap_goes_on_after_it(log: Log) -> None:
    log.append_as_follower(batch("a", base_offset=0, epoch=0), NOW_MS)
    log.append_as_follower(batch("b", base_offset=10, epoch=0), NOW_MS)
    assert offsets_in(await stored(log, 5)) == [10]


async def test_a_batch_that_came_cut_off_is_not_kept(log: Log) -> None:
    came = bytes(batch("a", base_offset=0, epoch=0)) + bytes(batch("b", base_offset=1, epoch=0))[:-1]
    log.append_as_follower(memoryview(bytearray(came)), NOW_MS)
    assert log.end_offset == 1
    assert values_in(await stored(log)) == [b"a"]


# --- truncate, start, epochs ---


async def test_truncation_leaves_nothing_at_or_above_the_offset(log: Log) -> None:
    for value in "abc":
        log.append(batch(value), 0, NOW_MS)
    log.truncate(1)
    assert (log.end_offset, values_in(await stored(log))) == (1, [b"a"])
    assert log.append(batch("d"), 0, NOW_MS) == 1
    assert values_in(await stored(log)) == [b"a", b"d"]


async def test_truncation_inside_a_batch_takes_all_of_it(log: Log) -> None:
    log.append(batch("a"), 0, NOW_MS)
    log.append(batch("b", "c", "d"), 0, NOW_MS)
    log.truncate(2)
    assert (log.end_offset, values_in(await stored(log))) == (1, [b"a"])


async def test_truncation_above_the_end_does_nothing(log: Log) -> None:
    log.append(batch("a"), 0, NOW_MS)
    log.truncate(5)
    assert log.end_offset == 1


async def test_truncation_over_segments_keeps_only_what_is_below(log: Log, options: LogOptions) -> None:
    options.segment_bytes = 300
    for number in range(20):
        log.append(batch(f"value {number}"), number, NOW_MS)
    log.truncate(7)
    assert offsets_in(await everything(log)) == list(range(7))
    assert (log.latest_epoch, log.end_of_epoch(100)) == (6, (6, 7))
    log.truncate(0)
    assert (log.end_offset, log.size_bytes, log.latest_epoch) == (0, 0, -1)


async def test_below_the_log_start_nothing_is_served(log: Log) -> None:
    for value in "abc":
        log.append(batch(value), 0, NOW_MS)
    log.advance_start(2)
    assert log.start_offset == 2
    with pytest.raises(OffsetOutOfRange):
        await log.read(1, 100, 3)
    assert values_in(await stored(log)) == [b"c"]
    log.advance_start(1)
    assert log.start_offset == 2
    with pytest.raises(OffsetOutOfRange):
        log.advance_start(4)


async def test_the_end_of_an_epoch_is_the_start_of_the_next(log: Log) -> None:
    """KIP-279: the largest epoch that is not above the one asked for, with its end."""
    assert log.end_of_epoch(0) == (-1, -1)
    for epoch in (2, 2, 5):
        log.append(batch("x"), epoch, NOW_MS)
    assert [log.end_of_epoch(epoch) for epoch in (1, 2, 4, 5, 9)] == [(-1, -1), (2, 2), (2, 2), (5, 3), (5, 3)]


async def test_epochs_follow_a_truncation(log: Log) -> None:
    for epoch in (1, 2, 3):
        log.append(batch("x"), epoch, NOW_MS)
    log.truncate(1)
    assert (log.latest_epoch, log.end_of_epoch(3)) == (1, (1, 1))


# --- time ---


async def test_the_first_record_at_or_after_a_time_is_found(log: Log, options: LogOptions) -> None:
    options.segment_bytes, options.index_interval_bytes = 400, 100
    for number in range(12):
        log.append(batch("a", "b", at_ms=1000 + 100 * number), number, NOW_MS)
    for at_ms, offset in ((0, 0), (1000, 0), (1001, 1), (1002, 2), (1500, 10), (1501, 11), (2101, 23)):
        found = await log.find_time(at_ms)
        assert found is not None
        assert (found.offset, found.leader_epoch) == (offset, offset // 2), at_ms
        assert found.timestamp_ms >= at_ms
    assert await log.find_time(2102) is None


async def test_a_time_is_found_among_timestamps_that_go_back(log: Log, options: LogOptions) -> None:
    options.index_interval_bytes = 0
    for at_ms in (5000, 1000, 7000, 2000):
        log.append(batch("x", at_ms=at_ms), 0, NOW_MS)
    found = await log.find_time(5001)
    assert found is not None
    assert (found.offset, found.timestamp_ms) == (2, 7000)
    first = await log.find_time(1)
    assert first is not None
    assert first.offset == 0


async def test_the_record_with_the_largest_timestamp_is_found(log: Log, options: LogOptions) -> None:
    options.segment_bytes = 200
    assert await log.find_max_time() is None
    for at_ms in (5000, 9000, 7000):
        log.append(batch("a", "b", at_ms=at_ms), 1, NOW_MS)
    found = await log.find_max_time()
    assert found is not None
    assert (found.offset, found.timestamp_ms) == (3, 9001)
    log.advance_start(4)
    later = await log.find_max_time()
    assert later is not None
    assert (later.offset, later.timestamp_ms) == (5, 7001)


async def test_times_below_the_log_start_are_not_found(log: Log) -> None:
    log.append(batch("a", "b", "c", at_ms=1000), 0, NOW_MS)
    log.advance_start(1)
    found = await log.find_time(1000)
    assert found is not None
    assert found.offset == 1


async def test_log_append_time_answers_for_all_records_of_a_batch(log: Log) -> None:
    log.append(batch("a", "b", at_ms=1, log_append_ms=5000), 0, NOW_MS)
    found = await log.find_time(4000)
    assert found is not None
    assert (found.offset, found.timestamp_ms) == (0, 5000)


@pytest.mark.parametrize("codec", list(Codec))
async def test_a_time_is_found_inside_a_compressed_batch(log: Log, codec: Codec) -> None:
    log.append(batch(*["x" * 100] * 1000, at_ms=1000, codec=codec), 0, NOW_MS)
    found = await log.find_time(1777)
    assert found is not None
    assert (found.offset, found.timestamp_ms) == (777, 1777)


# --- producers ---


async def test_a_batch_sent_again_is_known_with_its_offset_and_time(log: Log) -> None:
    header, _ = next(split(batch("a", "b", producer=(7, 0, 0))))
    assert log.producers.check(header) is None
    log.append(batch("a", "b", producer=(7, 0, 0)), 0, NOW_MS)
    assert log.producers.check(header) == (0, NOW_MS + 1)


async def test_producers_follow_a_truncation(log: Log, options: LogOptions) -> None:
    options.segment_bytes = 200
    for sequence in range(6):
        log.append(batch("x", producer=(7, 0, sequence)), 0, NOW_MS)
    log.truncate(3)
    again, _ = next(split(batch("x", producer=(7, 0, 2))))
    assert log.producers.check(again) == (2, NOW_MS)
    cut, _ = next(split(batch("x", producer=(7, 0, 4))))
    with pytest.raises(ApiError) as refused:
        log.producers.check(cut)
    assert refused.value.code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


# --- transactions ---


def marker(kind: MarkerType, producer_id: int = 7) -> memoryview:
    written = build_marker(EndTxnMarker(kind, 3), producer_id=producer_id, producer_epoch=0, timestamp_ms=NOW_MS)
    return memoryview(bytearray(written))


def in_transaction(value: str, sequence: int = 0, producer_id: int = 7) -> memoryview:
    return batch(value, producer=(producer_id, 0, sequence), transactional=True)


async def test_readers_of_committed_records_stop_where_the_oldest_open_transaction_began(log: Log) -> None:
    log.append(batch("free"), 0, NOW_MS)
    log.append(in_transaction("a"), 0, NOW_MS)
    log.append(batch("free"), 0, NOW_MS)
    assert [log.last_stable_offset(below) for below in (0, 1, 2, 3)] == [0, 1, 1, 1]
    log.append(marker(MarkerType.COMMIT), 0, NOW_MS)
    assert [log.last_stable_offset(below) for below in (3, 4)] == [1, 4]
    assert await log.aborted_transactions(0, 1 << 20, 4) == []


async def test_readers_are_told_of_the_transactions_that_were_aborted(log: Log, options: LogOptions) -> None:
    """Two of them overlap, over several segments; each is told to whoever reads a part of it."""
    options.segment_bytes, options.index_interval_bytes = 400, 100
    for number in range(10):
        log.append(in_transaction(f"seven {number}", number), 0, NOW_MS)  # offsets 0 to 27 in steps of 3
        log.append(in_transaction(f"eight {number}", number, 8), 0, NOW_MS)
        log.append(batch("free"), 0, NOW_MS)
    log.append(marker(MarkerType.ABORT, 8), 0, NOW_MS)
    log.append(marker(MarkerType.ABORT, 7), 0, NOW_MS)
    log.append(in_transaction("committed", 10), 0, NOW_MS)
    log.append(marker(MarkerType.COMMIT, 7), 0, NOW_MS)
    eight, seven = AbortedTransaction(8, 1, 30, 0), AbortedTransaction(7, 0, 31, 32)
    for offset, below, expected in ((0, 1, [seven]), (0, 34, [eight, seven]), (20, 34, [eight, seven])):
        found = await log.read(offset, 100, below)
        told = await log.aborted_transactions(offset, len(found), below)
        found.release()
        assert [each for each in (eight, seven) if each in told] == told
        assert set(told) >= set(expected)
    assert await log.aborted_transactions(31, 1 << 20, 34) == [seven]
    assert await log.aborted_transactions(32, 1 << 20, 34) == []
    assert log.last_stable_offset(34) == 34


async def test_transactions_follow_a_truncation(log: Log) -> None:
    """Without its marker a transaction is open again, and what was never written was not aborted."""
    log.append(in_transaction("a"), 0, NOW_MS)
    log.append(marker(MarkerType.ABORT), 0, NOW_MS)
    log.append(in_transaction("b", 1), 0, NOW_MS)
    log.append(marker(MarkerType.ABORT), 0, NOW_MS)
    log.truncate(3)
    assert log.last_stable_offset(3) == 2
    assert await log.aborted_transactions(0, 1 << 20, 3) == [AbortedTransaction(7, 0, 1, 2)]
    log.truncate(1)
    assert log.last_stable_offset(1) == 0
    assert await log.aborted_transactions(0, 1 << 20, 1) == []


async def test_an_open_transaction_below_the_log_start_holds_nobody_up(log: Log) -> None:
    log.append(in_transaction("a"), 0, NOW_MS)
    log.append(batch("b"), 0, NOW_MS)
    log.advance_start(2)
    assert log.last_stable_offset(2) == 2


# --- retention ---


async def filled(log: Log, options: LogOptions, storage: Storage) -> int:
    """Ten batches, one a segment where there are segments; the size of one."""
    options.segment_bytes = 100
    for number in range(10):
        log.append(batch("x" * 60, at_ms=NOW_MS + 1000 * number), 0, NOW_MS)
    log.high_watermark = 10
    return log.size_bytes // 10


async def test_retention_by_size_drops_the_oldest(log: Log, options: LogOptions, storage: Storage) -> None:
    size = await filled(log, options, storage)
    options.retention_bytes = 4 * size
    await log.tidy(NOW_MS)
    assert (log.start_offset, log.end_offset, log.size_bytes) == (6, 10, 4 * size)


async def test_retention_by_time_drops_what_is_too_old(log: Log, options: LogOptions, storage: Storage) -> None:
    await filled(log, options, storage)
    options.retention_ms = 5000
    await log.tidy(NOW_MS + 8000)
    assert (log.start_offset, offsets_in(await everything(log))) == (3, list(range(3, 10)))


async def test_when_all_records_are_too_old_an_empty_log_stays(log: Log, options: LogOptions, storage: Storage) -> None:
    await filled(log, options, storage)
    options.retention_ms = 5000
    await log.tidy(NOW_MS + 10_000_000)
    assert (log.start_offset, log.end_offset, log.size_bytes) == (10, 10, 0)
    assert log.append(batch("next"), 0, NOW_MS) == 10


async def test_nothing_above_the_high_watermark_goes(log: Log, options: LogOptions, storage: Storage) -> None:
    await filled(log, options, storage)
    log.high_watermark = 5
    options.retention_bytes = 0
    await log.tidy(NOW_MS)
    assert log.start_offset == 5


async def test_who_watches_the_log_start_is_told_whenever_it_moves(
    log: Log, options: LogOptions, storage: Storage
) -> None:
    """By hand or by retention; a move to where it stands is none."""
    await filled(log, options, storage)
    told: list[int] = []
    for offset in (2, 2, 1, 3):
        waiter = Waiter()
        waiter.watch([log.start_moved])
        log.advance_start(offset)
        if waiter.woken:
            told.append(log.start_offset)
        waiter.leave()
    assert told == [2, 3]
    options.retention_bytes = 0
    by_retention = Waiter()
    by_retention.watch([log.start_moved])
    await log.tidy(NOW_MS)
    assert log.start_offset > 3
    assert by_retention.woken


async def test_a_compacted_log_loses_nothing_to_retention_but_what_is_below_its_start(
    log: Log, options: LogOptions, storage: Storage
) -> None:
    size = await filled(log, options, storage)
    options.cleanup_policy, options.retention_ms, options.retention_bytes = ["compact"], 0, 0
    await log.tidy(NOW_MS + 10_000_000)
    assert log.start_offset == 0
    log.advance_start(3)
    await log.tidy(NOW_MS)
    assert (log.start_offset, log.size_bytes) == (3, 7 * size)


async def test_retention_happens_in_the_background(
    log: Log, options: LogOptions, storage: Storage, autojump_clock: object
) -> None:
    import trio

    size = await filled(log, options, storage)
    options.retention_bytes = 4 * size
    async with in_background(storage):
        await trio.sleep(301)
    assert log.start_offset == 6


# --- storage ---


async def test_a_log_is_found_by_its_id_and_made_once(storage: Storage, log: Log, options: LogOptions) -> None:
    assert storage.create(ORDERS, "orders", options) is log
    assert storage.get(ORDERS) is log
    assert storage.get(LogId(UUID(int=9), 0)) is None
    assert log.name == "orders-0"


async def test_a_name_belongs_to_one_topic_id_at_a_time(storage: Storage, log: Log, options: LogOptions) -> None:
    log.append(batch("a"), 0, NOW_MS)
    other = LogId(UUID(int=99), 0)
    with pytest.raises(StorageFailed):
        storage.create(other, "orders", options)
    await storage.delete(ORDERS)
    again = storage.create(other, "orders", options)
    assert again.end_offset == 0
    assert again.append(batch("b"), 0, NOW_MS) == 0
    assert values_in(await stored(again)) == [b"b"]


async def test_deleting_what_is_not_there_is_fine(storage: Storage) -> None:
    await storage.delete(ORDERS)


async def test_a_deleted_log_refuses_everything(storage: Storage, log: Log) -> None:
    log.append(batch("a"), 0, NOW_MS)
    await storage.delete(ORDERS)
    with pytest.raises(StorageFailed):
        log.append(batch("b"), 0, NOW_MS)
    with pytest.raises(StorageFailed):
        await log.read(0, 100, 1)
    with pytest.raises(StorageFailed):
        log.truncate(0)


async def test_options_may_change_while_the_log_is_open(storage: Storage, log: Log) -> None:
    size = len(batch("x" * 60))
    log.settings = LogOptions(segment_bytes=100)
    for _ in range(4):
        log.append(batch("x" * 60), 0, NOW_MS)
    log.high_watermark = 4
    log.settings = LogOptions(retention_bytes=size)
    await log.tidy(NOW_MS)
    assert log.start_offset == 3


# --- compaction ---


def keyed(*pairs: tuple[str, str | None], producer: tuple[int, int, int] = (-1, -1, -1)) -> memoryview:
    records = [
        Record(timestamp_ms=NOW_MS, key=key.encode(), value=None if value is None else value.encode())
        for key, value in pairs
    ]
    producer_id, epoch, sequence = producer
    made = build_batch(records, producer_id=producer_id, producer_epoch=epoch, base_sequence=sequence)
    return memoryview(bytearray(made))


async def compacted(storage: Storage, log: Log) -> None:
    """Let the background work until there is less of the log; a disk's threads take real time."""
    before = log.size_bytes
    async with in_background(storage):
        for _ in range(10_000):
            await trio.sleep(20)
            await trio.to_thread.run_sync(lambda: None)
            if log.size_bytes < before:
                return
    pytest.fail("nothing was compacted")


async def test_compaction_leaves_the_newest_value_of_each_key_where_it_was(
    storage: Storage, log: Log, options: LogOptions, autojump_clock: object
) -> None:
    options.cleanup_policy, options.segment_bytes = ["compact"], 1
    log.append(keyed(("a", "1"), ("b", "1"), producer=(7, 0, 0)), 0, NOW_MS)
    log.append(keyed(("a", None), ("c", "1")), 0, NOW_MS)
    log.append(keyed(("b", "2")), 3, NOW_MS)
    log.append(keyed(("a", "newest batch")), 3, NOW_MS)
    log.high_watermark = log.end_offset
    await compacted(storage, log)
    headers = [
        (header.base_offset, header.last_offset, header.count) for header, _ in split(memoryview(await everything(log)))
    ]
    assert headers == [(0, 1, 0), (2, 3, 2), (4, 4, 1), (5, 5, 1)]
    assert values_in(await everything(log)) == [None, b"1", b"2", b"newest batch"]
    assert offsets_in(await stored(log, 3))[0] == 2
    assert (log.start_offset, log.end_offset, log.end_of_epoch(0)) == (0, 6, (0, 4))
    state = log.producers.get(7)
    assert state is not None
    assert state.last_sequence == 1


async def test_nothing_above_the_high_watermark_or_of_an_uncompacted_topic_is_compacted(
    storage: Storage, log: Log, options: LogOptions, autojump_clock: object
) -> None:
    options.cleanup_policy, options.segment_bytes = ["compact"], 1
    other = storage.create(LogId(UUID(int=5), 0), "other", LogOptions(segment_bytes=1))
    for one in (log, other):
        for value in "1234":
            one.append(keyed(("a", value)), 0, NOW_MS)
    log.high_watermark = 2
    other.high_watermark = 4
    await compacted(storage, log)
    assert offsets_in(await everything(log)) == [1, 2, 3]
    assert offsets_in(await everything(other)) == [0, 1, 2, 3]
