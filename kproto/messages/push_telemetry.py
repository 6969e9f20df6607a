"""PushTelemetry: the metrics of a client, in OTLP (KIP-714).

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.PUSH_TELEMETRY, versions=(0, 0), flexible=0)
class PushTelemetryRequest(Message):
    """Source: PushTelemetryRequest.json, Kafka 4.4."""

    client_instance_id: UUID = wire("uuid")
    subscription_id: int = wire("int32")
    terminating: bool = wire("bool")
    compression_type: int = wire("int8")
    metrics: bytes = wire("bytes")


@message(ApiKey.PUSH_TELEMETRY, versions=(0, 0), flexible=0)
class PushTelemetryResponse(Message):
    """Source: PushTelemetryResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
