"""A broker whose data directory is lost does not lead from empty; what is stored of no topic is one line."""

import shutil
from pathlib import Path

import pytest

from broker.clock import SetClock
from broker.config.problems import OperatorError
from broker.registry.embedded import EmbeddedTree
from broker.testing.calls import create, fetched, produce
from broker.testing.running import running
from broker.world import World


async def test_with_its_directory_lost_a_broker_does_not_start_until_somebody_decides(tmp_path: Path) -> None:
    """The registry lives elsewhere, as ZooKeeper does."""
    tree, data = EmbeddedTree(None, SetClock()), tmp_path / "data"

    def elsewhere(world: World) -> None:
        world.open_registry = tree.session

    options = {"broker.id": "3", "barnabas.cluster.id": "abcdefghijklmnopqrstuv"}
    async with running(options, data=data, change=elsewhere) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await produce(client, "orders", "a")
    shutil.move(data, tmp_path / "lost")
    for _ in range(2):
        with pytest.raises(ExceptionGroup) as refused:
            async with running(options, data=data, change=elsewhere):
                pytest.fail("it leads from empty")
        mistake = mistake_in(refused.value)
        assert "its data directories are empty, but it has replicas of orders" in mistake.what
        assert "version=0 and broker.id=3" in mistake.do_this
        assert not (data / "meta.properties").exists()
    shutil.rmtree(data)
    shutil.move(tmp_path / "lost", data)
    async with running(options, data=data, change=elsewhere) as broker:
        with broker.connect() as client:
            assert await fetched(client, "orders", 0) == ["a"]
    shutil.rmtree(data)
    data.mkdir()
    (data / "meta.properties").write_text("version=0\nbroker.id=3\n")
    async with running(options, data=data, change=elsewhere) as broker:
        with broker.connect() as client:
            assert await produce(client, "orders", "anew") == 0


def mistake_in(group: BaseException) -> OperatorError:
    while isinstance(group, BaseExceptionGroup):
        (group,) = group.exceptions
    assert isinstance(group, OperatorError)
    return group


async def test_logs_of_no_topic_are_one_line_and_the_rest_is_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await produce(client, "orders", "a")
    for number in range(7):
        stray = tmp_path / f"gone-{number}"
        shutil.copytree(tmp_path / "orders-0", stray)
        (stray / "partition.metadata").write_text(f"version: 0\ntopic_id: {'A' * 20}{number}A")
    caplog.clear()
    async with running(data=tmp_path) as broker:
        with broker.connect() as client:
            assert await fetched(client, "orders", 0) == ["a"]
    (line,) = [record.getMessage() for record in caplog.records if "of no topic" in record.getMessage()]
    assert line.endswith("stay as they are: gone-0, gone-1, gone-2, gone-3, gone-4 and 2 more")
    assert (tmp_path / "gone-6").exists()
