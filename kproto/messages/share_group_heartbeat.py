"""ShareGroupHeartbeat: a member of a share group (KIP-932) joins, stays or leaves, and learns its assignment.

Versions 0 to 1. Flexible from the start.
1: same fields as the version before.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.SHARE_GROUP_HEARTBEAT, versions=(0, 1), flexible=0)
class ShareGroupHeartbeatRequest(Message):
    """Source: ShareGroupHeartbeatRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")
    member_epoch: int = wire("int32")
    rack_id: str | None = wire("string", nullable=0, default=None)
    subscribed_topic_names: list[str] | None = wire(array("string"), nullable=0, default=None)


@struct
class TopicPartitions(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[int] = wire(array("int32"))


@struct
class Assignment(Struct):
    topic_partitions: list[TopicPartitions] = wire(array(TopicPartitions))


@message(ApiKey.SHARE_GROUP_HEARTBEAT, versions=(0, 1), flexible=0)
class ShareGroupHeartbeatResponse(Message):
    """Source: ShareGroupHeartbeatResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    member_id: str | None = wire("string", nullable=0, default=None)
    member_epoch: int = wire("int32")
    heartbeat_interval_ms: int = wire("int32")
    assignment: Assignment | None = wire(Assignment, nullable=0, default=None)
