"""ApiVersions: which requests a broker serves, in which versions. Always answered with response header 0.

Versions 0 to 5.
1: throttle time.
2: throttling is told before it happens.
3: flexible; name and version of the client (KIP-511); features in the answer (KIP-584).
4: features whose lowest level is 0 are listed (KAFKA-17011).
5: the client says which cluster and node it means (KIP-1242).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.API_VERSIONS, versions=(0, 5), flexible=3)
class ApiVersionsRequest(Message):
    """Source: ApiVersionsRequest.json, Kafka 4.4."""

    client_software_name: str = wire("string", since=3)
    client_software_version: str = wire("string", since=3)
    cluster_id: str | None = wire("string", since=5, nullable=5, default=None)
    node_id: int = wire("int32", since=5, default=-1)


@struct
class ApiVersion(Struct):
    api_key: int = wire("int16")
    min_version: int = wire("int16")
    max_version: int = wire("int16")


@struct
class SupportedFeatureKey(Struct):
    name: str = wire("string")
    min_version: int = wire("int16")
    max_version: int = wire("int16")


@struct
class FinalizedFeatureKey(Struct):
    name: str = wire("string")
    max_version_level: int = wire("int16")
    min_version_level: int = wire("int16")


@message(ApiKey.API_VERSIONS, versions=(0, 5), flexible=3)
class ApiVersionsResponse(Message):
    """Source: ApiVersionsResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    api_keys: list[ApiVersion] = wire(array(ApiVersion))
    throttle_time_ms: int = wire("int32", since=1)
    supported_features: list[SupportedFeatureKey] = wire(array(SupportedFeatureKey), since=3, tag=0)
    finalized_features_epoch: int = wire("int64", since=3, tag=1, default=-1)
    finalized_features: list[FinalizedFeatureKey] = wire(array(FinalizedFeatureKey), since=3, tag=2)
    zk_migration_ready: bool = wire("bool", since=3, tag=3)
