"""UpdateFeatures: levels of cluster features are raised or lowered.

Versions 0 to 2. Flexible from the start.
1: request: `validate_only`, without `feature_updates.allow_downgrade`, `feature_updates.upgrade_type`.
2: answer: without `results`.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class FeatureUpdateKey(Struct):
    feature: str = wire("string")
    max_version_level: int = wire("int16")
    allow_downgrade: bool = wire("bool", until=0)
    upgrade_type: int = wire("int8", since=1, default=1)


@message(ApiKey.UPDATE_FEATURES, versions=(0, 2), flexible=0)
class UpdateFeaturesRequest(Message):
    """Source: UpdateFeaturesRequest.json, Kafka 4.4."""

    timeout_ms: int = wire("int32", default=60000)
    feature_updates: list[FeatureUpdateKey] = wire(array(FeatureUpdateKey))
    validate_only: bool = wire("bool", since=1)


@struct
class UpdatableFeatureResult(Struct):
    feature: str = wire("string")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)


@message(ApiKey.UPDATE_FEATURES, versions=(0, 2), flexible=0)
class UpdateFeaturesResponse(Message):
    """Source: UpdateFeaturesResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    results: list[UpdatableFeatureResult] = wire(array(UpdatableFeatureResult), until=1)
