"""UnregisterBroker: a broker is taken off the list of a KRaft cluster.

Version 0 only. Flexible from the start.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.UNREGISTER_BROKER, versions=(0, 0), flexible=0)
class UnregisterBrokerRequest(Message):
    """Source: UnregisterBrokerRequest.json, Kafka 4.4."""

    broker_id: int = wire("int32")


@message(ApiKey.UNREGISTER_BROKER, versions=(0, 0), flexible=0)
class UnregisterBrokerResponse(Message):
    """Source: UnregisterBrokerResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
