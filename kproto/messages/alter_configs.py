"""AlterConfigs: the whole set of overrides of a resource, replacing the one it had.

Versions 0 to 2.
2: flexible.
1: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class AlterableConfig(Struct):
    name: str = wire("string")
    value: str | None = wire("string", nullable=0)


@struct
class AlterConfigsResource(Struct):
    resource_type: int = wire("int8")
    resource_name: str = wire("string")
    configs: list[AlterableConfig] = wire(array(AlterableConfig))


@message(ApiKey.ALTER_CONFIGS, versions=(0, 2), flexible=2)
class AlterConfigsRequest(Message):
    """Source: AlterConfigsRequest.json, Kafka 4.4."""

    resources: list[AlterConfigsResource] = wire(array(AlterConfigsResource))
    validate_only: bool = wire("bool")


@struct
class AlterConfigsResourceResponse(Struct):
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    resource_type: int = wire("int8")
    resource_name: str = wire("string")


@message(ApiKey.ALTER_CONFIGS, versions=(0, 2), flexible=2)
class AlterConfigsResponse(Message):
    """Source: AlterConfigsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    responses: list[AlterConfigsResourceResponse] = wire(array(AlterConfigsResourceResponse))
