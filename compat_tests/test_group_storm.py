"""A hundred members of one group that join, leave, crash and come again, for a while; then they stay.

Row 66 of the fault catalogue: one generation wins, it is whole within a minute, and the committed offset is the last
one that was acknowledged.
"""

import json
import random
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio

from broker.testing.client import WireClient
from broker.testing.groups import join_request
from broker.transport.contract import ConnectionLost
from broker.transport.sockets import SocketStream
from compat_tests.broker_process import BrokerProcess
from kproto.errors import ErrorCode
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.heartbeat import HeartbeatRequest
from kproto.messages.leave_group import LeaveGroupRequest
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.messages.offset_commit import OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic
from kproto.messages.offset_fetch import OffsetFetchRequest, OffsetFetchRequestTopic
from kproto.messages.sync_group import SyncGroupRequest, SyncGroupRequestAssignment

MEMBERS, STORM_S, STABLE_WITHIN_S = 100, 20.0, 60.0
SESSION_MS = 6_000
EXPECTED = {
    ErrorCode.NONE,
    ErrorCode.REBALANCE_IN_PROGRESS,
    ErrorCode.ILLEGAL_GENERATION,
    ErrorCode.UNKNOWN_MEMBER_ID,
    ErrorCode.MEMBER_ID_REQUIRED,
}


@dataclass
class Storm:
    """What all members know together."""

    port: int
    over: bool = False
    leaders: dict[int, str] = field(default_factory=dict)
    """Who was told to lead a generation."""
    owners: dict[int, set[str]] = field(default_factory=dict)
    """Of the one partition, by generation: those whom the leader's assignment reached."""
    settled: dict[int, int] = field(default_factory=dict)
    """Members by number: the generation in which their heartbeat was taken last, since the storm was over."""
    committed: int = -1
    joins: int = 0
    crashes: int = 0
    leaves: int = 0
    unexpected: list[ErrorCode] = field(default_factory=list)

    def code(self, number: int) -> ErrorCode:
        code = ErrorCode(number)
        if code not in EXPECTED:
            self.unexpected.append(code)
        return code


class Member:
    """One after another with a new connection and a new member id each time."""

    def __init__(self, number: int, storm: Storm) -> None:
        self.number = number
        self.storm = storm
        self.chance = random.Random(number)
        self.id = ""

    async def run(self) -> None:
        while True:
            stream = SocketStream(socket.create_connection(("127.0.0.1", self.storm.port)))
            with WireClient(stream, f"member-{self.number}") as client:
                try:
                    await self._live(client)
                except (EOFError, ConnectionLost):
                    self.storm.unexpected.append(ErrorCode.NETWORK_EXCEPTION)
            await trio.sleep(self.chance.uniform(0, 1))

    async def _live(self, client: WireClient) -> None:
        """Until it leaves or crashes."""
        self.id = ""
        while True:
            with self._patience() as patience:
                generation = await self._join(client)
            if patience.cancelled_caught:
                self.storm.crashes += 1
                return
            if generation is None:
                continue
            while await self._beat(client, generation):
                self.storm.settled[self.number] = generation if self.storm.over else -1
                await trio.sleep(0.3)
                if not self.storm.over and self.chance.random() < 0.1:
                    await self._end(client)
                    return

    def _patience(self) -> trio.CancelScope:
        """Some crash while they wait for the others."""
        crashes = not self.storm.over and self.chance.random() < 0.1
        return trio.move_on_after(self.chance.uniform(0, 1) if crashes else 1e6)

    async def _join(self, client: WireClient) -> int | None:
        """The generation, once it has its assignment."""
        self.storm.joins += 1
        answer = await client.ask(join_request("storm", self.id, session_timeout_ms=SESSION_MS), 5)
        code = self.storm.code(answer.error_code)
        if code is not ErrorCode.NONE:
            self.id = answer.member_id if code is ErrorCode.MEMBER_ID_REQUIRED else ""
            return None
        self.id, generation = answer.member_id, answer.generation_id
        assert self.storm.leaders.setdefault(generation, answer.leader) == answer.leader, "two leaders of a generation"
        assigned = [
            SyncGroupRequestAssignment(member_id=member.member_id, assignment=json.dumps(number == 0).encode())
            for number, member in enumerate(answer.members)
        ]
        sync = SyncGroupRequest(group_id="storm", generation_id=generation, member_id=self.id, assignments=assigned)
        synced = await client.ask(sync, 3)
        if self.storm.code(synced.error_code) is not ErrorCode.NONE:
            return None
        if json.loads(synced.assignment):
            self.storm.owners.setdefault(generation, set()).add(self.id)
            await self._commit(client, generation)
        return int(generation)

    async def _commit(self, client: WireClient, generation: int) -> None:
        row = OffsetCommitRequestPartition(committed_offset=generation)
        topics = [OffsetCommitRequestTopic(name="storm", partitions=[row])]
        asked = OffsetCommitRequest(
            group_id="storm", generation_id_or_member_epoch=generation, member_id=self.id, topics=topics
        )
        answer = await client.ask(asked, 5)
        if self.storm.code(answer.topics[0].partitions[0].error_code) is ErrorCode.NONE:
            assert generation >= self.storm.committed, "a generation of the past committed"
            self.storm.committed = generation

    async def _beat(self, client: WireClient, generation: int) -> bool:
        beat = HeartbeatRequest(group_id="storm", generation_id=generation, member_id=self.id)
        code = self.storm.code((await client.ask(beat, 3)).error_code)
        if code is ErrorCode.UNKNOWN_MEMBER_ID:
            self.id = ""
        return code is ErrorCode.NONE

    async def _end(self, client: WireClient) -> None:
        if self.chance.random() < 0.5:
            self.storm.crashes += 1
            return
        self.storm.leaves += 1
        await client.ask(LeaveGroupRequest(group_id="storm", member_id=self.id), 2)


