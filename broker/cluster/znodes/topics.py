"""Topics and who leads their partitions: assignment, state, configuration and its change notices.

Sources: TopicZNode, TopicPartitionStateZNode, ConfigEntityZNode, ConfigEntityChangeNotificationZNode of Kafka's ZkData.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Self
from uuid import UUID

from broker.cluster.topic_ids import uuid_from_text, uuid_text
from broker.cluster.znodes.text import (
    MalformedNode,
    as_int,
    as_ints,
    as_object,
    as_text,
    from_json,
    from_json_object,
    required,
    shortened,
    to_json,
)
from kproto.values import frozen

Assignment = dict[int, list[int]]


@frozen
class TopicNode:
    """`/brokers/topics/<topic>`: replicas of each partition, the preferred leader first; those in motion.

    `topic_id` is None where a tool or a broker older than 2.8 wrote the node: the controller puts an id there.
    """

    topic_id: UUID | None
    partitions: Assignment
    adding: Assignment = field(default_factory=dict)
    removing: Assignment = field(default_factory=dict)

    def encode(self) -> bytes:
        """Version 3; readers of versions 1 and 2 do not look at the version."""
        fields: dict[str, Any] = {
            "removing_replicas": _assignment_fields(self.removing),
            "partitions": _assignment_fields(self.partitions),
        }
        if self.topic_id is not None:
            fields["topic_id"] = uuid_text(self.topic_id)
        fields["adding_replicas"] = _assignment_fields(self.adding)
        fields["version"] = 3
        return to_json(fields)

    @classmethod
    def decode(cls, data: bytes | None) -> Self:
        """Versions 1 to 3. Raises: MalformedNode."""
        what = "topic"
        fields = from_json_object(data, what)
        return cls(
            topic_id=_topic_id(fields.get("topic_id")),
            partitions=_assignment(required(fields, "partitions", what)),
            adding=_assignment(fields.get("adding_replicas")),
            removing=_assignment(fields.get("removing_replicas")),
        )


def _assignment_fields(assignment: Assignment) -> dict[str, list[int]]:
    return {str(partition): replicas for partition, replicas in assignment.items()}


def _assignment(value: Any) -> Assignment:
    rows = as_object(value, "topic").items()
    return dict(sorted((as_int(partition, "topic"), as_ints(replicas, "topic")) for partition, replicas in rows))


def _topic_id(value: Any) -> UUID | None:
    if value is None:
        return None
    try:
        return uuid_from_text(as_text(value, "topic"))
    except ValueError as error:
        raise MalformedNode(f"topic: {error}") from error


@frozen
class PartitionStateNode:
    """`…/partitions/<p>/state`: leader -1 is none; the node's data version is the partition epoch.

    `recovery_state` 1: the leader was elected uncleanly and has not made up for it (KIP-704); 0 is not written.
    """

    controller_epoch: int
    leader: int
    leader_epoch: int
    isr: list[int]
    recovery_state: int = 0

    def encode(self) -> bytes:
        fields: dict[str, Any] = {
            "controller_epoch": self.controller_epoch,
            "leader": self.leader,
            "version": 1,
            "leader_epoch": self.leader_epoch,
            "isr": self.isr,
        }
        if self.recovery_state:
            fields["leader_recovery_state"] = self.recovery_state
        return to_json(fields)

    @classmethod
    def decode(cls, data: bytes | None) -> Self:
        """Raises: MalformedNode."""
        what = "partition state"
        fields = from_json_object(data, what)
        return cls(
            controller_epoch=as_int(required(fields, "controller_epoch", what), what),
            leader=as_int(required(fields, "leader", what), what),
            leader_epoch=as_int(required(fields, "leader_epoch", what), what),
            isr=as_ints(required(fields, "isr", what), what),
            recovery_state=as_int(fields.get("leader_recovery_state", 0), what),
        )


def encode_config(values: Mapping[str, str]) -> bytes:
    """A node below `/config`: the overrides of one entity."""
    return to_json({"version": 1, "config": dict(values)})


def decode_config(data: bytes | None) -> dict[str, str]:
    """The overrides; empty data is none. Numbers and booleans of foreign tools become text. Raises: MalformedNode."""
    if not data:
        return {}
    fields = from_json_object(data, "config")
    version = as_int(required(fields, "version", "config"), "config")
    if version != 1:
        raise MalformedNode(f"config: version {version}")
    values = as_object(fields.get("config"), "config")
    return {name: value if isinstance(value, str) else to_json(value).decode() for name, value in values.items()}


def encode_config_change(entity_path: str) -> bytes:
    """A notice, version 2: `topics/t`, `brokers/0`, `users/u/clients/c`. Names in it are escaped."""
    return to_json({"version": 2, "entity_path": entity_path})


def decode_config_change(data: bytes | None) -> str:
    """The entity path of a notice in any of its three forms: 0.8 (a topic's name in quotes), 0.9 and since 0.10.1.

    Raises: MalformedNode.
    """
    what = "config change"
    value = from_json(data, what)
    if isinstance(value, str):
        return f"topics/{value}"
    fields = as_object(value, what)
    match fields.get("version"):
        case 1:
            kind, name = (as_text(required(fields, each, what), what) for each in ("entity_type", "entity_name"))
            if kind not in ("topics", "clients"):
                raise MalformedNode(f"{what}: entity type {kind!r}")
            return f"{kind}/{name}"
        case 2:
            return as_text(required(fields, "entity_path", what), what)
    raise MalformedNode(f"{what}: {shortened(data)}")
