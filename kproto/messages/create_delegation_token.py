"""CreateDelegationToken: a token that lets others act for a principal.

Versions 0 to 3.
2: flexible.
3: request: `owner_principal_type`, `owner_principal_name`; answer: `token_requester_principal_type`,
   `token_requester_principal_name`.
1: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class CreatableRenewers(Struct):
    principal_type: str = wire("string")
    principal_name: str = wire("string")


@message(ApiKey.CREATE_DELEGATION_TOKEN, versions=(0, 3), flexible=2)
class CreateDelegationTokenRequest(Message):
    """Source: CreateDelegationTokenRequest.json, Kafka 4.4."""

    owner_principal_type: str | None = wire("string", since=3, nullable=3)
    owner_principal_name: str | None = wire("string", since=3, nullable=3)
    renewers: list[CreatableRenewers] = wire(array(CreatableRenewers))
    max_lifetime_ms: int = wire("int64")


@message(ApiKey.CREATE_DELEGATION_TOKEN, versions=(0, 3), flexible=2)
class CreateDelegationTokenResponse(Message):
    """Source: CreateDelegationTokenResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    principal_type: str = wire("string")
    principal_name: str = wire("string")
    token_requester_principal_type: str = wire("string", since=3)
    token_requester_principal_name: str = wire("string", since=3)
    issue_timestamp_ms: int = wire("int64")
    expiry_timestamp_ms: int = wire("int64")
    max_timestamp_ms: int = wire("int64")
    token_id: str = wire("string")
    hmac: bytes = wire("bytes")
    throttle_time_ms: int = wire("int32")
