"""DescribeConfigs: every version, every kind of resource, every refusal."""

import logging
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from broker.cluster.authorizer import Operation, Resource
from broker.config.layers import Layers
from broker.config.settings import BrokerSettings
from broker.handlers.describe_configs import describe_configs, refused
from kproto.codec import decode, encoded
from kproto.errors import ApiError, ErrorCode
from kproto.messages.describe_configs import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
)

TOPIC, BROKER, LOGGER = 2, 4, 8


class Asker:
    """A context with one topic, one broker, and a list of what is forbidden."""

    def __init__(self, layers: Layers, overrides: dict[str, str], version: int, forbidden: set[Resource]) -> None:
        self.version = version
        self.forbidden = forbidden
        self.rooms = SimpleNamespace(
            broker_id=7,
            image=SimpleNamespace(topics={"orders": uuid4()}),
            configs=SimpleNamespace(layers=layers, topic_overrides=lambda name: overrides),
        )

    def may(self, operation: Operation, resource: Resource) -> None:
        assert operation is Operation.DESCRIBE_CONFIGS
        if resource in self.forbidden:
            raise ApiError(resource.type.denied)


async def ask(
    *resources: tuple[int, str],
    keys: list[str] | None = None,
    version: int = 4,
    settings: dict[str, str] | None = None,
    overrides: dict[str, str] | None = None,
    forbidden: set[Resource] | None = None,
    dynamic: dict[str, str] | None = None,
    of_cluster: dict[str, str] | None = None,
) -> list[DescribeConfigsResult]:
    """What a client reads: the answer goes through its bytes."""
    request = DescribeConfigsRequest(
        resources=[
            DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=keys)
            for kind, name in resources
        ],
        include_synonyms=True,
        include_documentation=True,
    )
    ctx: Any = Asker(
        Layers(BrokerSettings(settings), dynamic or {}, of_cluster or {}), overrides or {}, version, forbidden or set()
    )
    answer = await describe_configs(request, ctx)
    return decode(DescribeConfigsResponse, version, memoryview(encoded(answer, version))).results


async def one(name: str, kind: int = TOPIC, **more: Any) -> DescribeConfigsResourceResult:
    (result,) = await ask((kind, "orders" if kind == TOPIC else "7"), keys=[name], **more)
    (config,) = result.configs
    return config


def told(config: DescribeConfigsResourceResult) -> list[tuple[str, str | None, int]]:
    return [(synonym.name, synonym.value, synonym.source) for synonym in config.synonyms]


async def test_a_topic_shows_every_option_with_type_and_documentation() -> None:
    (result,) = await ask((TOPIC, "orders"))
    assert result.error_code == 0
    assert len(result.configs) == 40
    assert all(config.documentation and config.config_type for config in result.configs)
    segment = next(config for config in result.configs if config.name == "segment.bytes")
    assert (segment.value, segment.config_type, segment.config_source, segment.read_only) == ("1073741824", 3, 5, False)


async def test_an_override_comes_before_the_file_and_the_file_before_the_default() -> None:
    settings, overrides = {"log.segment.bytes": "1000"}, {"segment.bytes": "2000"}
    overridden = await one("segment.bytes", settings=settings, overrides=overrides)
    assert (overridden.value, overridden.config_source) == ("2000", 1)
    assert told(overridden) == [
        ("segment.bytes", "2000", 1),
        ("log.segment.bytes", "1000", 4),
        ("log.segment.bytes", "1073741824", 5),
    ]
    from_file = await one("segment.bytes", settings=settings)
    assert (from_file.value, from_file.config_source) == ("1000", 4)


async def test_a_retention_in_hours_gives_the_value_but_not_the_source_as_in_kafka() -> None:
    config = await one("retention.ms", settings={"log.retention.hours": "1"})
    assert (config.value, config.config_source, told(config)) == ("3600000", 5, [])
    hours = await one("log.retention.hours", BROKER, settings={"log.retention.hours": "1"})
    assert told(hours) == [("log.retention.hours", "1", 4), ("log.retention.hours", "168", 5)]


