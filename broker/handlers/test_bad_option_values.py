"""Every value that an option may not have, by every API that sets options: refused, in Kafka's codes, nothing kept.

Topics answer INVALID_CONFIG; brokers INVALID_REQUEST, as Kafka 3.9 does (KAFKA-13609). One broker hears them all; at
the end its registry has what it had.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from broker.cluster.znodes import CONFIG_CHANGES, broker_config_path, topic_config_path
from broker.config.keys import AT_START, CLUSTER
from broker.config.layers import FIXED_HERE
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings
from broker.registry.contract import NoNode
from broker.testing.bad_options import bad_texts, may_change
from broker.testing.calls import create
from broker.testing.client import WireClient
from broker.testing.running import Running, running
from kproto.errors import ErrorCode
from kproto.messages import alter_configs as whole
from kproto.messages import incremental_alter_configs as single
from kproto.messages.create_topics import CreatableTopic, CreatableTopicConfig, CreateTopicsRequest

TOPIC, BROKER = 2, 4
SET, DELETE, APPEND, SUBTRACT = range(4)
CODE = {TOPIC: ErrorCode.INVALID_CONFIG, BROKER: ErrorCode.INVALID_REQUEST}
BESIDE = {TOPIC: ("retention.ms", "777"), BROKER: ("log.retention.ms", "777")}
OTHER = {TOPIC: ("segment.ms", "9"), BROKER: ("log.roll.ms", "9")}
"""Good values in the same request: they are not kept either."""


@asynccontextmanager
async def site() -> AsyncIterator[tuple[Running, WireClient]]:
    """A broker that keeps nothing of what happens here."""
    async with running({"broker.id": "0"}) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            before = await kept(broker)
            yield broker, client
            assert await kept(broker) == before


async def kept(broker: Running) -> list[object]:
    """All that the registry has of options."""
    registry = broker.broker._rooms.registry
    found: list[object] = [await registry.children(CONFIG_CHANGES), await registry.children("/brokers/topics")]
    for path in (topic_config_path("orders"), broker_config_path(0), broker_config_path(None)):
        try:
            found.append((await registry.get(path))[0])
        except NoNode:
            found.append(None)
    return found


async def edit(client: WireClient, kind: int, name: str, *edits: tuple[str, int, str | None]) -> tuple[int, str | None]:
    rows = [single.AlterableConfig(name=each, config_operation=how, value=value) for each, how, value in edits]
    resource = single.AlterConfigsResource(resource_type=kind, resource_name=name, configs=rows)
    (row,) = (await client.ask(single.IncrementalAlterConfigsRequest(resources=[resource]), 1)).responses
    return row.error_code, row.error_message


async def replace(client: WireClient, kind: int, name: str, *configs: tuple[str, str]) -> tuple[int, str | None]:
    rows = [whole.AlterableConfig(name=each, value=value) for each, value in configs]
    resource = whole.AlterConfigsResource(resource_type=kind, resource_name=name, configs=rows)
    (row,) = (await client.ask(whole.AlterConfigsRequest(resources=[resource]), 2)).responses
    return row.error_code, row.error_message


def pairs(kind: int, name: str) -> list[tuple[str, str]]:
    """What the resource could take, were the values good."""
    if kind == TOPIC:
        return list(bad_texts("topic"))
    return [each for each in bad_texts("broker") if may_change(each[0], whole_cluster=not name)]


@pytest.mark.parametrize(("kind", "name", "at_least"), [(TOPIC, "orders", 150), (BROKER, "0", 200), (BROKER, "", 200)])
async def test_a_bad_value_is_refused_with_its_name_whatever_stands_beside_it(
    kind: int, name: str, at_least: int
) -> None:
    async with site() as (_, client):
        asked = pairs(kind, name)
        assert len(asked) >= at_least
        for option, text in asked:
            beside = BESIDE[kind] if option != BESIDE[kind][0] else OTHER[kind]
            for code, message in (
                await edit(client, kind, name, (beside[0], SET, beside[1]), (option, SET, text)),
                await replace(client, kind, name, beside, (option, text)),
            ):
                assert ErrorCode(code) is CODE[kind], (option, text)
                assert (message or "").startswith(f"{option} is {text!r}; it must be "), (option, text)


async def test_a_topic_is_not_created_with_a_bad_value() -> None:
    async with site() as (_, client):
        for option, text in bad_texts("topic"):
            topic = CreatableTopic(name="new", num_partitions=1, replication_factor=1)
            topic.configs.append(CreatableTopicConfig(name=option, value=text))
            (row,) = (await client.ask(CreateTopicsRequest(topics=[topic], timeout_ms=30_000), 5)).topics
            assert ErrorCode(row.error_code) is ErrorCode.INVALID_CONFIG, (option, text)
            assert option in (row.error_message or "")


@pytest.mark.parametrize("operation", [APPEND, SUBTRACT])
@pytest.mark.parametrize(("kind", "name"), [(TOPIC, "orders"), (BROKER, "0"), (BROKER, "")])
async def test_only_lists_are_added_to_and_taken_from(kind: int, name: str, operation: int) -> None:
    keys = (TopicSettings if kind == TOPIC else BrokerSettings).KEYS
    async with site() as (_, client):
        for option, key in keys.items():
            if key.kind.name != "list":
                code, message = await edit(client, kind, name, (option, operation, "1"))
                assert ErrorCode(code) is ErrorCode.INVALID_CONFIG, option
                verb = "append" if operation == APPEND else "subtract"
                assert message == f"Config value {verb} is not allowed for config key: {option}"


@pytest.mark.parametrize(("kind", "name"), [(TOPIC, "orders"), (BROKER, "0")])
async def test_a_list_is_refused_what_it_may_not_have_and_loses_what_it_has_not(kind: int, name: str) -> None:
    option = "cleanup.policy" if kind == TOPIC else "log.cleanup.policy"
    async with site() as (broker, client):
        code, message = await edit(client, kind, name, (option, APPEND, "burn"))
        assert ErrorCode(code) is CODE[kind]
        assert "burn" in (message or "")
    async with running({"broker.id": "0"}) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            assert await edit(client, kind, name, (option, SUBTRACT, "burn")) == (0, None)


@pytest.mark.parametrize("operation", [SET, APPEND, SUBTRACT])
async def test_a_value_that_is_not_there_is_refused(operation: int) -> None:
    async with site() as (_, client):
        for kind, name, keys in ((TOPIC, "orders", TopicSettings.KEYS), (BROKER, "0", BrokerSettings.KEYS)):
            for option in keys:
                code, message = await edit(client, kind, name, (option, operation, None))
                assert (code, message) == (ErrorCode.INVALID_REQUEST, f"Null value not supported for : {option}")


@pytest.mark.parametrize("name", ["0", ""])
async def test_what_is_fixed_at_start_is_refused_as_not_dynamic_whatever_its_value(name: str) -> None:
    async with site() as (_, client):
        for option, key in BrokerSettings.KEYS.items():
            if key.update is AT_START or option in FIXED_HERE:
                for row in (
                    await edit(client, BROKER, name, (option, SET, "1")),
                    await replace(client, BROKER, name, (option, "1")),
                ):
                    assert row == (ErrorCode.INVALID_REQUEST, f"Cannot update these configs dynamically: {option}")


async def test_what_each_broker_sets_for_itself_is_refused_for_all() -> None:
    async with site() as (_, client):
        refused = 0
        for option, key in BrokerSettings.KEYS.items():
            if key.update not in (AT_START, CLUSTER) and option not in FIXED_HERE and may_change(option):
                refused += 1
                code, message = await edit(client, BROKER, "", (option, SET, "1"))
                assert ErrorCode(code) is ErrorCode.INVALID_REQUEST
                assert message == (
                    f"Cannot update these configs at default cluster level, broker id must be specified: {option}"
                )
        assert refused


async def test_a_value_taken_away_that_was_never_set_is_no_mistake() -> None:
    async with running({"broker.id": "0"}) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            for option in TopicSettings.KEYS:
                assert await edit(client, TOPIC, "orders", (option, DELETE, None)) == (0, None)
            for option, key in BrokerSettings.KEYS.items():
                if key.update is not AT_START:
                    assert await edit(client, BROKER, "0", (option, DELETE, None)) == (0, None)
