"""DescribeLogDirs: every version, which replicas lie where, and a directory that does not answer."""

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest

from broker.testing.calls import batch_of, create, produce
from broker.testing.client import WireClient
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.create_topics import CreatableTopic, CreateTopicsRequest
from kproto.messages.describe_log_dirs import DescribableLogDirTopic, DescribeLogDirsRequest

Rows = dict[str, list[tuple[int, int]]]


async def ask(client: WireClient, version: int = 5, **topics: list[int]) -> list[Any]:
    """`topics`: partitions by topic; none: all that there are."""
    rows = [DescribableLogDirTopic(topic=name, partitions=indexes) for name, indexes in topics.items()]
    results: list[Any] = (await client.ask(DescribeLogDirsRequest(topics=rows or None), version)).results
    return results


def sizes(result: Any) -> Rows:
    """Partition and size by topic."""
    assert not any(row.is_future_key or row.offset_lag for topic in result.topics for row in topic.partitions)
    return {
        topic.name: [(row.partition_index, row.partition_size) for row in topic.partitions] for topic in result.topics
    }


@pytest.mark.parametrize("version", range(6))
async def test_every_replica_is_there_with_its_size(version: int, tmp_path: Path) -> None:
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "full", "empty")
            await produce(client, "full", "a", "b")
            (result,) = await ask(client, version)
            assert (result.error_code, result.log_dir, result.is_cordoned) == (0, str(tmp_path), False)
            assert sizes(result) == {"empty": [(0, 0)], "full": [(0, len(batch_of("a", "b")))]}
            total = shutil.disk_usage(tmp_path).total
            assert result.total_bytes == (total if version >= 4 else -1)
            assert (0 < result.usable_bytes <= total) is (version >= 4)


async def test_only_the_partitions_asked_for_are_told() -> None:
    async with running() as broker:
        with broker.connect() as client:
            await client.ask(CreateTopicsRequest(topics=[wide("t", 3), wide("u", 1)], timeout_ms=1_000), 5)
            (result,) = await ask(client, t=[0, 2, 9], nosuch=[0])
            assert sizes(result) == {"t": [(0, 0), (2, 0)]}
            (result,) = (await client.ask(DescribeLogDirsRequest(topics=[]), 5)).results
            assert (result.error_code, result.topics, result.log_dir) == (0, [], "memory")
            assert (result.total_bytes, result.usable_bytes) == (-1, -1)


def wide(name: str, partitions: int) -> CreatableTopic:
    return CreatableTopic(name=name, num_partitions=partitions, replication_factor=1)


async def test_each_directory_has_its_own_and_one_that_does_not_answer_is_told(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    async with running({"log.dirs": f"{one},{two}"}, data=tmp_path) as broker:
        with broker.connect() as client:
            await client.ask(CreateTopicsRequest(topics=[wide("t", 4)], timeout_ms=1_000), 5)
            first, second = await ask(client)
            assert (first.log_dir, second.log_dir) == (str(one), str(two))
            told = [index for index, _ in sizes(first)["t"] + sizes(second)["t"]]
            assert sorted(told) == [0, 1, 2, 3]
            assert len(sizes(first)["t"]) == len(sizes(second)["t"]) == 2

            disk: Any = broker.world.storage
            real = disk._disk.capacity

            def capacity(directory: Path) -> tuple[int, int]:
                if directory == two:
                    raise OSError(errno.EIO, "Input/output error")
                answer: tuple[int, int] = real(directory)
                return answer

            disk._disk.capacity = capacity
            first, second = await ask(client)
            assert (first.error_code, second.error_code) == (0, ErrorCode.KAFKA_STORAGE_ERROR)
            assert (second.log_dir, second.topics) == (str(two), [])
