"""AlterConfigs and IncrementalAlterConfigs: every version, every kind of resource, every operation and refusal.

Codes are what Kafka 3.9.2 in ZooKeeper mode answered to the same questions, but where a comment says otherwise.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from broker.cluster.znodes import (
    CONFIG_CHANGE_PREFIX,
    CONFIG_CHANGES,
    broker_config_path,
    decode_config,
    decode_config_change,
    encode_config,
    encode_config_change,
    topic_config_path,
)
from broker.testing.calls import batch_of, create, fetched, produce, produce_request
from broker.testing.client import WireClient
from broker.testing.running import Running, running
from kproto.errors import ErrorCode
from kproto.messages import alter_configs as whole
from kproto.messages import incremental_alter_configs as single
from kproto.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource

TOPIC, BROKER, LOGGER = 2, 4, 8
SET, DELETE, APPEND, SUBTRACT = range(4)

Edit = tuple[str, int, str | None]
Row = tuple[int, str | None]


@asynccontextmanager
async def site(options: dict[str, str] | None = None) -> AsyncIterator[tuple[Running, WireClient]]:
    async with running({"broker.id": "0"} | (options or {})) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            yield broker, client


def resource(kind: int, name: str, *edits: Edit) -> single.AlterConfigsResource:
    rows = [single.AlterableConfig(name=each, config_operation=how, value=value) for each, how, value in edits]
    return single.AlterConfigsResource(resource_type=kind, resource_name=name, configs=rows)


async def edit(
    client: WireClient, kind: int, name: str, *edits: Edit, version: int = 1, validate_only: bool = False
) -> Row:
    request = single.IncrementalAlterConfigsRequest(resources=[resource(kind, name, *edits)])
    request.validate_only = validate_only
    (row,) = (await client.ask(request, version)).responses
    assert (row.resource_type, row.resource_name) == (kind, name)
    return row.error_code, row.error_message


async def replace(
    client: WireClient,
    kind: int,
    name: str,
    *configs: tuple[str, str | None],
    version: int = 2,
    validate_only: bool = False,
) -> Row:
    values = [whole.AlterableConfig(name=each, value=value) for each, value in configs]
    one = whole.AlterConfigsResource(resource_type=kind, resource_name=name, configs=values)
    request = whole.AlterConfigsRequest(resources=[one], validate_only=validate_only)
    (row,) = (await client.ask(request, version)).responses
    assert (row.resource_type, row.resource_name) == (kind, name)
    return row.error_code, row.error_message


async def described(client: WireClient, kind: int, name: str, *keys: str) -> dict[str, tuple[str | None, int]]:
    """Value and source of what is not a default, or of the keys."""
    asked = DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=list(keys) or None)
    (result,) = (await client.ask(DescribeConfigsRequest(resources=[asked]), 4)).results
    assert result.error_code == 0
    return {each.name: (each.value, each.config_source) for each in result.configs if keys or each.config_source < 4}


async def written(broker: Running, path: str) -> dict[str, str]:
    data, _ = await broker.broker._rooms.registry.get(path)
    return decode_config(data)


OK = (0, None)


@pytest.mark.parametrize("version", [0, 1])
async def test_an_option_that_is_set_holds_once_the_answer_is_there(version: int) -> None:
    async with site() as (broker, client):
        assert await edit(client, TOPIC, "orders", ("retention.ms", SET, "1000"), version=version) == OK
        assert await described(client, TOPIC, "orders") == {"retention.ms": ("1000", 1)}
        assert await edit(client, TOPIC, "orders", ("segment.bytes", SET, "2000"), version=version) == OK
        assert await edit(client, TOPIC, "orders", ("retention.ms", DELETE, None), version=version) == OK
        assert await described(client, TOPIC, "orders") == {"segment.bytes": ("2000", 1)}
        assert await written(broker, topic_config_path("orders")) == {"segment.bytes": "2000"}


@pytest.mark.parametrize("version", [0, 1, 2])
async def test_alter_configs_takes_away_what_it_does_not_name(version: int) -> None:
    async with site() as (_, client):
        assert await replace(client, TOPIC, "orders", ("retention.ms", "1000"), version=version) == OK
        assert await replace(client, TOPIC, "orders", ("segment.bytes", "2000"), version=version) == OK
        assert await described(client, TOPIC, "orders") == {"segment.bytes": ("2000", 1)}
        assert await replace(client, TOPIC, "orders", version=version) == OK
        assert await described(client, TOPIC, "orders") == {}


async def test_every_broker_is_told_by_a_notice_as_kafka_writes_it() -> None:
    async with site() as (broker, client):
        await edit(client, TOPIC, "orders", ("retention.ms", SET, "1000"))
        await edit(client, BROKER, "0", ("log.retention.ms", SET, "1000"))
        await replace(client, BROKER, "", ("log.retention.ms", "2000"))
        registry = broker.broker._rooms.registry
        names = await registry.children(CONFIG_CHANGES)
        told = [decode_config_change((await registry.get(f"{CONFIG_CHANGES}/{name}"))[0]) for name in names]
        assert told == ["topics/orders", "brokers/0", "brokers/<default>"]
        assert await written(broker, broker_config_path(None)) == {"log.retention.ms": "2000"}


@pytest.mark.parametrize("validate_only", [True, False])
async def test_who_only_asks_changes_nothing(validate_only: bool) -> None:
    async with site() as (broker, client):
        one: Edit = ("retention.ms", SET, "1000")
        assert await edit(client, TOPIC, "orders", one, validate_only=validate_only) == OK
        assert await replace(client, BROKER, "0", ("log.retention.ms", "5"), validate_only=validate_only) == OK
        assert bool(await described(client, TOPIC, "orders")) is not validate_only
        assert bool(await described(client, BROKER, "0")) is not validate_only
        notices = await broker.broker._rooms.registry.children(CONFIG_CHANGES)
        assert len(notices) == (0 if validate_only else 2)
        bad = await edit(client, TOPIC, "orders", ("retention.ms", SET, "soon"), validate_only=validate_only)
        assert bad[0] == ErrorCode.INVALID_CONFIG


async def test_lists_grow_without_repeats_and_shrink() -> None:
    async with site() as (_, client):
        for value in ("compact", "compact", "compact,delete"):
            assert await edit(client, TOPIC, "orders", ("cleanup.policy", APPEND, value)) == OK
            assert await described(client, TOPIC, "orders") == {"cleanup.policy": ("delete,compact", 1)}
        assert await edit(client, TOPIC, "orders", ("cleanup.policy", SUBTRACT, "delete, nobody")) == OK
        assert await described(client, TOPIC, "orders") == {"cleanup.policy": ("compact", 1)}


WRONG_TOPIC_EDITS: list[tuple[list[Edit], ErrorCode, str]] = [
    ([("retention.ms", APPEND, "5")], ErrorCode.INVALID_CONFIG, "Config value append is not allowed"),
    ([("retention.ms", SUBTRACT, "5")], ErrorCode.INVALID_CONFIG, "Config value subtract is not allowed"),
    ([("nosuch", SET, "5")], ErrorCode.INVALID_CONFIG, "Unknown topic config name: nosuch"),
    ([("nosuch", APPEND, "5")], ErrorCode.INVALID_CONFIG, "Unknown config name: nosuch"),  # Kafka: -1
    ([("retention.ms", SET, "abc")], ErrorCode.INVALID_CONFIG, "must be"),
    ([("retention.ms", SET, "-5")], ErrorCode.INVALID_CONFIG, "at least -1"),
    ([("cleanup.policy", APPEND, "burn")], ErrorCode.INVALID_CONFIG, "must be"),
    ([("retention.ms", SET, None)], ErrorCode.INVALID_REQUEST, "Null value not supported for : retention.ms"),
    ([("retention.ms", SET, "1"), ("retention.ms", SET, "2")], ErrorCode.INVALID_REQUEST, "duplicate config keys"),
    ([("retention.ms", 9, "1")], ErrorCode.INVALID_REQUEST, "Unknown operation"),  # Kafka: -1
    ([("segment.bytes", SET, "2000"), ("retention.ms", SET, "abc")], ErrorCode.INVALID_CONFIG, "retention.ms"),
]


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(("edits", "code", "words"), WRONG_TOPIC_EDITS)
async def test_one_wrong_edit_refuses_its_resource_and_its_neighbour_goes_on(
    edits: list[Edit], code: ErrorCode, words: str, version: int
) -> None:
    async with site() as (_, client):
        await create(client, "payments")
        beside = resource(TOPIC, "payments", ("retention.ms", SET, "1"))
        request = single.IncrementalAlterConfigsRequest(resources=[resource(TOPIC, "orders", *edits), beside])
        wrong, right = (await client.ask(request, version)).responses
        assert (wrong.error_code, right.error_code) == (code, 0)
        assert words in wrong.error_message
        assert await described(client, TOPIC, "orders") == {}
        assert await described(client, TOPIC, "payments") == {"retention.ms": ("1", 1)}


async def test_an_unknown_option_may_be_taken_away() -> None:
    """A tool with a hand on the registry may have written it."""
    async with site() as (_, client):
        assert await edit(client, TOPIC, "orders", ("nosuch", DELETE, None)) == OK
        assert await edit(client, BROKER, "0", ("nosuch", DELETE, None)) == OK


WRONG_RESOURCES = [
    (TOPIC, "nosuch", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "The topic 'nosuch' does not exist."),
    (TOPIC, "", ErrorCode.INVALID_REQUEST, "Default topic resources are not allowed."),
    (BROKER, "seven", ErrorCode.INVALID_REQUEST, "must be an integer, but it is: seven"),
    (BROKER, "99", ErrorCode.INVALID_REQUEST, "expected 0"),
    (LOGGER, "99", ErrorCode.INVALID_REQUEST, "expected 0"),
    (LOGGER, "", ErrorCode.INVALID_REQUEST, "must be an integer"),
    (3, "x", ErrorCode.INVALID_REQUEST, "Unknown resource type 3"),
    (16, "x", ErrorCode.INVALID_REQUEST, "Unknown resource type 16"),
    (-1, "x", ErrorCode.INVALID_REQUEST, "Unknown resource type -1"),
]


@pytest.mark.parametrize(("kind", "name", "code", "words"), WRONG_RESOURCES)
async def test_a_resource_that_is_not_there_is_refused_at_every_version(
    kind: int, name: str, code: ErrorCode, words: str
) -> None:
    """Row 106 of the fault catalogue and its neighbours."""
    async with site() as (_, client):
        rows = [await edit(client, kind, name, ("retention.ms", SET, "1"), version=version) for version in (0, 1)]
        rows += [await replace(client, kind, name, ("retention.ms", "1"), version=version) for version in range(3)]
        for found, text in rows:
            assert found == code
            assert words in (text or "")


async def test_a_resource_named_twice_is_refused_twice() -> None:
    async with site() as (_, client):
        one = resource(TOPIC, "orders", ("retention.ms", SET, "1"))
        answer = await client.ask(single.IncrementalAlterConfigsRequest(resources=[one, one]), 1)
        assert [row.error_code for row in answer.responses] == [ErrorCode.INVALID_REQUEST] * 2
        assert (await client.ask(single.IncrementalAlterConfigsRequest(), 1)).responses == []
        assert (await client.ask(whole.AlterConfigsRequest(), 2)).responses == []


async def test_alter_configs_refuses_as_the_other_one_does() -> None:
    async with site() as (_, client):
        wrong: list[tuple[list[tuple[str, str | None]], ErrorCode]] = [
            ([("nosuch", "1")], ErrorCode.INVALID_CONFIG),
            ([("segment.bytes", "abc")], ErrorCode.INVALID_CONFIG),
            ([("segment.bytes", None)], ErrorCode.INVALID_REQUEST),
            ([("segment.bytes", "3"), ("segment.bytes", "5")], ErrorCode.INVALID_REQUEST),
        ]
        for configs, code in wrong:
            assert (await replace(client, TOPIC, "orders", *configs))[0] == code
        assert (await replace(client, LOGGER, "0", ("root", "INFO"))) == (
            ErrorCode.INVALID_REQUEST,
            "Unknown resource type 8",
        )
        assert await described(client, TOPIC, "orders") == {}


# --- brokers ---


async def test_a_brokers_own_value_comes_before_the_clusters_and_both_go_again() -> None:
    async with site({"log.retention.ms": "7777"}) as (_, client):
        assert await edit(client, BROKER, "", ("log.retention.ms", SET, "6666")) == OK
        assert await described(client, BROKER, "0") == {"log.retention.ms": ("6666", 3)}
        assert await described(client, TOPIC, "orders", "retention.ms") == {"retention.ms": ("6666", 3)}
        assert await edit(client, BROKER, "0", ("log.retention.ms", SET, "5555")) == OK
        assert await described(client, BROKER, "0") == {"log.retention.ms": ("5555", 2)}
        assert await described(client, BROKER, "") == {"log.retention.ms": ("6666", 3)}
        for name in ("0", ""):
            assert await edit(client, BROKER, name, ("log.retention.ms", DELETE, None)) == OK
        assert await described(client, BROKER, "0", "log.retention.ms") == {"log.retention.ms": ("7777", 4)}
        assert await described(client, BROKER, "") == {}


WRONG_BROKER_EDITS = [
    ("0", "log.dirs", "/x", "Cannot update these configs dynamically: log.dirs"),
    ("0", "log.retention.hours", "5", "Cannot update these configs dynamically"),
    ("0", "listeners", "PLAINTEXT://:1", "Cannot update these configs dynamically"),  # Kafka can bind anew
    ("0", "log.retention.ms", "abc", "must be"),
    ("0", "leader.replication.throttled.rate", "abc", "must be"),
    ("0", "max.connections.per.ip", "0", "max.connections.per.ip is 0."),
    ("0", "max.connections", "0", "nobody could connect any more"),
    ("", "max.connection.creation.rate", "0", "nobody could connect any more"),
    ("0", "ssl.keystore.password", "secret", "only per-listener using the listener prefix"),
    ("", "ssl.keystore.location", "x", "only per-listener using the listener prefix"),
    ("", "sasl.enabled.mechanisms", "PLAIN", "broker id must be specified: sasl.enabled.mechanisms"),
    ("0", "listener.name.plaintext.ssl.keystore.password", "secret", "password"),
    ("0", "listener.name.plaintext.sasl.jaas.config", "secret", "password"),
    ("0", "listener.name.plaintext.ssl.client.auth", "maybe", "must be one of"),
    ("0", "listener.name.plaintext.ssl.principal.mapping.rules", "DEFAULT", "Cannot update these configs dynamically"),
    ("", "listener.name.plaintext.ssl.client.auth", "none", "broker id must be specified"),
    ("0", "max.connections.per.ip.overrides", "abc", "address:count pairs"),
    ("", "max.connections.per.ip.overrides", "127.0.0.1:many", "address:count pairs"),
    ("0", "log.cleaner.threads", "0", "log.cleaner.threads is 0."),
    ("0", "log.retention.mss", "1", "Did you mean log.retention.ms?"),  # Kafka keeps what it does not know
]


@pytest.mark.parametrize(("broker", "name", "value", "words"), WRONG_BROKER_EDITS)
async def test_what_a_running_broker_cannot_take_is_refused(broker: str, name: str, value: str, words: str) -> None:
    async with site() as (_, client):
        code, text = await edit(client, BROKER, broker, (name, SET, value))
        assert code == ErrorCode.INVALID_REQUEST
        assert words in (text or "")
        assert "secret" not in (text or "")
        assert (await replace(client, BROKER, broker, (name, value)))[0] == ErrorCode.INVALID_REQUEST
        assert await described(client, BROKER, broker) == {}


async def test_throttle_rates_are_kept_and_shown_as_kafka_does() -> None:
    async with site() as (_, client):
        assert await edit(client, BROKER, "0", ("leader.replication.throttled.rate", SET, "1000")) == OK
        assert await described(client, BROKER, "0") == {"leader.replication.throttled.rate": ("1000", 2)}


async def test_an_option_without_effect_is_kept_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async with site() as (_, client):
        assert await edit(client, BROKER, "0", ("num.io.threads", SET, "9"), ("message.max.bytes", SET, "400")) == OK
        own = {"num.io.threads": ("9", 2), "message.max.bytes": ("400", 2)}
        assert await described(client, BROKER, "0") == own
        assert "Known, and without effect in this version: num.io.threads" in caplog.messages


async def test_a_smaller_message_limit_holds_for_the_next_produce_without_a_restart() -> None:
    async with site() as (_, client):
        assert await produce(client, "orders", "x" * 500) == 0
        assert await edit(client, BROKER, "", ("message.max.bytes", SET, "400")) == OK
        answer = await client.ask(produce_request("orders", batch_of("x" * 500)), 9)
        assert answer.responses[0].partition_responses[0].error_code == ErrorCode.MESSAGE_TOO_LARGE
        assert await edit(client, TOPIC, "orders", ("max.message.bytes", SET, "1000")) == OK
        assert await produce(client, "orders", "x" * 500) == 1
        assert await fetched(client, "orders") == ["x" * 500] * 2


@pytest.mark.parametrize("value", ["abc", "127.0.0.1:", ":5", "h:-1", "h:1,x"])
async def test_nonsense_that_a_tool_wrote_for_a_broker_ends_nothing(value: str) -> None:
    """Somebody with a hand on the registry; the broker's own value holds."""
    async with site() as (broker, client):
        registry = broker.broker._rooms.registry
        node = encode_config({"max.connections.per.ip.overrides": value, "message.max.bytes": "400"})
        await registry.create(broker_config_path(0), node)
        await registry.create(CONFIG_CHANGE_PREFIX, encode_config_change("brokers/0"), sequential=True)
        await edit(client, TOPIC, "orders", ("retention.ms", SET, "1000"))
        assert await described(client, BROKER, "0") == {"message.max.bytes": ("400", 2)}


