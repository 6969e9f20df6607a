"""AlterUserScramCredentials: SCRAM credentials of users are set or removed.

Version 0 only. Flexible from the start.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class ScramCredentialDeletion(Struct):
    name: str = wire("string")
    mechanism: int = wire("int8")


@struct
class ScramCredentialUpsertion(Struct):
    name: str = wire("string")
    mechanism: int = wire("int8")
    iterations: int = wire("int32")
    salt: bytes = wire("bytes")
    salted_password: bytes = wire("bytes")


@message(ApiKey.ALTER_USER_SCRAM_CREDENTIALS, versions=(0, 0), flexible=0)
class AlterUserScramCredentialsRequest(Message):
    """Source: AlterUserScramCredentialsRequest.json, Kafka 4.4."""

    deletions: list[ScramCredentialDeletion] = wire(array(ScramCredentialDeletion))
    upsertions: list[ScramCredentialUpsertion] = wire(array(ScramCredentialUpsertion))


@struct
class AlterUserScramCredentialsResult(Struct):
    user: str = wire("string")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)


@message(ApiKey.ALTER_USER_SCRAM_CREDENTIALS, versions=(0, 0), flexible=0)
class AlterUserScramCredentialsResponse(Message):
    """Source: AlterUserScramCredentialsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    results: list[AlterUserScramCredentialsResult] = wire(array(AlterUserScramCredentialsResult))
