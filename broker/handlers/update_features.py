"""UpdateFeatures, key 57: levels of cluster features.  Versions 0 to 2.

1 a type of upgrade in place of "may go down", validate_only (KIP-778) · 2 no rows, the first error is on top. A broker
of ZooKeeper's mode has no features, so every update is refused, each for the reason that Kafka 3.9 gives.
"""

from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.update_features import (
    FeatureUpdateKey,
    UpdatableFeatureResult,
    UpdateFeaturesRequest,
    UpdateFeaturesResponse,
)

UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE = 1, 2, 3


async def update_features(request: UpdateFeaturesRequest, ctx: Context) -> UpdateFeaturesResponse:
    """Whether it is only asked or meant: nothing changes."""
    ctx.rooms.topics.must_be_controller()
    results = [
        UpdatableFeatureResult(
            feature=update.feature, error_code=ErrorCode.INVALID_REQUEST, error_message=why_not(update, ctx.version)
        )
        for update in request.feature_updates
    ]
    response = UpdateFeaturesResponse(error_message=None, results=results)
    if ctx.version >= 2 and results:
        response.error_code = ErrorCode.INVALID_REQUEST
        response.error_message = (
            f"The update failed for all features since the following feature had an error: {results[0].error_message}"
        )
    return response


def why_not(update: FeatureUpdateKey, version: int) -> str:
    """Source: KafkaController.validateFeatureUpdate of Kafka 3.9."""
    upgrade_type = update.upgrade_type
    if version == 0:
        upgrade_type = SAFE_DOWNGRADE if update.allow_downgrade else UPGRADE
    if not update.feature:
        return "Feature name can not be empty."
    if upgrade_type not in (UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE):
        return "Received unknown upgrade type."
    if update.max_version_level >= 1:
        return "Could not apply finalized feature update because the provided feature is not supported."
    if upgrade_type == UPGRADE:
        return (
            f"Can not provide versionLevel: {update.max_version_level} less than 1 without setting the SAFE "
            "downgradeType in the request."
        )
    return "Can not delete non-existing finalized feature."


def refused(request: UpdateFeaturesRequest, error: ApiError) -> UpdateFeaturesResponse:
    return UpdateFeaturesResponse(error_code=error.code, error_message=error.message)
