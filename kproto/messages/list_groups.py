"""ListGroups: the groups that this broker coordinates.

Versions 0 to 5.
1: throttle time.
2: throttling is told before it happens.
3: flexible.
4: by state (KIP-518).
5: by type (KIP-848).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.LIST_GROUPS, versions=(0, 5), flexible=3)
class ListGroupsRequest(Message):
    """Source: ListGroupsRequest.json, Kafka 4.4."""

    states_filter: list[str] = wire(array("string"), since=4)
    types_filter: list[str] = wire(array("string"), since=5)


@struct
class ListedGroup(Struct):
    group_id: str = wire("string")
    protocol_type: str = wire("string")
    group_state: str = wire("string", since=4)
    group_type: str = wire("string", since=5)


@message(ApiKey.LIST_GROUPS, versions=(0, 5), flexible=3)
class ListGroupsResponse(Message):
    """Source: ListGroupsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=1)
    error_code: int = wire("int16")
    groups: list[ListedGroup] = wire(array(ListedGroup))
