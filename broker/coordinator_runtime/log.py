"""What a coordinator needs of the partitions it writes to; `broker.partitions.internal_log` has it."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from broker.purgatory import WaitingRoom
from kproto.records.record import Record


class Replica(Protocol):
    """A partition of any topic whose leadership has changed."""

    @property
    def topic(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def leads_on(self) -> bool:
        """This broker leads it, and its disk works."""
        ...


class InternalPartition(Protocol):
    """One partition of an internal topic, led by this broker."""

    @property
    def start_offset(self) -> int: ...
    @property
    def end_offset(self) -> int: ...
    @property
    def moved(self) -> WaitingRoom:
        """Wakes when `is_safe` may have another answer."""
        ...

    def must_lead(self) -> None:
        """Raises: ApiError: NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR."""
        ...

    def must_take_appends(self) -> None:
        """Raises: ApiError, as `must_lead`, and NOT_ENOUGH_REPLICAS."""
        ...

    def append(self, records: Sequence[Record]) -> int:
        """Append one batch; the log end behind it. Raises: ApiError, as `must_take_appends`: nothing was kept."""
        ...

    def is_safe(self, end_offset: int) -> bool:
        """Whether all below `end_offset` may be acknowledged."""
        ...

    async def read(self, offset: int, max_bytes: int) -> bytes:
        """Whole batches from the one that holds `offset` on, at least one; empty at the end.

        Raises: ApiError: KAFKA_STORAGE_ERROR.
        """
        ...


R = TypeVar("R", bound=Replica, contravariant=True)


class InternalLog(Protocol[R]):
    """The internal topics, and what became of the other topics."""

    def count(self, topic: str) -> int:
        """Partitions of the topic; 0 while there is no such topic."""
        ...

    def open(self, replica: R) -> InternalPartition:
        """To be called while this broker leads the replica."""
        ...

    def topics(self) -> Mapping[str, UUID]:
        """All topics of the cluster with their ids."""
        ...

    @property
    def topics_changed(self) -> WaitingRoom: ...
