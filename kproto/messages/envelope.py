"""Envelope: a broker forwards a request to the controller in the name of its client.

Version 0 only. Flexible from the start.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.ENVELOPE, versions=(0, 0), flexible=0)
class EnvelopeRequest(Message):
    """Source: EnvelopeRequest.json, Kafka 4.4."""

    request_data: bytes = wire("bytes")
    request_principal: bytes | None = wire("bytes", nullable=0)
    client_host_address: bytes = wire("bytes")


@message(ApiKey.ENVELOPE, versions=(0, 0), flexible=0)
class EnvelopeResponse(Message):
    """Source: EnvelopeResponse.json, Kafka 4.4."""

    response_data: bytes | None = wire("bytes", nullable=0, default=None)
    error_code: int = wire("int16")
