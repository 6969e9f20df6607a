"""Families of consumer groups: Kafka's own counts, and members, offsets and lags as kafka_exporter tells them."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from broker.requests.rooms import Rooms
from broker.web.exposition import ITEMS_A_LOOK, Family, Sample, counted, gathered, labels, one
from kproto.errors import ApiError

if TYPE_CHECKING:
    from coordinator.groups.classic import ClassicGroup

STATES = ("PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Empty")


def group_families(rooms: Rooms) -> Iterator[Family | None]:
    """Nothing while groups are being loaded."""
    try:
        groups: list[ClassicGroup] = rooms.groups.every()
    except ApiError:
        return
    bean = "kafka_coordinator_group_groupmetadatamanager"
    states: list[str] = []
    yield from gathered((group.state.value for group in groups), states)
    yield one(f"{bean}_numgroups", "gauge", "Groups coordinated here.", len(groups))
    yield counted(f"{bean}_numoffsets", "Offsets committed here.", (len(each.offsets) for each in groups))
    for state in STATES:
        yield one(f"{bean}_numgroups{state.lower()}", "gauge", f"Groups that are {state}.", states.count(state))
    members = (Sample(labels(consumergroup=group.group_id), len(group.members)) for group in groups)
    yield Family("kafka_consumergroup_members", "gauge", "Members of a group.", members)
    commits: list[Position] = []
    yield from gathered((commit for group in groups for commit in commits_of(group)), commits)
    yield Family("kafka_consumergroup_current_offset", "gauge", "Committed offset.", by_position(commits))
    lags: list[Position] = []
    yield from gathered(lags_of(commits, rooms), lags)
    yield Family("kafka_consumergroup_lag", "gauge", "Records behind the committed offset.", by_position(lags))
    yield Family("kafka_consumergroup_lag_sum", "gauge", "Records behind, over all partitions.", by_topic(lags))


class Position(NamedTuple):
    """What a group has committed for a partition, or how far that is behind."""

    group: str
    topic: str
    partition: int
    offset: int


def commits_of(group: "ClassicGroup") -> Iterator[Position]:
    for (topic, partition), value in group.offsets.of(None).items():
        yield Position(group.group_id, topic, partition, value.offset)


def lags_of(commits: list[Position], rooms: Rooms) -> Iterator[Position]:
    """Of partitions that are led here."""
    for commit in commits:
        topic = rooms.image.topics.get(commit.topic)
        partition = None if topic is None else rooms.partitions.find(topic.id, commit.partition)
        if partition is not None and partition.leads:
            yield commit._replace(offset=max(partition.high_watermark - commit.offset, 0))


def by_position(positions: list[Position]) -> Iterator[Sample]:
    for group, topic, partition, offset in positions:
        yield Sample(labels(consumergroup=group, topic=topic, partition=partition), offset)


def by_topic(lags: list[Position]) -> Iterator[Sample | None]:
    """Their sums, by group and topic."""
    sums: Counter[tuple[str, str]] = Counter()
    for number, (group, topic, _, lag) in enumerate(lags, 1):
        sums[group, topic] += lag
        if number % ITEMS_A_LOOK == 0:
            yield None
    for (group, topic), lag in sums.items():
        yield Sample(labels(consumergroup=group, topic=topic), lag)
