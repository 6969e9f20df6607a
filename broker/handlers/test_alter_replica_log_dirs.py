"""AlterReplicaLogDirs: every version, every code, and what DescribeLogDirs and clients see of a move."""

import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from broker.testing.calls import create, fetched, produce
from broker.testing.client import WireClient
from broker.testing.running import Running, running
from kproto.errors import ErrorCode
from kproto.messages.alter_replica_log_dirs import (
    AlterReplicaLogDir,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirTopic,
)
from kproto.messages.create_topics import CreatableTopic, CreateTopicsRequest
from kproto.messages.describe_log_dirs import DescribeLogDirsRequest
from kproto.messages.incremental_alter_configs import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic

NONE, UNKNOWN, NOT_HERE = 0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.REPLICA_NOT_AVAILABLE
NO_DIRECTORY, OFFLINE = ErrorCode.LOG_DIR_NOT_FOUND, ErrorCode.KAFKA_STORAGE_ERROR
RATE = "replica.alter.log.dirs.io.max.bytes.per.second"
BROKER = 4

Row = tuple[str, str, int]


def request(*rows: Row) -> AlterReplicaLogDirsRequest:
    """A row is directory, topic and partition."""
    return AlterReplicaLogDirsRequest(
        dirs=[
            AlterReplicaLogDir(path=path, topics=[AlterReplicaLogDirTopic(name=topic, partitions=[index])])
            for path, topic, index in rows
        ]
    )


async def move(client: WireClient, *rows: Row, version: int = 2) -> dict[tuple[str, int], int]:
    answer = await client.ask(request(*rows), version)
    return {
        (topic.topic_name, row.partition_index): row.error_code for topic in answer.results for row in topic.partitions
    }


async def places(client: WireClient) -> dict[str, dict[tuple[str, int], tuple[bool, int]]]:
    """By directory and replica: whether it is the future one, and its lag."""
    results: list[Any] = (await client.ask(DescribeLogDirsRequest(topics=None), 4)).results
    return {
        Path(result.log_dir).name: {
            (topic.name, row.partition_index): (row.is_future_key, row.offset_lag)
            for topic in result.topics
            for row in topic.partitions
        }
        for result in results
    }


def two(tmp_path: Path) -> dict[str, str]:
    return {"log.dirs": f"{tmp_path / 'one'},{tmp_path / 'two'}", "broker.id": "0"}


async def throttle(client: WireClient, bytes_per_second: int) -> None:
    change = AlterableConfig(name=RATE, config_operation=0, value=str(bytes_per_second))
    resource = AlterConfigsResource(resource_type=BROKER, resource_name="0", configs=[change])
    (row,) = (await client.ask(IncrementalAlterConfigsRequest(resources=[resource]), 1)).responses
    assert row.error_code == 0


@pytest.mark.parametrize("version", [0, 1, 2])
async def test_a_replica_moves_and_nothing_of_it_is_lost(version: int, tmp_path: Path) -> None:
    values = [str(number) for number in range(30)]
    async with running(two(tmp_path), data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "t")
            for value in values:
                await produce(client, "t", value)
            assert await places(client) == {"one": {("t", 0): (False, 0)}, "two": {}}
            assert await move(client, (str(tmp_path / "two"), "t", 0), version=version) == {("t", 0): NONE}
            await until_settled(client)
            assert await places(client) == {"one": {}, "two": {("t", 0): (False, 0)}}
            assert await fetched(client, "t", 0) == values
            assert await produce(client, "t", "30") == 30
    async with running(two(tmp_path), data=tmp_path) as broker:
        with broker.connect() as client:
            assert await places(client) == {"one": {}, "two": {("t", 0): (False, 0)}}
            assert await fetched(client, "t", 0) == [*values, "30"]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    with trio.fail_after(20):
        while True:
            if await holds():
                return
            await trio.sleep(0.01)


async def until_settled(client: WireClient) -> None:
    async def arrived() -> bool:
        return not any(is_future for rows in (await places(client)).values() for is_future, _ in rows.values())

    await until(arrived)


async def until_led(client: WireClient, topic: str) -> None:
    async def led() -> bool:
        return (await leader_of(client, topic))[0] != -1

    await until(led)


async def until_without_leader(client: WireClient, topic: str) -> None:
    async def without() -> bool:
        return (await leader_of(client, topic))[0] == -1

    await until(without)


async def test_a_throttled_move_is_shown_with_its_lag_and_ended_by_moving_back(tmp_path: Path) -> None:
    async with running(two(tmp_path), data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "t")
            for _ in range(4):
                await produce(client, "t", "x" * 400_000)
            await throttle(client, 1_000)
            assert await move(client, (str(tmp_path / "two"), "t", 0)) == {("t", 0): NONE}

            async def begun() -> bool:
                return (await places(client))["two"] == {("t", 0): (True, 3)}

            await until(begun)
            assert (await places(client))["one"] == {("t", 0): (False, 0)}
            await produce(client, "t", "more")
            assert (await places(client))["two"] == {("t", 0): (True, 4)}
            assert await move(client, (str(tmp_path / "one"), "t", 0)) == {("t", 0): NONE}
            assert await places(client) == {"one": {("t", 0): (False, 0)}, "two": {}}
            assert await produce(client, "t", "last") == 5


