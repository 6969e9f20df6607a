"""LeaveGroup.

Versions 0 to 5.
1: answer: `throttle_time_ms`.
3: request: no `member_id` any more, `members`; answer: `members`.
4: compact and tagged.
5: request: `members.reason`.
Version 2: same fields as the one before.
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
