"""Heartbeat: a member of a classic group says it is alive.

Versions 0 to 4.
1: throttle time.
2: throttling is told before it happens.
3: static members (KIP-345).
4: flexible.
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
