"""CreateAcls: new access rules.

Versions 0 to 3.
1: request: `creations.resource_pattern_type`.
2: flexible.
3: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class AclCreation(Struct):
    resource_type: int = wire("int8")
    resource_name: str = wire("string")
    resource_pattern_type: int = wire("int8", since=1, default=3)
    principal: str = wire("string")
    host: str = wire("string")
    operation: int = wire("int8")
    permission_type: int = wire("int8")


@message(ApiKey.CREATE_ACLS, versions=(0, 3), flexible=2)
class CreateAclsRequest(Message):
    """Source: CreateAclsRequest.json, Kafka 4.4."""

    creations: list[AclCreation] = wire(array(AclCreation))


@struct
class AclCreationResult(Struct):
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)


@message(ApiKey.CREATE_ACLS, versions=(0, 3), flexible=2)
class CreateAclsResponse(Message):
    """Source: CreateAclsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    results: list[AclCreationResult] = wire(array(AclCreationResult))
