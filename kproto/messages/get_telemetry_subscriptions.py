"""GetTelemetrySubscriptions: which metrics a client should push (KIP-714).

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, array, message, wire


@message(ApiKey.GET_TELEMETRY_SUBSCRIPTIONS, versions=(0, 0), flexible=0)
class GetTelemetrySubscriptionsRequest(Message):
    """Source: GetTelemetrySubscriptionsRequest.json, Kafka 4.4."""

    client_instance_id: UUID = wire("uuid")


@message(ApiKey.GET_TELEMETRY_SUBSCRIPTIONS, versions=(0, 0), flexible=0)
class GetTelemetrySubscriptionsResponse(Message):
    """Source: GetTelemetrySubscriptionsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    client_instance_id: UUID = wire("uuid")
    subscription_id: int = wire("int32")
    accepted_compression_types: list[int] = wire(array("int8"))
    push_interval_ms: int = wire("int32")
    telemetry_max_bytes: int = wire("int32")
    delta_temporality: bool = wire("bool")
    requested_metrics: list[str] = wire(array("string"))
