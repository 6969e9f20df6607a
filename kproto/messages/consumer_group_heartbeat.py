"""ConsumerGroupHeartbeat: a member of a consumer group (KIP-848) joins, stays or leaves, and learns its assignment.

Versions 0 to 1. Flexible from the start.
1: request: `subscribed_topic_regex`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class TopicPartitions(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[int] = wire(array("int32"))


@message(ApiKey.CONSUMER_GROUP_HEARTBEAT, versions=(0, 1), flexible=0)
class ConsumerGroupHeartbeatRequest(Message):
    """Source: ConsumerGroupHeartbeatRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")
    member_epoch: int = wire("int32")
    instance_id: str | None = wire("string", nullable=0, default=None)
    rack_id: str | None = wire("string", nullable=0, default=None)
    rebalance_timeout_ms: int = wire("int32", default=-1)
    subscribed_topic_names: list[str] | None = wire(array("string"), nullable=0, default=None)
    subscribed_topic_regex: str | None = wire("string", since=1, nullable=1, default=None)
    server_assignor: str | None = wire("string", nullable=0, default=None)
    topic_partitions: list[TopicPartitions] | None = wire(array(TopicPartitions), nullable=0, default=None)


@struct
class Assignment(Struct):
    topic_partitions: list[TopicPartitions] = wire(array(TopicPartitions))


@message(ApiKey.CONSUMER_GROUP_HEARTBEAT, versions=(0, 1), flexible=0)
class ConsumerGroupHeartbeatResponse(Message):
    """Source: ConsumerGroupHeartbeatResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    member_id: str | None = wire("string", nullable=0, default=None)
    member_epoch: int = wire("int32")
    heartbeat_interval_ms: int = wire("int32")
    assignment: Assignment | None = wire(Assignment, nullable=0, default=None)
