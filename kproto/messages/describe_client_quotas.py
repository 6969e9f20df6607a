"""DescribeClientQuotas: quotas of users, client ids and addresses that match a filter.

Versions 0 to 1.
1: flexible.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class ComponentData(Struct):
    entity_type: str = wire("string")
    match_type: int = wire("int8")
    match: str | None = wire("string", nullable=0)


@message(ApiKey.DESCRIBE_CLIENT_QUOTAS, versions=(0, 1), flexible=1)
class DescribeClientQuotasRequest(Message):
    """Source: DescribeClientQuotasRequest.json, Kafka 4.4."""

    components: list[ComponentData] = wire(array(ComponentData))
    strict: bool = wire("bool")


@struct
class EntityData(Struct):
    entity_type: str = wire("string")
    entity_name: str | None = wire("string", nullable=0)


@struct
class ValueData(Struct):
    key: str = wire("string")
    value: float = wire("float64")


@struct
class EntryData(Struct):
    entity: list[EntityData] = wire(array(EntityData))
    values: list[ValueData] = wire(array(ValueData))


@message(ApiKey.DESCRIBE_CLIENT_QUOTAS, versions=(0, 1), flexible=1)
class DescribeClientQuotasResponse(Message):
    """Source: DescribeClientQuotasResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    entries: list[EntryData] | None = wire(array(EntryData), nullable=0)
