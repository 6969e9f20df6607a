"""Who fetches: a consumer or another broker, and so which partitions it may read, and how far."""

from collections.abc import Mapping

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.image import TopicImage
from broker.handlers.fetch_versions import ZSTD_SINCE, must_be_readable
from broker.handlers.topic_rows import topic_of
from broker.partitions.partition import Partition
from broker.purgatory import WaitingRoom
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic

READ_UNCOMMITTED, READ_COMMITTED = 0, 1


class Asker:
    """What all rows of one fetch have in common. A topic is looked up once for all neighbours that name it."""

    __slots__ = ("_named", "_replicas", "_topic", "committed", "ctx", "replica_id")

    def __init__(self, request: FetchRequest, ctx: Context) -> None:
        state = request.replica_state
        self.ctx = ctx
        self.replica_id = request.replica_id if state is None else max(request.replica_id, state.replica_id)
        """A broker's id, or -1 for a consumer; since version 15 it stands in a tag."""
        self.committed = request.isolation_level == READ_COMMITTED
        """Wants no records of aborted transactions, and to know which they are."""
        self._named: FetchTopic | None = None
        self._topic: TopicImage | None = None
        self._replicas: Mapping[int, Partition] = {}

    @property
    def is_replica(self) -> bool:
        return self.replica_id >= 0

    def look_anew(self) -> None:
        """Rights and topics may be others than before."""
        self._named = None

    def find(self, named: FetchTopic, asked: FetchPartition) -> Partition:
        """Raises: ApiError: unknown, denied, led elsewhere, fenced; or a replica that is none."""
        if named is not self._named:
            self._find_topic(named)
        partition = self._replicas.get(asked.partition)
        if partition is None:
            assert self._topic is not None
            partition = self.ctx.rooms.partitions.leading(self._topic, asked.partition)
        partition.must_lead()
        partition.must_be_in_epoch(asked.current_leader_epoch)
        if self.replica_id >= 0:
            if self.replica_id == self.ctx.rooms.broker_id or self.replica_id not in partition.leadership.replicas:
                raise ApiError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        elif self.ctx.version < ZSTD_SINCE:
            must_be_readable(partition.settings, self.ctx.version)
        return partition

    def _find_topic(self, named: FetchTopic) -> None:
        ctx = self.ctx
        if self.is_replica and not ctx.allowed(Operation.CLUSTER_ACTION, Resource.cluster()):
            raise ApiError(ErrorCode.TOPIC_AUTHORIZATION_FAILED)  # as Kafka: this answer knows no other denial
        topic = topic_of(ctx, None if self.is_replica else Operation.READ, named.topic, named.topic_id)
        self._named, self._topic, self._replicas = named, topic, ctx.rooms.partitions.replicas(topic.id)

    def end_of(self, partition: Partition) -> int:
        """Up to where this asker may read."""
        if self.replica_id >= 0:
            return partition.log.end_offset
        return partition.last_stable_offset if self.committed else partition.high_watermark

    def rooms_of(self, partition: Partition) -> tuple[WaitingRoom, ...]:
        """Where all that would change the answer is announced."""
        readable, log_start = partition.high_watermark_moved, partition.log.start_moved
        return (partition.end_moved, readable, log_start) if self.replica_id >= 0 else (readable, log_start)
