"""JoinGroup: a consumer enters a classic group, or takes part in its rebalance.

Versions 0 to 9.
1: a rebalance timeout beside the session timeout.
2: throttle time.
3: throttling is told before it happens.
4: a first join without member id gets one with MEMBER_ID_REQUIRED (KIP-394).
5: static members (KIP-345).
6: flexible.
7: the protocol type comes back; the protocol name may be null (KIP-559).
8: why it joins (KIP-800).
9: a static leader is told to skip the assignment (KIP-814).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class JoinGroupRequestProtocol(Struct):
    name: str = wire("string")
    metadata: bytes = wire("bytes")


@message(ApiKey.JOIN_GROUP, versions=(0, 9), flexible=6)
class JoinGroupRequest(Message):
    """Source: JoinGroupRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    session_timeout_ms: int = wire("int32")
    rebalance_timeout_ms: int = wire("int32", since=1, default=-1)
    member_id: str = wire("string")
    group_instance_id: str | None = wire("string", since=5, nullable=5, default=None)
    protocol_type: str = wire("string")
    protocols: list[JoinGroupRequestProtocol] = wire(array(JoinGroupRequestProtocol))
    reason: str | None = wire("string", since=8, nullable=8, default=None)


@struct
class JoinGroupResponseMember(Struct):
    member_id: str = wire("string")
    group_instance_id: str | None = wire("string", since=5, nullable=5, default=None)
    metadata: bytes = wire("bytes")


@message(ApiKey.JOIN_GROUP, versions=(0, 9), flexible=6)
class JoinGroupResponse(Message):
    """Source: JoinGroupResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=2)
    error_code: int = wire("int16")
    generation_id: int = wire("int32", default=-1)
    protocol_type: str | None = wire("string", since=7, nullable=7, default=None)
    protocol_name: str | None = wire("string", nullable=7)
    leader: str = wire("string")
    skip_assignment: bool = wire("bool", since=9)
    member_id: str = wire("string")
    members: list[JoinGroupResponseMember] = wire(array(JoinGroupResponseMember))
