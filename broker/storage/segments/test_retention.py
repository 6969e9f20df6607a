"""Which segments go, against a clock that tests move."""

import pytest
import trio

from broker.clock import SetClock
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, batch, in_background, started, storage_on

MINUTE_MS = 60_000


class Shelf:
    """A log with one batch in each segment, a minute apart; the newest is written at `clock`."""

    def __init__(self, **options: object) -> None:
        self.options = LogOptions(segment_bytes=1)
        self.change(**options)
        self.disk = FakeDisk()
        self.clock = SetClock(NOW_MS)
        self.storage: SegmentStorage
        self.log: SegmentLog

    def change(self, **options: object) -> None:
        for name, value in options.items():
            setattr(self.options, name, value)

    async def open(self) -> "Shelf":
        self.storage = storage_on(self.disk, clock=self.clock, defaults=self.options)
        await started(self.storage)
        self.log = self.storage.create(ORDERS, "orders", self.options)
        return self

    def fill(self, count: int = 5, ahead_ms: int = 0) -> None:
        for number in range(count):
            if number:
                self.clock.advance(MINUTE_MS)
            self.log.append(batch("value", at_ms=self.clock.now_ms() + ahead_ms), 0, self.clock.now_ms())
        self.log.high_watermark = self.log.end_offset

    async def left(self) -> int:
        """The first offset after a look."""
        await self.log.tidy(self.clock.now_ms())
        assert self.log.start_offset == self.log.segments[0].base_offset
        return self.log.start_offset


async def test_segments_go_when_their_newest_record_is_too_old_by_a_millisecond() -> None:
    shelf = await Shelf(retention_ms=3 * MINUTE_MS).open()
    shelf.fill()
    assert await shelf.left() == 1
    shelf.clock.advance(1)
    assert await shelf.left() == 2
    shelf.clock.advance(MINUTE_MS - 1)
    assert await shelf.left() == 2


async def test_the_newest_segment_goes_too_once_all_its_records_are_too_old() -> None:
    shelf = await Shelf(retention_ms=3 * MINUTE_MS).open()
    shelf.fill()
    shelf.clock.advance(60 * MINUTE_MS)
    assert await shelf.left() == 5
    assert (shelf.log.end_offset, shelf.log.size_bytes) == (5, 0)


async def test_records_of_the_future_stay_until_their_time_has_come_and_gone() -> None:
    """Also what lies behind them: segments go from the front."""
    shelf = await Shelf(retention_ms=MINUTE_MS).open()
    shelf.fill(1, ahead_ms=60 * MINUTE_MS)
    shelf.fill(3)
    shelf.clock.advance(50 * MINUTE_MS)
    assert await shelf.left() == 0
    shelf.clock.advance(12 * MINUTE_MS)
    assert await shelf.left() == 4


async def test_an_old_file_does_not_make_new_records_old(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = await Shelf(retention_ms=MINUTE_MS).open()
    shelf.fill(3)
    monkeypatch.setattr(shelf.disk, "modified_ms", lambda path: 0)
    assert await shelf.left() == 1


async def test_records_without_a_time_have_that_of_their_file(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = await Shelf(retention_ms=MINUTE_MS).open()
    for _ in range(3):
        shelf.log.append(batch("value", at_ms=-1), 0, NOW_MS)
    shelf.log.high_watermark = 3
    monkeypatch.setattr(shelf.disk, "modified_ms", lambda path: NOW_MS - MINUTE_MS)
    assert await shelf.left() == 0
    shelf.clock.advance(1)
    assert await shelf.left() == 3


@pytest.mark.parametrize(("kept_bytes", "first"), [(-1, 0), (10**6, 0), (0, 5), (100, 3), (200, 2)])
async def test_by_size_the_oldest_segments_go_as_long_as_enough_stays(kept_bytes: int, first: int) -> None:
    shelf = await Shelf(retention_bytes=kept_bytes).open()
    shelf.fill()
    assert {segment.size for segment in shelf.log.segments} == {73}
    assert await shelf.left() == first


async def test_without_limits_nothing_goes_however_late_it_is() -> None:
    shelf = await Shelf(retention_ms=-1, retention_bytes=-1).open()
    shelf.fill()
    shelf.clock.advance(10**12)
    assert await shelf.left() == 0


async def test_nothing_above_the_high_watermark_goes() -> None:
    shelf = await Shelf(retention_ms=0, retention_bytes=0).open()
    shelf.fill()
    shelf.clock.advance(60 * MINUTE_MS)
    shelf.log.high_watermark = 2
    assert await shelf.left() == 2


async def test_a_compacted_log_keeps_what_is_old_and_loses_what_is_below_its_start() -> None:
    shelf = await Shelf(cleanup_policy=["compact"], retention_ms=0, retention_bytes=0).open()
    shelf.fill()
    shelf.clock.advance(60 * MINUTE_MS)
    assert await shelf.left() == 0
    shelf.log.advance_start(2)
    assert await shelf.left() == 2


async def test_with_both_policies_old_segments_go_also_after_they_were_compacted() -> None:
    shelf = await Shelf(
        cleanup_policy=["compact", "delete"], retention_ms=10 * MINUTE_MS, min_cleanable_dirty_ratio=0.0
    ).open()
    shelf.fill()
    assert await shelf.storage._chores.cleaning.clean_next()
    shelf.clock.advance(60 * MINUTE_MS)
    assert await shelf.left() == 5
    assert not await shelf.storage._chores.cleaning.clean_next()


async def test_options_that_change_are_heeded_at_the_next_look(autojump_clock: object) -> None:
    shelf = await Shelf().open()
    shelf.fill()
    async with in_background(shelf.storage):
        await trio.sleep(400)
        assert shelf.log.start_offset == 0
        shelf.change(retention_bytes=150)
        await trio.sleep(400)
        assert shelf.log.start_offset == 2
        shelf.change(retention_bytes=-1, retention_ms=MINUTE_MS // 2)
        await trio.sleep(400)
        assert shelf.log.start_offset == 4
