"""The coordinator over a log in memory: what is safe, what fails, what a restart gives back."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import trio
from trio.testing import MockClock

from broker.clock import Chance, SetClock
from broker.coordinator_runtime.groups import TOPIC, Groups
from broker.coordinator_runtime.shards import GroupAnswer
from broker.purgatory import WaitingRoom
from coordinator.groups.effects import Committed, Described, Done, Joined, Refused, Synced
from coordinator.groups.events import Commit, Delete, Describe, Event, FetchOffsets, Heartbeat, Join, Sync
from coordinator.groups.records import record_bytes
from kproto.errors import ApiError, ErrorCode
from kproto.messages.internal_topics import OffsetCommitKey, OffsetCommitValue
from kproto.records.batch import build_batch
from kproto.records.compression import Codec
from kproto.records.control import EndTxnMarker, MarkerType, build_marker
from kproto.records.legacy import build_message_set
from kproto.records.record import Record
from kproto.records.stored import read_stored_header

T0 = ("t", 0)


class MemoryLog:
    """One partition; `hold` keeps the high watermark where it is, `refusal` says no to every append."""

    topic = TOPIC

    def __init__(self, index: int = 0) -> None:
        self.index = index
        self.leads_on = True
        self.batches: list[bytes] = []
        self.start_offset = 0
        self.end_offset = 0
        self.safe_offset = 0
        self.hold = False
        self.refusal: ErrorCode | None = None
        self.refuses_at_append_only = False
        self.moved = WaitingRoom()
        self.reads = 0

    def must_lead(self) -> None:
        if not self.leads_on:
            raise ApiError(ErrorCode.NOT_LEADER_OR_FOLLOWER)

    def must_take_appends(self) -> None:
        self.must_lead()
        if self.refusal is not None and not self.refuses_at_append_only:
            raise ApiError(self.refusal)

    def append(self, records: Sequence[Record]) -> int:
        self.must_lead()
        if self.refusal is not None:
            raise ApiError(self.refusal)
        self.batches.append(build_batch(records, base_offset=self.end_offset))
        self.end_offset += len(records)
        if not self.hold:
            self.safe_offset = self.end_offset
        return self.end_offset

    def is_safe(self, end_offset: int) -> bool:
        return self.leads_on and end_offset <= self.safe_offset

    async def read(self, offset: int, max_bytes: int) -> bytes:
        self.reads += 1
        await trio.lowlevel.checkpoint()
        at = next(n for n, batch in enumerate(self.batches) if read_stored_header(batch).next_offset > offset)
        return b"".join(self.batches[at : at + 2])

    def let_go(self) -> None:
        """The followers have everything."""
        self.hold, self.safe_offset = False, self.end_offset
        self.moved.grow(1)


@dataclass
class Internal:
    """The topic has this many partitions; other topics come and go."""

    partitions: int = 1
    others: dict[str, UUID] = field(default_factory=dict)
    topics_changed: WaitingRoom = field(default_factory=WaitingRoom)

    def count(self, topic: str) -> int:
        return self.partitions if topic == TOPIC else 0

    def open(self, replica: MemoryLog) -> MemoryLog:
        return replica

    def topics(self) -> Mapping[str, UUID]:
        return self.others


@dataclass
class Settings:
    group_initial_rebalance_delay_ms: int = 0
    group_max_size: int = 100
    offsets_retention_minutes: int = 1
    offsets_retention_check_interval_ms: int = 600_000


@dataclass
class Rig:
    groups: Groups[MemoryLog]
    internal: Internal
    log: MemoryLog
    clock: SetClock

    def tell(self, event: Event, group_id: str = "g") -> GroupAnswer:
        return self.groups.tell(group_id, event)

    def answer(self, event: Event, group_id: str = "g") -> Any:
        """The value that must be there at once."""
        answer = self.tell(event, group_id)
        assert answer.woken
        return answer.value

    def refusal(self, event: Event) -> ErrorCode:
        with pytest.raises(ApiError) as no:
            self.tell(event)
        return no.value.code


@asynccontextmanager
async def rig(
    log: MemoryLog | None = None, partitions: int = 1, settings: Settings | None = None
) -> AsyncIterator[Rig]:
    internal, clock, log = Internal(partitions), SetClock(), log or MemoryLog()
    groups: Groups[MemoryLog] = Groups(internal, settings or Settings(), clock, Chance(1))
    async with trio.open_nursery() as nursery:
        await nursery.start(groups.run)
        groups.leadership_changed(log)
        yield Rig(groups, internal, log, clock)
        nursery.cancel_scope.cancel()


def join(member_id: str = "", fresh_id: str = "a", **more: Any) -> Join:
    return Join(member_id, (("range", b"topics"),), fresh_id=fresh_id, **more)


def commit(offset: int, **more: Any) -> Commit:
    return Commit({T0: OffsetCommitValue(offset=offset, commit_timestamp=0)}, **more)


async def stable(at: Rig) -> None:
    assert isinstance(at.answer(join()), Joined)
    assert isinstance(at.answer(Sync("a", 1, {"a": b"all"})), Synced)


async def test_group_of_one_is_stable_at_once(autojump_clock: MockClock) -> None:
    async with rig() as at:
        await stable(at)
        assert at.answer(Heartbeat("a", 1)) == Done()
        assert len(at.log.batches) == 1


async def test_fifty_empty_partitions_are_ready_without_a_read(autojump_clock: MockClock) -> None:
    """A fresh broker answers the first JoinGroup at once."""
    async with rig(partitions=50) as at:
        logs = [MemoryLog(index) for index in range(1, 50)]
        for log in logs:
            at.groups.leadership_changed(log)
        for number in range(100):
            assert isinstance(at.answer(join(), f"group {number}"), Joined)
        assert sum(log.reads for log in logs) == 0


async def test_answer_waits_until_all_it_has_seen_is_safe(autojump_clock: MockClock) -> None:
    """Also an answer to a question: what it tells must survive the loss of this broker."""
    async with rig() as at:
        assert at.answer(commit(1)) == Done()
        at.log.hold = True
        committed, asked = at.tell(commit(2)), at.tell(FetchOffsets())
        assert not committed.woken
        assert not asked.woken
        at.log.let_go()
        assert committed.value == Done()
        assert asked.value == Committed({T0: OffsetCommitValue(offset=2, commit_timestamp=0)})
        assert not at.log.moved.waiters


async def test_answers_leave_in_order_as_the_high_watermark_moves(autojump_clock: MockClock) -> None:
    async with rig() as at:
        at.log.hold = True
        first, second = at.tell(commit(1)), at.tell(commit(2))
        at.log.safe_offset = 1
        at.log.moved.grow(1)
        assert (first.woken, second.woken) == (True, False)
        at.log.let_go()
        assert second.woken


async def test_sessions_live_on_while_answers_wait(autojump_clock: MockClock) -> None:
    """A slow follower must not cost anybody its membership."""
    async with rig() as at:
        await stable(at)
        at.log.hold = True
        at.tell(commit(1, member_id="a", generation=1))
        for _ in range(5):
            await trio.sleep(8)
            at.tell(Heartbeat("a", 1))
        at.log.let_go()
        assert at.answer(Describe()).state == "Stable"


async def test_member_that_is_silent_is_removed_by_its_timer(autojump_clock: MockClock) -> None:
    async with rig() as at:
        await stable(at)
        await trio.sleep(9.9)
        assert at.answer(Describe()).state == "Stable"
        await trio.sleep(0.2)
        assert at.answer(Describe()).state == "Empty"


async def test_restart_gives_groups_offsets_and_sessions_back(autojump_clock: MockClock) -> None:
    log = MemoryLog()
    async with rig(log) as at:
        await stable(at)
        at.answer(commit(7, member_id="a", generation=1))
    async with rig(log) as at:
        assert at.refusal(Heartbeat("a", 1)) is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
        with pytest.raises(ApiError):
            at.groups.every()
        await trio.sleep(0.1)
        assert [group.group_id for group in at.groups.every()] == ["g"]
        assert at.answer(Heartbeat("a", 1)) == Done()
        assert at.answer(FetchOffsets()).offsets[T0].offset == 7
        await trio.sleep(11)
        assert at.answer(Describe()).state == "Empty"


async def test_restart_after_many_records_reads_all_of_them(autojump_clock: MockClock) -> None:
    log = MemoryLog()
    async with rig(log) as at:
        for offset in range(500):
            at.answer(commit(offset), f"group {offset % 50}")
        at.answer(Delete(), "group 7")
    async with rig(log) as at:
        await trio.sleep(5)
        assert len(at.groups.every()) == 49
        assert at.answer(FetchOffsets(), "group 49").offsets[T0].offset == 499
        assert log.reads > 100


async def test_records_that_nobody_understands_are_passed_over(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    log = MemoryLog()
    log.append([Record(key=b"\0\1x", value=b""), Record(key=b"\x7f\0", value=b"new"), Record(key=None, value=b"")])
    async with rig(log) as at:
        await trio.sleep(0.1)
        assert at.answer(Describe()) == Described("Dead", "", "", ())
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_offsets_of_a_transaction_count_once_it_is_committed(autojump_clock: MockClock) -> None:
    """As a broker of Kafka leaves them in the topic (TxnOffsetCommit); also compressed, in magic 1."""
    log = MemoryLog()

    def offset_record(group: str, offset: int) -> Record:
        value = OffsetCommitValue(offset=offset, commit_timestamp=0)
        key, written = record_bytes(OffsetCommitKey(group=group, topic="t", partition=0), value)
        return Record(log.end_offset, 0, key, written)

    def put(batch: bytes) -> None:
        log.batches.append(batch)
        log.end_offset = log.safe_offset = log.end_offset + 1

    def in_transaction(group: str, offset: int, producer_id: int) -> None:
        records = [offset_record(group, offset)]
        put(build_batch(records, base_offset=log.end_offset, producer_id=producer_id, transactional=True))

    def end(kind: MarkerType, producer_id: int) -> None:
        marker = EndTxnMarker(kind, 0)
        ids = {"producer_id": producer_id, "producer_epoch": 0}
        put(build_marker(marker, **ids, timestamp_ms=0, base_offset=log.end_offset))

    put(build_message_set([offset_record("old", 11)], 1, codec=Codec.GZIP))
    in_transaction("committed", 12, 7)
    in_transaction("aborted", 13, 8)
    in_transaction("open", 14, 9)
    end(MarkerType.ABORT, 8)
    end(MarkerType.COMMIT, 7)
    async with rig(log) as at:
        await trio.sleep(0.1)
        found = {group: at.answer(FetchOffsets(), group).offsets for group in ("old", "committed", "aborted", "open")}
        told = {group: offsets[T0].offset for group, offsets in found.items() if T0 in offsets}
        assert told == {"old": 11, "committed": 12}


async def test_partition_that_cannot_be_read_refuses_and_the_others_serve(autojump_clock: MockClock) -> None:
    log = MemoryLog()
    log.append([Record(key=b"k")])
    log.batches[0] = log.batches[0][:40] + b"\xff" * 40
    async with rig(log) as at:
        await trio.sleep(0.1)
        assert at.refusal(Describe()) is ErrorCode.COORDINATOR_NOT_AVAILABLE
        assert at.groups.every() == []


async def test_too_few_replicas_refuse_what_may_write_and_answer_the_rest(autojump_clock: MockClock) -> None:
    async with rig() as at:
        await stable(at)
        at.log.refusal = ErrorCode.NOT_ENOUGH_REPLICAS
        assert at.refusal(commit(1, member_id="a", generation=1)) is ErrorCode.COORDINATOR_NOT_AVAILABLE
        assert at.answer(Heartbeat("a", 1)) == Done()


async def test_timer_that_may_not_write_comes_back(autojump_clock: MockClock) -> None:
    async with rig() as at:
        await stable(at)
        at.log.refusal = ErrorCode.NOT_ENOUGH_REPLICAS
        await trio.sleep(30)
        assert at.answer(Describe()).state == "Stable"
        at.log.refusal = None
        await trio.sleep(1.5)
        assert at.answer(Describe()).state == "Empty"


async def test_commit_whose_write_fails_is_refused_and_nothing_else_happens(autojump_clock: MockClock) -> None:
    async with rig() as at:
        assert at.answer(commit(1)) == Done()
        waiting = at.tell(join(fresh_id="x", rebalance_timeout_ms=1), "other")
        at.log.refusal, at.log.refuses_at_append_only = ErrorCode.KAFKA_STORAGE_ERROR, True
        assert at.answer(commit(2)) == Refused(ErrorCode.NOT_COORDINATOR)
        at.log.refusal = None
        assert at.answer(FetchOffsets()).offsets[T0].offset == 1
        assert isinstance(waiting.value, Joined)


async def test_write_that_fails_in_a_rebalance_refuses_all_and_reads_the_truth_back(autojump_clock: MockClock) -> None:
    """Memory must never be ahead of the log."""
    async with rig() as at:
        await stable(at)
        newcomer = at.tell(join(fresh_id="b"))
        assert not newcomer.woken
        rejoined = at.answer(join("a"))
        assert rejoined.generation == 2
        assert isinstance(newcomer.value, Joined)
        parked = at.tell(Sync("b", 2))
        at.log.refusal, at.log.refuses_at_append_only = ErrorCode.NOT_ENOUGH_REPLICAS, True
        assert at.answer(Sync("a", 2, {"a": b"", "b": b""})) == Refused(ErrorCode.COORDINATOR_NOT_AVAILABLE)
        assert parked.value == Refused(ErrorCode.COORDINATOR_NOT_AVAILABLE)
        at.log.refusal = None
        assert at.refusal(Heartbeat("a", 1)) is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
        await trio.sleep(0.1)
        assert at.answer(Heartbeat("a", 1)) == Done()
        assert at.answer(Heartbeat("b", 2)) == Refused(ErrorCode.UNKNOWN_MEMBER_ID)


async def test_lost_leadership_refuses_everybody_and_the_next_leader_reads_on(autojump_clock: MockClock) -> None:
    async with rig() as at:
        await stable(at)
        at.log.hold = True
        parked, waiting = at.tell(commit(1, member_id="a", generation=1)), at.tell(join(fresh_id="b"))
        at.log.leads_on = False
        at.groups.leadership_changed(at.log)
        assert parked.value == waiting.value == Refused(ErrorCode.NOT_COORDINATOR)
        assert at.refusal(Heartbeat("a", 1)) is ErrorCode.NOT_COORDINATOR
        at.log.leads_on = True
        at.groups.leadership_changed(at.log)
        at.groups.leadership_changed(at.log)
        await trio.sleep(0.1)
        parked = at.tell(Heartbeat("a", 1))
        at.log.let_go()
        assert parked.value == Done()


async def test_broken_disk_refuses_those_who_wait_for_it(autojump_clock: MockClock) -> None:
    """The partition wakes everybody when it fails; nothing more will become safe here."""
    async with rig() as at:
        at.log.hold = True
        parked = at.tell(commit(1))
        at.log.leads_on = False
        at.log.moved.wake_all()
        assert parked.value == Refused(ErrorCode.NOT_COORDINATOR)


async def test_lead_that_is_lost_while_loading_ends_it(autojump_clock: MockClock) -> None:
    log = MemoryLog()
    async with rig(log) as at:
        await stable(at)
    async with rig(log) as at:
        log.leads_on = False
        at.groups.leadership_changed(log)
        await trio.sleep(0.1)
        assert at.refusal(Describe()) is ErrorCode.NOT_COORDINATOR


async def test_without_the_topic_nobody_coordinates(autojump_clock: MockClock) -> None:
    async with rig(partitions=0) as at:
        assert at.groups.partition_of("g") is None
        assert at.refusal(Describe()) is ErrorCode.NOT_COORDINATOR


async def test_other_topics_are_of_no_interest(autojump_clock: MockClock) -> None:
    other = MemoryLog(1)
    other.topic = "t"
    async with rig(partitions=2) as at:
        at.groups.leadership_changed(other)
        assert {at.groups.partition_of(f"{number}") for number in range(9)} == {0, 1}
        assert len(at.groups._shards) == 1


async def test_offsets_of_a_deleted_topic_are_forgotten(autojump_clock: MockClock) -> None:
    async with rig() as at:
        at.internal.others = {"t": UUID(int=1), "u": UUID(int=2)}
        at.internal.topics_changed.wake_all()
        await trio.sleep(0.1)
        at.answer(Commit({T0: OffsetCommitValue(topic_id=UUID(int=1)), ("u", 0): OffsetCommitValue()}))
        at.internal.others = {"t": UUID(int=3), "u": UUID(int=2)}
        at.internal.topics_changed.wake_all()
        await trio.sleep(0.1)
        assert set(at.answer(FetchOffsets()).offsets) == {("u", 0)}


async def test_offsets_expire_by_the_wall_clock(autojump_clock: MockClock) -> None:
    async with rig(settings=Settings(offsets_retention_check_interval_ms=10_000)) as at:
        at.answer(Commit({T0: OffsetCommitValue(commit_timestamp=at.clock.now_ms())}))
        await trio.sleep(65)
        assert at.answer(Describe()).state == "Empty"
        at.clock.advance(60_000)
        await trio.sleep(15)
        assert at.answer(Describe()).state == "Dead"
        assert at.groups.every() == []


async def test_bug_in_the_machine_is_loud_and_stays_in_its_partition(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    async with rig() as at:
        await stable(at)
        assert at.answer(Event()) == Refused(ErrorCode.UNKNOWN_SERVER_ERROR)
        await trio.sleep(0.1)
        assert at.answer(Heartbeat("a", 1)) == Done()
    assert [record.levelname for record in caplog.records if "bug" in record.message] == ["ERROR"]


async def test_work_goes_on_without_its_client_and_a_failure_is_only_its_own(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    async def fine() -> int:
        await trio.lowlevel.checkpoint()
        return 5

    async def broken() -> int:
        raise ValueError

    async with rig() as at:
        good, bad = at.groups.begin(fine), at.groups.begin(broken)
        await trio.sleep(0.1)
        assert (good.value, bad.woken, bad.value) == (5, True, None)
    with pytest.raises(ApiError):
        at.groups.begin(fine)


def test_member_ids_begin_with_the_client_and_never_repeat() -> None:
    groups: Groups[MemoryLog] = Groups(Internal(), Settings(), SetClock(), Chance(1))
    ids = {groups.fresh_member_id("consumer") for _ in range(9)}
    assert len(ids) == 9
    assert all(len(member_id) == len("consumer-") + 36 for member_id in ids)
