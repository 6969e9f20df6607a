"""`flush.ms`, on logs that only count."""

from dataclasses import dataclass

import pytest
import trio
import trio.testing

from broker.storage.segments.flush_by_age import NEVER_MS, Flushable, FlushByAge, look_every_ms
from broker.testing.disk import FakeDisk
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, batch, started, storage_on


@dataclass
class Options:
    flush_ms: int


@dataclass(eq=False)
class CountingLog:
    settings: Options
    end_offset: int = 0
    flushed_offset: int = 0


def test_what_stays_unflushed_for_the_time_of_its_option_is_flushed_once_it_is_due() -> None:
    due: list[Flushable] = []
    ages = FlushByAge(due.append)
    log = CountingLog(Options(flush_ms=2_000), end_offset=5)
    ages.look([log], 10.0)
    ages.look([log], 11.9)
    assert due == []
    ages.look([log], 12.0)
    assert due == [log]


def test_a_flush_by_anybody_starts_the_time_again() -> None:
    due: list[Flushable] = []
    ages = FlushByAge(due.append)
    log = CountingLog(Options(flush_ms=2_000), end_offset=5)
    ages.look([log], 10.0)
    log.flushed_offset, log.end_offset = 5, 6
    ages.look([log], 12.0)
    ages.look([log], 13.9)
    assert due == []
    ages.look([log], 14.0)
    assert due == [log]


@pytest.mark.parametrize("log", [CountingLog(Options(NEVER_MS), 5, 0), CountingLog(Options(0), 5, 5)], ids=str)
def test_nothing_is_due_without_the_option_or_without_anything_to_flush(log: CountingLog) -> None:
    due: list[Flushable] = []
    FlushByAge(due.append).look([log], 10.0)
    assert due == []


def test_nobody_has_to_set_the_schedulers_interval() -> None:
    assert look_every_ms(NEVER_MS) == 1_000
    assert look_every_ms(5_000) == 5_000


async def test_a_log_with_the_option_outlives_a_power_cut_after_that_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """As `log.flush.interval.ms` promises, with nothing else set."""
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    async with trio.open_nursery() as nursery:
        await nursery.start(storage.run)
        log = storage.create(ORDERS, "orders", LogOptions(flush_ms=2_000))
        log.append(batch("a"), 0, NOW_MS)
        await trio.sleep(1.5)
        assert log.flushed_offset == 0
        await trio.sleep(2)
        assert log.flushed_offset == 1
        nursery.cancel_scope.cancel()
