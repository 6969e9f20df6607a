"""A partition's leadership, its fences, and what counts as safe."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
import trio

from broker.clock import SetClock
from broker.cluster.image import PartitionImage, TopicImage
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings
from broker.metrics import Metrics
from broker.partitions.manager import Partitions
from broker.partitions.partition import Partition
from broker.partitions.safety import SafeWaiter
from broker.purgatory import Waiter
from broker.storage.contract import LogId, StorageFailed
from broker.storage.memory import MemoryLog, MemoryStorage
from kproto.errors import ApiError, ErrorCode
from kproto.messages.leader_and_isr import LeaderAndIsrPartitionState, LeaderAndIsrRequest, LeaderAndIsrTopicState
from kproto.messages.stop_replica import StopReplicaPartitionState, StopReplicaRequest, StopReplicaTopicState
from kproto.records.batch import build_batch, read_header
from kproto.records.record import Record

TOPIC_ID = UUID(int=7)
TOPIC = TopicImage(TOPIC_ID, "t", [PartitionImage(), PartitionImage()])


@dataclass
class House:
    """The partitions of broker 1, over memory."""

    overrides: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, int, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = BrokerSettings({})
        self.storage = MemoryStorage(settings=self.settings, clock=SetClock())
        self.partitions = Partitions(1, self.storage, self.topic, SetClock(), Metrics())
        self.partitions.on_leadership(lambda p: self.told.append((p.topic, p.index, p.leads_on)))

    def topic(self, name: str) -> TopicSettings:
        return self.settings.topic(self.overrides)

    def lead(self, leader: int = 1, epoch: int = 0, isr: tuple[int, ...] = (1,)) -> ErrorCode:
        state = LeaderAndIsrPartitionState(leader=leader, leader_epoch=epoch, isr=list(isr), replicas=[1, 2])
        topic = LeaderAndIsrTopicState(topic_name="t", topic_id=TOPIC_ID, partition_states=[state])
        response = self.partitions.become(LeaderAndIsrRequest(topic_states=[topic]))
        return ErrorCode(response.topics[0].partition_errors[0].error_code)

    @property
    def partition(self) -> Partition:
        return self.partitions.leading(TOPIC, 0)


@pytest.fixture
def house() -> House:
    return House()


def append(partition: Partition, acks: int = -1, **options: int) -> int:
    batch = memoryview(bytearray(build_batch([Record(0, 1, None, b"x", [])], **options)))  # type: ignore[arg-type]
    return partition.append(batch, read_header(batch), acks).base_offset


def refusal_of(partitions: Partitions, index: int = 0) -> ErrorCode:
    with pytest.raises(ApiError) as no:
        partitions.leading(TOPIC, index)
    return no.value.code


def test_only_the_leader_serves(house: House) -> None:
    """A follower says so; a partition that the topic does not have is unknown."""
    house.lead(leader=2)
    assert refusal_of(house.partitions) == ErrorCode.NOT_LEADER_OR_FOLLOWER
    assert refusal_of(house.partitions, 1) == ErrorCode.NOT_LEADER_OR_FOLLOWER
    assert refusal_of(house.partitions, 2) == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    house.lead(epoch=1)
    assert append(house.partition) == 0


def test_a_leadership_of_the_past_changes_nothing(house: House) -> None:
    """The controller's requests may be late; epochs only grow."""
    house.lead(epoch=3)
    assert house.lead(leader=2, epoch=2) == ErrorCode.FENCED_LEADER_EPOCH
    assert house.partition.leadership.epoch == 3


def test_clients_of_another_epoch_are_fenced(house: House) -> None:
    """KIP-320: older metadata is fenced, newer is unknown here, -1 does not care."""
    house.lead(epoch=3)
    house.partition.must_be_in_epoch(3)
    house.partition.must_be_in_epoch(-1)
    for epoch, code in ((2, ErrorCode.FENCED_LEADER_EPOCH), (4, ErrorCode.UNKNOWN_LEADER_EPOCH)):
        with pytest.raises(ApiError) as no:
            house.partition.must_be_in_epoch(epoch)
        assert no.value.code == code


