"""What this broker knows of the cluster: brokers, topics, leaders. Changed by the controller's UpdateMetadata alone.

A topic's image is replaced, never changed in place: whoever holds one sees one moment.
Source: KIP-516 (topic ids), UpdateMetadataRequest; ZkMetadataCache of Kafka.
"""

from collections.abc import Iterable
from dataclasses import field
from uuid import UUID

from broker.purgatory import WaitingRoom
from broker.transport.contract import Address
from kproto.errors import ApiError, ErrorCode
from kproto.messages.update_metadata import (
    UpdateMetadataBroker,
    UpdateMetadataPartitionState,
    UpdateMetadataRequest,
    UpdateMetadataTopicState,
)
from kproto.values import frozen

NO_LEADER = -1
LEADER_DURING_DELETE = -2
FULL = 2
"""UpdateMetadata of type FULL: a topic that it does not name is gone.  Source: KIP-866."""
ANY_BROKER_EPOCH = -1


@frozen
class BrokerImage:
    """A broker that is alive, and where it listens, by listener name."""

    id: int
    rack: str | None
    endpoints: dict[str, Address]


@frozen
class PartitionImage:
    """Leader -1: none now. `offline`: replicas on dead brokers or failed disks. No replicas: not told of yet."""

    leader: int = NO_LEADER
    leader_epoch: int = -1
    isr: list[int] = field(default_factory=list)
    replicas: list[int] = field(default_factory=list)
    offline: list[int] = field(default_factory=list)


@frozen
class TopicImage:
    """A topic; partition n stands at place n of the list."""

    id: UUID
    name: str
    partitions: list[PartitionImage]

    @property
    def replication_factor(self) -> int:
        return max((len(each.replicas) for each in self.partitions), default=0)


class Image:
    """The cluster as the controller last told this broker.

    `changed` wakes at each change and `version` counts them. `broker_epoch` is the czxid of our own registration (-1
    before it); `controller_epoch` the newest that any request of a controller carried.
    """

    def __init__(self, cluster_id: str, *, broker_epoch: int = ANY_BROKER_EPOCH) -> None:
        self.cluster_id = cluster_id
        self.controller_id = -1
        self.controller_epoch = 0
        self.broker_epoch = broker_epoch
        self.brokers: dict[int, BrokerImage] = {}
        self.topics: dict[str, TopicImage] = {}
        self.topics_by_id: dict[UUID, TopicImage] = {}
        self.changed = WaitingRoom()
        self.version = 0

    def registered(self, broker_epoch: int) -> None:
        """This broker stands in the registry anew; requests for its earlier lives are stale from now on."""
        self.broker_epoch = broker_epoch

    def admit(self, controller_epoch: int, broker_epoch: int) -> None:
        """Let a controller's request pass, and remember its epoch.

        Raises: ApiError: STALE_CONTROLLER_EPOCH: an older controller; STALE_BROKER_EPOCH: meant for our last life.
        """
        if controller_epoch < self.controller_epoch:
            raise ApiError(ErrorCode.STALE_CONTROLLER_EPOCH)
        if broker_epoch != ANY_BROKER_EPOCH and broker_epoch < self.broker_epoch:
            raise ApiError(ErrorCode.STALE_BROKER_EPOCH)
        self.controller_epoch = controller_epoch

    def update(self, request: UpdateMetadataRequest) -> None:
        """All brokers alive, and the partitions that changed. Rows of older versions are grouped by topic before."""
        self.controller_id = request.controller_id
        self.brokers = {broker.id: _broker(broker) for broker in request.live_brokers}
        if request.type == FULL:
            named = {topic.topic_name for topic in request.topic_states}
            for gone in [name for name in self.topics if name not in named]:
                self._forget(gone)
        for topic in request.topic_states:
            self._update_topic(topic)
        self.version += 1
        self.changed.wake_all()

    def _update_topic(self, state: UpdateMetadataTopicState) -> None:
        known = self.topics.get(state.topic_name)
        same = known is not None and known.id == state.topic_id
        partitions = _merged(known.partitions if known is not None and same else [], state.partition_states)
        if known is not None:
            self._forget(state.topic_name)
        if partitions:
            topic = TopicImage(state.topic_id, state.topic_name, partitions)
            self.topics[topic.name] = self.topics_by_id[topic.id] = topic

    def _forget(self, name: str) -> None:
        topic = self.topics.pop(name)
        self.topics_by_id.pop(topic.id, None)


def _broker(broker: UpdateMetadataBroker) -> BrokerImage:
    endpoints = {each.listener: Address(each.host, each.port) for each in broker.endpoints}
    return BrokerImage(broker.id, broker.rack, endpoints)


def _merged(known: list[PartitionImage], states: Iterable[UpdateMetadataPartitionState]) -> list[PartitionImage]:
    """A new list: what is known, overwritten by what is told; empty if all of it is being deleted."""
    partitions = {index: partition for index, partition in enumerate(known) if partition.replicas}
    for state in states:
        if state.leader == LEADER_DURING_DELETE:
            partitions.pop(state.partition_index, None)
        else:
            partitions[state.partition_index] = PartitionImage(
                state.leader,
                state.leader_epoch,
                list(state.isr),
                list(state.replicas),
                list(state.offline_replicas),
            )
    return [partitions.get(index) or PartitionImage() for index in range(max(partitions, default=-1) + 1)]
