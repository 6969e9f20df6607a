"""DescribeDelegationToken: the tokens of some owners.

Versions 0 to 3.
2: flexible.
3: answer: `tokens.token_requester_principal_type`, `tokens.token_requester_principal_name`.
1: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class DescribeDelegationTokenOwner(Struct):
    principal_type: str = wire("string")
    principal_name: str = wire("string")


@message(ApiKey.DESCRIBE_DELEGATION_TOKEN, versions=(0, 3), flexible=2)
class DescribeDelegationTokenRequest(Message):
    """Source: DescribeDelegationTokenRequest.json, Kafka 4.4."""

    owners: list[DescribeDelegationTokenOwner] | None = wire(array(DescribeDelegationTokenOwner), nullable=0)


@struct
class DescribedDelegationTokenRenewer(Struct):
    principal_type: str = wire("string")
    principal_name: str = wire("string")


@struct
class DescribedDelegationToken(Struct):
    principal_type: str = wire("string")
    principal_name: str = wire("string")
    token_requester_principal_type: str = wire("string", since=3)
    token_requester_principal_name: str = wire("string", since=3)
    issue_timestamp: int = wire("int64")
    expiry_timestamp: int = wire("int64")
    max_timestamp: int = wire("int64")
    token_id: str = wire("string")
    hmac: bytes = wire("bytes")
    renewers: list[DescribedDelegationTokenRenewer] = wire(array(DescribedDelegationTokenRenewer))


@message(ApiKey.DESCRIBE_DELEGATION_TOKEN, versions=(0, 3), flexible=2)
class DescribeDelegationTokenResponse(Message):
    """Source: DescribeDelegationTokenResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    tokens: list[DescribedDelegationToken] = wire(array(DescribedDelegationToken))
    throttle_time_ms: int = wire("int32")
