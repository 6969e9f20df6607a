"""DescribeUserScramCredentials: which SCRAM mechanisms users have credentials for; never the credentials.

Version 0 only. Flexible from the start.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class UserName(Struct):
    name: str = wire("string")


@message(ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, versions=(0, 0), flexible=0)
class DescribeUserScramCredentialsRequest(Message):
    """Source: DescribeUserScramCredentialsRequest.json, Kafka 4.4."""

    users: list[UserName] | None = wire(array(UserName), nullable=0)


@struct
class CredentialInfo(Struct):
    mechanism: int = wire("int8")
    iterations: int = wire("int32")


@struct
class DescribeUserScramCredentialsResult(Struct):
    user: str = wire("string")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    credential_infos: list[CredentialInfo] = wire(array(CredentialInfo))


@message(ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, versions=(0, 0), flexible=0)
class DescribeUserScramCredentialsResponse(Message):
    """Source: DescribeUserScramCredentialsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    results: list[DescribeUserScramCredentialsResult] = wire(array(DescribeUserScramCredentialsResult))
