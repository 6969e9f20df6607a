"""One group of the classic protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup, and the offsets it commits.

`handle` decides and `apply` believes a record, just written or read back: after a restart the group is what its records
say. What lies between two records (who waits, who was invited, a generation not yet assigned) is lost then, and the
members join again.
Source: KIP-62, KIP-134, KIP-345, KIP-394, KIP-814; GroupCoordinator of Kafka 3.9 and 4.3.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coordinator.groups.committing import Committing
from coordinator.groups.effects import (
    CancelTimer,
    Committed,
    Described,
    DescribedMember,
    Done,
    Effect,
    Left,
    Refused,
    Reply,
    SetTimer,
    Synced,
)
from coordinator.groups.events import (
    EXPIRY,
    Commit,
    Delete,
    DeleteOffsets,
    Describe,
    Event,
    FetchOffsets,
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
from coordinator.groups.joining import Joining
from coordinator.groups.rebalance import State
from coordinator.groups.records import Key, Value
from kproto.errors import ApiError, ErrorCode
from kproto.messages.internal_topics import GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue


@dataclass(slots=True)
class ClassicGroup(Joining, Committing):
    """A group, from its first JoinGroup or offset to its last tombstone; before and after it is DEAD."""

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """What to do about `event`, in order; who is refused has changed nothing."""
        self.now_ms = now_ms
        try:
            return list(self.decide(event))
        except ApiError as no:
            return [Reply(event.reply_to, Refused(no.code))]

    def decide(self, event: Event) -> Iterator[Effect]:
        match event:
            case Join():
                return self.join(event)
            case Sync():
                return self.sync(event)
            case Heartbeat():
                return self.heartbeat(event)
            case Leave():
                return self.leave(event)
            case Commit():
                return self.commit(event)
            case FetchOffsets():
                return iter([Reply(event.reply_to, Committed(self.offsets.of(event.partitions)))])
            case Describe():
                return iter([Reply(event.reply_to, self.described())])
            case Delete():
                return self.delete(event)
            case DeleteOffsets():
                return self.delete_offsets(event)
            case TopicDeleted():
                return map(self.forget, self.offsets.of_topic(event.topic, event.topic_id))
            case TimerFired():
                return self.timer_fired(event.timer)
        raise AssertionError(event)

    def apply(self, key: Key, value: Value) -> None:
        """Believe a record."""
        match key, value:
            case OffsetCommitKey(), (OffsetCommitValue() | None):
                self.offsets.take((key.topic, key.partition), value)
                if self.state is State.DEAD and self.offsets:
                    self.state = State.EMPTY
            case GroupMetadataKey(), GroupMetadataValue():
                self.state = State.STABLE if value.members else State.EMPTY
                self.since_ms = value.current_state_timestamp
                self.generation = value.generation
                self.protocol_type, self.protocol = value.protocol_type, value.protocol or ""
                self.leader = value.leader or ""
                self.members.take(value.members, self.protocol)
            case GroupMetadataKey(), None:
                self.state = State.DEAD

    def resume(self) -> list[Effect]:
        """After the last record was read back: every session begins anew."""
        effects: list[Effect] = [SetTimer(EXPIRY, self.rules.expiry_interval_ms), *map(self.session_of, self.members)]
        if len(self.members) > self.rules.max_size:
            effects += self.prepare()
        return effects

    @property
    def is_gone(self) -> bool:
        """Nothing is left that anybody could ask for."""
        blank = self.generation == 0 and not self.members.invited and not self.offsets
        return self.state is State.DEAD or (self.state is State.EMPTY and blank)

    def sync(self, sync: Sync) -> Iterator[Effect]:
        member = self.members.known(sync.member_id, sync.instance_id)
        self.must_be_current(sync.generation)
        if sync.protocol_type not in (None, self.protocol_type) or sync.protocol not in (None, self.protocol):
            raise ApiError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
        if self.state is State.PREPARING:
            raise ApiError(ErrorCode.REBALANCE_IN_PROGRESS)
        yield from self.heard_sync_of(member)
        if self.state is State.STABLE:
            yield Reply(sync.reply_to, Synced(self.protocol_type, self.protocol, member.assignment))
            return
        if member.syncing is not None:
            yield Reply(member.syncing, Refused(ErrorCode.REBALANCE_IN_PROGRESS))
        member.syncing = sync.reply_to
        if member.id == self.leader:
            yield from self.assign(sync.assignments)

    def assign(self, assignments: Mapping[str, bytes]) -> Iterator[Effect]:
        """The leader has spoken: with this record the generation is durable, and those who waited are told."""
        yield self.stable(assignments)
        for member in self.members:
            if member.syncing is not None:
                assignment = assignments.get(member.id, b"")
                yield Reply(member.syncing, Synced(self.protocol_type, self.protocol, assignment))
                member.syncing = None
                yield self.session_of(member)

    def heartbeat(self, heartbeat: Heartbeat) -> Iterator[Effect]:
        member = self.members.known(heartbeat.member_id, heartbeat.instance_id)
        self.must_be_current(heartbeat.generation)
        yield self.session_of(member)
        rebalancing = self.state is State.PREPARING
        yield Reply(heartbeat.reply_to, Refused(ErrorCode.REBALANCE_IN_PROGRESS) if rebalancing else Done())

    def leave(self, leave: Leave) -> Iterator[Effect]:
        """Each leaver is answered for itself; one rebalance for all of them."""
        codes = []
        before = len(self.members)
        for leaver in leave.members:
            try:
                yield from self.leave_one(leaver)
                codes.append(ErrorCode.NONE)
            except ApiError as no:
                codes.append(no.code)
        if len(self.members) < before or self.state is State.PREPARING:
            yield from self.after_loss()
        yield Reply(leave.reply_to, Left(codes))

    def leave_one(self, leaver: Leaver) -> Iterator[Effect]:
        if leaver.member_id in self.members.invited:
            self.members.invited.discard(leaver.member_id)
            return iter([CancelTimer(Timer(TimerKind.SESSION, leaver.member_id))])
        if not leaver.member_id and leaver.instance_id in self.members.by_instance:
            return self.remove(self.members.by_instance[leaver.instance_id])
        return self.remove(self.members.known(leaver.member_id, leaver.instance_id))

    def timer_fired(self, timer: Timer) -> Iterator[Effect]:
        """A timer may come late, when what it was for is over."""
        match timer.kind, self.state:
            case TimerKind.SESSION, _:
                return self.session_is_over(timer.member_id)
            case TimerKind.JOIN, State.PREPARING:
                return self.join_time_is_up()
            case TimerKind.SYNC, (State.COMPLETING | State.STABLE) if self.yet_to_sync:
                return self.sync_time_is_up()
            case TimerKind.EXPIRY, _ if self.state is not State.DEAD:
                return self.expire()
        return iter(())

    def session_is_over(self, member_id: str) -> Iterator[Effect]:
        """Who waits for an answer sends no heartbeat and lives on, unless it is new: its client may be long gone."""
        member = self.members.by_id.get(member_id)
        if member is None:
            self.members.invited.discard(member_id)
            yield from self.complete_if_all_joined()
        elif member.is_new or (member.joining is None and member.syncing is None):
            yield from self.remove(member)
            yield from self.after_loss()

    def described(self) -> Described:
        protocol = self.protocol if self.state is State.STABLE else ""
        members = (
            DescribedMember(m.id, m.instance_id, m.client_id, m.client_host, m.metadata(protocol), m.assignment)
            for m in self.members
        )
        return Described(self.state.value, self.protocol_type, protocol, tuple(members))
