"""AlterClientQuotas: quotas of users, client ids and addresses are set or removed.

Versions 0 to 1.
1: flexible.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class EntityData(Struct):
    entity_type: str = wire("string")
    entity_name: str | None = wire("string", nullable=0)


@struct
class OpData(Struct):
    key: str = wire("string")
    value: float = wire("float64")
    remove: bool = wire("bool")


@struct
class RequestEntryData(Struct):
    entity: list[EntityData] = wire(array(EntityData))
    ops: list[OpData] = wire(array(OpData))


@message(ApiKey.ALTER_CLIENT_QUOTAS, versions=(0, 1), flexible=1)
class AlterClientQuotasRequest(Message):
    """Source: AlterClientQuotasRequest.json, Kafka 4.4."""

    entries: list[RequestEntryData] = wire(array(RequestEntryData))
    validate_only: bool = wire("bool")


@struct
class ResponseEntryData(Struct):
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    entity: list[EntityData] = wire(array(EntityData))


@message(ApiKey.ALTER_CLIENT_QUOTAS, versions=(0, 1), flexible=1)
class AlterClientQuotasResponse(Message):
    """Source: AlterClientQuotasResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    entries: list[ResponseEntryData] = wire(array(ResponseEntryData))
