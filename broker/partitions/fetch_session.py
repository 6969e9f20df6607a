"""One fetch session: what its reader asks for, and which of it may have something new to tell.  Source: KIP-227.

A fetch looks at the dirty partitions alone, so it costs the same however many the session has.
"""

from operator import attrgetter
from typing import TYPE_CHECKING
from uuid import UUID

from broker.purgatory import ByteWaiter, WaitingRoom
from kproto.errors import ApiError, ErrorCode

if TYPE_CHECKING:
    from kproto.messages.fetch import FetchPartition, FetchTopic, PartitionData

NEVER_TOLD = -2
"""No answer's high watermark or log start: an error tells -1."""
INITIAL_EPOCH, FINAL_EPOCH, LAST_EPOCH = 0, -1, 2**31 - 1
Key = tuple[str, UUID, int]
"""Topic name or topic id, the other one empty, and partition: a topic made anew has another id."""


class Watch:
    """One partition of a session: what was asked for last, and what was told last.

    Either it is dirty, and the next fetch looks at it; or it stands in the waiting rooms of its partition, and the
    first thing that happens there makes it dirty. So a session that nobody uses any more costs an append nothing.
    """

    __slots__ = ("_high_watermark", "_log_start_offset", "_rooms", "_session", "asked", "place", "topic")

    def __init__(self, session: "FetchSession", topic: "FetchTopic", asked: "FetchPartition", place: int) -> None:
        self.topic = topic
        self.asked = asked
        self.place = place
        """Fetches look at small places first."""
        self._session = session
        self._high_watermark = self._log_start_offset = NEVER_TOLD
        self._rooms: tuple[WaitingRoom, ...] = ()

    def grow(self, size: int) -> None:
        """More bytes: the fetch that waits counts these, and those that follow here, itself."""
        rooms = self.mark()
        waiter = self._session.waiter
        if waiter is not None:
            waiter.watch(rooms)
            waiter.grow(size)

    def wake(self) -> None:
        self.mark()
        if self._session.waiter is not None:
            self._session.waiter.wake()

    def mark(self) -> tuple[WaitingRoom, ...]:
        """Dirty from now on; where it stood."""
        rooms = self._rooms
        self.leave()
        self._session.dirty[self] = None
        return rooms

    def leave(self) -> None:
        for room in self._rooms:
            room.waiters.pop(self, None)
        self._rooms = ()

    def stand_in(self, rooms: tuple[WaitingRoom, ...]) -> None:
        """Dirty no longer: all there is has been told, and what comes is announced in these rooms."""
        del self._session.dirty[self]
        self._rooms = rooms
        for room in rooms:
            room.waiters[self] = None

    def has_news(self, data: "PartitionData") -> bool:
        """Whether this must be told, and not again until it changes."""
        moved = data.high_watermark != self._high_watermark or data.log_start_offset != self._log_start_offset
        self._high_watermark, self._log_start_offset = data.high_watermark, data.log_start_offset
        return moved or bool(data.records) or data.error_code != ErrorCode.NONE or data.diverging_epoch is not None


class SessionWaiter(ByteWaiter):
    """A fetch of a session that waits: told also by the session's watches."""

    __slots__ = ("_session",)

    def __init__(self, session: "FetchSession", missing: int) -> None:
        super().__init__(missing)
        self._session = session
        session.waiter = self

    def leave(self) -> None:
        super().leave()
        if self._session.waiter is self:
            self._session.waiter = None


class FetchSession:
    """What one reader asks for again and again.

    Args:
        privileged: of a follower: no consumer's session takes its slot.
        by_id: its requests name topics by id.
    """

    __slots__ = (
        "_closed",
        "_next_place",
        "_watches",
        "by_id",
        "created_s",
        "dirty",
        "epoch",
        "id",
        "privileged",
        "used_s",
        "waiter",
    )

    def __init__(self, session_id: int, *, privileged: bool, by_id: bool, now_s: float) -> None:
        self.id = session_id
        self.privileged = privileged
        self.by_id = by_id
        self.created_s = self.used_s = now_s
        self.epoch = 1
        """Of the next fetch."""
        self.dirty: dict[Watch, None] = {}
        self.waiter: SessionWaiter | None = None
        self._watches: dict[Key, Watch] = {}
        self._next_place = 0
        self._closed = False

    def __len__(self) -> int:
        return len(self._watches)

    def ask(self, topic: "FetchTopic", asked: "FetchPartition") -> Watch:
        """From now on this is asked of the partition. `topic` only names it: it is kept, and should be empty."""
        key = (topic.topic, topic.topic_id, asked.partition)
        watch = self._watches.get(key)
        if watch is None:
            watch = self._watches[key] = Watch(self, topic, asked, self._place())
        watch.asked = asked
        watch.mark()
        return watch

    def forget(self, topic: str, topic_id: UUID, partition: int) -> None:
        watch = self._watches.pop((topic, topic_id, partition), None)
        if watch is not None:
            watch.leave()
            self.dirty.pop(watch, None)

    def to_look_at(self) -> list[Watch]:
        """The dirty ones; those that were answered with data last come last."""
        return sorted(self.dirty, key=attrgetter("place"))

    def answered_with_data(self, watch: Watch) -> None:
        watch.place = self._place()

    def _place(self) -> int:
        self._next_place += 1
        return self._next_place

    def go_on(self) -> int:
        """A fetch begins, and one that still waits is overtaken; the epoch of the one to follow."""
        self.epoch = self.epoch + 1 if self.epoch < LAST_EPOCH else 1
        if self.waiter is not None:
            self.waiter.wake()
        return self.epoch

    def must_stand(self, epoch: int) -> None:
        """Raises: ApiError: FETCH_SESSION_ID_NOT_FOUND: closed meanwhile; INVALID_FETCH_SESSION_EPOCH: overtaken."""
        if self._closed:
            raise ApiError(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
        if epoch != self.epoch:
            raise ApiError(ErrorCode.INVALID_FETCH_SESSION_EPOCH)

    def close(self) -> None:
        """It watches nothing any more; a fetch that waits ends."""
        self._closed = True
        for watch in self._watches.values():
            watch.leave()
        if self.waiter is not None:
            self.waiter.wake()
