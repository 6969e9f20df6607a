"""SaslAuthenticate: one step of a SASL exchange, as bytes of the mechanism.

Versions 0 to 2.
1: answer: `session_lifetime_ms`.
2: flexible.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.SASL_AUTHENTICATE, versions=(0, 2), flexible=2)
class SaslAuthenticateRequest(Message):
    """Source: SaslAuthenticateRequest.json, Kafka 4.4."""

    auth_bytes: bytes = wire("bytes")


@message(ApiKey.SASL_AUTHENTICATE, versions=(0, 2), flexible=2)
class SaslAuthenticateResponse(Message):
    """Source: SaslAuthenticateResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    auth_bytes: bytes = wire("bytes")
    session_lifetime_ms: int = wire("int64", since=1)
