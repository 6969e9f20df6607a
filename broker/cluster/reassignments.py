"""Replicas that move to other brokers: which do, and whether a plan may be.

No controller of ours moves replicas, so nothing of ours is ever under way; what a controller of Kafka left half-done
still stands in the registry, and is told.  Source: KIP-455.
"""

from collections.abc import Iterable, Sequence

from broker.cluster.gather import gathered
from broker.cluster.image import Image
from broker.cluster.topics import limit_ms
from broker.cluster.work import Job, Work
from broker.cluster.znodes import MalformedNode, TopicNode, topic_path
from broker.registry.contract import NoNode, Registry
from kproto.errors import ApiError, ErrorCode
from kproto.values import frozen


@frozen
class Moving:
    """One partition under way: all its replicas, and which of them come and go."""

    index: int
    replicas: list[int]
    adding: list[int]
    removing: list[int]


@frozen
class Move:
    """Replicas wanted for a partition; None: stop moving."""

    topic: str
    index: int
    replicas: Sequence[int] | None


class Reassignments:
    """Asked for at the controller."""

    def __init__(self, registry: Registry, image: Image, work: Work) -> None:
        self._registry = registry
        self._image = image
        self._work = work

    def under_way(self, topics: Iterable[str], *, timeout_ms: int) -> Job[list[Moving]]:
        """A row per topic that there is: its partitions under way, often none."""
        job: Job[list[Moving]] = Job()

        async def do() -> None:
            for name, moving in await gathered(self._moving, topics):
                job.rows[name] = moving

        return self._work.begin(job, do, within_ms=limit_ms(timeout_ms))

    async def _moving(self, name: str) -> tuple[str, list[Moving]]:
        try:
            node = TopicNode.decode((await self._registry.get(topic_path(name)))[0])
        except (NoNode, MalformedNode):
            return name, []
        none: list[int] = []
        return name, [
            Moving(index, replicas, node.adding.get(index, none), node.removing.get(index, none))
            for index, replicas in node.partitions.items()
            if node.adding.get(index) or node.removing.get(index)
        ]

    def check(self, move: Move, under_way: Sequence[Moving], *, may_change_factor: bool) -> None:
        """A plan that changes nothing is fine. The words are Kafka's where it has such a case.

        Raises: ApiError: NO_REASSIGNMENT_IN_PROGRESS, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REPLICA_ASSIGNMENT,
            INVALID_REPLICATION_FACTOR; POLICY_VIOLATION: this could be done, but not by this version.
        """
        if any(each.index == move.index for each in under_way):
            raise ApiError(ErrorCode.POLICY_VIOLATION, "This version neither goes on with a reassignment nor stops it.")
        if move.replicas is None:
            raise ApiError(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, "No partition reassignment is in progress.")
        self._check_replicas(move.replicas)
        topic = self._image.topics.get(move.topic)
        if topic is None or not 0 <= move.index < len(topic.partitions):
            raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "The partition does not exist.")
        have = topic.partitions[move.index].replicas
        if len(have) != len(move.replicas) and not may_change_factor:
            raise ApiError(
                ErrorCode.INVALID_REPLICATION_FACTOR,
                f"The replication factor is changed from {len(have)} to {len(move.replicas)}",
            )
        if list(move.replicas) != have:
            raise ApiError(ErrorCode.POLICY_VIOLATION, "This version does not move replicas between brokers.")

    def _check_replicas(self, replicas: Sequence[int]) -> None:
        def refuse(why: str) -> ApiError:
            return ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, why)

        listed = ", ".join(map(str, replicas))
        if not replicas:
            raise refuse("Empty replica list specified in partition reassignment.")
        if len(set(replicas)) < len(replicas):
            raise refuse(f"Duplicate replica ids in partition reassignment replica list: {listed}")
        if min(replicas) < 0:
            raise refuse(f"Invalid broker id in replica list: {listed}")
        if not set(replicas) <= self._image.brokers.keys():
            alive = ", ".join(map(str, sorted(self._image.brokers)))
            raise refuse(
                f"Replica assignment has brokers that are not alive. Replica list: {listed}, live broker list: {alive}"
            )
