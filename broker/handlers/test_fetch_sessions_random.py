"""Random lives of a fetch session: after each fetch, what its reader knows is what a full fetch would have told it."""

import random
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import trio.testing

from broker.partitions.partition import Leadership, Partition
from broker.testing.calls import batch_of, produce_request, topic_to_create
from broker.testing.client import WireClient
from broker.testing.running import Running, running
from kproto.errors import ErrorCode
from kproto.messages.create_partitions import CreatePartitionsRequest, CreatePartitionsTopic
from kproto.messages.create_topics import CreateTopicsRequest
from kproto.messages.delete_topics import DeleteTopicsRequest
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchResponse, FetchTopic, ForgottenTopic
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic

NAMES = ("a", "b", "c")
NO_ID = UUID(int=0)
MUCH = 1 << 20
Key = tuple[str, UUID, int]
"""Topic name or id, and partition."""


@dataclass
class Told:
    """Of one partition, in one answer."""

    error: int
    high_watermark: int
    log_start: int
    diverging: bool
    records: bytes

    @property
    def rest(self) -> tuple[int, int, int]:
        return self.error, self.high_watermark, self.log_start

    @property
    def presses(self) -> bool:
        """A fetch does not wait with this."""
        return bool(self.records) or self.diverging or self.error != ErrorCode.NONE


def told_by(answer: FetchResponse) -> dict[Key, Told]:
    assert answer.error_code == ErrorCode.NONE, ErrorCode(answer.error_code)
    told: dict[Key, Told] = {}
    for topic in answer.responses:
        for row in topic.partitions:
            key = (topic.topic, topic.topic_id, row.partition_index)
            assert key not in told
            diverging = row.diverging_epoch is not None
            records = bytes(row.records or b"")
            told[key] = Told(row.error_code, row.high_watermark, row.log_start_offset, diverging, records)
    return told