@pytest.mark.campaign
async def test_a_hundred_members_join_leave_and_crash(own_broker: BrokerProcess) -> None:
    storm = Storm(own_broker.port)
    async with trio.open_nursery() as nursery:
        with WireClient(SocketStream(socket.create_connection(("127.0.0.1", storm.port)))) as observer:
            await prepare(observer)
            for number in range(MEMBERS):
                nursery.start_soon(Member(number, storm).run)
            await trio.sleep(STORM_S)
            storm.over = True
            storm.settled.clear()
            began = trio.current_time()
            with trio.fail_after(STABLE_WITHIN_S):
                while not is_stable(storm):  # noqa: ASYNC110 - as a watcher from outside would
                    await trio.sleep(0.1)
            took = trio.current_time() - began
            committed = await committed_offset(observer)
        nursery.cancel_scope.cancel()
    print(
        f"\n{storm.joins} joins, {storm.leaves} left, {storm.crashes} crashed, {len(storm.leaders)} generations; "
        f"stable after {took:.1f} s in generation {max(storm.leaders)}"
    )
    assert storm.unexpected == []
    assert storm.crashes > 20
    assert storm.leaves > 10
    assert all(len(owners) == 1 for owners in storm.owners.values()), "a partition with two owners"
    assert committed == storm.committed


def is_stable(storm: Storm) -> bool:
    """All of them beat in the newest generation."""
    return len(storm.settled) == MEMBERS and set(storm.settled.values()) == {max(storm.leaders)}


async def prepare(client: WireClient) -> None:
    """The topic, and the group's coordinator, are there."""
    await client.ask(MetadataRequest(topics=[MetadataRequestTopic(name="storm")]), 4)
    with trio.fail_after(20):
        while (await client.ask(FindCoordinatorRequest(key="storm"), 2)).error_code:  # noqa: ASYNC110
            await trio.sleep(0.1)


async def committed_offset(client: WireClient) -> int:
    topics = [OffsetFetchRequestTopic(name="storm", partition_indexes=[0])]
    answer: Any = await client.ask(OffsetFetchRequest(group_id="storm", topics=topics), 5)
    return int(answer.topics[0].partitions[0].committed_offset)
