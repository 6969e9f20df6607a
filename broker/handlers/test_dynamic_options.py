"""Every option that Kafka lets change while it runs: the room that reads it has the new value, or a client is told no.

One test for each, made from the lines of the options. That somebody reads an option which is said to work is held by
`tools/test_options_are_read.py`; here it is that who asks again sees what was set, and the old value once it is gone.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from broker.config.keys import AT_START, CLUSTER, WORKS, BadValue, Key
from broker.config.layers import FIXED_HERE, PER_LISTENER_PREFIXES
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings
from broker.config.unknown_names import ONLY_DYNAMIC
from broker.testing.bad_options import ranges
from broker.testing.calls import create
from broker.testing.client import WireClient
from broker.testing.running import Running, running
from kproto.errors import ErrorCode
from kproto.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource
from kproto.messages.incremental_alter_configs import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)

TOPIC, BROKER = 2, 4
SET, DELETE = 0, 1
DYNAMIC = [key for key in BrokerSettings.KEYS.values() if key.update is not AT_START]
TAKEN = [
    key
    for key in DYNAMIC
    if key.name not in FIXED_HERE and not key.name.startswith(PER_LISTENER_PREFIXES) and not key.secret
]
TOPIC_SIDE = {key.broker_key.name: key for key in TopicSettings.KEYS.values() if key.broker_key is not None}

CONNECTIONS: dict[str, Callable[[Any], object]] = {
    "max.connections": lambda limits: limits.max_connections,
    "max.connections.per.ip": lambda limits: limits.max_per_ip,
    "max.connections.per.ip.overrides": lambda limits: limits.max_per_ip_overrides["127.0.0.9"],
    "max.connection.creation.rate": lambda limits: limits.creations_per_s,
}
"""What the room of connections made of these."""
GOOD = {
    "max.connections": "17",  # more than the process can have would come to less
    "max.connections.per.ip.overrides": "127.0.0.9:17",
    "follower.replication.throttled.replicas": "0:0",
    "leader.replication.throttled.replicas": "0:0",
    "compression.gzip.level": "7",
    "log.message.format.version": "2.8",
    "message.format.version": "2.8",
}
"""Values that no pattern gives."""


def good_text(key: Key[Any]) -> str:
    """A value that the option may have, near its default and another one."""
    default = key.default if key.broker_key is None else key.broker_key.default
    return next(text for text in candidates(key, default) if may_be(key, text) and key.parse(text) != default)


def candidates(key: Key[Any], default: Any) -> Iterator[str]:
    if key.name in GOOD:
        yield GOOD[key.name]
    yield from (word for row in ranges() if row.name == key.name for word in row.words)
    match key.kind.name:
        case "boolean":
            yield from ("true", "false")
        case "int" | "long" | "short":
            yield from (str(number) for number in ((default or 7) + 1, (default or 7) - 1))
        case "double":
            yield from (str(default / 2), str(default * 2))
        case _:
            yield "something"


def may_be(key: Key[Any], text: str) -> bool:
    try:
        key.parse(text)
    except BadValue:
        return False
    return True


@asynccontextmanager
async def site(tmp_path: Path) -> AsyncIterator[tuple[Running, WireClient]]:
    async with running({"broker.id": "0"}, data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            yield broker, client


async def edit(client: WireClient, kind: int, name: str, option: str, value: str | None) -> tuple[int, str | None]:
    """None takes the value away."""
    edits = [AlterableConfig(name=option, config_operation=DELETE if value is None else SET, value=value)]
    resource = AlterConfigsResource(resource_type=kind, resource_name=name, configs=edits)
    (row,) = (await client.ask(IncrementalAlterConfigsRequest(resources=[resource]), 1)).responses
    return row.error_code, row.error_message


async def told(client: WireClient, kind: int, name: str, option: str) -> tuple[str | None, int]:
    asked = DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=[option])
    (result,) = (await client.ask(DescribeConfigsRequest(resources=[asked]), 4)).results
    (row,) = result.configs
    return row.value, row.config_source


def seen_by_rooms(broker: Running, key: Key[Any]) -> list[object]:
    """The value of a broker's option in each place that acts on it."""
    (partition,) = [each for each in broker.broker._partitions if each.topic == "orders"]
    if key.name in TOPIC_SIDE:
        attribute = TOPIC_SIDE[key.name].attribute
        return [getattr(settings, attribute) for settings in (partition.settings, partition.log.settings)]
    if key.name in CONNECTIONS:
        return [CONNECTIONS[key.name](broker.broker._connections._limits)]
    storage: Any = broker.world.storage
    chores = storage._chores
    return [getattr(settings, key.attribute) for settings in (chores._settings, chores.cleaning._settings)]


