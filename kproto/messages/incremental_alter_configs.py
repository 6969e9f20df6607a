"""IncrementalAlterConfigs: set, delete, append to or subtract from single settings.

Versions 0 to 1.
1: flexible.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class AlterableConfig(Struct):
    name: str = wire("string")
    config_operation: int = wire("int8")
    value: str | None = wire("string", nullable=0)


@struct
class AlterConfigsResource(Struct):
    resource_type: int = wire("int8")
    resource_name: str = wire("string")
    configs: list[AlterableConfig] = wire(array(AlterableConfig))


@message(ApiKey.INCREMENTAL_ALTER_CONFIGS, versions=(0, 1), flexible=1)
class IncrementalAlterConfigsRequest(Message):
    """Source: IncrementalAlterConfigsRequest.json, Kafka 4.4."""

    resources: list[AlterConfigsResource] = wire(array(AlterConfigsResource))
    validate_only: bool = wire("bool")


@struct
class AlterConfigsResourceResponse(Struct):
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    resource_type: int = wire("int8")
    resource_name: str = wire("string")


@message(ApiKey.INCREMENTAL_ALTER_CONFIGS, versions=(0, 1), flexible=1)
class IncrementalAlterConfigsResponse(Message):
    """Source: IncrementalAlterConfigsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    responses: list[AlterConfigsResourceResponse] = wire(array(AlterConfigsResourceResponse))
