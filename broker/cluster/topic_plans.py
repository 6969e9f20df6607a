"""From a wish to what is written: counts filled in, replicas placed, configs checked. No registry, no waiting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from broker.clock import Chance
from broker.cluster.placement import place
from broker.cluster.topic_rules import (
    GROUP_OFFSETS,
    TRANSACTION_STATE,
    Names,
    check_assignment,
    check_configs,
    check_name,
    check_replicas,
)
from broker.cluster.znodes import Assignment, TopicNode
from broker.config.settings import BrokerSettings
from kproto.errors import ApiError, ErrorCode
from kproto.values import frozen

UNSET = -1
NO_ID = UUID(int=0)
MAX_NEW_PARTITIONS = 10_000
"""Of one request, as in Kafka's newer controllers (POLICY_VIOLATION)."""

Racks = Mapping[int, str | None]
"""The brokers alive, each with its rack."""


@frozen
class NewTopic:
    """A topic wanted. Counts -1: the broker's defaults; `assignment`: replicas by partition, then no counts."""

    name: str
    partitions: int = UNSET
    replication_factor: int = UNSET
    assignment: Mapping[int, list[int]] = field(default_factory=dict)
    configs: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(slots=True)
class Created:
    """A topic made; or one that could be, without an id (`validate_only`)."""

    id: UUID
    assignment: Assignment
    configs: dict[str, str]

    @property
    def replication_factor(self) -> int:
        return len(self.assignment[0])


@frozen
class Growth:
    """More partitions wanted: `count` in all; `assignment`: replicas of each new one, None to have them placed."""

    name: str
    count: int
    assignment: list[list[int]] | None = None


class Planner:
    """Plans of one request; they share the names taken and the number of partitions that a request may make.

    Raises (all methods): ApiError: the row's refusal.
    """

    def __init__(self, settings: BrokerSettings, chance: Chance, brokers: Racks) -> None:
        self._settings = settings
        self._chance = chance
        self._brokers = brokers
        self._room = MAX_NEW_PARTITIONS

    def create(self, topic: NewTopic, names: Names) -> Created:
        """Codes: see `Topics.create`."""
        check_name(topic.name)
        names.check(topic.name)
        assignment = self._given(topic) if topic.assignment else self._placed(topic)
        self._room -= len(assignment)
        return Created(NO_ID, assignment, check_configs(topic.configs))

    def _given(self, topic: NewTopic) -> Assignment:
        if topic.partitions != UNSET or topic.replication_factor != UNSET:
            raise ApiError(
                ErrorCode.INVALID_REQUEST,
                "Both numPartitions or replicationFactor and replicasAssignments were set. "
                "Both cannot be used at the same time.",
            )
        self._check_room(len(topic.assignment))
        return check_assignment(topic.assignment, self._brokers)

    def _placed(self, topic: NewTopic) -> Assignment:
        settings = self._settings
        partitions = settings.num_partitions if topic.partitions == UNSET else topic.partitions
        replicas = topic.replication_factor
        self._check_room(partitions)
        return place(
            self._brokers,
            partitions,
            settings.default_replication_factor if replicas == UNSET else replicas,
            start_index=self._chance.below(max(len(self._brokers), 1)),
            shift=self._chance.below(max(len(self._brokers), 1)),
        )

    def grow(self, growth: Growth, node: TopicNode) -> TopicNode:
        """The topic's node with its new partitions. Codes: see `Topics.grow`."""
        have, more = len(node.partitions), growth.count - len(node.partitions)
        if node.adding or node.removing:
            raise ApiError(ErrorCode.REASSIGNMENT_IN_PROGRESS, f"A reassignment of '{growth.name}' is in progress.")
        if more == 0:
            raise ApiError(ErrorCode.INVALID_PARTITIONS, f"Topic already has {have} partitions.")
        if more < 0:
            raise ApiError(
                ErrorCode.INVALID_PARTITIONS,
                f"Topic currently has {have} partitions, which is higher than the requested {growth.count}.",
            )
        self._check_room(more)
        first = node.partitions[0]
        if growth.assignment is None:
            added = self._placed_after(first, more, have)
        elif len(growth.assignment) != more:
            raise ApiError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"Increasing the number of partitions by {more} but {len(growth.assignment)} assignments provided.",
            )
        else:
            added = check_replicas(dict(enumerate(growth.assignment, have)), self._brokers, len(first))
        self._room -= more
        return TopicNode(node.topic_id, node.partitions | added, node.adding, node.removing)

    def _placed_after(self, first: list[int], more: int, have: int) -> Assignment:
        """The round goes on from the broker that leads partition 0.  Source: AdminZkClient."""
        later = (place for place, broker in enumerate(sorted(self._brokers)) if broker >= first[0])
        start = next(later, 0)
        return place(self._brokers, more, len(first), start_index=start, shift=start, first_partition=have)

    def _check_room(self, partitions: int) -> None:
        if partitions > self._room:
            raise ApiError(ErrorCode.POLICY_VIOLATION, "Excessively large number of partitions per request.")


def default_topic(name: str, settings: BrokerSettings) -> NewTopic:
    """A topic that nobody described: the broker's counts; internal topics have counts and configs of their own."""
    if name == GROUP_OFFSETS:
        return NewTopic(
            name,
            settings.offsets_topic_num_partitions,
            settings.offsets_topic_replication_factor,
            configs={
                "compression.type": "producer",
                "cleanup.policy": "compact",
                "segment.bytes": str(settings.offsets_topic_segment_bytes),
            },
        )
    if name == TRANSACTION_STATE:
        return NewTopic(
            name,
            settings.transaction_state_log_num_partitions,
            settings.transaction_state_log_replication_factor,
            configs={
                "compression.type": "uncompressed",
                "cleanup.policy": "compact",
                "segment.bytes": str(settings.transaction_state_log_segment_bytes),
                "min.insync.replicas": str(settings.transaction_state_log_min_isr),
                "unclean.leader.election.enable": "false",
            },
        )
    return NewTopic(name)
