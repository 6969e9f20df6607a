"""What each release listed, against the ApiVersions answers that kafka-python's authors captured from real brokers."""

import pytest
from kafka.protocol.broker_version_data import BROKER_API_VERSIONS

from kproto.api_keys import ApiKey, request_class
from kproto.releases import RELEASES, served

FOR_BROKERS = {ApiKey.LEADER_AND_ISR, ApiKey.STOP_REPLICA, ApiKey.UPDATE_METADATA, ApiKey.CONTROLLED_SHUTDOWN}
WITH_RECEIVER = {ApiKey.GET_TELEMETRY_SUBSCRIPTIONS, ApiKey.PUSH_TELEMETRY}


@pytest.mark.parametrize("captured", list(BROKER_API_VERSIONS), ids=lambda captured: ".".join(map(str, captured)))
def test_a_release_lists_what_was_captured(captured: tuple[int, ...]) -> None:
    release = ".".join(map(str, captured))
    expected = {ApiKey(key): tuple(span) for key, span in BROKER_API_VERSIONS[captured].items()}
    ours = served(release)
    if release == "4.0":
        expected[ApiKey.JOIN_GROUP] = (0, 9)  # captured from 4.0.0, which alone has 2 to 9
    unlisted = set(ours) - set(expected)
    assert unlisted <= (FOR_BROKERS if captured < (0, 10) else WITH_RECEIVER)
    assert {key: ours[key] for key in expected} == expected


@pytest.mark.parametrize("release", RELEASES)
def test_all_that_a_release_served_is_declared(release: str) -> None:
    for key, (lowest, highest) in served(release).items():
        first, last = request_class(key).VERSIONS
        assert first <= lowest <= highest <= last


def test_kafka_4_is_without_what_only_zookeeper_controllers_sent() -> None:
    assert set(served("3.9")) >= FOR_BROKERS
    assert not FOR_BROKERS & set(served("4.0"))


def test_an_unknown_release_is_refused() -> None:
    with pytest.raises(ValueError):
        served("0.7")