async def test_a_limit_of_connections_holds_for_those_that_come() -> None:
    async with site() as (broker, client):
        with broker.connect() as second:
            await second.ask(DescribeConfigsRequest(), 4)
            assert await edit(client, BROKER, "0", ("max.connections.per.ip", SET, "2")) == OK
            with broker.connect() as third, pytest.raises(EOFError):
                await third.ask(DescribeConfigsRequest(), 4)
            await second.ask(DescribeConfigsRequest(), 4)
        assert await edit(client, BROKER, "0", ("max.connections.per.ip", DELETE, None)) == OK
        with broker.connect() as third:
            await third.ask(DescribeConfigsRequest(), 4)


async def test_retention_set_while_running_removes_what_is_too_old(autojump_clock: Any) -> None:
    """The storage's own rounds find it; nobody restarts anything."""
    async with running({"broker.id": "0", "log.retention.check.interval.ms": "5000"}) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await produce(client, "orders", "old")
            clock: Any = broker.world.clock
            clock.advance(60_000)
            (partition,) = [each for each in broker.broker._partitions if each.topic == "orders"]
            await trio.sleep(12)
            assert partition.log.start_offset == 0
            await edit(client, TOPIC, "orders", ("retention.ms", SET, "1000"))
            await trio.sleep(12)
            assert partition.log.start_offset == 1


