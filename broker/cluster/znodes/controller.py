"""What the controller keeps and is asked for: its own node, plans, elections, notices from brokers.

Sources: ControllerZNode, ReassignPartitionsZNode, PreferredReplicaElectionZNode, IsrChangeNotificationSequenceZNode,
LogDirEventNotificationSequenceZNode of Kafka's ZkData.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeAlias

from broker.cluster.znodes.text import (
    MalformedNode,
    as_int,
    as_ints,
    as_object,
    as_text,
    from_json,
    from_json_object,
    required,
    to_json,
)
from kproto.values import frozen

TopicPartition: TypeAlias = tuple[str, int]

LOG_DIR_FAILED = 1


@frozen
class ControllerNode:
    """`/controller`: who won the election. Versions 1 and 2 and the plain number of the first days are read."""

    broker_id: int
    timestamp_ms: int = 0

    def encode(self) -> bytes:
        fields = {
            "version": 2,
            "brokerid": self.broker_id,
            "timestamp": str(self.timestamp_ms),
            "kraftControllerEpoch": -1,
        }
        return to_json(fields)

    @classmethod
    def decode(cls, data: bytes | None) -> Self:
        """Raises: MalformedNode."""
        what = "controller"
        value = from_json(data, what)
        if isinstance(value, int):
            return cls(as_int(value, what))
        fields = as_object(value, what)
        return cls(as_int(required(fields, "brokerid", what), what), as_int(fields.get("timestamp", 0), what))


def encode_reassignment(plan: Mapping[TopicPartition, list[int]]) -> bytes:
    """`/admin/reassign_partitions`: the replicas that each partition shall have."""
    rows = [{"topic": topic, "partition": index, "replicas": replicas} for (topic, index), replicas in plan.items()]
    return to_json({"version": 1, "partitions": rows})


def decode_reassignment(data: bytes | None) -> dict[TopicPartition, list[int]]:
    """Raises: MalformedNode."""
    what = "partition reassignment"
    return {
        _partition_of(row, what): as_ints(required(row, "replicas", what), what) for row in _partition_rows(data, what)
    }


def encode_partitions(partitions: Iterable[TopicPartition]) -> bytes:
    """`/admin/preferred_replica_election`, and a notice below `/isr_change_notification`."""
    return to_json({"version": 1, "partitions": [{"topic": topic, "partition": index} for topic, index in partitions]})


def decode_partitions(data: bytes | None) -> list[TopicPartition]:
    """Raises: MalformedNode."""
    what = "list of partitions"
    return [_partition_of(row, what) for row in _partition_rows(data, what)]


def _partition_rows(data: bytes | None, what: str) -> list[dict[str, Any]]:
    rows = required(from_json_object(data, what), "partitions", what)
    if not isinstance(rows, list):
        raise MalformedNode(f"{what}: not a list: {rows!r}")
    return [as_object(row, what) for row in rows]


def _partition_of(row: dict[str, Any], what: str) -> TopicPartition:
    return as_text(required(row, "topic", what), what), as_int(required(row, "partition", what), what)


def encode_log_dir_event(broker_id: int) -> bytes:
    """A notice below `/log_dir_event_notification`: one of this broker's log directories failed."""
    return to_json({"version": 1, "broker": broker_id, "event": LOG_DIR_FAILED})


def decode_log_dir_event(data: bytes | None) -> int:
    """The broker whose log directory failed. Raises: MalformedNode."""
    what = "log directory event"
    return as_int(required(from_json_object(data, what), "broker", what), what)
