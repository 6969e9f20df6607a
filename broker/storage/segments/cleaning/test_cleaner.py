"""One log compacted: what stays, what goes, and what may be in the way."""

from collections.abc import Callable
from uuid import UUID

import pytest
import trio
from trio.testing import MockClock

from broker.clock import SetClock
from broker.storage.compaction.batch_filter import BatchFilter
from broker.storage.contract import LogId
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.storage import (
    DATA,
    NOW_MS,
    ORDERS,
    LogOptions,
    StorageOptions,
    everything,
    in_background,
    started,
    storage_on,
    stored,
)
from kproto.records.batch import HEADER_BYTES, BatchHeader, build_batch, crc_is_right, read_records, split
from kproto.records.compression import Codec
from kproto.records.control import EndTxnMarker, MarkerType, build_marker
from kproto.records.record import Record


def compacted(**options: object) -> LogOptions:
    """Every batch has a segment of its own, and any dirt is enough."""
    made = LogOptions(cleanup_policy=["compact"], segment_bytes=1, min_cleanable_dirty_ratio=0.0)
    for name, value in options.items():
        setattr(made, name, value)
    return made


class Bench:
    """A log, its storage, a clock that stands, and the compaction of the storage."""

    def __init__(self, options: LogOptions | None = None, settings: StorageOptions | None = None) -> None:
        self.options = options or compacted()
        self.settings = settings or StorageOptions()
        self.disk = FakeDisk()
        self.clock = SetClock(NOW_MS)
        self.storage: SegmentStorage
        self.log: SegmentLog

    async def open(self) -> "Bench":
        self.storage = storage_on(self.disk, clock=self.clock, options=self.settings, defaults=self.options)
        await started(self.storage)
        self.log = self.storage.create(ORDERS, "orders", self.options)
        return self

    async def reopened(self, *, power_cut: bool = False) -> "Bench":
        self.disk = self.disk.after_crash(power_cut=power_cut)
        return await self.open()

    def append(self, *pairs: tuple[str | None, str | None], **options: object) -> None:
        records = [
            Record(
                timestamp_ms=self.clock.now_ms() + number,
                key=None if key is None else key.encode(),
                value=None if value is None else value.encode(),
            )
            for number, (key, value) in enumerate(pairs)
        ]
        self.log.append(memoryview(bytearray(build_batch(records, **options))), 0, self.clock.now_ms())  # type: ignore[arg-type]
        self.log.high_watermark = self.log.end_offset

    async def clean(self) -> bool:
        return await self.storage._chores.cleaning.clean_next()

    async def pairs(self) -> list[tuple[int, str | None, str | None]]:
        return [
            (record.offset, _text(record.key), _text(record.value))
            for _, one in split(memoryview(await everything(self.log)))
            for record in read_records(one)
        ]

    async def counts(self) -> list[tuple[int, int, int]]:
        """Base offset, last offset and number of records of each batch."""
        found = list(split(memoryview(await everything(self.log))))
        assert all(crc_is_right(one) for _, one in found)
        return [(header.base_offset, header.last_offset, header.count) for header, _ in found]


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()