def expected_of(key: Key[Any], text: str) -> object:
    return 17 if key.name == "max.connections.per.ip.overrides" else key.parse(text)


async def test_what_works_is_seen_by_the_rooms_that_act_on_it_and_gone_again(tmp_path: Path) -> None:
    """For this broker, and for all."""
    async with site(tmp_path) as (broker, client):
        works = [key for key in TAKEN if key.standing is WORKS]
        assert len(works) > 30
        for key in works:
            for name, source in (("0", 2), ("", 3)):
                if name == "" and key.update is not CLUSTER:
                    continue
                text = good_text(key)
                assert await edit(client, BROKER, name, key.name, text) == (0, None), key.name
                assert set(map(str, seen_by_rooms(broker, key))) == {str(expected_of(key, text))}, key.name
                assert await told(client, BROKER, "0", key.name) == (key.show(key.parse(text)), source)
                assert await edit(client, BROKER, name, key.name, None) == (0, None)
                if key.name != "max.connections.per.ip.overrides":
                    assert str(expected_of(key, text)) not in map(str, seen_by_rooms(broker, key)), key.name


async def test_a_topics_option_is_seen_by_its_partition_and_its_log_and_gone_again(tmp_path: Path) -> None:
    async with site(tmp_path) as (broker, client):
        (partition,) = [each for each in broker.broker._partitions if each.topic == "orders"]
        for key in TopicSettings.KEYS.values():
            if key.hidden:
                continue
            text = good_text(key)
            assert await edit(client, TOPIC, "orders", key.name, text) == (0, None), key.name
            assert getattr(partition.settings, key.attribute) == key.parse(text), key.name
            assert getattr(partition.log.settings, key.attribute) == key.parse(text), key.name
            assert await told(client, TOPIC, "orders", key.name) == (key.show(key.parse(text)), 1)
            assert await edit(client, TOPIC, "orders", key.name, None) == (0, None)
            assert getattr(partition.settings, key.attribute) != key.parse(text), key.name


async def test_what_has_no_effect_is_kept_told_and_named_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with site(tmp_path) as (_, client):
        idle = [key for key in TAKEN if key.standing is not WORKS and not key.hidden]
        assert len(idle) > 10
        for key in idle:
            caplog.clear()
            text = good_text(key)
            with caplog.at_level(logging.WARNING):
                assert await edit(client, BROKER, "0", key.name, text) == (0, None), key.name
            assert f"Known, and without effect in this version: {key.name}" in caplog.text
            assert await told(client, BROKER, "0", key.name) == (key.show(key.parse(text)), 2)
            assert await edit(client, BROKER, "0", key.name, None) == (0, None)


async def test_what_kafka_could_change_and_we_cannot_is_refused_in_words(tmp_path: Path) -> None:
    async with site(tmp_path) as (_, client):
        refused = [key for key in DYNAMIC if key not in TAKEN]
        assert {key.name for key in refused} >= {"listeners", "ssl.keystore.location", "ssl.key.password"}
        for key in refused:
            code, message = await edit(client, BROKER, "0", key.name, "1")
            assert ErrorCode(code) is ErrorCode.INVALID_REQUEST
            assert key.name in (message or "")
            words = ("Cannot update these configs dynamically", "only per-listener", "would lie there in plain text")
            assert any(each in (message or "") for each in words), (key.name, message)


@pytest.mark.parametrize("option", ONLY_DYNAMIC)
async def test_rates_that_only_clients_set_are_kept_and_told(option: str, tmp_path: Path) -> None:
    async with site(tmp_path) as (_, client):
        assert await edit(client, BROKER, "0", option, "1000") == (0, None)
        assert await told(client, BROKER, "0", option) == ("1000", 2)
        code, message = await edit(client, BROKER, "0", option, "fast")
        assert ErrorCode(code) is ErrorCode.INVALID_REQUEST
        assert option in (message or "")
