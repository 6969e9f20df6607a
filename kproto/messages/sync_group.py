"""SyncGroup: the leader of a classic group hands in the assignment, and each member gets its own.

Versions 0 to 5.
1: throttle time.
2: throttling is told before it happens.
3: static members (KIP-345).
4: flexible.
5: protocol type and name, which must match (KIP-559).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class SyncGroupRequestAssignment(Struct):
    member_id: str = wire("string")
    assignment: bytes = wire("bytes")


@message(ApiKey.SYNC_GROUP, versions=(0, 5), flexible=4)
class SyncGroupRequest(Message):
    """Source: SyncGroupRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    generation_id: int = wire("int32")
    member_id: str = wire("string")
    group_instance_id: str | None = wire("string", since=3, nullable=3, default=None)
    protocol_type: str | None = wire("string", since=5, nullable=5, default=None)
    protocol_name: str | None = wire("string", since=5, nullable=5, default=None)
    assignments: list[SyncGroupRequestAssignment] = wire(array(SyncGroupRequestAssignment))


@message(ApiKey.SYNC_GROUP, versions=(0, 5), flexible=4)
class SyncGroupResponse(Message):
    """Source: SyncGroupResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=1)
    error_code: int = wire("int16")
    protocol_type: str | None = wire("string", since=5, nullable=5, default=None)
    protocol_name: str | None = wire("string", since=5, nullable=5, default=None)
    assignment: bytes = wire("bytes")
