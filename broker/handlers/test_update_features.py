"""UpdateFeatures: there are no features, and every update hears why it cannot be; words of Kafka 3.9.2."""

from typing import Any

import pytest

from broker.testing.cluster_of_one import cluster_of_one
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.messages.update_features import FeatureUpdateKey, UpdateFeaturesRequest

UNSUPPORTED = "Could not apply finalized feature update because the provided feature is not supported."
TOO_LOW = "Can not provide versionLevel: {} less than 1 without setting the SAFE downgradeType in the request."
NOT_THERE = "Can not delete non-existing finalized feature."
UPGRADE, SAFE, UNSAFE = 1, 2, 3


def update(feature: str, level: int, *, down: int = UPGRADE) -> FeatureUpdateKey:
    """Both ways of saying that the level may go down; each version has one."""
    return FeatureUpdateKey(
        feature=feature, max_version_level=level, allow_downgrade=down != UPGRADE, upgrade_type=down
    )


CASES = [
    (update("metadata.version", 7), UNSUPPORTED),
    (update("x", 3, down=SAFE), UNSUPPORTED),
    (update("", 7), "Feature name can not be empty."),
    (update("x", 0), TOO_LOW.format(0)),
    (update("x", -3), TOO_LOW.format(-3)),
    (update("x", 0, down=SAFE), NOT_THERE),
    (update("x", 0, down=UNSAFE), NOT_THERE),
]


@pytest.mark.parametrize("validate_only", [False, True])
@pytest.mark.parametrize("version", [0, 1, 2])
async def test_every_update_is_refused_with_its_reason(version: int, validate_only: bool) -> None:
    async with running() as broker:
        with broker.connect() as client:
            for wanted, why in CASES:
                if version == 0 and wanted.upgrade_type == UNSAFE:
                    continue
                request = UpdateFeaturesRequest(feature_updates=[wanted], validate_only=validate_only)
                answer = await client.ask(request, version)
                if version < 2:
                    assert answer.error_code == 0
                    (row,) = answer.results
                    assert (row.feature, row.error_code) == (wanted.feature, ErrorCode.INVALID_REQUEST)
                    assert row.error_message == why
                else:
                    assert answer.error_code == ErrorCode.INVALID_REQUEST
                    assert answer.error_message.endswith(why)


async def test_an_upgrade_of_no_known_type_is_refused() -> None:
    async with running() as broker:
        with broker.connect() as client:
            answer = await client.ask(UpdateFeaturesRequest(feature_updates=[update("x", 3, down=9)]), 1)
            assert answer.results[0].error_message == "Received unknown upgrade type."


@pytest.mark.parametrize("version", [0, 1, 2])
async def test_nothing_asked_is_nothing_refused(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            answer = await client.ask(UpdateFeaturesRequest(), version)
            assert (answer.error_code, answer.results) == (0, [])


async def test_rows_come_in_the_order_of_the_updates_and_the_first_error_is_on_top() -> None:
    async with running() as broker:
        with broker.connect() as client:
            request = UpdateFeaturesRequest(feature_updates=[update("", 1), update("x", 1)])
            answer: Any = await client.ask(request, 1)
            assert [row.feature for row in answer.results] == ["", "x"]
            answer = await client.ask(request, 2)
            assert "Feature name can not be empty." in answer.error_message


async def test_api_versions_tells_of_no_feature_either() -> None:
    async with running() as broker:
        with broker.connect() as client:
            request = ApiVersionsRequest(client_software_name="test", client_software_version="1")
            answer = await client.ask(request, 3)
            assert (answer.supported_features, answer.finalized_features) == ([], [])


async def test_only_the_controller_is_asked() -> None:
    async with cluster_of_one() as cluster:
        cluster.image.controller_id = 5
        request = UpdateFeaturesRequest(feature_updates=[update("x", 1)])
        for version in range(3):
            assert (await cluster.ask(request, version)).error_code == ErrorCode.NOT_CONTROLLER
