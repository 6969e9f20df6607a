"""The controller's picture of the cluster: brokers alive, topics by id, what the registry holds of each partition."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from broker.cluster.controller.events import LiveBroker, TopicRead
from broker.cluster.znodes import PartitionStateNode
from kproto.values import frozen


@dataclass(slots=True)
class Partition:
    """`state` None: never had a leader. `version`: of its state, the partition epoch. `rooted`: has a node."""

    replicas: list[int]
    adding: list[int] = field(default_factory=list)
    removing: list[int] = field(default_factory=list)
    state: PartitionStateNode | None = None
    version: int = -1
    rooted: bool = False
    failed_on: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Topic:
    """`doomed`: to be deleted. `stopping`: the brokers that have not let go of their replicas yet; None: not begun.
    `halted`: one of these refused or died, so all are asked again later."""

    id: UUID
    name: str
    czxid: int
    version: int
    partitions: dict[int, Partition] = field(default_factory=dict)
    rooted: bool = False
    doomed: bool = False
    stopping: set[int] | None = None
    halted: bool = False

    def take(self, read: TopicRead) -> list[int]:
        """Believe what was read; the indexes of partitions that are new, or whose state is another now."""
        self.version = read.version
        self.rooted = read.states is not None
        changed = []
        for index, replicas in read.node.partitions.items():
            partition = self.partitions.get(index)
            if partition is None:
                adding, removing = read.node.adding.get(index, []), read.node.removing.get(index, [])
                partition = self.partitions[index] = Partition(list(replicas), list(adding), list(removing))
                changed.append(index)
            partition.rooted = read.states is not None and index in read.states
            state = None if read.states is None else read.states.get(index)
            if state is not None and state[1] != partition.version:
                partition.state, partition.version = state
                changed.append(index)
        return sorted(set(changed))


@frozen
class Row:
    """One partition of one topic."""

    topic: Topic
    index: int

    @property
    def partition(self) -> Partition:
        return self.topic.partitions[self.index]


class ClusterState:
    """What is there. Changed when a write is known to have happened, or by what was read."""

    def __init__(self) -> None:
        self.brokers: dict[int, LiveBroker] = {}
        self.topics: dict[UUID, Topic] = {}
        self.by_name: dict[str, Topic] = {}

    def add(self, topic: Topic) -> None:
        self.topics[topic.id] = self.by_name[topic.name] = topic

    def remove(self, topic: Topic) -> None:
        self.topics.pop(topic.id, None)
        if self.by_name.get(topic.name) is topic:
            del self.by_name[topic.name]

    def rows(self, topics: Iterable[Topic] | None = None) -> Iterator[Row]:
        """The partitions of these topics, or of all, without those that are being deleted."""
        for topic in self.topics.values() if topics is None else topics:
            if topic.stopping is None:
                for index in topic.partitions:
                    yield Row(topic, index)

    def online(self, partition: Partition) -> list[int]:
        """Its replicas on brokers alive, without those whose disk failed; in order of preference."""
        return [each for each in partition.replicas if each in self.brokers and each not in partition.failed_on]

    def offline(self, partition: Partition) -> list[int]:
        return [each for each in partition.replicas if each not in self.brokers or each in partition.failed_on]
