"""LeaveGroup: members go for good.

Versions 0 to 5.
1: throttle time.
2: throttling is told before it happens.
3: several members at once, static ones too (KIP-345).
4: flexible.
5: why they leave (KIP-800).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class MemberIdentity(Struct):
    member_id: str = wire("string")
    group_instance_id: str | None = wire("string", nullable=0, default=None)
    reason: str | None = wire("string", since=5, nullable=5, default=None)


@message(ApiKey.LEAVE_GROUP, versions=(0, 5), flexible=4)
class LeaveGroupRequest(Message):
    """Source: LeaveGroupRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string", until=2)
    members: list[MemberIdentity] = wire(array(MemberIdentity), since=3)


@struct
class MemberResponse(Struct):
    member_id: str = wire("string")
    group_instance_id: str | None = wire("string", nullable=0)
    error_code: int = wire("int16")


@message(ApiKey.LEAVE_GROUP, versions=(0, 5), flexible=4)
class LeaveGroupResponse(Message):
    """Source: LeaveGroupResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=1)
    error_code: int = wire("int16")
    members: list[MemberResponse] = wire(array(MemberResponse), since=3)
