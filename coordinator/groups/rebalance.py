"""How a group gets from one generation to the next: everybody joins again, one leads, the leader assigns.

EMPTY and STABLE are what the log says; PREPARING and COMPLETING live between two of its records, and a restart forgets
them, so that the members join again. Methods that yield decide; whoever calls them passes the effects on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from coordinator.groups.effects import Append, CancelTimer, Effect, Joined, Listed, Refused, Reply, SetTimer
from coordinator.groups.events import JOIN, SYNC, Timer, TimerKind
from coordinator.groups.members import Member, Members
from coordinator.groups.rules import Rules
from kproto.errors import ApiError, ErrorCode
from kproto.messages.internal_topics import GroupMetadataKey, GroupMetadataValue, MemberMetadata


class State(Enum):
    """As Kafka spells them."""

    DEAD = "Dead"
    """There is no such group, or not yet."""
    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    """Waiting for JoinGroup of every member."""
    COMPLETING = "CompletingRebalance"
    """Waiting for the leader's SyncGroup, which has the assignment."""
    STABLE = "Stable"


NEW_MEMBER_MS = 300_000
"""A newcomer that waits for its first generation cannot send heartbeats; after this time it is asked to come again."""


@dataclass(slots=True)
class Rebalance:
    """Who is here, which generation it is, and who waits for what."""

    group_id: str
    rules: Rules
    state: State = State.DEAD
    generation: int = 0
    protocol_type: str = ""
    protocol: str = ""
    leader: str = ""
    members: Members = field(default_factory=Members)
    now_ms: int = field(default=0, repr=False)
    """Wall clock at the event that is being decided; for records only."""
    since_ms: int = -1
    """Wall clock when the group last became EMPTY or STABLE; -1: the log does not say."""
    yet_to_sync: set[str] = field(default_factory=set)
    gather_left_ms: int | None = None
    """While an empty group gathers its first members: how much longer it may be extended; else None."""
    newcomers: bool = False
    """Somebody joined since the gathering was last extended."""

    def prepare(self) -> Iterator[Effect]:
        """Everybody has to join again. An empty group gathers first: one rebalance for all who start now (KIP-134)."""
        yield from self.release_syncs(ErrorCode.REBALANCE_IN_PROGRESS)
        gathers = self.state in (State.DEAD, State.EMPTY) and self.rules.initial_delay_ms > 0
        self.state = State.PREPARING
        if gathers:
            self.newcomers = False
            self.gather_left_ms = max(self.members.rebalance_timeout_ms - self.rules.initial_delay_ms, 0)
            yield SetTimer(JOIN, self.rules.initial_delay_ms)
        elif self.members.have_all_joined:
            yield from self.complete()
        else:
            yield SetTimer(JOIN, self.members.rebalance_timeout_ms)

    def complete_if_all_joined(self) -> Iterator[Effect]:
        if self.state is State.PREPARING and self.gather_left_ms is None and self.members.have_all_joined:
            yield from self.complete()

    def join_time_is_up(self) -> Iterator[Effect]:
        if self.gather_left_ms and self.newcomers:
            more_ms = min(self.rules.initial_delay_ms, self.gather_left_ms)
            self.gather_left_ms -= more_ms
            self.newcomers = False
            yield SetTimer(JOIN, more_ms)
        else:
            yield from self.complete()

    def complete(self) -> Iterator[Effect]:
        """Who has joined is in the next generation; static members too, who may be restarting just now (KIP-345)."""
        self.gather_left_ms = None
        yield CancelTimer(JOIN)
        for absent in [m for m in self.members if m.joining is None and m.instance_id is None]:
            yield from self.remove(absent)
        if not self.members:
            yield self.emptied()
        elif not self.members.joined:
            yield SetTimer(JOIN, self.members.rebalance_timeout_ms)
        else:
            yield from self.begin_generation()

    def begin_generation(self) -> Iterator[Effect]:
        """Durable only once the leader has assigned: until then a restart goes back to the generation before."""
        joined = self.members.joined
        if self.leader not in {member.id for member in joined}:
            self.leader = joined[0].id
        self.generation += 1
        self.protocol = self.members.vote()
        self.state = State.COMPLETING
        self.yet_to_sync = set(self.members.by_id)
        yield SetTimer(SYNC, self.members.rebalance_timeout_ms)
        for member in self.members:
            if member.joining is not None:
                yield Reply(member.joining, self.as_told_to(member))
            member.joining, member.is_new = None, False
            yield self.session_of(member)

    def sync_time_is_up(self) -> Iterator[Effect]:
        for member_id in sorted(self.yet_to_sync):
            yield from self.remove(self.members.by_id[member_id])
        yield from self.prepare()

    def heard_sync_of(self, member: Member) -> Iterator[Effect]:
        if self.yet_to_sync:
            self.yet_to_sync.discard(member.id)
            if not self.yet_to_sync:
                yield CancelTimer(SYNC)

    def release_syncs(self, code: ErrorCode) -> Iterator[Effect]:
        """Whoever waits for an assignment waits in vain."""
        if self.yet_to_sync:
            self.yet_to_sync.clear()
            yield CancelTimer(SYNC)
        for member in self.members:
            if member.syncing is not None:
                yield Reply(member.syncing, Refused(code))
                member.syncing = None
                yield self.session_of(member)

    def after_loss(self) -> Iterator[Effect]:
        """Somebody is gone: the others share what it had, or need not wait for it any more."""
        if self.state in (State.STABLE, State.COMPLETING):
            yield from self.prepare()
        else:
            yield from self.complete_if_all_joined()

    def remove(self, member: Member, code: ErrorCode = ErrorCode.UNKNOWN_MEMBER_ID) -> Iterator[Effect]:
        """The member is gone; its requests that wait are answered, so that a client still there starts anew."""
        self.members.remove(member)
        self.yet_to_sync.discard(member.id)
        if member.id == self.leader:
            self.leader = next(iter(self.members.by_id), "")
        yield CancelTimer(Timer(TimerKind.SESSION, member.id))
        for waiting in (member.joining, member.syncing):
            if waiting is not None:
                yield Reply(waiting, Refused(code))

    def must_be_current(self, generation: int) -> None:
        """Raises: ApiError: ILLEGAL_GENERATION."""
        if generation != self.generation:
            raise ApiError(ErrorCode.ILLEGAL_GENERATION)

    def session_of(self, member: Member) -> SetTimer:
        """The member was heard of."""
        timeout_ms = NEW_MEMBER_MS if member.is_new else member.session_timeout_ms
        return SetTimer(Timer(TimerKind.SESSION, member.id), timeout_ms)

    def as_told_to(self, member: Member) -> Joined:
        listed = self.listed() if member.id == self.leader else ()
        return Joined(self.generation, self.protocol_type, self.protocol, self.leader, member.id, listed)

    def listed(self) -> tuple[Listed, ...]:
        return tuple(Listed(m.id, m.instance_id, m.metadata(self.protocol)) for m in self.members)

    def stable(self, assignments: Mapping[str, bytes]) -> Append:
        """The record of this generation, its members and what each was assigned."""
        records = [member.record(self.protocol, assignments.get(member.id, b"")) for member in self.members]
        return self.metadata(self.generation, self.protocol, self.leader, records)

    def emptied(self) -> Append:
        """The record of a generation without members."""
        return self.metadata(self.generation + 1, None, None, [])

    def metadata(
        self, generation: int, protocol: str | None, leader: str | None, members: list[MemberMetadata]
    ) -> Append:
        value = GroupMetadataValue(
            protocol_type=self.protocol_type,
            generation=generation,
            protocol=protocol,
            leader=leader,
            current_state_timestamp=self.now_ms,
            members=members,
        )
        return Append(GroupMetadataKey(group=self.group_id), value)
