"""Many groups: they come with what they leave, go with their last record, and are what the log says."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coordinator.groups.coordinator import GroupCoordinator
from coordinator.groups.effects import Append, Effect, Joined, Refused, Reply, SetTimer
from coordinator.groups.events import (
    EXPIRY,
    JOIN,
    SYNC,
    Commit,
    Delete,
    DeleteOffsets,
    Event,
    Heartbeat,
    Join,
    Leave,
    Leaver,
    Sync,
    Timer,
    TimerFired,
    TimerKind,
    TopicDeleted,
)
from coordinator.groups.rebalance import State
from coordinator.groups.records import read_record, record_bytes
from coordinator.groups.rules import Rules
from kproto.errors import ErrorCode
from kproto.messages.internal_topics import OffsetCommitValue

RANGE = (("range", b"topics"),)
RULES = Rules(initial_delay_ms=0, retention_ms=50, expiry_interval_ms=7)


def tell(coordinator: GroupCoordinator, group_id: str, event: Event, now_ms: int = 0) -> list[Effect]:
    effects = coordinator.handle(group_id, event, now_ms)
    for effect in effects:
        if isinstance(effect, Append):
            coordinator.apply(effect.key, effect.value)
    return effects


def test_question_about_a_group_that_is_not_there_leaves_nothing() -> None:
    """Names that clients make up cost no memory."""
    coordinator = GroupCoordinator(RULES)
    tell(coordinator, "g", Heartbeat("a", 1, reply_to=1))
    tell(coordinator, "g", Join("a", RANGE, reply_to=1))
    tell(coordinator, "g", TimerFired(EXPIRY))
    assert coordinator.groups == {}


def test_group_comes_with_its_first_member_and_looks_after_its_offsets() -> None:
    coordinator = GroupCoordinator(RULES)
    effects = tell(coordinator, "g", Join("", RANGE, fresh_id="a", reply_to=1))
    assert effects[-1] == SetTimer(EXPIRY, 7)
    assert list(coordinator.groups) == ["g"]


def test_group_goes_with_its_last_record() -> None:
    coordinator = GroupCoordinator(RULES)
    tell(coordinator, "g", Commit({("t", 0): OffsetCommitValue()}, reply_to=1))
    tell(coordinator, "g", Delete(reply_to=2))
    assert coordinator.groups == {}


def test_id_given_out_in_vain_does_not_keep_a_group() -> None:
    coordinator = GroupCoordinator(RULES)
    tell(coordinator, "g", Join("", RANGE, fresh_id="a", needs_known_id=True, reply_to=1))
    assert list(coordinator.groups) == ["g"]
    tell(coordinator, "g", TimerFired(Timer(TimerKind.SESSION, "a")))
    assert coordinator.groups == {}


def test_groups_with_offsets_of_a_topic_are_found() -> None:
    coordinator = GroupCoordinator(RULES)
    tell(coordinator, "g", Commit({("t", 0): OffsetCommitValue()}))
    tell(coordinator, "h", Commit({("u", 0): OffsetCommitValue()}))
    assert coordinator.with_offsets_of("t") == ["g"]


NAMES = st.sampled_from(["a", "b", "c"])
INSTANCES = st.sampled_from([None, None, "I", "J"])
PROTOCOLS = st.sampled_from([RANGE, (("sticky", b""), *RANGE), (*RANGE, ("sticky", b"")), (("sticky", b""),)])
GENERATION_IS_OFF_BY = st.sampled_from([0, 0, 0, -1, 1])


class AnyClients(RuleBasedStateMachine):
    """Clients that do whatever the protocol lets them, and a restart now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.coordinator = GroupCoordinator(RULES)
        self.log: list[tuple[bytes, bytes | None]] = []
        self.now_ms = 1_000
        self.asked = 0
        self.waiting: set[int] = set()
        self.ids: list[str] = ["made up"]
        self.highest_generation = 0
        self.committed: dict[Any, int] = {}

    @property
    def generation(self) -> int:
        group = self.coordinator.groups.get("g")
        return group.generation if group else 0

    def tell(self, event: Event) -> list[Effect]:
        asks = not isinstance(event, TimerFired | TopicDeleted)
        if asks:
            self.asked += 1
            self.waiting.add(self.asked)
            event.reply_to = self.asked
        effects = self.coordinator.handle("g", event, self.now_ms)
        for effect in effects:
            if isinstance(effect, Append):
                self.coordinator.apply(effect.key, effect.value)
                self.log.append(record_bytes(effect.key, effect.value))
            elif isinstance(effect, Reply):
                assert effect.to in self.waiting, "answered twice, or nobody asked"
                self.waiting.discard(effect.to)
                if isinstance(effect.answer, Joined):
                    self.ids.append(effect.answer.member_id)
        return effects

    @rule(instance=INSTANCES, protocols=PROTOCOLS, needs_known_id=st.booleans(), may_skip=st.booleans())
    def somebody_new_joins(self, instance: str | None, protocols: Any, needs_known_id: bool, may_skip: bool) -> None:
        fresh_id = f"m{self.asked}"
        effects = self.tell(
            Join(
                "",
                protocols,
                instance_id=instance,
                fresh_id=fresh_id,
                needs_known_id=needs_known_id,
                may_skip=may_skip,
            )
        )
        if any(isinstance(e, Reply) and e.answer == Refused(ErrorCode.MEMBER_ID_REQUIRED, fresh_id) for e in effects):
            self.ids.append(fresh_id)

    @rule(data=st.data(), instance=INSTANCES, protocols=PROTOCOLS)
    def somebody_joins_again(self, data: Any, instance: str | None, protocols: Any) -> None:
        self.tell(Join(data.draw(st.sampled_from(self.ids)), protocols, instance_id=instance))

    @rule(data=st.data(), off=GENERATION_IS_OFF_BY, instance=INSTANCES)
    def somebody_syncs(self, data: Any, off: int, instance: str | None) -> None:
        member = data.draw(st.sampled_from(self.ids))
        assignments = {each: each.encode() for each in self.ids}
        self.tell(Sync(member, self.generation + off, assignments, instance))

    @rule(data=st.data(), off=GENERATION_IS_OFF_BY)
    def somebody_beats(self, data: Any, off: int) -> None:
        self.tell(Heartbeat(data.draw(st.sampled_from(self.ids)), self.generation + off))

    @rule(data=st.data(), instance=INSTANCES)
    def somebody_leaves(self, data: Any, instance: str | None) -> None:
        self.tell(Leave([Leaver(data.draw(st.sampled_from([*self.ids, ""])), instance)]))

    @rule(data=st.data(), off=GENERATION_IS_OFF_BY, offset=st.integers(0, 99), topic=st.sampled_from("tu"))
    def a_member_commits(self, data: Any, off: int, offset: int, topic: str) -> None:
        member = data.draw(st.sampled_from(self.ids))
        self.commit(Commit({(topic, 0): self.offset(offset)}, member, self.generation + off))

    @rule(offset=st.integers(0, 99), topic=st.sampled_from("tu"))
    def an_outsider_commits(self, offset: int, topic: str) -> None:
        self.commit(Commit({(topic, 0): self.offset(offset)}))

    def offset(self, offset: int) -> OffsetCommitValue:
        return OffsetCommitValue(offset=offset, commit_timestamp=self.now_ms)

    def commit(self, event: Commit) -> None:
        if not any(isinstance(effect, Reply) and isinstance(effect.answer, Refused) for effect in self.tell(event)):
            self.committed.update({partition: value.offset for partition, value in event.offsets.items()})

    @rule(data=st.data())
    def a_timer_fires(self, data: Any) -> None:
        timers = [JOIN, SYNC, EXPIRY, *(Timer(TimerKind.SESSION, each) for each in self.ids)]
        self.tell(TimerFired(data.draw(st.sampled_from(timers))))
        self.expired_is_gone()

    @rule(ms=st.integers(1, 40))
    def time_goes_by(self, ms: int) -> None:
        self.now_ms += ms

    @rule()
    def somebody_deletes_the_group(self) -> None:
        self.tell(Delete())
        self.expired_is_gone()

    @rule(topic=st.sampled_from("tu"))
    def somebody_deletes_offsets(self, topic: str) -> None:
        self.tell(DeleteOffsets([(topic, 0), (topic, 1)]))
        self.expired_is_gone()

    @rule()
    def a_topic_is_deleted(self) -> None:
        self.tell(TopicDeleted("t", UUID(int=1)))
        self.committed.pop(("t", 0), None)

    def expired_is_gone(self) -> None:
        """Tombstones take offsets away, and nothing else does."""
        group = self.coordinator.groups.get("g")
        left = group.offsets.committed if group else {}
        for partition in [each for each in self.committed if each not in left]:
            del self.committed[partition]

    def replayed(self) -> GroupCoordinator:
        fresh = GroupCoordinator(RULES)
        for key, value in self.log:
            record = read_record(key, value)
            assert record is not None
            fresh.apply(*record)
        return fresh

    @rule()
    def the_broker_restarts(self) -> None:
        """Whoever waited has lost its connection; a generation that was not assigned yet may be numbered again."""
        self.coordinator = self.replayed()
        self.waiting.clear()
        for _group_id, effects in self.coordinator.resume():
            assert not any(isinstance(effect, Reply | Append) for effect in effects)
        self.highest_generation = self.generation

    @invariant()
    def generations_only_grow(self) -> None:
        if "g" in self.coordinator.groups:
            assert self.generation >= self.highest_generation
        self.highest_generation = self.generation

    @invariant()
    def at_most_one_member_leads(self) -> None:
        for group in self.coordinator.groups.values():
            if group.members:
                assert group.leader in group.members.by_id
            assert group.yet_to_sync <= set(group.members.by_id)
            assert {m.instance_id for m in group.members if m.instance_id} == set(group.members.by_instance)

    @invariant()
    def offsets_never_move_without_a_commit(self) -> None:
        group = self.coordinator.groups.get("g")
        offsets = group.offsets.committed if group else {}
        assert {partition: value.offset for partition, value in offsets.items()} == self.committed

    @invariant()
    def only_those_wait_whom_the_group_knows(self) -> None:
        """Nobody is forgotten: each question is answered or on a member."""
        group = self.coordinator.groups.get("g")
        parked = {w for m in group.members for w in (m.joining, m.syncing) if w is not None} if group else set()
        assert parked == self.waiting

    @invariant()
    def the_log_says_what_the_group_is(self) -> None:
        group, read = self.coordinator.groups.get("g"), self.replayed().groups.get("g")
        if group is None or group.state not in (State.EMPTY, State.STABLE):
            return  # between two records
        if read is None:
            assert group.generation == 0
            assert not group.offsets
            return
        assert (read.state, read.generation) == (group.state, group.generation)
        assert (read.protocol_type, read.protocol) == (group.protocol_type, group.protocol)
        assert read.offsets == group.offsets
        assert [durable(m, group.protocol) for m in read.members] == [durable(m, group.protocol) for m in group.members]
        if group.members:
            assert read.leader == group.leader


def durable(member: Any, protocol: str) -> Any:
    """What a record says of a member."""
    known = ((protocol, member.metadata(protocol)),)
    return replace(member, protocols=known, joining=None, syncing=None, is_new=False)


TestAnyClients = AnyClients.TestCase
TestAnyClients.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
