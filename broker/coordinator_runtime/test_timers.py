"""One heap of deadlines, one task."""

import pytest
import trio
from trio.testing import MockClock

from broker.coordinator_runtime.timers import Timers


class Clockwork:
    """Timers that note when they fired."""

    def __init__(self) -> None:
        self.timers = Timers()
        self.fired: list[tuple[str, float]] = []
        self.began = trio.current_time()

    def set(self, key: str, after_ms: float) -> None:
        self.timers.set(key, after_ms, lambda: self.fired.append((key, self.now_ms)))

    @property
    def now_ms(self) -> float:
        """Since the beginning, to the nearest 10: an event loop wakes up to a millisecond late."""
        return round((trio.current_time() - self.began) * 1000, -1)


@pytest.fixture
async def clockwork(nursery: trio.Nursery) -> Clockwork:
    made = Clockwork()
    await nursery.start(made.timers.run)
    return made


async def test_timers_fire_in_the_order_of_their_deadlines(clockwork: Clockwork, autojump_clock: MockClock) -> None:
    for key, after_ms in (("b", 20), ("a", 10), ("c", 30)):
        clockwork.set(key, after_ms)
    await trio.sleep(1)
    assert clockwork.fired == [("a", 10), ("b", 20), ("c", 30)]
    assert len(clockwork.timers) == 0


async def test_timer_that_is_set_again_moves_later(clockwork: Clockwork, autojump_clock: MockClock) -> None:
    """Each heartbeat does this."""
    clockwork.set("a", 10)
    await trio.sleep(0.005)
    clockwork.set("a", 25)
    await trio.sleep(1)
    assert clockwork.fired == [("a", 30)]


async def test_timer_that_is_set_again_moves_earlier(clockwork: Clockwork, autojump_clock: MockClock) -> None:
    clockwork.set("a", 100)
    clockwork.set("a", 10)
    await trio.sleep(1)
    assert clockwork.fired == [("a", 10)]


async def test_timer_moved_to_and_fro_fires_once(clockwork: Clockwork, autojump_clock: MockClock) -> None:
    for after_ms in (50, 10, 80, 20, 60):
        clockwork.set("a", after_ms)
    await trio.sleep(1)
    assert clockwork.fired == [("a", 60)]


async def test_cancelled_timer_does_not_fire_and_may_be_set_again(
    clockwork: Clockwork, autojump_clock: MockClock
) -> None:
    clockwork.set("a", 10)
    clockwork.set("b", 10)
    clockwork.timers.cancel("a")
    clockwork.timers.cancel("never set")
    await trio.sleep(0.05)
    assert clockwork.fired == [("b", 10)]
    clockwork.set("a", 10)
    await trio.sleep(0.05)
    assert clockwork.fired == [("b", 10), ("a", 60)]


async def test_timer_may_set_itself_again(clockwork: Clockwork, autojump_clock: MockClock) -> None:
    def tick() -> None:
        clockwork.fired.append(("tick", 0))
        if len(clockwork.fired) < 3:
            clockwork.timers.set("tick", 10, tick)

    clockwork.timers.set("tick", 0, tick)
    await trio.sleep(1)
    assert len(clockwork.fired) == 3
