"""Overrides under /config, written by whom you like."""

import json
from typing import Any
from uuid import UUID

import pytest

from broker.cluster.znodes import (
    CONFIG_CHANGE_PREFIX,
    CONFIG_CHANGES,
    broker_config_path,
    encode_config,
    encode_config_change,
    topic_config_path,
)
from broker.testing.cluster_of_one import ClusterOfOne, cluster_of_one, settled


async def change(cluster: ClusterOfOne, values: dict[str, str], notice: bytes) -> None:
    """What an old tool does: write the node, then tell."""
    await cluster.tools.set(topic_config_path("t"), encode_config(values))
    await cluster.tools.create(CONFIG_CHANGE_PREFIX, notice, sequential=True)
    await settled()


async def with_topic(cluster: ClusterOfOne) -> list[str]:
    """A topic `t`, and the list that its changes go into."""
    await cluster.topics.create_by_default(["t"], timeout_ms=1000).waiter().wait(1000)
    told: list[str] = []
    cluster.configs.on_change(told.append)
    return told


async def test_notices_of_all_three_ages_are_heeded() -> None:
    async with cluster_of_one() as cluster:
        told = await with_topic(cluster)
        notices = [b'"t"', b'{"version":1,"entity_type":"topics","entity_name":"t"}', encode_config_change("topics/t")]
        for number, notice in enumerate(notices, 1):
            await change(cluster, {"retention.ms": str(number)}, notice)
            assert cluster.configs.topic("t").retention_ms == number
        assert told == ["t", "t", "t"]


async def test_a_notice_is_heeded_once() -> None:
    async with cluster_of_one() as cluster:
        await with_topic(cluster)
        await change(cluster, {"retention.ms": "1"}, b'"t"')
        await change(cluster, {"retention.ms": "2"}, b'"another"')
        assert cluster.configs.topic("t").retention_ms == 1


async def test_options_are_read_again_for_a_topic_with_another_id() -> None:
    async with cluster_of_one() as cluster:
        for number in (1, 2):
            path = topic_config_path("x")
            if await cluster.tools.exists(path) is None:
                await cluster.tools.create(path)
            await cluster.tools.set(path, encode_config({"retention.ms": str(number)}))
            await cluster.configs.know([("x", UUID(int=number))])
            assert cluster.configs.topic("x").retention_ms == number


async def test_an_override_taken_away_gives_the_brokers_value_back() -> None:
    async with cluster_of_one({"log.retention.ms": "77"}) as cluster:
        await with_topic(cluster)
        await change(cluster, {"retention.ms": "5"}, b'"t"')
        assert dict(cluster.configs.topic_overrides("t")) == {"retention.ms": "5"}
        await change(cluster, {}, b'"t"')
        assert cluster.configs.topic("t").retention_ms == 77


async def test_nonsense_in_notices_and_nodes_stops_nothing() -> None:
    async with cluster_of_one() as cluster:
        await with_topic(cluster)
        for notice in (b"", b"nonsense", b"[1]", b'{"version":9}', encode_config_change("users/u")):
            await change(cluster, {}, notice)
        await cluster.tools.create(f"{CONFIG_CHANGES}/strange", b'"t"')
        await cluster.tools.set(topic_config_path("t"), b"nonsense")
        await cluster.tools.create(CONFIG_CHANGE_PREFIX, b'"t"', sequential=True)
        await settled()
        await change(cluster, {"retention.ms": "8"}, b'"t"')
        assert cluster.configs.topic("t").retention_ms == 8


async def test_old_notices_are_taken_away_and_young_ones_stay() -> None:
    async with cluster_of_one() as cluster:
        await with_topic(cluster)
        await change(cluster, {"retention.ms": "1"}, b'"t"')
        cluster.clock.advance(15 * 60 * 1000 + 1)
        await change(cluster, {"retention.ms": "2"}, b'"t"')
        assert await cluster.tools.children(CONFIG_CHANGES) == ["config_change_0000000001"]


async def test_a_change_looks_at_no_notice_that_was_heeded_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stays for a quarter of an hour: after thousands of changes the next one would stop the loop for long."""
    async with cluster_of_one() as cluster:
        await with_topic(cluster)
        for number in range(5):
            await change(cluster, {"retention.ms": str(number)}, b'"t"')
        looked_at: list[str] = []
        get, exists = cluster.registry.get, cluster.registry.exists

        def noted(ask: Any) -> Any:
            async def asked(path: str, *args: Any) -> Any:
                looked_at.append(path)
                return await ask(path, *args)

            return asked

        monkeypatch.setattr(cluster.registry, "get", noted(get))
        monkeypatch.setattr(cluster.registry, "exists", noted(exists))
        await change(cluster, {"retention.ms": "9"}, b'"t"')
        assert [path.removeprefix(CONFIG_CHANGE_PREFIX) for path in looked_at] == [
            "0000000005",
            topic_config_path("t"),
            "0000000000",  # whether the oldest has to go
        ]
        assert cluster.configs.topic("t").retention_ms == 9


async def test_a_value_of_this_broker_is_what_its_topics_fall_back_to() -> None:
    async with cluster_of_one() as cluster:
        told = await with_topic(cluster)
        await cluster.tools.create(broker_config_path(None), encode_config({"log.retention.ms": "5", "log.dirs": "/x"}))
        await cluster.tools.create(broker_config_path(0), encode_config({"log.retention.ms": "6"}))
        await cluster.tools.create(CONFIG_CHANGE_PREFIX, encode_config_change("brokers/0"), sequential=True)
        await settled()
        assert cluster.configs.topic("t").retention_ms == 6
        assert cluster.configs.broker.log_dirs is None
        assert told == ["t"]


async def test_a_topic_made_anew_does_not_keep_the_options_of_the_old_one() -> None:
    async with cluster_of_one() as cluster:
        await with_topic(cluster)
        await change(cluster, {"retention.ms": "5"}, b'"t"')
        await cluster.topics.delete(["t"], timeout_ms=1000).waiter().wait(1000)
        assert dict(cluster.configs.topic_overrides("t")) == {}
        await with_topic(cluster)
        assert dict(cluster.configs.topic_overrides("t")) == {}


async def test_changes_made_while_the_session_was_gone_are_seen_afterwards() -> None:
    async with cluster_of_one() as cluster:
        await with_topic(cluster)
        await cluster.tools.set(topic_config_path("t"), encode_config({"retention.ms": "9"}))
        await cluster.registry.expire()
        await cluster.register()
        await settled()
        assert cluster.configs.topic("t").retention_ms == 9
        await change(cluster, {"retention.ms": "10"}, json.dumps("t").encode())
        assert cluster.configs.topic("t").retention_ms == 10
