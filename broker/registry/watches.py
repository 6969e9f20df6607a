"""The one-shot watches of one session: who is to be told when a node, or the list of its children, changes."""

import logging
from collections.abc import Callable

from broker.registry.contract import EventKind, SessionState, Watch, WatchEvent

log = logging.getLogger("barnabas.registry")


class Watches:
    """Left by reads, called once. Both tables: path -> watch -> how many reads left it there."""

    __slots__ = ("_children", "_data")

    def __init__(self) -> None:
        self._data: dict[str, dict[Watch, int]] = {}
        self._children: dict[str, dict[Watch, int]] = {}

    def leave(self, path: str, watch: Watch, *, children: bool = False) -> None:
        there = (self._children if children else self._data).setdefault(path, {})
        there[watch] = there.get(watch, 0) + 1

    def take_back(self, path: str, watch: Watch, *, children: bool = False) -> None:
        """The read that left it failed; another read may have left the same one."""
        table = self._children if children else self._data
        there = table.get(path, {})
        if watch in there:
            there[watch] -= 1
            if not there[watch]:
                del there[watch]
        if not there:
            table.pop(path, None)

    def fire(self, event: WatchEvent) -> None:
        """Call and forget those whom this event concerns."""
        due: dict[Watch, int] = {}
        if event.kind is not EventKind.CHILDREN:
            due |= self._data.pop(event.path, {})
        if event.kind in (EventKind.CHILDREN, EventKind.DELETED):
            due |= self._children.pop(event.path, {})
        for watch in due:
            call(watch, event)

    def fire_all(self) -> None:
        """After a lost connection: something may have happened anywhere."""
        for path in [*self._data]:
            self.fire(WatchEvent(EventKind.CHANGED, path))
        for path in [*self._children]:
            self.fire(WatchEvent(EventKind.CHILDREN, path))

    def clear(self) -> None:
        """The session is over, and its watches with it."""
        self._data.clear()
        self._children.clear()

    def __len__(self) -> int:
        return sum(map(len, self._data.values())) + sum(map(len, self._children.values()))


def call(watch: Watch, event: WatchEvent) -> None:
    """A watch that fails is its owner's bug; whoever changed the node goes on."""
    try:
        watch(event)
    except Exception:
        log.exception("a watch failed at %s", event)


def tell(listeners: list[Callable[[SessionState], None]], state: SessionState) -> None:
    """Tell every listener of a session; one that fails does not keep the others from hearing it."""
    for listener in tuple(listeners):
        try:
            listener(state)
        except Exception:
            log.exception("a session listener failed at %s", state)
