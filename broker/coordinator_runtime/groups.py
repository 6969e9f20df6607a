"""The group coordinator of this broker: one shard for each partition of `__consumer_offsets` that it leads.

The machine and all that it needs are imported with the first shard: a broker without groups starts without them.
"""

import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from uuid import UUID

import trio

from broker.clock import Chance, Clock
from broker.coordinator_runtime.answers import Answer
from broker.coordinator_runtime.log import InternalLog, Replica
from broker.coordinator_runtime.timers import Timers
from broker.purgatory import Waiter
from coordinator.groups.rules import Rules, partition_of
from kproto.errors import ApiError, ErrorCode

if TYPE_CHECKING:
    from broker.coordinator_runtime.shards import GroupAnswer, Shard
    from coordinator.groups.classic import ClassicGroup
    from coordinator.groups.events import Event

log = logging.getLogger("barnabas.groups")

QUIET_S = 60.0
"""Between two lines that say the same."""

TOPIC = "__consumer_offsets"

MAX_TEXT_BYTES = 2**15 - 1
"""What a text in a record can hold, and so ids and names that go into one."""
MEMBER_PREFIX_CHARS = 1_000

T = TypeVar("T")


class GroupSettings(Protocol):
    """The options of the group coordinator; names as in Kafka, dots as underscores."""

    @property
    def group_initial_rebalance_delay_ms(self) -> int: ...
    @property
    def group_max_size(self) -> int: ...
    @property
    def offsets_retention_minutes(self) -> int: ...
    @property
    def offsets_retention_check_interval_ms(self) -> int: ...


R = TypeVar("R", bound=Replica)


class Groups(Generic[R]):
    """Handlers `tell` it what happens; `broker.py` tells it which partitions it leads.

    `run` is to be started before the first `leadership_changed`.
    """

    def __init__(self, internal: InternalLog[R], settings: GroupSettings, clock: Clock, chance: Chance) -> None:
        self._internal = internal
        self._rules = Rules(
            settings.group_initial_rebalance_delay_ms,
            settings.group_max_size,
            settings.offsets_retention_minutes * 60_000,
            settings.offsets_retention_check_interval_ms,
        )
        self._clock = clock
        self._chance = chance
        self._timers = Timers()
        self._shards: dict[int, Shard] = {}
        self._to_load: deque[Shard] = deque()
        self._load_wanted = trio.Event()
        self._nursery: trio.Nursery | None = None
        self._quiet_until = -math.inf

    def cannot_serve(self, why: str) -> None:
        """Tell the operator, at most once a minute, however often clients ask."""
        now = trio.current_time()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_S
            log.warning("No groups can be served: %s cannot be created: %s", TOPIC, why)

    def partition_of(self, group_id: str) -> int | None:
        """The partition whose leader coordinates the group; None while the topic is not there.

        Raises: ApiError: INVALID_GROUP_ID: the id is longer than a record can hold.
        """
        if len(group_id) > MAX_TEXT_BYTES or len(group_id.encode()) > MAX_TEXT_BYTES:
            raise ApiError(ErrorCode.INVALID_GROUP_ID)
        count = self._internal.count(TOPIC)
        return partition_of(group_id, count) if count else None

    def tell(self, group_id: str, event: "Event") -> "GroupAnswer":
        """Hand an event to its group; the answer may be there already.

        Raises: ApiError: INVALID_GROUP_ID, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE.
        """
        partition = self.partition_of(group_id)
        shard = None if partition is None else self._shards.get(partition)
        if shard is None:
            raise ApiError(ErrorCode.NOT_COORDINATOR)
        return shard.tell(group_id, event)

    def every(self) -> list["ClassicGroup"]:
        """All groups coordinated here.

        Raises: ApiError: COORDINATOR_LOAD_IN_PROGRESS: not all of them are known yet.
        """
        if any(shard.is_loading for shard in self._shards.values()):
            raise ApiError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
        return [group for shard in self._shards.values() for group in shard.machine.groups.values()]

    def fresh_member_id(self, prefix: str) -> str:
        """Args: prefix: client id, or the instance id of a static member.  Source: GroupMetadata.generateMemberId."""
        return f"{prefix[:MEMBER_PREFIX_CHARS]}-{self._chance.uuid()}"

    def begin(self, do: Callable[[], Awaitable[T]]) -> Answer[T]:
        """Do something that waits and goes on if the client does not; its result is the answer, None if it failed.

        Raises: ApiError: COORDINATOR_NOT_AVAILABLE: the broker is stopping.
        """
        if self._nursery is None:
            raise ApiError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
        answer: Answer[T] = Answer()

        async def task() -> None:
            try:
                answer.give(await do())
            except Exception:
                log.exception("This is a bug of the broker: a request's work failed")
                answer.wake()

        self._nursery.start_soon(task)
        return answer

    def leadership_changed(self, replica: R) -> None:
        """A partition, of any topic, has a leader, another one, or none."""
        if replica.topic != TOPIC:
            return
        shard = self._shards.get(replica.index)
        if replica.leads_on and shard is None:
            self._lead(replica)
        elif shard is not None and not replica.leads_on:
            del self._shards[replica.index]
            shard.end(ErrorCode.NOT_COORDINATOR)

    def _lead(self, replica: R) -> None:
        """An empty partition needs no reading: fifty of them are ready at once."""
        from broker.coordinator_runtime.shards import Shard

        partition = self._internal.open(replica)
        name = f"{TOPIC}-{replica.index}"
        shard = Shard(name, partition, self._rules, self._clock, self._timers, lambda: self._lead_again(replica))
        self._shards[replica.index] = shard
        if partition.start_offset == partition.end_offset:
            shard.begin()
        else:
            self._to_load.append(shard)
            self._load_wanted.set()

    def _lead_again(self, replica: R) -> None:
        """A write failed: what the log has is the truth. If we do not lead any more, others will read it."""
        del self._shards[replica.index]
        if replica.leads_on:
            self._lead(replica)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Load shards, fire timers and forget deleted topics until cancelled."""
        try:
            async with trio.open_nursery() as self._nursery:
                await self._nursery.start(self._timers.run)
                self._nursery.start_soon(self._load)
                self._nursery.start_soon(self._forget_deleted_topics)
                task_status.started()
        finally:
            self._nursery = None

    async def _load(self) -> None:
        """One after another, each in slices."""
        while True:
            await self._load_wanted.wait()
            self._load_wanted = trio.Event()
            while self._to_load:
                await self._to_load.popleft().load()

    async def _forget_deleted_topics(self) -> None:
        """Offsets of a topic go with it; one of the same name that comes after it is another."""
        known = dict(self._internal.topics())
        while True:
            waiter = Waiter()
            waiter.watch([self._internal.topics_changed])
            now = dict(self._internal.topics())
            for name, topic_id in gone(known, now).items():
                for shard in list(self._shards.values()):
                    shard.forget_topic(name, topic_id)
            known = now
            await waiter.wait(math.inf)


def gone(before: Mapping[str, UUID], now: Mapping[str, UUID]) -> dict[str, UUID]:
    return {name: topic_id for name, topic_id in before.items() if now.get(name) != topic_id}