async def test_options_outlive_the_broker(tmp_path: Path) -> None:
    async with running({"broker.id": "0"}, data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await edit(client, TOPIC, "orders", ("retention.ms", SET, "1000"))
            await edit(client, BROKER, "0", ("message.max.bytes", SET, "400"))
    async with running({"broker.id": "0"}, data=tmp_path) as broker:
        with broker.connect() as client:
            limit = "max.message.bytes"
            own = {"retention.ms": ("1000", 1), limit: ("400", 2)}
            assert await described(client, TOPIC, "orders", *own) == own
            assert await described(client, BROKER, "0") == {"message.max.bytes": ("400", 2)}


# --- log levels ---


async def test_log_levels_change_under_javas_names_and_go_back() -> None:
    logger = logging.getLogger("barnabas.test.alter")
    async with site() as (_, client):
        before = (await described(client, LOGGER, "0", logger.name))[logger.name]
        for level, number in (("TRACE", 1), ("WARN", logging.WARNING), ("FATAL", logging.CRITICAL)):
            assert await edit(client, LOGGER, "0", (logger.name, SET, level)) == OK
            assert logger.level == number
            assert await described(client, LOGGER, "0", logger.name) == {logger.name: (level, 6)}
        assert await edit(client, LOGGER, "0", (logger.name, SET, "DEBUG"), validate_only=True) == OK
        assert logger.level == logging.CRITICAL
        assert await edit(client, LOGGER, "0", (logger.name, DELETE, None)) == OK
        assert (await described(client, LOGGER, "0", logger.name))[logger.name] == before


@pytest.mark.parametrize(
    ("name", "operation", "value", "code"),
    [
        ("no.such.logger", SET, "DEBUG", ErrorCode.INVALID_CONFIG),
        ("no.such.logger", DELETE, None, ErrorCode.INVALID_CONFIG),
        ("root", SET, "LOUD", ErrorCode.INVALID_CONFIG),
        ("root", DELETE, None, ErrorCode.INVALID_REQUEST),
        ("root", APPEND, "DEBUG", ErrorCode.INVALID_REQUEST),
        ("root", SUBTRACT, "DEBUG", ErrorCode.INVALID_REQUEST),
    ],
)
async def test_what_cannot_be_done_to_a_level_is_refused(
    name: str, operation: int, value: str | None, code: ErrorCode
) -> None:
    async with site() as (_, client):
        before = logging.root.level
        assert (await edit(client, LOGGER, "0", (name, operation, value)))[0] == code
        assert logging.root.level == before
