"""DeleteAcls: the access rules that match any of the filters go.

Versions 0 to 3.
1: request: `filters.pattern_type_filter`; answer: `filter_results.matching_acls.pattern_type`.
2: flexible.
3: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class DeleteAclsFilter(Struct):
    resource_type_filter: int = wire("int8")
    resource_name_filter: str | None = wire("string", nullable=0)
    pattern_type_filter: int = wire("int8", since=1, default=3)
    principal_filter: str | None = wire("string", nullable=0)
    host_filter: str | None = wire("string", nullable=0)
    operation: int = wire("int8")
    permission_type: int = wire("int8")


@message(ApiKey.DELETE_ACLS, versions=(0, 3), flexible=2)
class DeleteAclsRequest(Message):
    """Source: DeleteAclsRequest.json, Kafka 4.4."""

    filters: list[DeleteAclsFilter] = wire(array(DeleteAclsFilter))


@struct
class DeleteAclsMatchingAcl(Struct):
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    resource_type: int = wire("int8")
    resource_name: str = wire("string")
    pattern_type: int = wire("int8", since=1, default=3)
    principal: str = wire("string")
    host: str = wire("string")
    operation: int = wire("int8")
    permission_type: int = wire("int8")


@struct
class DeleteAclsFilterResult(Struct):
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    matching_acls: list[DeleteAclsMatchingAcl] = wire(array(DeleteAclsMatchingAcl))


@message(ApiKey.DELETE_ACLS, versions=(0, 3), flexible=2)
class DeleteAclsResponse(Message):
    """Source: DeleteAclsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    filter_results: list[DeleteAclsFilterResult] = wire(array(DeleteAclsFilterResult))
