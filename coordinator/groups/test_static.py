"""Static members (KIP-345, KIP-814): a process that restarts under its instance id does not disturb the others."""

import pytest

from coordinator.groups.classic import ClassicGroup
from coordinator.groups.effects import Append, Left, Reply
from coordinator.groups.events import JOIN, Commit, Heartbeat, Join, Leave, Leaver, Sync, TimerFired
from coordinator.groups.rebalance import State
from coordinator.groups.rules import Rules
from coordinator.groups.test_classic import again, cancelled_session, codes, newcomer, replies, session, session_over
from coordinator.testing import tell
from kproto.errors import ErrorCode
from kproto.messages.internal_topics import OffsetCommitValue


def static(instance_id: str, member_id: str, reply_to: int, **more: object) -> Join:
    return newcomer(member_id, reply_to, instance_id=instance_id, needs_known_id=True, **more)


def pair(state: State = State.STABLE) -> ClassicGroup:
    """Instances A (member a, leads) and B (member b) in generation 1."""
    both = ClassicGroup("orders", Rules(initial_delay_ms=3_000))
    tell(both, static("A", "a", 1))
    tell(both, static("B", "b", 2))
    tell(both, TimerFired(JOIN))
    tell(both, TimerFired(JOIN))
    if state is not State.COMPLETING:
        tell(both, Sync("b", 1, reply_to=3, instance_id="B"))
        tell(both, Sync("a", 1, {"a": b"0", "b": b"1"}, reply_to=4, instance_id="A"))
    if state is State.PREPARING:
        tell(both, again("a", 5, instance_id="A"))
    assert both.state is state
    return both


def test_static_member_needs_no_id_before_it_joins() -> None:
    assert ClassicGroup("g", Rules()).members.invited == set()
    assert {member.id for member in pair().members} == {"a", "b"}


def test_static_follower_is_back_without_a_rebalance_and_gets_its_old_assignment() -> None:
    both = pair()
    effects = tell(both, static("B", "b2", 10))
    assert [type(effect) for effect in effects if isinstance(effect, Append)] == [Append]
    answer = replies(effects)[10]
    assert (answer.generation, answer.leader, answer.member_id, answer.members) == (1, "a", "b2", ())
    assert effects[0] == cancelled_session("b")
    assert session("b2") in effects
    assert both.state is State.STABLE
    assert replies(tell(both, Sync("b2", 1, reply_to=11, instance_id="B")))[11].assignment == b"1"


def test_old_client_that_led_is_told_a_leader_that_it_is_not() -> None:
    """Before version 9 nothing else keeps it from assigning, which the group would not hear."""
    answer = replies(tell(pair(), static("A", "a2", 10)))[10]
    assert (answer.leader, answer.member_id, answer.members, answer.skip_assignment) == ("a", "a2", (), False)


def test_new_client_that_led_still_leads_and_need_not_assign() -> None:
    both = pair()
    answer = replies(tell(both, static("A", "a2", 10, may_skip=True)))[10]
    assert (answer.leader, answer.skip_assignment) == ("a2", True)
    assert {member.member_id for member in answer.members} == {"a2", "b"}
    assert both.leader == "a2"


def test_new_client_that_follows_is_not_told_to_skip_anything() -> None:
    answer = replies(tell(pair(), static("B", "b2", 10, may_skip=True)))[10]
    assert (answer.leader, answer.skip_assignment, answer.members) == ("a", False, ())


def test_static_member_that_comes_back_with_other_protocols_rebalances_the_group() -> None:
    both = pair()
    tell(both, static("B", "b2", 10, protocols=(("sticky", b""), ("range", b"topics"))))
    assert both.state is State.STABLE  # a knows range only, so range it is still
    tell(both, again("a", 11, instance_id="A", protocols=(("sticky", b""), ("range", b"topics"))))
    tell(both, again("b2", 12, instance_id="B", protocols=(("sticky", b""), ("range", b"topics"))))
    tell(both, Sync("a", 2, {}, reply_to=13, instance_id="A"))
    tell(both, static("B", "b3", 14, protocols=(("sticky", b""),)))
    assert both.state is State.STABLE
    tell(both, static("A", "a2", 15, protocols=(("sticky", b""),)))
    assert (both.state, both.protocol) == (State.STABLE, "sticky")


