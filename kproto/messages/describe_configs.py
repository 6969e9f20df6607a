"""DescribeConfigs.

Versions 0 to 4.
1: request: `include_synonyms`; answer: no `results.configs.is_default` any more, `results.configs.config_source`,
   `results.configs.synonyms`.
3: request: `include_documentation`; answer: `results.configs.config_type`, `results.configs.documentation`.
4: compact and tagged.
Version 2: same fields as the one before.
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
