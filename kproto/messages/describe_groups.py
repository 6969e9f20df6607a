"""DescribeGroups: state and members of classic groups.

Versions 0 to 6.
1: throttle time.
2: throttling is told before it happens.
3: authorized operations, when asked for (KIP-430).
4: static members (KIP-345).
5: flexible.
6: an error message; an unknown group is GROUP_ID_NOT_FOUND (KIP-1043).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.DESCRIBE_GROUPS, versions=(0, 6), flexible=5)
class DescribeGroupsRequest(Message):
    """Source: DescribeGroupsRequest.json, Kafka 4.4."""

    groups: list[str] = wire(array("string"))
    include_authorized_operations: bool = wire("bool", since=3)


@struct
class DescribedGroupMember(Struct):
    member_id: str = wire("string")
    group_instance_id: str | None = wire("string", since=4, nullable=4, default=None)
    client_id: str = wire("string")
    client_host: str = wire("string")
    member_metadata: bytes = wire("bytes")
    member_assignment: bytes = wire("bytes")


@struct
class DescribedGroup(Struct):
    error_code: int = wire("int16")
    error_message: str | None = wire("string", since=6, nullable=6, default=None)
    group_id: str = wire("string")
    group_state: str = wire("string")
    protocol_type: str = wire("string")
    protocol_data: str = wire("string")
    members: list[DescribedGroupMember] = wire(array(DescribedGroupMember))
    authorized_operations: int = wire("int32", since=3, default=-2147483648)


@message(ApiKey.DESCRIBE_GROUPS, versions=(0, 6), flexible=5)
class DescribeGroupsResponse(Message):
    """Source: DescribeGroupsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=1)
    groups: list[DescribedGroup] = wire(array(DescribedGroup))
