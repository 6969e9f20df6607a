"""`flush.messages=1` with many partitions: acknowledgements share fsyncs, and a slow disk holds only who needs it."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

import pytest
import trio

from broker.clock import SetClock
from broker.cluster.image import PartitionImage, TopicImage
from broker.config.settings import BrokerSettings
from broker.metrics import Metrics
from broker.partitions.manager import Partitions
from broker.partitions.partition import Partition
from broker.testing.disk import FakeDisk
from broker.testing.gates import Gate
from broker.testing.storage import NOW_MS, batch, in_background, started, storage_on
from kproto.messages.leader_and_isr import LeaderAndIsrPartitionState, LeaderAndIsrRequest, LeaderAndIsrTopicState
from kproto.records.batch import read_header

T = TypeVar("T")
TOPIC = TopicImage(UUID(int=7), "t", [PartitionImage(), PartitionImage()])


class SlowDisk(FakeDisk):
    """An fsync below a directory whose name ends with `slow` waits at the gate."""

    def __init__(self, slow: str, gate: Gate) -> None:
        super().__init__()
        self._slow = slow
        self._gate = gate

    async def in_thread(self, call: Callable[[], T]) -> T:
        await trio.lowlevel.checkpoint()
        before = len(self.calls)
        result = call()
        if any(each == "sync" and path.parent.name == self._slow for each, path in self.calls[before:]):
            await self._gate.passed()
        return result


async def leading(disk: FakeDisk, nursery: trio.Nursery) -> tuple[Partition, Partition]:
    storage = storage_on(disk)
    await started(storage)
    settings = BrokerSettings({}).topic({"flush.messages": "1"})
    partitions = Partitions(1, storage, lambda name: settings, SetClock(NOW_MS), Metrics())
    states = [
        LeaderAndIsrPartitionState(partition_index=index, leader=1, isr=[1], replicas=[1], is_new=True)
        for index in range(2)
    ]
    topic = LeaderAndIsrTopicState(topic_name="t", topic_id=TOPIC.id, partition_states=states)
    partitions.become(LeaderAndIsrRequest(topic_states=[topic]))
    await nursery.start(partitions.run)
    return partitions.leading(TOPIC, 0), partitions.leading(TOPIC, 1)


def append(partition: Partition) -> int:
    stored = batch("x")
    return partition.append(stored, read_header(stored), -1).end_offset


async def until_safe(partition: Partition, end_offset: int) -> None:
    with trio.fail_after(100):
        while not partition.is_safe(end_offset, 1):  # noqa: ASYNC110 -- what wakes is another test's
            await trio.sleep(0.01)


async def test_a_slow_fsync_holds_only_its_own_partition(autojump_clock: object) -> None:
    """Fsyncs of 2 to 30 s are a fact of full disks; the neighbours' acknowledgements do not wait for them."""
    gate = Gate()
    async with trio.open_nursery() as nursery:
        slow, quick = await leading(SlowDisk("t-0", gate), nursery)
        gate.shut()
        waiting = append(slow)
        for _ in range(5):
            await until_safe(quick, append(quick))
        assert not slow.is_safe(waiting, 1)
        assert slow.log.flushed_offset == 0
        more = append(slow)
        gate.open()
        await until_safe(slow, more)
        nursery.cancel_scope.cancel()


async def test_all_acknowledgements_that_wait_share_the_next_fsync(autojump_clock: object) -> None:
    gate = Gate()
    disk = SlowDisk("t-0", gate)
    async with trio.open_nursery() as nursery:
        partition, _ = await leading(disk, nursery)
        gate.shut()
        append(partition)
        await trio.sleep(1)
        for _ in range(100):
            last = append(partition)
        await trio.sleep(1)
        gate.open()
        await until_safe(partition, last)
        nursery.cancel_scope.cancel()
    assert sum(call == "sync" and path.name.endswith(".log") for call, path in disk.calls) == 2


@pytest.mark.parametrize("other_fails", [False, True])
async def test_a_failed_fsync_is_told_to_the_rooms_above_once(other_fails: bool, autojump_clock: object) -> None:
    disk = FakeDisk()
    lost: list[str] = []
    storage = storage_on(disk)
    await started(storage)
    settings = BrokerSettings({}).topic({"flush.messages": "1"})
    partitions = Partitions(1, storage, lambda name: settings, SetClock(NOW_MS), Metrics())
    partitions.on_replica_lost(lambda: lost.append("lost"))
    states = [
        LeaderAndIsrPartitionState(partition_index=index, leader=1, isr=[1], replicas=[1], is_new=True)
        for index in range(2)
    ]
    topic = LeaderAndIsrTopicState(topic_name="t", topic_id=TOPIC.id, partition_states=states)
    partitions.become(LeaderAndIsrRequest(topic_states=[topic]))
    first, second = partitions.leading(TOPIC, 0), partitions.leading(TOPIC, 1)
    async with in_background(storage), trio.open_nursery() as nursery:
        await nursery.start(partitions.run)
        disk.fail("sync", 5, path="t-0/00000000000000000000.log")
        if other_fails:
            disk.fail("sync_directory", 5, path="t-1")
        append(first)
        append(second)
        await trio.sleep(1)
        assert first.failed
        assert second.failed is other_fails
        assert first.high_watermark == 0
        assert lost == ["lost"] * (1 + other_fails)
        nursery.cancel_scope.cancel()
