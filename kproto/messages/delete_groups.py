"""DeleteGroups: empty groups and their offsets go.

Versions 0 to 3.
1: throttling is told before it happens.
2: flexible.
3: an error message.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.DELETE_GROUPS, versions=(0, 3), flexible=2)
class DeleteGroupsRequest(Message):
    """Source: DeleteGroupsRequest.json, Kafka 4.4."""

    groups_names: list[str] = wire(array("string"))


@struct
class DeletableGroupResult(Struct):
    group_id: str = wire("string")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", since=3, nullable=3, default=None)


@message(ApiKey.DELETE_GROUPS, versions=(0, 3), flexible=2)
class DeleteGroupsResponse(Message):
    """Source: DeleteGroupsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    results: list[DeletableGroupResult] = wire(array(DeletableGroupResult))
