"""BrokerHeartbeat: a broker of a KRaft cluster says it is alive, and asks to be fenced, unfenced or stopped.

Versions 0 to 2. Flexible from the start.
1: request: `offline_log_dirs`.
2: request: `cordoned_log_dirs`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, array, message, wire


@message(ApiKey.BROKER_HEARTBEAT, versions=(0, 2), flexible=0)
class BrokerHeartbeatRequest(Message):
    """Source: BrokerHeartbeatRequest.json, Kafka 4.4."""

    broker_id: int = wire("int32")
    broker_epoch: int = wire("int64", default=-1)
    current_metadata_offset: int = wire("int64")
    want_fence: bool = wire("bool")
    want_shut_down: bool = wire("bool")
    offline_log_dirs: list[UUID] = wire(array("uuid"), since=1, tag=0)
    cordoned_log_dirs: list[UUID] | None = wire(array("uuid"), since=2, nullable=2, tag=1, default=None)


@message(ApiKey.BROKER_HEARTBEAT, versions=(0, 2), flexible=0)
class BrokerHeartbeatResponse(Message):
    """Source: BrokerHeartbeatResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    is_caught_up: bool = wire("bool")
    is_fenced: bool = wire("bool", default=True)
    should_shut_down: bool = wire("bool")