class Life:
    """A broker, a session, and a writer; `random` decides what happens next."""

    def __init__(self, broker: Running, client: WireClient, seed: int) -> None:
        self.random = random.Random(seed)
        self.broker = broker
        self.client = client
        self.version = self.random.choice([7, 9, 12, 13, 18])
        self.topics: dict[str, tuple[UUID, int]] = {}
        """Id and partitions of those that are there."""
        self.ids: list[UUID] = []
        """Of all that ever were."""
        self.id = self.epoch = 0
        self.asked: dict[Key, FetchPartition] = {}
        self.known: dict[Key, tuple[int, int, int]] = {}
        self.to_send: set[Key] = set()
        self.to_forget: list[Key] = []
        self.compared = 0

    # --- what happens to the partitions ---

    async def create(self) -> None:
        name = self.random.choice(NAMES)
        if name in self.topics:
            return
        count = self.random.randint(1, 4)
        request = CreateTopicsRequest(topics=[topic_to_create(name, count)], timeout_ms=30_000)
        assert (await self.client.ask(request, 7)).topics[0].error_code == ErrorCode.NONE
        metadata = await self.client.ask(MetadataRequest(topics=[MetadataRequestTopic(name=name)]), 12)
        self.topics[name] = metadata.topics[0].topic_id, count
        self.ids.append(metadata.topics[0].topic_id)

    async def delete(self) -> None:
        if self.topics:
            name = self.random.choice(sorted(self.topics))
            del self.topics[name]
            await self.client.ask(DeleteTopicsRequest(topic_names=[name], timeout_ms=30_000), 5)
            await trio.testing.wait_all_tasks_blocked()

    async def grow(self) -> None:
        if self.topics:
            name = self.random.choice(sorted(self.topics))
            topic_id, count = self.topics[name]
            more = CreatePartitionsTopic(name=name, count=count + 1, assignments=None)
            await self.client.ask(CreatePartitionsRequest(topics=[more], timeout_ms=30_000), 3)
            self.topics[name] = topic_id, count + 1
            await trio.testing.wait_all_tasks_blocked()

    async def append(self) -> None:
        if self.topics:
            name = self.random.choice(sorted(self.topics))
            await self.append_to(name, self.random.randrange(self.topics[name][1]))

    async def append_to(self, name: str, index: int) -> None:
        batch = batch_of(*"x" * self.random.randint(1, 3))
        answer = await self.client.ask(produce_request(name, batch, partition=index), 9)
        assert answer.responses[0].partition_responses[0].error_code == ErrorCode.NONE

    async def advance_log_start(self) -> None:
        partition = self.some_partition()
        if partition is not None:
            partition.log.advance_start(self.random.randint(partition.log.start_offset, partition.log.end_offset))

    async def new_epoch(self) -> None:
        partition = self.some_partition()
        if partition is not None:
            now = partition.leadership
            partition.lead(Leadership(now.leader, now.epoch + 1, now.isr, now.replicas, now.partition_epoch + 1, 1))

    def some_partition(self) -> Partition | None:
        if not self.topics:
            return None
        topic_id, count = self.topics[self.random.choice(sorted(self.topics))]
        return self.partition(topic_id, self.random.randrange(count))

    def partition(self, topic_id: UUID, index: int) -> Partition | None:
        return self.broker.broker._rooms.partitions.find(topic_id, index)

    # --- what the reader does ---

    async def ask(self) -> None:
        """Another partition, or another offset in one; now and then what is not there."""
        strange = self.random.random() < 0.1 or not self.topics
        if strange:
            name, index = self.random.choice(NAMES), self.random.randrange(5)
            topic_id = self.random.choice([*self.ids, UUID(int=7)])
        else:
            name = self.random.choice(sorted(self.topics))
            topic_id, count = self.topics[name]
            index = self.random.randrange(count)
        key = (name, NO_ID, index) if self.version < 13 else ("", topic_id, index)
        partition = self.partition_of(key)
        start, end, epoch = 0, 0, 0
        if partition is not None:
            start, end, epoch = partition.log.start_offset, partition.log.end_offset, partition.leadership.epoch
        row = self.ask_for(key, self.random.choice([start, start, self.random.randint(start, end), end]))
        if strange:
            row.fetch_offset = self.random.choice([start - 1, start, end, end + 1])
            row.current_leader_epoch = self.random.choice([-1, epoch, epoch + 1])
            row.last_fetched_epoch = self.random.choice([-1, 0, epoch, epoch + 1])
        elif self.random.random() < 0.2:
            row.current_leader_epoch = row.last_fetched_epoch = epoch

    def ask_for(self, key: Key, offset: int) -> FetchPartition:
        row = self.asked[key] = FetchPartition(partition=key[2], fetch_offset=offset, partition_max_bytes=MUCH)
        self.to_send.add(key)
        return row

    def partition_of(self, key: Key) -> Partition | None:
        topic_id = self.topics.get(key[0], (NO_ID, 0))[0] if self.version < 13 else key[1]
        return self.partition(topic_id, key[2])

    async def mend(self) -> None:
        """As a client does with errors: another offset and epoch, or no more of it."""
        for key in [key for key in self.asked if self.known.get(key, (0, 0, 0))[0] != ErrorCode.NONE]:
            partition = self.partition_of(key)
            if partition is not None:
                self.ask_for(key, partition.log.start_offset)
            else:
                self.drop(key)

    async def forget(self) -> None:
        if self.asked:
            self.drop(self.random.choice(sorted(self.asked)))

    def drop(self, key: Key) -> None:
        del self.asked[key]
        self.to_send.discard(key)
        self.to_forget.append(key)

    async def catch_up(self) -> None:
        """As a consumer does that has taken in all records."""
        for key, row in list(self.asked.items()):
            partition = self.partition_of(key)
            if partition is not None and row.fetch_offset != partition.log.end_offset:
                self.ask_for(key, partition.log.end_offset)

    async def begin_again(self) -> None:
        self.epoch = 0

    async def fetch(self) -> None:
        limit = self.random.choice([MUCH, MUCH, 1])
        await self.send(limit=limit, max_wait_ms=0)
        await self.receive(limit)

    async def wait(self) -> None:
        """A long poll: at once if something presses, else when one of the partitions grows or goes."""
        full = await self.full()
        await self.send(limit=MUCH, max_wait_ms=600_000)
        if full and not any(told.presses for told in full.values()):
            await self.disturb(self.random.choice(sorted(full)))
        elif not full:
            return await self.receive(MUCH, empty=True)
        return await self.receive(MUCH)

    async def disturb(self, key: Key) -> None:
        await trio.testing.wait_all_tasks_blocked()
        name = key[0] or next(name for name, (topic_id, _) in self.topics.items() if topic_id == key[1])
        writer = self.client
        with self.broker.connect() as self.client:
            if self.random.random() < 0.8:
                await self.append_to(name, key[2])
            else:
                topic_id, _ = self.topics.pop(name)
                assert topic_id == key[1] or self.version < 13
                await self.client.ask(DeleteTopicsRequest(topic_names=[name], timeout_ms=30_000), 5)
                await trio.testing.wait_all_tasks_blocked()
        self.client = writer

    # --- asking and comparing ---

    async def send(self, *, limit: int, max_wait_ms: int) -> None:
        rows = self.asked if self.epoch == 0 else {key: self.asked[key] for key in self.to_send}
        request = self.request(rows, max_bytes=limit, max_wait_ms=max_wait_ms if self.asked else 0)
        request.session_id, request.session_epoch = self.id, self.epoch
        if self.epoch == 0:
            self.known.clear()
        else:
            gone = [key for key in self.to_forget if key not in self.asked]
            request.forgotten_topics_data = [
                ForgottenTopic(topic=name, topic_id=topic_id, partitions=[index]) for name, topic_id, index in gone
            ]
            for key in gone:
                self.known.pop(key, None)
        self.to_send.clear()
        self.to_forget.clear()
        await self.client.send(request, self.version)

    def request(self, rows: dict[Key, FetchPartition], **options: Any) -> FetchRequest:
        topics = [FetchTopic(topic=key[0], topic_id=key[1], partitions=[row]) for key, row in rows.items()]
        self.random.shuffle(topics)
        return FetchRequest(topics=topics, min_bytes=1, **options)

    async def full(self) -> dict[Key, Told]:
        """What a fetch without a session is told of the same partitions."""
        request = self.request(self.asked, max_bytes=MUCH, max_wait_ms=0)
        return told_by(await self.client.ask(request, self.version))

    async def receive(self, limit: int, *, empty: bool = False) -> None:
        with trio.fail_after(20):
            answer = await self.client.receive()
        told = told_by(answer)
        self.id = answer.session_id
        self.epoch = self.epoch + 1 if self.id else 0
        assert bool(self.id) == bool(self.asked or self.epoch == 1)
        full = await self.full()
        assert told.keys() <= full.keys() == self.asked.keys()
        assert empty <= (not full)
        for key, right in full.items():
            self.compare(told.get(key), right, key, limit)
        if any(right.records for right in full.values()):
            assert any(one.records for one in told.values()), "an answer without data where there is some"

    def compare(self, told: Told | None, right: Told, key: Key, limit: int) -> None:
        self.compared += 1
        if told is None:
            assert right.error == ErrorCode.NONE
            assert right.rest == self.known[key]
            assert not right.diverging
            assert limit == 1 or not right.records
        else:
            self.known[key] = right.rest
            assert (told.rest, told.diverging) == (right.rest, right.diverging)
            assert told.records == right.records or (limit == 1 and right.records.startswith(told.records))


STEPS = {
    Life.create: 4,
    Life.delete: 1,
    Life.grow: 1,
    Life.append: 12,
    Life.advance_log_start: 3,
    Life.new_epoch: 2,
    Life.ask: 10,
    Life.mend: 5,
    Life.forget: 2,
    Life.catch_up: 5,
    Life.begin_again: 1,
    Life.fetch: 15,
    Life.wait: 4,
}
"""How often each happens, as against the others."""


async def live(seed: int, steps: int) -> None:
    async with running(seed=seed) as broker:
        with broker.connect() as client:
            life = Life(broker, client, seed)
            await life.create()
            for _ in range(steps):
                (step,) = life.random.choices(list(STEPS), list(STEPS.values()))
                await step(life)
            assert life.compared > steps / 4


@pytest.mark.parametrize("seed", range(12))
async def test_a_session_tells_what_a_full_fetch_would_tell(seed: int) -> None:
    await live(seed, steps=150)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(1_000, 1_400))
async def test_a_session_tells_what_a_full_fetch_would_tell_over_many_lives(seed: int) -> None:
    await live(seed, steps=300)
