"""Heartbeat.

Versions 0 to 4.
1: answer: `throttle_time_ms`.
3: request: `group_instance_id`.
4: compact and tagged.
Version 2: same fields as the one before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.HEARTBEAT, versions=(0, 4), flexible=4)
class HeartbeatRequest(Message):
    """Source: HeartbeatRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    generation_id: int = wire("int32")
    member_id: str = wire("string")
    group_instance_id: str | None = wire("string", since=3, nullable=3, default=None)


@message(ApiKey.HEARTBEAT, versions=(0, 4), flexible=4)
class HeartbeatResponse(Message):
    """Source: HeartbeatResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=1)
    error_code: int = wire("int16")
