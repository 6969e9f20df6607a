"""Elections that a client asks for: the request is left where the controller looks, as Kafka's old tools did it.

Source: PreferredReplicaLeaderElectionCommand, KafkaController of Kafka 3.9; KIP-460.
"""

import functools
from collections.abc import Sequence
from enum import IntEnum

from broker.cluster.image import NO_LEADER, Image, PartitionImage
from broker.cluster.topics import Deadline, limit_ms
from broker.cluster.work import Job, Work
from broker.cluster.znodes import PREFERRED_ELECTION, TopicPartition, encode_partitions
from broker.purgatory import Waiter
from broker.registry.contract import NodeExists, NoNode, Registry, WatchEvent
from kproto.errors import ApiError, ErrorCode


class ElectionType(IntEnum):
    """Source: ElectionType.java."""

    PREFERRED = 0
    UNCLEAN = 1


class Elections:
    """Asked for at the controller."""

    def __init__(self, registry: Registry, image: Image, work: Work) -> None:
        self._registry = registry
        self._image = image
        self._work = work

    def elect(self, kind: ElectionType, partitions: Sequence[TopicPartition], *, timeout_ms: int) -> Job[str]:
        """A row per partition (`row_name`) once the image shows the leader wanted, or says why not.

        Codes: UNKNOWN_TOPIC_OR_PARTITION, ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE,
        ELIGIBLE_LEADERS_NOT_AVAILABLE: nobody in sync lives, and no other replica is ever made leader here.
        """
        job: Job[str] = Job()

        async def do() -> None:
            deadline = Deadline(timeout_ms)
            wanted = []
            for place in partitions:
                try:
                    self._check(kind, place)
                    wanted.append(place)
                except ApiError as no:
                    job.rows[row_name(place)] = no
            if wanted and await self._ask(wanted, deadline):
                for place in wanted:
                    if await self._led(place, deadline):
                        job.rows[row_name(place)] = row_name(place)

        return self._work.begin(job, do, within_ms=limit_ms(timeout_ms))

    def _check(self, kind: ElectionType, place: TopicPartition) -> None:
        partition = self._partition(place)
        if partition is None:
            raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "The partition does not exist.")
        leads_well = partition.leader == partition.replicas[0] if kind is ElectionType.PREFERRED else True
        if partition.leader != NO_LEADER and leads_well:
            raise ApiError(ErrorCode.ELECTION_NOT_NEEDED, "Leader election not needed for topic partition.")
        if kind is ElectionType.UNCLEAN:
            raise ApiError(ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE)
        best = partition.replicas[0]
        if best not in self._image.brokers or best not in partition.isr:
            raise ApiError(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE)

    def _partition(self, place: TopicPartition) -> PartitionImage | None:
        name, index = place
        topic = self._image.topics.get(name)
        if topic is None or not 0 <= index < len(topic.partitions) or not topic.partitions[index].replicas:
            return None
        return topic.partitions[index]

    async def _ask(self, wanted: Sequence[TopicPartition], deadline: Deadline) -> bool:
        """One request at a time lies there; the controller takes it away when it is carried out."""
        while True:
            try:
                await self._registry.create(PREFERRED_ELECTION, encode_partitions(wanted), parents=True)
                return True
            except NodeExists:
                waiter = Waiter()
                try:
                    await self._registry.get(PREFERRED_ELECTION, functools.partial(_wake, waiter))
                except NoNode:
                    continue
                if not await waiter.wait(deadline.left_ms()):
                    return False

    async def _led(self, place: TopicPartition, deadline: Deadline) -> bool:
        """Wait until the preferred replica leads."""
        while True:
            partition = self._partition(place)
            if partition is not None and partition.leader == partition.replicas[0]:
                return True
            waiter = Waiter()
            waiter.watch([self._image.changed])
            if not await waiter.wait(deadline.left_ms()):
                return False


def row_name(place: TopicPartition) -> str:
    return f"{place[0]}-{place[1]}"


def _wake(waiter: Waiter, _: WatchEvent) -> None:
    waiter.wake()
