"""BrokerRegistration: a broker enters a KRaft cluster.

Versions 0 to 4. Flexible from the start.
1: request: `is_migrating_zk_broker`.
2: request: `log_dirs`.
3: request: `previous_broker_epoch`.
4: same fields as the version before.
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


@message(ApiKey.BROKER_REGISTRATION, versions=(0, 4), flexible=0)
class BrokerRegistrationRequest(Message):
    """Source: BrokerRegistrationRequest.json, Kafka 4.4."""

    broker_id: int = wire("int32")
    cluster_id: str = wire("string")
    incarnation_id: UUID = wire("uuid")
    listeners: list[Listener] = wire(array(Listener))
    features: list[Feature] = wire(array(Feature))
    rack: str | None = wire("string", nullable=0)
    is_migrating_zk_broker: bool = wire("bool", since=1)
    log_dirs: list[UUID] = wire(array("uuid"), since=2)
    previous_broker_epoch: int = wire("int64", since=3, default=-1)


@message(ApiKey.BROKER_REGISTRATION, versions=(0, 4), flexible=0)
class BrokerRegistrationResponse(Message):
    """Source: BrokerRegistrationResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    broker_epoch: int = wire("int64", default=-1)
