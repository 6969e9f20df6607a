"""ExpireDelegationToken: a delegation token ends sooner, or at once.

Versions 0 to 2.
2: flexible.
1: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.EXPIRE_DELEGATION_TOKEN, versions=(0, 2), flexible=2)
class ExpireDelegationTokenRequest(Message):
    """Source: ExpireDelegationTokenRequest.json, Kafka 4.4."""

    hmac: bytes = wire("bytes")
    expiry_time_period_ms: int = wire("int64")


@message(ApiKey.EXPIRE_DELEGATION_TOKEN, versions=(0, 2), flexible=2)
class ExpireDelegationTokenResponse(Message):
    """Source: ExpireDelegationTokenResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    expiry_timestamp_ms: int = wire("int64")
    throttle_time_ms: int = wire("int32")
