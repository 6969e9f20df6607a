"""A produce, a roll, a fetch and a commit, struck at every checkpoint: by a cancellation, or by an error of any kind.

Rows 67 and 68 of the fault catalogue. One connection or one partition is affected, never another one. What was
acknowledged is there once, in its place, and a retry finds it; what was not is there whole or not at all.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from errno import EIO
from typing import Any, TypeVar

import pytest
import trio
import trio.testing

from broker.testing.calls import batch_of, create, fetch_request, fetched, produce, produce_request, values_in
from broker.testing.disk import FakeDisk
from broker.testing.groups import find
from broker.testing.running import Running, running
from broker.testing.steps import AtStep, throws
from broker.testing.storage import everything, storage_on
from broker.transport.contract import ConnectionLost
from kproto.errors import ErrorCode
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.messages.init_producer_id import InitProducerIdRequest
from kproto.messages.offset_commit import OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic
from kproto.messages.offset_fetch import OffsetFetchRequest, OffsetFetchRequestTopic
from kproto.records.batch import read_records, split
from kproto.schema import Message

T = TypeVar("T")
Jumps = trio.testing.MockClock
Strike = Callable[[trio.lowlevel.Task], None]
MOST_STEPS = 200
LONG_BATCH = 4200
"""Records, so that checking them takes several slices."""


class SlowDisk(FakeDisk):
    """What may sleep long gives way to others, before and after."""

    async def in_thread(self, call: Callable[[], T]) -> T:
        await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()
        result = await super().in_thread(call)
        await trio.lowlevel.checkpoint()
        return result


class Struck:
    """A broker on a disk of its own, a bystander, and what happens to the victim at its n-th step."""

    def __init__(self, broker: Running, disk: FakeDisk, steps: AtStep, problem: str) -> None:
        self.broker = broker
        self.disk = disk
        self.bystander = broker.connect("bystander")
        self._steps = steps
        self._problem = problem

    async def ask(self, step: int, question: Message, version: int) -> tuple[Any, bool]:
        """The answer, None if the connection ended instead; and whether the step was reached."""
        with self.broker.connect("victim") as victim:
            await trio.testing.wait_all_tasks_blocked()
            self._steps.arm(step, self._strike())
            await victim.send(question, version)
            answer = None
            try:
                with trio.fail_after(100):
                    answer = await victim.receive()
            except (EOFError, ConnectionLost):
                pass
        struck = self._steps.disarm()
        await trio.testing.wait_all_tasks_blocked()
        assert self.broker.world.buffers.out == 0
        assert (await self.bystander.ask(ApiVersionsRequest(), 0)).error_code == ErrorCode.NONE
        return answer, struck

    def _strike(self) -> Strike:
        if self._problem == "cancelled":
            connections = self.broker.broker._connections._all
            newest = max(connections, key=lambda each: each.facts.peer.port)
            return lambda task: newest.hang_up("a test")
        errors = {"no memory": MemoryError(), "disk": OSError(EIO, "Input/output error"), "our bug": KeyError("ours")}
        return throws(errors[self._problem])


@asynccontextmanager
async def struck_by(problem: str, **options: str) -> AsyncIterator[Struck]:
    """Options with underscores for dots."""
    disk, steps = SlowDisk(), AtStep()

    def change(world: Any) -> None:
        world.storage = storage_on(disk, clock=world.clock)
        world.storage.claim(None)

    texts = {name.replace("_", "."): text for name, text in options.items()}
    trio.lowlevel.add_instrument(steps)
    try:
        async with running(texts, change=change) as broker:
            struck = Struck(broker, disk, steps, problem)
            with struck.bystander:
                yield struck
    finally:
        trio.lowlevel.remove_instrument(steps)


each_problem = pytest.mark.parametrize("problem", ["cancelled", "no memory", "disk", "our bug"])


@pytest.mark.parametrize(
    "problem",
    [
        "cancelled",
        "disk",
        pytest.param("no memory", marks=pytest.mark.campaign),
        pytest.param("our bug", marks=pytest.mark.campaign),
    ],
)
async def test_produce_and_roll(problem: str, autojump_clock: Jumps) -> None:
    """With an fsync, a roll of the segment and a long check in it; one topic for each step, two batches in each."""
    async with struck_by(problem) as at:
        await create(at.bystander, "others")
        producer = (await at.bystander.ask(InitProducerIdRequest(transactional_id=None), 2)).producer_id
        kept: dict[str, list[str]] = {}
        for step in range(1, MOST_STEPS):
            topic = f"orders-{step}"
            await create(at.bystander, topic, flush_messages="1", segment_bytes="110000")
            values = [[f"{part} {number}" for number in range(LONG_BATCH)] for part in ("first", "second")]
            batches = [
                batch_of(*part, producer_id=producer, producer_epoch=0, base_sequence=number * LONG_BATCH)
                for number, part in enumerate(values)
            ]
            first = await at.bystander.ask(produce_request(topic, batches[0]), 9)
            assert offset_in(first) == 0
            answer, struck = await at.ask(step, produce_request(topic, batches[1]), 9)
            again = await at.bystander.ask(produce_request(topic, batches[1]), 9)
            if problem == "disk" and code_in(again) == ErrorCode.KAFKA_STORAGE_ERROR:
                assert offset_in(answer) == -1, "acknowledged, and then offline"
            else:
                assert offset_in(again) == LONG_BATCH
                assert offset_in(answer) in (-1, LONG_BATCH)
                read = await fetched(at.bystander, topic) + await fetched(at.bystander, topic, LONG_BATCH)
                assert read[: 2 * LONG_BATCH] == [*values[0], *values[1]]
                kept[topic] = read[: 2 * LONG_BATCH]
            await produce(at.bystander, "others", topic)
            if not struck:
                break
        assert step > 6
        assert not struck
        left = at.disk.after_crash()
    await recovers_twice(left, kept)


async def recovers_twice(disk: FakeDisk, kept: dict[str, list[str]]) -> None:
    """After a power cut everything acknowledged is there, and a second recovery finds the same."""
    found = []
    for _ in range(2):
        storage = storage_on(disk)
        storage.claim(None)
        logs = {log.name: log for log in await storage.load()}
        found.append({name: await everything(log) for name, log in logs.items() if not log.failure})
        disk = disk.after_crash()
    assert found[0] == found[1]
    for topic, values in kept.items():
        batches = split(memoryview(found[0][f"{topic}-0"]))
        records = (record for _, batch in batches for record in read_records(batch))
        assert [(record.value or b"").decode() for record in records] == values


def code_in(answer: Any) -> int:
    return int(answer.responses[0].partition_responses[0].error_code)


def offset_in(answer: Any) -> int:
    """-1 without an answer, and in one that refuses."""
    return -1 if answer is None or code_in(answer) else int(answer.responses[0].partition_responses[0].base_offset)


@each_problem
async def test_fetch(problem: str, autojump_clock: Jumps) -> None:
    """Of closed segments, checked before they are served for the first time, and at the end of the log."""
    async with struck_by(problem) as at:
        await create(at.bystander, "orders", segment_bytes="200")
        values = [f"{number:050}" for number in range(4)]
        for value in values:
            await produce(at.bystander, "orders", value)
        reached = 0
        for offset, wait_ms in ((0, 0), (4, 500)):
            for step in range(1, MOST_STEPS):
                answer, struck = await at.ask(step, fetch_request("orders", offset, max_wait_ms=wait_ms), 11)
                if answer is not None and not answer.error_code and not answer.responses[0].partitions[0].error_code:
                    assert values_in(answer) == values[offset : offset + 1]
                if problem != "disk":
                    assert await fetched(at.bystander, "orders", 3) == values[3:]
                if not struck:
                    break
            assert not struck
            reached += step - 1
        assert reached >= 4


@each_problem
async def test_commit(problem: str, autojump_clock: Jumps) -> None:
    """Of an offset, with an fsync before its answer: the old one or the new one, the new one if it was acknowledged."""
    for step in range(1, MOST_STEPS):
        async with struck_by(problem, log_flush_interval_messages="1") as at:
            await create(at.bystander, "orders")
            await find(at.bystander)
            assert not commit_code(await at.bystander.ask(commit(5), 2))
            answer, struck = await at.ask(step, commit(6), 2)
            acknowledged = answer is not None and not commit_code(answer)
            known = await committed(at)
            if known is not None:
                assert known in ((6,) if acknowledged else (5, 6))
                assert not commit_code(await at.bystander.ask(commit(7), 2))
                assert await committed(at) == 7
            else:
                assert problem == "disk"
            if not struck:
                break
    assert step > 2
    assert not struck


def commit(offset: int) -> OffsetCommitRequest:
    row = OffsetCommitRequestPartition(committed_offset=offset)
    return OffsetCommitRequest(group_id="g", topics=[OffsetCommitRequestTopic(name="orders", partitions=[row])])


def commit_code(answer: Any) -> int:
    return int(answer.topics[0].partitions[0].error_code)


async def committed(at: Struck) -> int | None:
    """None if the coordinator is not there any more."""
    topics = [OffsetFetchRequestTopic(name="orders", partition_indexes=[0])]
    answer = await at.bystander.ask(OffsetFetchRequest(group_id="g", topics=topics), 3)
    return None if answer.error_code else int(answer.topics[0].partitions[0].committed_offset)