async def test_a_broker_shows_which_options_are_fixed_at_start() -> None:
    assert (await one("log.dirs", BROKER)).read_only
    assert not (await one("log.retention.ms", BROKER)).read_only
    assert (await one("log.retention.ms", BROKER)).value is None


async def test_a_password_is_null_and_marked() -> None:
    config = await one("ssl.key.password", BROKER, settings={"ssl.key.password": "hunter2"})
    assert (config.value, config.is_sensitive, config.config_source) == (None, True, 4)
    assert told(config) == [("ssl.key.password", None, 4)]


async def test_an_unknown_name_of_the_file_may_be_a_secret() -> None:
    config = await one("my.plugin.password", BROKER, settings={"my.plugin.password": "hunter2"})
    assert (config.value, config.is_sensitive, config.config_type) == (None, True, 0)


async def test_internal_options_are_not_shown() -> None:
    (result,) = await ask((BROKER, "7"))
    names = {config.name for config in result.configs}
    assert "unstable.api.versions.enable" not in names
    assert {"broker.id", "barnabas.frame.timeout.ms", "super.users"} <= names


async def test_what_was_set_while_running_comes_before_the_file_and_the_brokers_own_before_the_clusters() -> None:
    """The lines that Kafka 3.9.2 gives."""
    layers: dict[str, Any] = {"dynamic": {"log.retention.ms": "5555"}, "of_cluster": {"log.retention.ms": "6666"}}
    config = await one("log.retention.ms", BROKER, settings={"log.retention.ms": "7777"}, **layers)
    assert (config.value, config.config_source, config.read_only) == ("5555", 2, False)
    own = [("log.retention.ms", "5555", 2), ("log.retention.ms", "6666", 3)]
    assert told(config) == [*own, ("log.retention.ms", "7777", 4), ("log.retention.hours", "168", 5)]
    of_topic = await one("retention.ms", overrides={"retention.ms": "1000"}, **layers)
    assert told(of_topic) == [("retention.ms", "1000", 1), *own, ("log.retention.hours", "168", 5)]
    fallen_back = await one("retention.ms", of_cluster={"log.retention.ms": "6666"})
    assert (fallen_back.value, fallen_back.config_source) == ("6666", 3)


async def test_the_empty_broker_name_shows_what_was_set_for_the_whole_cluster() -> None:
    dynamic = {"log.retention.ms": "5555"}
    of_cluster = {"log.retention.ms": "6666", "confluent.x": "7", "leader.replication.throttled.rate": "8"}
    (result,) = await ask((BROKER, ""), dynamic=dynamic, of_cluster=of_cluster)
    rows = [(each.name, each.value, each.config_source, each.is_sensitive) for each in result.configs]
    assert rows == [
        ("log.retention.ms", "6666", 3, False),
        ("confluent.x", None, 3, True),
        ("leader.replication.throttled.rate", "8", 3, False),
    ]
    assert told(result.configs[0]) == [("log.retention.ms", "6666", 3)]


async def test_an_override_that_cannot_be_read_is_not_the_source() -> None:
    """A tool with a hand on the registry wrote it; the broker's value holds."""
    config = await one("retention.ms", overrides={"retention.ms": "soon"})
    assert (config.value, config.config_source) == ("604800000", 5)


async def test_the_empty_broker_name_means_values_of_the_whole_cluster_and_there_are_none() -> None:
    (result,) = await ask((BROKER, ""))
    assert (result.error_code, result.configs) == (0, [])


@pytest.mark.parametrize("version", range(5))
async def test_every_version_is_answered(version: int) -> None:
    config = await one("segment.bytes", version=version, overrides={"segment.bytes": "2000"})
    default = await one("retention.bytes", version=version)
    assert config.value == "2000"
    assert (config.is_default, default.is_default) == (False, version == 0)
    assert config.config_source == (1 if version else -1)
    assert bool(config.synonyms) == (version >= 1)
    assert bool(config.documentation) == (version >= 3)


async def test_synonyms_and_documentation_are_left_out_unless_asked_for() -> None:
    request = DescribeConfigsRequest(resources=[DescribeConfigsResource(resource_type=TOPIC, resource_name="orders")])
    ctx: Any = Asker(Layers(BrokerSettings()), {"segment.bytes": "2"}, 4, set())
    answer = await describe_configs(request, ctx)
    assert all(not config.synonyms and config.documentation is None for config in answer.results[0].configs)


