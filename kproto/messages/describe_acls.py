"""DescribeAcls: the access rules that match a filter.

Versions 0 to 3.
1: request: `pattern_type_filter`; answer: `resources.pattern_type`.
2: flexible.
3: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.DESCRIBE_ACLS, versions=(0, 3), flexible=2)
class DescribeAclsRequest(Message):
    """Source: DescribeAclsRequest.json, Kafka 4.4."""

    resource_type_filter: int = wire("int8")
    resource_name_filter: str | None = wire("string", nullable=0)
    pattern_type_filter: int = wire("int8", since=1, default=3)
    principal_filter: str | None = wire("string", nullable=0)
    host_filter: str | None = wire("string", nullable=0)
    operation: int = wire("int8")
    permission_type: int = wire("int8")


@struct
class AclDescription(Struct):
    principal: str = wire("string")
    host: str = wire("string")
    operation: int = wire("int8")
    permission_type: int = wire("int8")


@struct
class DescribeAclsResource(Struct):
    resource_type: int = wire("int8")
    resource_name: str = wire("string")
    pattern_type: int = wire("int8", since=1, default=3)
    acls: list[AclDescription] = wire(array(AclDescription))


@message(ApiKey.DESCRIBE_ACLS, versions=(0, 3), flexible=2)
class DescribeAclsResponse(Message):
    """Source: DescribeAclsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    resources: list[DescribeAclsResource] = wire(array(DescribeAclsResource))