async def test_the_latest_value_of_each_key_stays_with_its_offset() -> None:
    bench = await Bench().open()
    for key, value in (("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), ("a", "3")):
        bench.append((key, value))
    assert await bench.clean()
    assert await bench.pairs() == [(1, "b", "1"), (2, "a", "2"), (3, "c", "1"), (4, "a", "3")]
    bench.append(("active", ""))
    await bench.clean()
    assert await bench.pairs() == [(1, "b", "1"), (3, "c", "1"), (4, "a", "3"), (5, "active", "")]
    assert not await bench.clean()


async def test_a_tombstone_takes_what_was_before_and_stays_until_its_horizon_has_passed() -> None:
    bench = await Bench(compacted(delete_retention_ms=1000)).open()
    bench.append(("a", "1"), ("b", "1"))
    bench.append(("a", None))
    bench.append(("z", "1"))
    assert await bench.clean()
    assert await bench.pairs() == [(1, "b", "1"), (2, "a", None), (3, "z", "1")]
    tombstone = [header for header, _ in split(memoryview(await everything(bench.log)))][1]
    assert (tombstone.attributes, tombstone.base_timestamp) == (0x40, NOW_MS + 1000)
    assert tombstone.max_timestamp == NOW_MS
    bench.clock.advance(999)
    bench.append(("z", "2"))
    assert await bench.clean()
    assert (2, "a", None) in await bench.pairs()
    bench.clock.advance(1)
    bench.append(("z", "3"))
    assert await bench.clean()
    assert await bench.pairs() == [(1, "b", "1"), (4, "z", "2"), (5, "z", "3")]


@pytest.mark.parametrize("codec", list(Codec))
async def test_a_batch_keeps_its_codec_offsets_times_and_headers_when_some_of_its_records_go(codec: Codec) -> None:
    bench = await Bench(compacted(segment_bytes=2000)).open()
    value = "text " * 50
    bench.append(*((f"k{n}", value) for n in range(6)), codec=codec)
    before = {record.offset: record for record in read_records(await everything(bench.log))}
    bench.append(("k0", "new"), ("k3", "new"), ("k5", "new"))
    bench.append(*((f"other{n}", value) for n in range(9)))
    bench.append(("z", ""))
    assert await bench.clean()
    header, one = next(split(memoryview(await everything(bench.log))))
    assert (header.codec, header.base_offset, header.last_offset, header.count) == (codec, 0, 5, 3)
    left = list(read_records(one))
    assert left == [before[1], before[2], before[4]]
    assert header.max_timestamp == before[4].timestamp_ms


async def test_records_without_a_key_go() -> None:
    bench = await Bench().open()
    bench.append((None, "1"), ("a", "1"))
    bench.append((None, "2"))
    bench.append(("b", ""))
    bench.append(("active", ""))
    assert await bench.clean()
    assert await bench.pairs() == [(1, "a", "1"), (3, "b", ""), (4, "active", "")]


async def test_a_producers_last_batch_stays_as_a_header_and_its_sequence_is_known_after_a_start() -> None:
    bench = await Bench().open()
    bench.append(("a", "1"), ("a", "2"), producer_id=7, producer_epoch=3, base_sequence=0)
    bench.append(("a", "3"), ("a", "4"), producer_id=7, producer_epoch=3, base_sequence=2)
    for value in "56":
        bench.append(("a", value))
    bench.append(("active", ""))
    assert await bench.clean()
    assert await bench.counts() == [(2, 3, 0), (5, 5, 1), (6, 6, 1)]
    for path in bench.disk.paths(".snapshot"):
        bench.disk.remove(path)
    await bench.reopened()
    state = bench.log.producers.get(7)
    assert state is not None
    assert (state.epoch, state.last_sequence) == (3, 3)


async def test_the_last_offsets_of_what_is_cleaned_are_not_forgotten() -> None:
    """Else a reader that stands in between waits for what is there already."""
    bench = await Bench().open()
    bench.append(("a", "1"))
    bench.append((None, "2"))
    bench.append(("active", ""))
    assert await bench.clean()
    assert await bench.counts() == [(0, 0, 1), (1, 1, 0), (2, 2, 1)]


def marker(bench: Bench, kind: MarkerType) -> None:
    built = build_marker(EndTxnMarker(kind, 0), producer_id=7, producer_epoch=0, timestamp_ms=bench.clock.now_ms())
    bench.log.append(memoryview(bytearray(built)), 0, bench.clock.now_ms())
    bench.log.high_watermark = bench.log.end_offset


async def test_aborted_records_go_at_once_and_the_marker_when_its_horizon_has_passed() -> None:
    bench = await Bench(compacted(delete_retention_ms=1000)).open()
    bench.append(("a", "kept"))
    bench.append(
        ("a", "aborted"), ("b", "aborted"), producer_id=7, base_sequence=0, producer_epoch=0, transactional=True
    )
    marker(bench, MarkerType.ABORT)
    bench.append(("a2", "new epoch"), producer_id=7, base_sequence=0, producer_epoch=1)
    bench.append(("z", ""))
    assert await bench.clean()
    assert await bench.counts() == [(0, 0, 1), (3, 3, 1), (4, 4, 1), (5, 5, 1)]
    for expected in (3, 3):
        bench.append(("z", ""))
        assert await bench.clean()
        assert expected in [base for base, _, _ in await bench.counts()]
    bench.clock.advance(1000)
    bench.append(("z", ""))
    assert await bench.clean()
    assert 3 not in [base for base, _, _ in await bench.counts()]
    assert (await bench.pairs())[0] == (0, "a", "kept")


async def test_a_commit_marker_stays_as_long_as_records_of_its_transaction_do() -> None:
    bench = await Bench(compacted(delete_retention_ms=0)).open()
    bench.append(("a", "1"), producer_id=7, base_sequence=0, producer_epoch=0, transactional=True)
    marker(bench, MarkerType.COMMIT)
    bench.append(("b", "1"), producer_id=7, base_sequence=0, producer_epoch=1)
    bench.append(("z", ""))
    for _ in range(3):
        assert await bench.clean()
        bench.append(("z", ""))
    assert [base for base, _, _ in await bench.counts()][:3] == [0, 1, 2]
    bench.append(("a", "2"))
    for _ in range(4):
        bench.append(("z", ""))
        assert await bench.clean()
    assert not {0, 1} & {base for base, _, _ in await bench.counts()}


async def test_an_open_transaction_is_not_touched_nor_what_follows_it() -> None:
    bench = await Bench().open()
    bench.append(("a", "1"))
    bench.append(("a", "2"))
    bench.append(("a", "3"), producer_id=7, base_sequence=0, producer_epoch=0, transactional=True)
    bench.append(("a", "4"))
    bench.append(("z", ""))
    assert await bench.clean()
    assert [offset for offset, _, _ in await bench.pairs()] == [1, 2, 3, 4]


async def test_nothing_above_the_watermark_is_cleaned() -> None:
    bench = await Bench().open()
    for value in "1234":
        bench.append(("a", value))
    bench.log.high_watermark = 2
    assert await bench.clean()
    assert [offset for offset, _, _ in await bench.pairs()] == [1, 2, 3]


async def test_records_younger_than_the_least_lag_stay() -> None:
    bench = await Bench(compacted(min_compaction_lag_ms=1000)).open()
    bench.append(("a", "1"))
    bench.append(("a", "2"))
    bench.clock.advance(600)
    bench.append(("a", "3"))
    bench.append(("a", "4"))
    assert not await bench.clean()
    bench.clock.advance(500)
    assert await bench.clean()
    assert [offset for offset, _, _ in await bench.pairs()] == [1, 2, 3]


async def test_a_log_waits_until_it_is_dirty_enough_or_overdue() -> None:
    bench = await Bench(compacted(min_cleanable_dirty_ratio=0.5)).open()
    for number in range(10):
        bench.append((f"k{number}", "value"))
    bench.append(("z", ""))
    assert await bench.clean()
    bench.append(("k1", "new"))
    bench.append(("z", ""))
    assert not await bench.clean()
    bench.options.max_compaction_lag_ms = 1000
    assert not await bench.clean()
    bench.clock.advance(1001)
    assert await bench.clean()
    assert (1, "k1", "value") not in await bench.pairs()


async def test_the_longest_lag_also_ends_the_segment_that_is_written() -> None:
    bench = await Bench(compacted(segment_bytes=1 << 20, max_compaction_lag_ms=1000)).open()
    bench.append(("a", "1"))
    bench.append(("a", "2"))
    bench.clock.advance(1001)
    bench.append(("b", "1"))
    assert await bench.clean()
    assert await bench.pairs() == [(1, "a", "2"), (2, "b", "1")]


async def test_the_dirtiest_log_comes_first() -> None:
    bench = await Bench().open()
    other = await Bench().open()
    other_log = bench.storage.create(LogId(UUID(int=5), 0), "other", bench.options)
    for number in range(4):
        bench.append((f"k{number}", "value"))
    assert await bench.clean()
    bench.append(("k1", "new"))
    bench.append(("z", ""))
    other.log = other_log
    for _ in range(3):
        other.append(("a", "1"))
    assert await bench.clean()
    assert (other_log.cleaned_offset, bench.log.cleaned_offset) == (2, 3)
    assert await bench.clean()
    assert bench.log.cleaned_offset == 5


async def test_with_a_full_key_map_the_rest_is_cleaned_in_the_next_passes() -> None:
    bench = await Bench(settings=StorageOptions(log_cleaner_dedupe_buffer_size=24 * 7)).open()
    for round_ in range(2):
        for number in range(20):
            bench.append((f"k{number}", f"{round_}"))
    bench.append(("z", ""))
    rounds = 0
    while await bench.clean():
        rounds += 1
    assert rounds > 4
    assert await bench.pairs() == [(20 + n, f"k{n}", "1") for n in range(20)] + [(40, "z", "")]


async def test_small_segments_become_larger_ones_within_the_limits() -> None:
    bench = await Bench().open()
    for number in range(40):
        bench.append((f"k{number}", "value"))
    bench.options.segment_bytes = 500
    assert await bench.clean()
    assert all(segment.size <= 500 for segment in bench.log.segments)
    assert len(bench.log.segments) < 12
    assert await bench.pairs() == [(number, f"k{number}", "value") for number in range(40)]
    names = [path.name for path in bench.disk.paths() if not path.name.endswith(".deleted")]
    assert len([name for name in names if name.endswith(".log")]) == len(bench.log.segments)
    assert not [name for name in names if name.endswith((".cleaned", ".swap"))]


async def test_every_offset_can_be_read_and_every_time_found_among_gaps() -> None:
    bench = await Bench(compacted(index_interval_bytes=100)).open()
    for number in range(60):
        bench.append((f"k{number % 7}", f"{number}"))
        bench.clock.advance(10)
    bench.append(("z", ""))
    bench.options.segment_bytes = 1 << 20
    assert await bench.clean()
    left = [offset for offset, _, _ in await bench.pairs()]
    for again in (False, True):
        if again:
            await bench.reopened()
        for offset in range(61):
            first = next(read_records(await stored(bench.log, offset)))
            assert first.offset == min(one for one in left if one >= offset)
            found = await bench.log.find_time(NOW_MS + 10 * offset)
            assert found is not None
            assert found.offset == first.offset
        largest = await bench.log.find_max_time()
        assert largest is not None
        assert largest.offset == 60


async def test_times_are_not_found_in_batches_that_have_no_record_any_more() -> None:
    bench = await Bench().open()
    bench.append(("a", "1"))
    bench.clock.advance(1000)
    bench.append(("b", "1"), producer_id=7, producer_epoch=0, base_sequence=0, log_append_ms=bench.clock.now_ms())
    bench.clock.advance(-500)
    bench.append(("b", "2"))
    bench.append(("z", ""))
    assert await bench.clean()
    assert (1, 1, 0) in await bench.counts()
    found = await bench.log.find_time(NOW_MS + 501)
    assert found is None
    largest = await bench.log.find_max_time()
    assert largest is not None
    assert largest.timestamp_ms == NOW_MS + 500


async def test_how_far_a_log_is_clean_is_known_after_a_start() -> None:
    bench = await Bench().open()
    for value in "123":
        bench.append(("a", value))
    assert await bench.clean()
    assert bench.disk.contents(DATA / "cleaner-offset-checkpoint") == b"0\n1\norders 0 2\n"
    await bench.log.flush()
    await bench.reopened(power_cut=True)
    assert bench.log.cleaned_offset == 2
    assert not await bench.clean()


@pytest.mark.parametrize("text", [b"0\n1\norders 0 99\n", b"garbage"])
async def test_a_checkpoint_beyond_the_log_or_of_garbage_costs_one_line_and_a_pass_from_the_start(
    text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await Bench().open()
    for value in "123":
        bench.append(("a", value))
    await bench.log.flush()
    bench.disk.put(DATA / "cleaner-offset-checkpoint", text)
    await bench.reopened()
    bench.log.high_watermark = bench.log.end_offset
    assert await bench.clean()
    assert await bench.pairs() == [(1, "a", "2"), (2, "a", "3")]
    assert len(caplog.records) == 1


async def test_readers_of_what_was_before_go_on() -> None:
    bench = await Bench().open()
    for value in "123":
        bench.append(("a", "x" * 20_000 + value))
    before = await bench.log.read(0, 1 << 20, 9)
    assert await bench.clean()
    assert [record.offset for record in read_records(before.read())] == [0]
    before.release()


async def test_a_damaged_log_is_left_alone_with_one_line_and_others_are_cleaned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = await Bench().open()
    other = await Bench().open()
    other.log = bench.storage.create(LogId(UUID(int=5), 0), "other", bench.options)
    for value in "123":
        bench.append(("a", value))
        other.append(("a", value))
    path = bench.log.segments[1].path
    data = bytearray(bench.disk.contents(path))
    data[-2] ^= 1
    bench.disk.put(path, bytes(data))
    for _ in range(3):
        await bench.clean()
    assert (bench.log.cleaned_offset, other.log.cleaned_offset) == (0, 2)
    assert ["not compacted any more" in record.message for record in caplog.records].count(True) == 1
    assert bench.disk.contents(path) == data
    assert not bench.disk.paths(".cleaned")


async def test_a_full_disk_ends_the_pass_and_the_next_one_succeeds() -> None:
    bench = await Bench().open()
    for value in "12345":
        bench.append(("a", value * 3000))
    bench.disk.space = sum(len(bench.disk.contents(path)) for path in bench.disk.paths()) + 100
    assert not await bench.clean()
    assert [offset for offset, _, _ in await bench.pairs()][-2:] == [3, 4]
    assert not bench.disk.paths(".cleaned")
    bench.disk.space = None
    assert await bench.clean()
    assert [offset for offset, _, _ in await bench.pairs()] == [3, 4]


async def test_a_cut_while_the_exchange_is_under_way_wins() -> None:
    """Else the next start would bring back what was cut."""
    bench = await Bench().open()
    for number in range(4):
        bench.append((f"k{number}", "value"))
    await bench.log.flush()
    bench.options.segment_bytes = 1 << 20
    in_thread, cut = bench.disk.in_thread, False

    async def cut_between(call: Callable[[], object]) -> object:
        nonlocal cut
        result = await in_thread(call)
        if not cut and bench.disk.paths(".swap"):
            cut = True
            bench.log.truncate(1)
        return result

    bench.disk.in_thread = cut_between  # type: ignore[method-assign,assignment]
    assert not await bench.clean()
    assert cut
    assert bench.log.end_offset == 1
    assert not bench.disk.paths(".swap")
    await bench.log.flush()
    await bench.reopened()
    assert bench.log.end_offset == 1


async def test_without_the_option_nothing_is_compacted(autojump_clock: MockClock) -> None:
    for enable, expected in ((False, 0), (True, 2)):
        bench = await Bench(settings=StorageOptions(log_cleaner_enable=enable)).open()
        for value in "123":
            bench.append(("a", value))
        async with in_background(bench.storage):
            await trio.sleep(60)
            await bench.storage._chores.cleaning.stop()
        assert bench.log.cleaned_offset == expected


async def test_as_many_bytes_a_second_as_the_option_says(autojump_clock: MockClock) -> None:
    bench = await Bench(settings=StorageOptions(log_cleaner_io_max_bytes_per_second=1000)).open()
    for value in "123":
        bench.append(("a", value * 5000))
    begun = trio.current_time()
    assert await bench.clean()
    assert 25 <= trio.current_time() - begun <= 60


async def test_a_bug_costs_the_log_its_compaction_and_nobody_else_anything(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await Bench().open()
    other = await Bench().open()
    other.log = bench.storage.create(LogId(UUID(int=5), 0), "other", bench.options)
    for value in "1234":
        bench.append(("a", value))
    for value in "123":
        other.append(("b", value))
    done = BatchFilter.left_of

    def broken(self: BatchFilter, header: BatchHeader, batch: memoryview) -> object:
        if b"a" in bytes(batch[HEADER_BYTES:]):
            raise AssertionError("a bug")
        return done(self, header, batch)

    monkeypatch.setattr(BatchFilter, "left_of", broken)
    async with in_background(bench.storage):
        await trio.sleep(60)
        await bench.storage._chores.cleaning.stop()
    assert (bench.log.cleaned_offset, other.log.cleaned_offset) == (0, 2)
    assert ["broke off" in record.message for record in caplog.records].count(True) == 1


@pytest.mark.parametrize("largest", [False, True])
async def test_a_search_by_time_goes_on_in_what_took_the_place_of_its_segment(largest: bool) -> None:
    """At every call that lets others in, compaction exchanges everything."""
    calls = 0
    while True:
        bench = await Bench().open()
        for number in range(12):
            bench.append((f"k{number % 4}", f"{number}"))
            bench.clock.advance(10)
        await bench.storage.close()
        await bench.reopened()
        bench.log.high_watermark = bench.log.end_offset
        bench.options.segment_bytes = 1 << 20
        waits = 0

        async def breathe(bench: Bench = bench, cleaned_at: int = calls) -> None:
            nonlocal waits
            if waits == cleaned_at:
                assert await bench.clean()
            waits += 1

        if largest:
            found = await bench.log.find_max_time(breathe)
        else:
            found = await bench.log.find_time(NOW_MS + 10 * 10, breathe)
        assert found is not None
        assert found.offset == (11 if largest else 10)
        assert bench.log.failure is None
        if waits <= calls:
            assert calls > 5
            return
        calls += 1
