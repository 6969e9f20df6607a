"""What the controller writes: partition states and topic ids, cut into multis that a registry takes, each fenced."""

from collections.abc import Iterator, Sequence
from dataclasses import field

from broker.cluster.controller.state import Row, Topic
from broker.cluster.znodes import (
    CONTROLLER_EPOCH,
    PartitionStateNode,
    TopicNode,
    partition_path,
    partition_state_path,
    partitions_path,
    topic_path,
)
from broker.registry.contract import Check, Create, Operation, SetData
from kproto.values import frozen

MAX_OPERATIONS = 1000
"""Of one multi: some 250 KB, where ZooKeeper takes 1 MB."""


@frozen
class Plan:
    """What one multi shall come to: believed once it is known to have happened."""

    operations: list[Operation] = field(default_factory=list)
    named: list[Topic] = field(default_factory=list)
    rooted: list[Topic] = field(default_factory=list)
    states: list[tuple[Row, PartitionStateNode]] = field(default_factory=list)

    @property
    def topics(self) -> list[Topic]:
        """All that it touches, each once."""
        every = [*self.named, *self.rooted, *(row.topic for row, _ in self.states)]
        return list({topic.id: topic for topic in every}.values())

    def believe(self) -> None:
        """It happened: nodes are made, states' versions have grown by one. Topic nodes are read again anyway."""
        for topic in self.rooted:
            topic.rooted = True
        for row, state in self.states:
            partition = row.partition
            partition.version = 0 if partition.state is None else partition.version + 1
            partition.state, partition.rooted = state, True


def plans(
    fence: int, to_name: Sequence[tuple[Topic, TopicNode]], states: Sequence[tuple[Row, PartitionStateNode]]
) -> Iterator[Plan]:
    """Topic nodes to be written with their ids, then states; a topic's nodes come before those below it."""
    plan = Plan([Check(CONTROLLER_EPOCH, fence)])
    roots: set[str] = set()
    for topic, node in to_name:
        plan.operations.append(SetData(topic_path(topic.name), node.encode(), topic.version))
        plan.named.append(topic)
        if len(plan.operations) >= MAX_OPERATIONS:
            yield plan
            plan = Plan([Check(CONTROLLER_EPOCH, fence)])
    for row, state in states:
        if not row.topic.rooted and row.topic.name not in roots:
            roots.add(row.topic.name)
            plan.rooted.append(row.topic)
            plan.operations.append(Create(partitions_path(row.topic.name)))
        plan.operations.extend(_state_operations(row, state))
        plan.states.append((row, state))
        if len(plan.operations) >= MAX_OPERATIONS:
            yield plan
            plan = Plan([Check(CONTROLLER_EPOCH, fence)])
    if len(plan.operations) > 1:
        yield plan


def _state_operations(row: Row, state: PartitionStateNode) -> Iterator[Operation]:
    path = partition_state_path(row.topic.name, row.index)
    if row.partition.state is not None:
        yield SetData(path, state.encode(), row.partition.version)
        return
    if not row.partition.rooted:
        yield Create(partition_path(row.topic.name, row.index))
    yield Create(path, state.encode())
