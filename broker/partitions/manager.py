"""All replicas of this broker: found by topic id, changed by what the controller says."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from uuid import UUID

import trio

from broker.clock import Clock
from broker.cluster.image import TopicImage
from broker.cluster.topic_rules import INTERNAL_TOPICS
from broker.metrics import Metrics
from broker.partitions.partition import Leadership, Partition, PartitionSettings
from broker.storage.contract import LogId, Storage, StorageFailed
from broker.storage.places import DirectoryUse, NoSuchDirectory
from kproto.errors import ApiError, ErrorCode
from kproto.messages.leader_and_isr import (
    LeaderAndIsrPartitionError,
    LeaderAndIsrPartitionState,
    LeaderAndIsrRequest,
    LeaderAndIsrResponse,
    LeaderAndIsrTopicError,
)
from kproto.messages.stop_replica import StopReplicaPartitionError, StopReplicaRequest, StopReplicaResponse

log = logging.getLogger("barnabas.partitions")


LeadershipListener = Callable[[Partition], None]


class Partitions:
    """The replicas of broker `broker_id`, over one storage."""

    def __init__(
        self,
        broker_id: int,
        storage: Storage,
        settings_of: Callable[[str], PartitionSettings],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.broker_id = broker_id
        self._storage = storage
        self._settings_of = settings_of
        self._clock = clock
        self._metrics = metrics
        self._by_topic: dict[UUID, dict[int, Partition]] = {}
        self._listeners: list[LeadershipListener] = []
        self._loss_listeners: list[Callable[[], None]] = []
        self._offline: set[LogId] = set()
        """Replicas that could not be opened."""
        self._to_flush: set[Partition] = set()
        self._flushing: set[Partition] = set()
        self._flush_wanted = trio.Event()
        storage.on_offline(self._went_offline)

    def __iter__(self) -> Iterator[Partition]:
        for partitions in self._by_topic.values():
            yield from partitions.values()

    def on_leadership(self, listener: LeadershipListener) -> None:
        """Call `listener` in the loop after each change of a partition's leadership, its end included."""
        self._listeners.append(listener)

    def on_replica_lost(self, listener: Callable[[], None]) -> None:
        """Call `listener` in the loop when the disk has taken a replica offline."""
        self._loss_listeners.append(listener)

    def find(self, topic_id: UUID, index: int) -> Partition | None:
        replicas = self._by_topic.get(topic_id)
        return None if replicas is None else replicas.get(index)

    def replicas(self, topic_id: UUID) -> Mapping[int, Partition]:
        """Of that topic, by index; as they are from now on."""
        return self._by_topic.get(topic_id, {})

    def leading(self, topic: TopicImage, index: int) -> Partition:
        """The partition, led here.

        Raises: ApiError: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR.
        """
        partition = self.find(topic.id, index)
        if partition is None:
            if LogId(topic.id, index) in self._offline:
                raise ApiError(ErrorCode.KAFKA_STORAGE_ERROR)
            if 0 <= index < len(topic.partitions):
                raise ApiError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
            raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        partition.must_lead()
        return partition

    async def keep_starts(self, logs: Collection[LogId]) -> Collection[LogId]:
        """Make their start offsets durable; gives those logs where it failed."""
        return await self._storage.keep_starts(logs)

    def move(self, topic: str, index: int, topic_id: UUID | None, path: str) -> bool:
        """Have a replica's log move to that data directory; False: it is not here, and will be made there (KIP-113).

        `topic_id`: None: the topic, or this partition, is not known.
        Raises: ApiError: LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR.
        """
        partition = None if topic_id is None else self.find(topic_id, index)
        offline = topic_id is not None and LogId(topic_id, index) in self._offline
        try:
            self._storage.places.move(topic, index, None if partition is None else partition.log.id, path)
            if offline:
                raise StorageFailed(f"{topic}-{index} is offline")
        except NoSuchDirectory as unknown:
            raise ApiError(ErrorCode.LOG_DIR_NOT_FOUND, str(unknown)) from unknown
        except StorageFailed as failure:
            raise ApiError(ErrorCode.KAFKA_STORAGE_ERROR, str(failure)) from failure
        return partition is not None

    async def directories(self) -> list[DirectoryUse]:
        """Where this broker's logs lie, and how large they are."""
        return await self._storage.places.uses()

    def become(self, request: LeaderAndIsrRequest) -> LeaderAndIsrResponse:
        """Lead or follow as the controller says; each partition answers for itself."""
        response = LeaderAndIsrResponse()
        for topic in request.topic_states:
            errors = [
                LeaderAndIsrPartitionError(
                    topic_name=topic.topic_name,
                    partition_index=state.partition_index,
                    error_code=self._become_one(topic.topic_name, topic.topic_id, state),
                )
                for state in topic.partition_states
            ]
            response.topics.append(LeaderAndIsrTopicError(topic_id=topic.topic_id, partition_errors=errors))
            response.partition_errors.extend(errors)
        return response

    def _become_one(self, topic: str, topic_id: UUID, state: LeaderAndIsrPartitionState) -> ErrorCode:
        partition = self.find(topic_id, state.partition_index)
        if partition is None:
            try:
                partition = self._open(topic, LogId(topic_id, state.partition_index), new=state.is_new)
            except StorageFailed as failure:
                self._stays_offline(topic, LogId(topic_id, state.partition_index), failure)
                return ErrorCode.KAFKA_STORAGE_ERROR
        if partition.failed:
            return ErrorCode.KAFKA_STORAGE_ERROR
        if state.leader_epoch < partition.leadership.epoch:
            return ErrorCode.FENCED_LEADER_EPOCH
        partition.lead(
            Leadership(
                state.leader,
                state.leader_epoch,
                list(state.isr),
                list(state.replicas),
                state.partition_epoch,
                state.controller_epoch,
            )
        )
        self._tell(partition)
        return ErrorCode.NONE

    def _stays_offline(self, topic: str, log_id: LogId, failure: StorageFailed) -> None:
        """Told once, however often the controller asks."""
        if log_id not in self._offline:
            self._offline.add(log_id)
            log.error("Partition %s-%d stays offline here: %s", topic, log_id.partition, failure)

    def _went_offline(self, log_id: LogId) -> None:
        partition = self.find(log_id.topic_id, log_id.partition)
        if partition is not None and not partition.failed:
            partition.fail()
            self._tell(partition)
            for listener in self._loss_listeners:
                listener()

    def _open(self, topic: str, log_id: LogId, *, new: bool) -> Partition:
        settings = self._settings_of(topic)
        partition = Partition(
            topic,
            log_id.partition,
            self._storage.create(log_id, topic, settings, new=new),
            settings,
            broker_id=self.broker_id,
            clock=self._clock,
            counts=self._metrics.topic(topic),
            want_flush=self._want_flush,
        )
        partition.log.from_reserve = topic in INTERNAL_TOPICS
        self._by_topic.setdefault(log_id.topic_id, {})[log_id.partition] = partition
        self._offline.discard(log_id)
        return partition

    async def stop(self, request: StopReplicaRequest) -> StopReplicaResponse:
        """Let go of replicas, and of their files where the controller says so.  Source: StopReplicaRequest 3."""
        response = StopReplicaResponse()
        for topic in request.topic_states:
            for state in topic.partition_states:
                await self._stop_one(topic.topic_name, state.partition_index, state.delete_partition)
                response.partition_errors.append(
                    StopReplicaPartitionError(topic_name=topic.topic_name, partition_index=state.partition_index)
                )
        return response

    async def _stop_one(self, topic: str, index: int, delete: bool) -> None:
        for partition in [p for p in self if p.topic == topic and p.index == index]:
            topic_id = partition.log.id.topic_id
            replicas = self._by_topic[topic_id]
            del replicas[index]
            if not replicas:
                del self._by_topic[topic_id]
                self._metrics.forget_topic(topic)
            partition.leadership = Leadership(-1, partition.leadership.epoch, [], [], -1, -1)
            partition.wake_everybody()
            self._tell(partition)
            if delete:
                await self._storage.delete(partition.log.id)

    def _tell(self, partition: Partition) -> None:
        for listener in self._listeners:
            listener(partition)

    def settings_changed(self, topic: str) -> None:
        """The topic's options are others now."""
        for partition in self:
            if partition.topic == topic:
                partition.settings = partition.log.settings = self._settings_of(topic)

    def _want_flush(self, partition: Partition) -> None:
        self._to_flush.add(partition)
        self._flush_wanted.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Flush what waits for the disk, until cancelled.

        All acknowledgements that wait for a log's flush share the next one; a slow disk holds only its own.
        """
        async with trio.open_nursery() as nursery:
            task_status.started()
            while True:
                await self._flush_wanted.wait()
                self._flush_wanted = trio.Event()
                for partition in self._to_flush - self._flushing:
                    self._flushing.add(partition)
                    nursery.start_soon(self._flush_while_wanted, partition)

    async def _flush_while_wanted(self, partition: Partition) -> None:
        try:
            while partition in self._to_flush:
                self._to_flush.discard(partition)
                await self._flush(partition)
        finally:
            self._flushing.discard(partition)

    async def _flush(self, partition: Partition) -> None:
        try:
            await partition.log.flush()
        except StorageFailed:
            self._went_offline(partition.log.id)
        else:
            partition.advance_high_watermark()