async def test_each_row_has_its_own_code(tmp_path: Path) -> None:
    one, two_ = str(tmp_path / "one"), str(tmp_path / "two")
    async with running(two(tmp_path), data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "t")
            rows = [(two_, "t", 0), ("/nowhere", "t", 1), (two_, "nosuch", 0), (one, "u" * 215, 0)]
            assert await move(client, *rows) == {
                ("t", 0): NONE,
                ("t", 1): NO_DIRECTORY,
                ("nosuch", 0): UNKNOWN,
                ("u" * 215, 0): ErrorCode.INVALID_TOPIC_EXCEPTION,
            }
            assert await move(client, (two_, "t", 7), ("relative", "t", 0)) == {
                ("t", 7): UNKNOWN,
                ("t", 0): NO_DIRECTORY,
            }
            assert await move(client) == {}
            assert await move(client, (one, "t", 0), ("/nowhere", "t", 0)) == {("t", 0): NO_DIRECTORY}


async def test_a_topic_that_comes_later_is_made_where_it_was_wanted(tmp_path: Path) -> None:
    async with running(two(tmp_path), data=tmp_path) as broker:
        with broker.connect() as client:
            rows = [(str(tmp_path / "two"), "t", index) for index in range(3)]
            assert set((await move(client, *rows)).values()) == {UNKNOWN}
            wide = CreatableTopic(name="t", num_partitions=4, replication_factor=1)
            await client.ask(CreateTopicsRequest(topics=[wide], timeout_ms=1_000), 5)
            found = await places(client)
            assert (len(found["one"]), len(found["two"])) == (1, 3)


async def test_a_failed_directory_is_told_and_its_partitions_have_no_leader(tmp_path: Path) -> None:
    async with running(two(tmp_path), data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "a", "b")
            await produce(client, "a", "x")
            await produce(client, "b", "x")
            lost = await break_directory(broker, tmp_path / "two")
            kept = "b" if lost == "a" else "a"
            one, two_ = str(tmp_path / "one"), str(tmp_path / "two")
            assert await move(client, (one, lost, 0), (two_, kept, 0)) == {(lost, 0): OFFLINE, (kept, 0): OFFLINE}
            await until_without_leader(client, lost)
            assert await leader_of(client, lost) == (-1, ErrorCode.LEADER_NOT_AVAILABLE, [0])
            assert await leader_of(client, kept) == (0, 0, [])
            assert await produce(client, kept, "y") == 1
            first, second = (await client.ask(DescribeLogDirsRequest(topics=None), 4)).results
            assert (first.error_code, second.error_code, second.topics) == (0, OFFLINE, [])
    async with running(two(tmp_path), data=tmp_path) as broker:
        with broker.connect() as client:
            await until_led(client, lost)
            assert await leader_of(client, lost) == (0, 0, [])
            assert await fetched(client, lost, 0) == ["x"]


async def break_directory(broker: Running, path: Path) -> str:
    """The next look at it fails; which topic lay there."""
    storage: Any = broker.world.storage
    real = storage._disk.capacity

    def capacity(directory: Path) -> tuple[int, int]:
        if directory == path:
            raise OSError(errno.EIO, "Input/output error")
        answer: tuple[int, int] = real(directory)
        return answer

    storage._disk.capacity = capacity
    lost = next(kept.name for kept in storage._logs if kept.directory.parent == path)
    await storage._watch.look_at_space()
    return str(lost).rpartition("-")[0]


async def leader_of(client: WireClient, topic: str) -> tuple[int, int, list[int]]:
    """Leader, code and offline replicas, as Metadata tells."""
    answer: Any = await client.ask(MetadataRequest(topics=[MetadataRequestTopic(name=topic)]), 9)
    (row,) = answer.topics[0].partitions
    return row.leader_id, row.error_code, list(row.offline_replicas)


async def test_a_restart_without_a_directory_serves_the_others(tmp_path: Path) -> None:
    async with running(two(tmp_path), data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "a", "b")
            await produce(client, "a", "x")
            await produce(client, "b", "x")
            (lost,) = [topic for topic, _ in (await places(client))["two"]]
    kept = "b" if lost == "a" else "a"
    (tmp_path / "two").rename(tmp_path / "unmounted")
    (tmp_path / "two").write_text("no directory")
    async with running(two(tmp_path), data=tmp_path) as broker:
        with broker.connect() as client:
            await until_without_leader(client, lost)
            assert await fetched(client, kept, 0) == ["x"]
            assert await move(client, (str(tmp_path / "one"), lost, 0)) == {(lost, 0): OFFLINE}
            await create(client, "new")
            assert await produce(client, "new", "x") == 0
    (tmp_path / "two").unlink()
    (tmp_path / "unmounted").rename(tmp_path / "two")
    async with running(two(tmp_path), data=tmp_path) as broker:
        with broker.connect() as client:
            await until_led(client, lost)
            assert await fetched(client, lost, 0) == ["x"]
