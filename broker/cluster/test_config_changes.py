"""Changes of options on their way into the registry: races, topics that go meanwhile, nodes that nobody can read."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from broker.cluster.config_changes import ConfigChange, ConfigChanges
from broker.cluster.znodes import (
    CONFIG_CHANGES,
    broker_config_path,
    decode_config,
    encode_config,
    topic_config_path,
    topic_path,
)
from broker.registry.contract import ConnectionLost, Operation, TooLarge
from broker.testing.cluster_of_one import ClusterOfOne, cluster_of_one
from kproto.errors import ApiError, ErrorCode

Values = dict[str, str]


class Meddled:
    """A registry where something happens just before each of the next writes; the rest is the real one."""

    def __init__(self, cluster: ClusterOfOne, *happens: Callable[[], Awaitable[Any]]) -> None:
        self._registry = cluster.registry
        self._happens = list(happens)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    async def multi(self, operations: Sequence[Operation]) -> Any:
        if self._happens:
            await self._happens.pop(0)()
        return await self._registry.multi(operations)


def adding(name: str, value: str) -> Callable[[Values], Values]:
    return lambda old: {**old, name: value}


async def make(cluster: ClusterOfOne, change: ConfigChange, *happens: Callable[[], Awaitable[Any]]) -> None:
    """Raises: ApiError: the row's refusal."""
    registry: Any = Meddled(cluster, *happens)
    job = ConfigChanges(registry, cluster.configs, cluster.work).make([change], validate_only=False)
    await job.waiter().wait(20_000)
    assert job.done
    job.row(change.entity_path)


async def with_topic(cluster: ClusterOfOne) -> ConfigChange:
    await cluster.topics.create_by_default(["t"], timeout_ms=1000).waiter().wait(1000)
    return ConfigChange.of_topic("t", adding("retention.ms", "5"))


async def values(cluster: ClusterOfOne, path: str) -> Values:
    return decode_config((await cluster.tools.get(path))[0])


async def test_two_who_change_one_node_at_a_time_lose_nothing() -> None:
    """The second reads again and edits what the first wrote."""
    async with cluster_of_one() as cluster:
        change, path = await with_topic(cluster), topic_config_path("t")

        async def meddle() -> None:
            await cluster.tools.set(path, encode_config({"segment.bytes": "7"}))

        await make(cluster, change, meddle)
        assert await values(cluster, path) == {"segment.bytes": "7", "retention.ms": "5"}
        assert cluster.configs.topic("t").retention_ms == 5
        assert len(await cluster.tools.children(CONFIG_CHANGES)) == 1


async def test_a_node_that_comes_or_goes_meanwhile_is_read_again() -> None:
    async with cluster_of_one() as cluster:
        path = broker_config_path(None)
        change = ConfigChange.of_broker(None, adding("log.retention.ms", "5"))

        async def comes() -> None:
            await cluster.tools.create(path, encode_config({"message.max.bytes": "7"}))

        async def goes() -> None:
            await cluster.tools.delete(path)

        await make(cluster, change, comes)
        assert await values(cluster, path) == {"message.max.bytes": "7", "log.retention.ms": "5"}
        await make(cluster, change, goes)
        assert await values(cluster, path) == {"log.retention.ms": "5"}


async def test_a_topic_that_goes_meanwhile_gets_no_options() -> None:
    async with cluster_of_one() as cluster:
        change = await with_topic(cluster)

        async def topic_goes() -> None:
            for path in (f"{topic_path('t')}/partitions/0/state", f"{topic_path('t')}/partitions/0"):
                await cluster.tools.delete(path)
            await cluster.tools.delete(f"{topic_path('t')}/partitions")
            await cluster.tools.delete(topic_path("t"))

        with pytest.raises(ApiError) as no:
            await make(cluster, change, topic_goes)
        assert no.value.code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        assert await values(cluster, topic_config_path("t")) == {}
        assert await cluster.tools.children(CONFIG_CHANGES) == []


async def test_a_node_that_nobody_can_read_is_written_anew() -> None:
    async with cluster_of_one() as cluster:
        change = await with_topic(cluster)
        await cluster.tools.set(topic_config_path("t"), b"nonsense")
        await make(cluster, change)
        assert await values(cluster, topic_config_path("t")) == {"retention.ms": "5"}


async def test_a_registry_that_does_not_answer_or_cannot_take_it_is_told(autojump_clock: object) -> None:
    async with cluster_of_one() as cluster:
        change = await with_topic(cluster)

        async def lost() -> None:
            raise ConnectionLost

        async def too_large() -> None:
            raise TooLarge

        for happens, code in ((lost, ErrorCode.REQUEST_TIMED_OUT), (too_large, ErrorCode.INVALID_REQUEST)):
            with pytest.raises(ApiError) as no:
                await make(cluster, change, happens)
            assert no.value.code == code
