"""Who waits: for bytes, for a high watermark, for a group. One waiter object, put on everything that it watches.

A room that changes something tells those who stand in its waiting rooms; nobody polls.
"""

from collections.abc import Iterable
from typing import Protocol

import trio


class Watcher(Protocol):
    """Whoever stands in a waiting room."""

    def grow(self, size: int) -> None:
        """`size` bytes more are there."""
        ...

    def wake(self) -> None:
        """What was there has changed, or something has come that has no size."""
        ...


class Waiter:
    """One request that waits. `wake` may come before `wait`, many times, and from several rooms."""

    __slots__ = ("_event", "_places", "woken")

    def __init__(self) -> None:
        self.woken = False
        self._event: trio.Event | None = None
        self._places: list[WaitingRoom] = []

    def wake(self) -> None:
        self.woken = True
        if self._event is not None:
            self._event.set()

    def grow(self, size: int) -> None:
        self.wake()

    def watch(self, rooms: "Iterable[WaitingRoom]") -> None:
        """Stand in these rooms until `leave`."""
        for room in rooms:
            room.waiters[self] = None
            self._places.append(room)

    async def wait(self, within_ms: float) -> bool:
        """Until woken or the time is up; True if woken. Leaves all rooms."""
        try:
            if not self.woken and within_ms > 0:
                self._event = trio.Event()
                with trio.move_on_after(within_ms / 1000):
                    await self._event.wait()
            return self.woken
        finally:
            self.leave()

    def leave(self) -> None:
        for room in self._places:
            room.waiters.pop(self, None)
        self._places.clear()


class ByteWaiter(Waiter):
    """A fetch: woken once `missing` more bytes have come, over all that it watches."""

    __slots__ = ("missing",)

    def __init__(self, missing: int) -> None:
        super().__init__()
        self.missing = missing

    def grow(self, size: int) -> None:
        self.missing -= size
        if self.missing <= 0:
            self.wake()


class WaitingRoom:
    """Those who wait for one thing: a partition's end, its high watermark, a topic's birth. In the order they came."""

    __slots__ = ("waiters",)

    def __init__(self) -> None:
        self.waiters: dict[Watcher, None] = {}

    def grow(self, size: int) -> None:
        """`size` bytes more are there."""
        for waiter in tuple(self.waiters):
            waiter.grow(size)

    def wake_all(self) -> None:
        """What they wait for will not come, or has changed altogether: let them look again."""
        for waiter in tuple(self.waiters):
            waiter.wake()
