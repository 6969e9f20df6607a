"""JoinGroup: who is let in, under which id, and whether that begins a rebalance."""

from collections.abc import Iterator
from dataclasses import dataclass

from coordinator.groups.effects import Effect, Joined, Refused, Reply, SetTimer
from coordinator.groups.events import Join, Timer, TimerKind
from coordinator.groups.members import Member
from coordinator.groups.rebalance import Rebalance, State
from kproto.errors import ApiError, ErrorCode


@dataclass(slots=True)
class Joining(Rebalance):
    """The part of a group that hears JoinGroup."""

    def join(self, join: Join) -> Iterator[Effect]:
        """Raises: ApiError: INCONSISTENT_GROUP_PROTOCOL, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID."""
        if not self.has_room_for(join.member_id):
            return self.turn_away(join)
        if not self.fits(join):
            raise ApiError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
        if join.instance_id is None and join.member_id in self.members.invited:
            return self.add(join, join.member_id)
        if join.member_id:
            return self.join_again(join, self.members.known(join.member_id, join.instance_id))
        if join.instance_id in self.members.by_instance:
            return self.replace(join, self.members.by_instance[join.instance_id])
        if join.needs_known_id and join.instance_id is None:
            return self.invite(join)
        return self.add(join, join.fresh_id)

    def has_room_for(self, member_id: str) -> bool:
        """In a rebalance only those count who wait already: of a group too large, the last to come lose their place."""
        match self.state, self.members.by_id.get(member_id):
            case ((State.DEAD | State.EMPTY), _):
                return True
            case State.PREPARING, member:
                waits_already = member is not None and member.joining is not None
                return waits_already or len(self.members.joined) < self.rules.max_size
            case _, member:
                return member is not None or len(self.members) < self.rules.max_size

    def turn_away(self, join: Join) -> Iterator[Effect]:
        """The group is full; a member of it that comes too late is none any more."""
        yield Reply(join.reply_to, Refused(ErrorCode.GROUP_MAX_SIZE_REACHED))
        self.members.invited.discard(join.member_id)
        if join.member_id in self.members.by_id:
            yield from self.remove(self.members.by_id[join.member_id])
        yield from self.complete_if_all_joined()

    def fits(self, join: Join) -> bool:
        """Whether the group and the member have a protocol in common."""
        names = {name for name, _ in join.protocols}
        if self.state in (State.DEAD, State.EMPTY):
            return bool(join.protocol_type and names)
        if join.protocol_type != self.protocol_type:
            return False
        return bool(names & self.members.in_common() if self.members else names)

    def invite(self, join: Join) -> Iterator[Effect]:
        """Come back with this id: a client whose answer got lost would else be two members (KIP-394)."""
        if self.state is State.DEAD:
            self.state = State.EMPTY
        self.members.invited.add(join.fresh_id)
        yield SetTimer(Timer(TimerKind.SESSION, join.fresh_id), join.session_timeout_ms)
        yield Reply(join.reply_to, Refused(ErrorCode.MEMBER_ID_REQUIRED, join.fresh_id))

    def add(self, join: Join, member_id: str) -> Iterator[Effect]:
        if not self.members:
            self.protocol_type = join.protocol_type
            self.leader = member_id
        member = Member.of(join, member_id)
        self.members.add(member)
        self.newcomers = True
        yield self.session_of(member)
        yield from self.rebalance()

    def join_again(self, join: Join, member: Member) -> Iterator[Effect]:
        """A follower who brings nothing new, or missed its answer, is told of the generation as it is."""
        same = member.protocols == join.protocols
        missed = self.state is State.COMPLETING
        follows = self.state is State.STABLE and member.id != self.leader
        if same and (missed or follows):
            yield Reply(join.reply_to, self.as_told_to(member))
            return
        if member.joining is not None:
            yield Reply(member.joining, Refused(ErrorCode.REBALANCE_IN_PROGRESS))
        member.rejoin(join)
        yield from self.rebalance()

    def replace(self, join: Join, old: Member) -> Iterator[Effect]:
        """A static member is back under a new id; only a change of protocol is worth a rebalance then (KIP-345)."""
        told_leader = self.leader
        yield from self.remove(old, ErrorCode.FENCED_INSTANCE_ID)
        member = Member.of(join, join.fresh_id)
        member.assignment, member.is_new = old.assignment, False
        self.members.add(member)
        if told_leader == old.id:
            self.leader = member.id
        yield self.session_of(member)
        if self.state is State.STABLE and self.members.vote() == self.protocol:
            member.joining = None
            yield self.stable({each.id: each.assignment for each in self.members})
            yield Reply(join.reply_to, self.replaced(member, told_leader, join.may_skip))
        else:
            yield from self.rebalance()

    def replaced(self, member: Member, told_leader: str, may_skip: bool) -> Joined:
        """It must not assign, the group would not hear it: an old client is told a leader id that is not its own."""
        told = self.as_told_to(member)
        if may_skip:
            told.skip_assignment = member.id == self.leader
        else:
            told.leader, told.members = told_leader, ()
        return told

    def rebalance(self) -> Iterator[Effect]:
        """Somebody is new or wants something new: begin a rebalance, or go on with the one under way."""
        if self.state is State.PREPARING:
            yield from self.complete_if_all_joined()
        else:
            yield from self.prepare()