def test_change_of_the_chosen_protocol_is_worth_a_rebalance() -> None:
    both = pair()
    tell(both, again("a", 11, instance_id="A", protocols=(("sticky", b""), ("range", b"topics"))))
    tell(both, again("b", 12, instance_id="B", protocols=(("range", b"topics"), ("sticky", b""))))
    tell(both, Sync("a", 2, {}, reply_to=13, instance_id="A"))
    wanted = "range" if both.protocol == "sticky" else "sticky"
    tell(both, static("B", "b2", 14, protocols=((wanted, b""),)) if wanted == "sticky" else static("A", "a2", 14))
    assert both.state is State.PREPARING


def test_replacement_while_completing_begins_again() -> None:
    """The leader is assigning to an id that is no more."""
    both = pair(State.COMPLETING)
    tell(both, Sync("b", 1, reply_to=10, instance_id="B"))
    effects = tell(both, static("B", "b2", 11))
    assert codes(effects) == {10: ErrorCode.FENCED_INSTANCE_ID}
    assert both.state is State.PREPARING


def test_replacement_while_preparing_takes_the_place_of_the_one_that_waits() -> None:
    both = pair(State.PREPARING)
    effects = tell(both, static("A", "a2", 11))
    assert codes(effects) == {5: ErrorCode.FENCED_INSTANCE_ID}
    answers = replies(tell(both, again("b", 12, instance_id="B")))
    assert answers[11].leader == "a2"
    assert answers[12].generation == 2


@pytest.mark.parametrize(
    "event",
    [
        Sync("b", 1, reply_to=9, instance_id="B"),
        Heartbeat("b", 1, reply_to=9, instance_id="B"),
        Commit({("t", 0): OffsetCommitValue()}, "b", 1, "B", reply_to=9),
        again("b", 9, instance_id="B"),
    ],
)
def test_replaced_process_is_fenced(event: Sync | Heartbeat | Commit | Join) -> None:
    """Two processes with one instance id: the younger one wins, the older is told to stop."""
    both = pair()
    tell(both, static("B", "b2", 8))
    assert codes(tell(both, event)) == {9: ErrorCode.FENCED_INSTANCE_ID}


def test_unknown_instance_is_an_unknown_member() -> None:
    assert codes(tell(pair(), Heartbeat("b", 1, reply_to=9, instance_id="C"))) == {9: ErrorCode.UNKNOWN_MEMBER_ID}


def test_static_member_is_in_the_next_generation_even_if_it_does_not_join_in_time() -> None:
    """It may just be restarting; its session timeout decides."""
    both = pair(State.PREPARING)
    answer = replies(tell(both, TimerFired(JOIN)))[5]
    assert {member.member_id for member in answer.members} == {"a", "b"}


def test_rebalance_that_only_static_members_miss_waits_on() -> None:
    """Nobody is there to lead."""
    both = pair()
    tell(both, session_over("a"))
    effects = tell(both, TimerFired(JOIN))
    assert [effect for effect in effects if isinstance(effect, Reply | Append)] == []
    tell(both, session_over("b"))
    assert both.state is State.EMPTY


def test_static_member_leaves_by_its_instance_id_alone() -> None:
    """`kafka-consumer-groups` and admin clients remove members so."""
    both = pair()
    effects = tell(both, Leave([Leaver("", "B"), Leaver("", "C"), Leaver("a", "B")], reply_to=9))
    left = [ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.UNKNOWN_MEMBER_ID]
    assert replies(effects)[9] == Left(left)
    assert [member.id for member in both.members] == ["a"]


def test_leaving_under_the_instance_id_of_another_is_fenced() -> None:
    assert replies(tell(pair(), Leave([Leaver("a", "B")], reply_to=9)))[9] == Left([ErrorCode.FENCED_INSTANCE_ID])


def test_invited_id_with_an_instance_id_is_refused() -> None:
    """An invited member is never static, whatever its client makes up."""
    both = pair()
    tell(both, newcomer("c", 8, needs_known_id=True))
    assert codes(tell(both, again("c", 9, instance_id="B"))) == {9: ErrorCode.FENCED_INSTANCE_ID}
