"""ListConfigResources: the resources that have settings; version 0 lists those of client metrics only.

Versions 0 to 1. Flexible from the start.
1: request: `resource_types`; answer: `config_resources.resource_type`.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.LIST_CONFIG_RESOURCES, versions=(0, 1), flexible=0)
class ListConfigResourcesRequest(Message):
    """Source: ListConfigResourcesRequest.json, Kafka 4.4."""

    resource_types: list[int] = wire(array("int8"), since=1)


@struct
class ConfigResource(Struct):
    resource_name: str = wire("string")
    resource_type: int = wire("int8", since=1, default=16)


@message(ApiKey.LIST_CONFIG_RESOURCES, versions=(0, 1), flexible=0)
class ListConfigResourcesResponse(Message):
    """Source: ListConfigResourcesResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    config_resources: list[ConfigResource] = wire(array(ConfigResource))
