"""DescribeConfigs: the settings of topics, brokers and other resources.

Versions 0 to 4. Kafka 4 no longer reads 0.
1: where each value comes from, with synonyms (KIP-226).
2: throttling is told before it happens.
3: types, and documentation when asked for (KIP-569).
4: flexible.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class DescribeConfigsResource(Struct):
    resource_type: int = wire("int8")
    resource_name: str = wire("string")
    configuration_keys: list[str] | None = wire(array("string"), nullable=0)


@message(ApiKey.DESCRIBE_CONFIGS, versions=(0, 4), flexible=4)
class DescribeConfigsRequest(Message):
    """Source: DescribeConfigsRequest.json, Kafka 4.4."""

    resources: list[DescribeConfigsResource] = wire(array(DescribeConfigsResource))
    include_synonyms: bool = wire("bool", since=1)
    include_documentation: bool = wire("bool", since=3)


@struct
class DescribeConfigsSynonym(Struct):
    name: str = wire("string")
    value: str | None = wire("string", nullable=0)
    source: int = wire("int8")


@struct
class DescribeConfigsResourceResult(Struct):
    name: str = wire("string")
    value: str | None = wire("string", nullable=0)
    read_only: bool = wire("bool")
    is_default: bool = wire("bool", until=0)
    config_source: int = wire("int8", since=1, default=-1)
    is_sensitive: bool = wire("bool")
    synonyms: list[DescribeConfigsSynonym] = wire(array(DescribeConfigsSynonym), since=1)
    config_type: int = wire("int8", since=3)
    documentation: str | None = wire("string", since=3, nullable=3)


@struct
class DescribeConfigsResult(Struct):
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    resource_type: int = wire("int8")
    resource_name: str = wire("string")
    configs: list[DescribeConfigsResourceResult] = wire(array(DescribeConfigsResourceResult))


@message(ApiKey.DESCRIBE_CONFIGS, versions=(0, 4), flexible=4)
class DescribeConfigsResponse(Message):
    """Source: DescribeConfigsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    results: list[DescribeConfigsResult] = wire(array(DescribeConfigsResult))
