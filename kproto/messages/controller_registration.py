"""ControllerRegistration: a controller of a KRaft cluster tells its endpoints and features.

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class Listener(Struct):
    name: str = wire("string")
    host: str = wire("string")
    port: int = wire("uint16")
    security_protocol: int = wire("int16")


@struct
class Feature(Struct):
    name: str = wire("string")
    min_supported_version: int = wire("int16")
    max_supported_version: int = wire("int16")


@message(ApiKey.CONTROLLER_REGISTRATION, versions=(0, 0), flexible=0)
class ControllerRegistrationRequest(Message):
    """Source: ControllerRegistrationRequest.json, Kafka 4.4."""

    controller_id: int = wire("int32")
    incarnation_id: UUID = wire("uuid")
    zk_migration_ready: bool = wire("bool")
    listeners: list[Listener] = wire(array(Listener))
    features: list[Feature] = wire(array(Feature))


@message(ApiKey.CONTROLLER_REGISTRATION, versions=(0, 0), flexible=0)
class ControllerRegistrationResponse(Message):
    """Source: ControllerRegistrationResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