@pytest.mark.parametrize(
    ("kind", "name", "code", "words"),
    [
        (TOPIC, "payments", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, None),
        (BROKER, "8", ErrorCode.INVALID_REQUEST, "expected 7"),
        (BROKER, "seven", ErrorCode.INVALID_REQUEST, "must be an integer"),
        (LOGGER, "", ErrorCode.INVALID_REQUEST, "must not be empty"),
        (16, "", ErrorCode.INVALID_REQUEST, "Unsupported resource type: 16"),
        (-5, "x", ErrorCode.INVALID_REQUEST, "Unsupported resource type: -5"),
    ],
)
async def test_a_resource_that_is_not_there_is_refused_and_its_neighbour_answered(
    kind: int, name: str, code: ErrorCode, words: str | None
) -> None:
    wrong, right = await ask((kind, name), (TOPIC, "orders"))
    assert (wrong.error_code, wrong.resource_type, wrong.resource_name, wrong.configs) == (code, kind, name, [])
    assert words is None or words in (wrong.error_message or "")
    assert right.configs


@pytest.mark.parametrize(
    ("kind", "name", "resource", "code"),
    [
        (TOPIC, "orders", Resource.topic("orders"), ErrorCode.TOPIC_AUTHORIZATION_FAILED),
        (TOPIC, "payments", Resource.topic("payments"), ErrorCode.TOPIC_AUTHORIZATION_FAILED),
        (BROKER, "7", Resource.cluster(), ErrorCode.CLUSTER_AUTHORIZATION_FAILED),
        (LOGGER, "7", Resource.cluster(), ErrorCode.CLUSTER_AUTHORIZATION_FAILED),
    ],
)
async def test_who_may_not_ask_learns_nothing(kind: int, name: str, resource: Resource, code: ErrorCode) -> None:
    (result,) = await ask((kind, name), forbidden={resource})
    assert (result.error_code, result.configs) == (code, [])


async def test_loggers_are_shown_with_javas_names_of_levels() -> None:
    logging.getLogger("barnabas.test.level").setLevel(logging.WARNING)
    config = await one("barnabas.test.level", LOGGER)
    assert (config.value, config.config_source, config.read_only) == ("WARN", 6, False)


def test_a_refusal_of_the_whole_request_is_told_for_every_resource() -> None:
    request = DescribeConfigsRequest(resources=[DescribeConfigsResource(resource_type=TOPIC, resource_name="orders")])
    (result,) = refused(request, ApiError(ErrorCode.UNKNOWN_SERVER_ERROR)).results
    assert (result.error_code, result.resource_name) == (-1, "orders")


async def test_an_option_of_one_listener_is_of_its_options_type_and_falls_back_to_it() -> None:
    name = "listener.name.outside.ssl.keystore.type"
    config = await one(name, BROKER, settings={name: "PEM", "ssl.keystore.type": "PKCS12"})
    assert (config.value, config.config_type, config.is_sensitive, config.read_only) == ("PEM", 2, False, True)
    assert told(config) == [(name, "PEM", 4), ("ssl.keystore.type", "PKCS12", 4), ("ssl.keystore.type", "JKS", 5)]
    secret = "listener.name.outside.plain.sasl.jaas.config"
    config = await one(secret, BROKER, settings={secret: "login"})
    assert (config.value, config.config_type, config.is_sensitive) == (None, 9, True)
    assert told(config) == [(secret, None, 4)]


async def test_a_topic_option_that_nobody_knows_is_shown_without_its_value() -> None:
    config = await one("no.such", overrides={"no.such": "secret"})
    assert (config.value, config.is_sensitive, config.config_source) == (None, True, 1)
    assert told(config) == [("no.such", None, 1)]


@pytest.mark.parametrize("name", ["", "a b", "a" * 250])
async def test_what_is_no_name_of_a_topic_is_refused_as_such(name: str) -> None:
    (result,) = await ask((TOPIC, name))
    assert ErrorCode(result.error_code) is ErrorCode.INVALID_TOPIC_EXCEPTION
