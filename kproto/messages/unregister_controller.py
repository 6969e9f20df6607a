"""UnregisterController: a controller is taken off the list of a KRaft cluster.

Version 0 only. Flexible from the start.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.UNREGISTER_CONTROLLER, versions=(0, 0), flexible=0)
class UnregisterControllerRequest(Message):
    """Source: UnregisterControllerRequest.json, Kafka 4.4."""

    controller_id: int = wire("int32")


@message(ApiKey.UNREGISTER_CONTROLLER, versions=(0, 0), flexible=0)
class UnregisterControllerResponse(Message):
    """Source: UnregisterControllerResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
