"""Creates, deletes and grows topics, as any broker of a ZooKeeper-mode cluster does: by writing the znodes.

The controller sees them and does the rest; a command is done when the image of this broker shows it.
"""

import functools
from collections.abc import Callable, Sequence

import trio

from broker.clock import Chance
from broker.cluster.image import Image
from broker.cluster.topic_plans import Created, Growth, NewTopic, Planner, default_topic
from broker.cluster.topic_rules import Names
from broker.cluster.topic_writes import add_partitions, ask_deletion, make_topic
from broker.cluster.work import Job, Work
from broker.cluster.znodes import TOPICS, delete_topic_path
from broker.config.settings import BrokerSettings
from broker.purgatory import Waiter
from broker.registry.contract import NoNode, Registry, WatchEvent
from kproto.errors import ApiError, ErrorCode

WRITING_MS = 10_000
"""A command that will not wait is still carried out; its writes have this long."""
MAX_WAIT_MS = 300_000
INTERNAL_WAIT_MS = 10_000


def limit_ms(timeout_ms: int) -> int:
    """How long a command with this timeout may take in all, and how long its handler waits for it."""
    return min(max(timeout_ms, WRITING_MS), MAX_WAIT_MS)


class Topics:
    """The commands of broker `broker_id`. Each gives a Job with a row per topic.

    A handler awaits `ctx.pause(job.waiter(), limit_ms(timeout_ms))` and then reads `job.row(name)`.
    """

    def __init__(
        self,
        registry: Registry,
        image: Image,
        settings: BrokerSettings,
        chance: Chance,
        work: Work,
        *,
        broker_id: int,
    ) -> None:
        self._registry = registry
        self._image = image
        self._settings = settings
        self._chance = chance
        self._work = work
        self._broker_id = broker_id
        self._internal: dict[str, Job[Created]] = {}

    def must_be_controller(self) -> None:
        """Raises: ApiError: NOT_CONTROLLER: admin clients ask the controller for changes of topics."""
        if self._image.controller_id != self._broker_id:
            raise ApiError(ErrorCode.NOT_CONTROLLER)

    def create(
        self, wanted: Sequence[NewTopic], *, timeout_ms: int, validate_only: bool = False, await_existing: bool = False
    ) -> Job[Created]:
        """A row is there once the image shows the topic with all its leaders, or says why not.

        Args: await_existing: the job is done only when topics that were there already are shown as well; somebody
            else may have made them this moment.
        Codes: INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
        INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG, INVALID_REQUEST, POLICY_VIOLATION.
        """
        job: Job[Created] = Job()

        async def do() -> None:
            deadline = Deadline(timeout_ms)
            planner, names = self._planner(), Names(await self._registry.children(TOPICS))
            made: dict[str, Created] = {}
            there: list[str] = []
            for topic in wanted:
                await trio.lowlevel.checkpoint()  # a registry of our own never waits; other clients shall not either
                try:
                    created = planner.create(topic, names)
                    names.add(topic.name)
                    if validate_only:
                        job.rows[topic.name] = created
                        continue
                    created.id = self._chance.uuid()
                    await make_topic(self._registry, topic.name, created)
                    made[topic.name] = created
                except ApiError as no:
                    job.rows[topic.name] = no
                    if await_existing and no.code == ErrorCode.TOPIC_ALREADY_EXISTS:
                        there.append(topic.name)
            for name, created in made.items():
                if await self._shown(name, len(created.assignment), deadline):
                    job.rows[name] = created
            for name in there:
                await self._shown(name, 1, deadline)

        return self._work.begin(job, do, within_ms=limit_ms(timeout_ms))

    def create_by_default(self, names: Sequence[str], *, timeout_ms: int) -> Job[Created]:
        """What Metadata creates by itself; internal topics with counts and configs of their own."""
        wanted = [default_topic(name, self._settings) for name in names]
        return self.create(wanted, timeout_ms=timeout_ms, await_existing=True)

    def ensure_internal(self, name: str) -> Job[Created]:
        """An internal topic, made if it is missing; all who ask meanwhile share one attempt.

        Its row refuses as that of `create`; TOPIC_ALREADY_EXISTS: it is there, or another broker was faster.
        """
        job = self._internal.get(name)
        if job is None or job.done:
            job = self._internal[name] = self.create_by_default([name], timeout_ms=INTERNAL_WAIT_MS)
        return job

    def delete(self, names: Sequence[str], *, timeout_ms: int) -> Job[str]:
        """A row is there once the topic and its nodes are gone, or says why not: UNKNOWN_TOPIC_OR_PARTITION."""
        job: Job[str] = Job()

        async def do() -> None:
            deadline = Deadline(timeout_ms)
            asked = []
            for name in names:
                try:
                    await ask_deletion(self._registry, name)
                    asked.append(name)
                except ApiError as no:
                    job.rows[name] = no
            for name in asked:
                if await self._deleted(name, deadline):
                    job.rows[name] = name

        return self._work.begin(job, do, within_ms=limit_ms(timeout_ms))

    def grow(self, wanted: Sequence[Growth], *, timeout_ms: int, validate_only: bool = False) -> Job[str]:
        """A row is there once the image shows the new partitions with leaders, or says why not.

        Codes: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT,
        INVALID_TOPIC_EXCEPTION (being deleted), REASSIGNMENT_IN_PROGRESS, POLICY_VIOLATION.
        """
        job: Job[str] = Job()

        async def do() -> None:
            deadline = Deadline(timeout_ms)
            planner = self._planner()
            grown: dict[str, int] = {}
            for growth in wanted:
                try:
                    await add_partitions(self._registry, planner, growth, validate_only=validate_only)
                    grown[growth.name] = growth.count
                except ApiError as no:
                    job.rows[growth.name] = no
            for name, count in grown.items():
                if validate_only or await self._shown(name, count, deadline):
                    job.rows[name] = name

        return self._work.begin(job, do, within_ms=limit_ms(timeout_ms))

    def _planner(self) -> Planner:
        brokers = {broker.id: broker.rack for broker in self._image.brokers.values()}
        return Planner(self._settings, self._chance, brokers)

    async def _shown(self, name: str, partitions: int, deadline: "Deadline") -> bool:
        """Wait until the image has so many partitions of the topic, all with leaders."""

        def shown() -> bool:
            topic = self._image.topics.get(name)
            return (
                topic is not None
                and len(topic.partitions) >= partitions
                and all(each.leader >= 0 for each in topic.partitions)
            )

        return await self._until(shown, deadline)

    async def _until(self, holds: Callable[[], bool], deadline: "Deadline") -> bool:
        while not holds():
            waiter = Waiter()
            waiter.watch([self._image.changed])
            if not await waiter.wait(deadline.left_ms()):
                return False
        return True

    async def _deleted(self, name: str, deadline: "Deadline") -> bool:
        """Wait until the request for deletion is gone, which the controller takes away last."""
        path = delete_topic_path(name)
        while True:
            waiter = Waiter()
            try:
                await self._registry.get(path, functools.partial(_wake, waiter))
            except NoNode:  # and no watch stays, as one of `exists` would, for ever
                return True
            if not await waiter.wait(deadline.left_ms()):
                return False


def _wake(waiter: Waiter, _: WatchEvent) -> None:
    waiter.wake()


class Deadline:
    """The end of a client's patience."""

    def __init__(self, timeout_ms: int) -> None:
        self._end = trio.current_time() + min(timeout_ms, MAX_WAIT_MS) / 1000

    def left_ms(self) -> float:
        return max(self._end - trio.current_time(), 0) * 1000
