"""SaslHandshake: the client names the SASL mechanism that it wants to use.

Versions 0 to 1.
1: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, array, message, wire


@message(ApiKey.SASL_HANDSHAKE, versions=(0, 1))
class SaslHandshakeRequest(Message):
    """Source: SaslHandshakeRequest.json, Kafka 4.4."""

    mechanism: str = wire("string")


@message(ApiKey.SASL_HANDSHAKE, versions=(0, 1))
class SaslHandshakeResponse(Message):
    """Source: SaslHandshakeResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    mechanisms: list[str] = wire(array("string"))