def test_too_few_in_sync_refuse_only_who_asks_for_all(house: House) -> None:
    """min.insync.replicas is a promise to acks=-1."""
    house.overrides["min.insync.replicas"] = "2"
    house.lead()
    with pytest.raises(ApiError) as no:
        append(house.partition)
    assert no.value.code == ErrorCode.NOT_ENOUGH_REPLICAS
    assert append(house.partition, acks=1) == 0


def test_who_waits_hears_of_moves_and_of_the_end(house: House) -> None:
    """An append wakes readers; a lost leadership wakes everybody, to look elsewhere."""
    house.lead()
    partition = house.partition
    reader = Waiter()
    reader.watch([partition.high_watermark_moved])
    append(partition)
    assert reader.woken
    other = Waiter()
    other.watch([partition.high_watermark_moved])
    house.lead(leader=2, epoch=1)
    assert other.woken
    assert house.told == [("t", 0, True), ("t", 0, False)]


async def test_with_flush_messages_1_only_what_is_flushed_is_safe(house: House) -> None:
    """fsync before any ack: the high watermark waits for the disk, whatever the acks."""
    house.overrides["flush.messages"] = "1"
    house.lead()
    partition = house.partition
    partition.log = log = LaggingLog()
    append(partition, acks=1)
    assert (partition.high_watermark, partition.is_safe(1, acks=1)) == (0, False)
    waiter = SafeWaiter([(partition, 1)], acks=1)
    assert not waiter.woken
    log.flushed = 1
    partition.advance_high_watermark()
    assert waiter.woken
    assert partition.high_watermark == 1


async def test_a_failed_flush_takes_the_partition_offline(house: House) -> None:
    """Never tried again and trusted: 56 from now on, and nobody goes on waiting."""
    house.overrides["flush.messages"] = "1"
    house.lead()
    partition = house.partition
    partition.log = log = LaggingLog(fails=True)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.partitions.run)
        append(partition)
        waiter = SafeWaiter([(partition, 1)], acks=-1)
        assert await waiter.wait(1_000)
        with pytest.raises(ApiError) as no:
            partition.must_be_safe(1, acks=-1)
        assert no.value.code == ErrorCode.KAFKA_STORAGE_ERROR
        nursery.cancel_scope.cancel()
    assert log.flushes == 1
    assert refusal_of(house.partitions) == ErrorCode.KAFKA_STORAGE_ERROR


async def test_a_stopped_replica_is_gone_with_its_log(house: House) -> None:
    """And a topic of the same name, under another id, begins at 0."""
    house.lead()
    append(house.partition)
    gone = StopReplicaPartitionState(partition_index=0, delete_partition=True)
    await house.partitions.stop(
        StopReplicaRequest(topic_states=[StopReplicaTopicState(topic_name="t", partition_states=[gone])])
    )
    assert refusal_of(house.partitions) == ErrorCode.NOT_LEADER_OR_FOLLOWER
    house.lead()
    assert house.partition.log.end_offset == 0


def test_changed_options_reach_partition_and_log(house: House) -> None:
    house.lead()
    house.overrides["max.message.bytes"] = "77"
    house.partitions.settings_changed("t")
    assert house.partition.settings.max_message_bytes == 77
    assert house.partition.log.settings is house.partition.settings


class LaggingLog(MemoryLog):
    """Flushed only as far as a test says; or its flush fails."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__(LogId(TOPIC_ID, 0), "t-0", BrokerSettings({}).topic({}))
        self.flushed = 0
        self.fails = fails
        self.flushes = 0

    @property
    def flushed_offset(self) -> int:
        return self.flushed

    async def flush(self) -> int:
        self.flushes += 1
        await trio.lowlevel.checkpoint()
        if self.fails:
            raise StorageFailed("the disk said no")
        return self.flushed
