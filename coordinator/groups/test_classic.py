"""A group of the classic protocol, played through: each state meets each event."""

from typing import Any

import pytest

from coordinator.groups.classic import ClassicGroup
from coordinator.groups.effects import (
    Append,
    CancelTimer,
    Described,
    DescribedMember,
    Done,
    Effect,
    Joined,
    Left,
    Listed,
    Refused,
    Reply,
    SetTimer,
    Synced,
)
from coordinator.groups.events import (
    JOIN,
    SYNC,
    Delete,
    Describe,
    Heartbeat,
    Join,
    Leave,
    Leaver,
    Sync,
    Timer,
    TimerFired,
    TimerKind,
)
from coordinator.groups.rebalance import NEW_MEMBER_MS, State
from coordinator.groups.rules import Rules
from coordinator.testing import play, tell
from kproto.errors import ErrorCode
from kproto.messages.internal_topics import GroupMetadataKey, GroupMetadataValue, MemberMetadata

RANGE = (("range", b"topics"),)
SESSION_MS, REBALANCE_MS = 10_000, 60_000


def group(initial_delay_ms: int = 0, **rules: int) -> ClassicGroup:
    return ClassicGroup("orders", Rules(initial_delay_ms=initial_delay_ms, **rules))


def newcomer(member_id: str, reply_to: int, **more: Any) -> Join:
    """A client of version 0 to 3: it gets its id with the answer."""
    return Join("", **{"protocols": RANGE, "fresh_id": member_id, "reply_to": reply_to, **more})


def again(member_id: str, reply_to: int, **more: Any) -> Join:
    return Join(member_id, **{"protocols": RANGE, "reply_to": reply_to, **more})


def session(member_id: str, after_ms: int = SESSION_MS) -> SetTimer:
    return SetTimer(Timer(TimerKind.SESSION, member_id), after_ms)


def session_over(member_id: str) -> TimerFired:
    return TimerFired(Timer(TimerKind.SESSION, member_id))


def cancelled_session(member_id: str) -> CancelTimer:
    return CancelTimer(Timer(TimerKind.SESSION, member_id))


def refusal(reply_to: int, code: ErrorCode, member_id: str | None = None) -> Reply:
    return Reply(reply_to, Refused(code, member_id))


def joined(reply_to: int, member_id: str, generation: int, leader: str, *members: str) -> Reply:
    listed = tuple(Listed(member, None, b"topics") for member in members)
    return Reply(reply_to, Joined(generation, "consumer", "range", leader, member_id, listed))


def synced(reply_to: int, assignment: bytes) -> Reply:
    return Reply(reply_to, Synced("consumer", "range", assignment))


def stable_record(now_ms: int, generation: int, leader: str, **assignments: bytes) -> Append:
    members = [
        MemberMetadata(
            member_id=member,
            rebalance_timeout=REBALANCE_MS,
            session_timeout=SESSION_MS,
            subscription=b"topics",
            assignment=assignment,
        )
        for member, assignment in assignments.items()
    ]
    value = GroupMetadataValue(
        protocol_type="consumer",
        generation=generation,
        protocol="range",
        leader=leader,
        current_state_timestamp=now_ms,
        members=members,
    )
    return Append(GroupMetadataKey(group="orders"), value)


def empty_record(now_ms: int, generation: int) -> Append:
    value = GroupMetadataValue(
        protocol_type="consumer", generation=generation, protocol=None, leader=None, current_state_timestamp=now_ms
    )
    return Append(GroupMetadataKey(group="orders"), value)


def replies(effects: list[Effect]) -> dict[object, Any]:
    return {effect.to: effect.answer for effect in effects if isinstance(effect, Reply)}


def codes(effects: list[Effect]) -> dict[object, ErrorCode]:
    return {to: answer.code for to, answer in replies(effects).items() if isinstance(answer, Refused)}


def pair(state: State = State.STABLE) -> ClassicGroup:
    """Members a, who leads, and b, in generation 2 (PREPARING: on the way to 3, a has joined)."""
    both = group()
    tell(both, newcomer("a", 1))
    tell(both, newcomer("b", 2))
    tell(both, again("a", 3))
    if state in (State.STABLE, State.PREPARING):
        tell(both, Sync("b", 2, reply_to=4))
        tell(both, Sync("a", 2, {"a": b"0", "b": b"1"}, reply_to=5), now_ms=7)
    if state is State.PREPARING:
        tell(both, again("a", 6))
    assert both.state is state
    return both


def test_two_members_join_sync_and_are_stable() -> None:
    """The whole life of a small group, effect by effect."""
    play(
        group(),
        (
            0,
            newcomer("a", 1),
            [
                session("a", NEW_MEMBER_MS),
                CancelTimer(JOIN),
                SetTimer(SYNC, REBALANCE_MS),
                joined(1, "a", 1, "a", "a"),
                session("a"),
            ],
        ),
        (
            10,
            Sync("a", 1, {"a": b"all"}, reply_to=2),
            [CancelTimer(SYNC), stable_record(10, 1, "a", a=b"all"), synced(2, b"all"), session("a")],
        ),
        (20, newcomer("b", 3), [session("b", NEW_MEMBER_MS), SetTimer(JOIN, REBALANCE_MS)]),
        (30, Heartbeat("a", 1, reply_to=4), [session("a"), refusal(4, ErrorCode.REBALANCE_IN_PROGRESS)]),
        (
            40,
            again("a", 5),
            [
                CancelTimer(JOIN),
                SetTimer(SYNC, REBALANCE_MS),
                joined(5, "a", 2, "a", "a", "b"),
                session("a"),
                joined(3, "b", 2, "a"),
                session("b"),
            ],
        ),
        (50, Sync("b", 2, reply_to=6), []),
        (
            60,
            Sync("a", 2, {"a": b"0", "b": b"1"}, reply_to=7),
            [
                CancelTimer(SYNC),
                stable_record(60, 2, "a", a=b"0", b=b"1"),
                synced(7, b"0"),
                session("a"),
                synced(6, b"1"),
                session("b"),
            ],
        ),
        (70, Heartbeat("b", 2, reply_to=8), [session("b"), Reply(8, Done())]),
        (
            80,
            Leave([Leaver("a")], reply_to=9),
            [cancelled_session("a"), SetTimer(JOIN, REBALANCE_MS), Reply(9, Left([ErrorCode.NONE]))],
        ),
        (
            90,
            Leave([Leaver("b")], reply_to=10),
            [cancelled_session("b"), CancelTimer(JOIN), empty_record(90, 3), Reply(10, Left([ErrorCode.NONE]))],
        ),
    )


def test_joins_that_arrive_while_gathering_share_one_generation() -> None:
    """The second member waits for the timer instead of starting another rebalance (KIP-134)."""
    play(
        group(initial_delay_ms=3_000),
        (0, newcomer("a", 1), [session("a", NEW_MEMBER_MS), SetTimer(JOIN, 3_000)]),
        (10, newcomer("b", 2), [session("b", NEW_MEMBER_MS)]),
        (3_000, TimerFired(JOIN), [SetTimer(JOIN, 3_000)]),
        (
            6_000,
            TimerFired(JOIN),
            [
                CancelTimer(JOIN),
                SetTimer(SYNC, REBALANCE_MS),
                joined(1, "a", 1, "a", "a", "b"),
                session("a"),
                joined(2, "b", 1, "a"),
                session("b"),
            ],
        ),
    )


def test_gathering_ends_at_the_rebalance_timeout_however_many_come() -> None:
    """Else a stream of newcomers would keep the first one waiting for ever."""
    gathering = group(initial_delay_ms=3_000)
    tell(gathering, newcomer("a", 1, rebalance_timeout_ms=7_000))
    waits = [3_000]
    for number in range(10):
        tell(gathering, newcomer(f"m{number}", 10 + number, rebalance_timeout_ms=7_000))
        effects = tell(gathering, TimerFired(JOIN))
        waits += [effect.after_ms for effect in effects if isinstance(effect, SetTimer) and effect.timer == JOIN]
        if gathering.state is State.COMPLETING:
            break
    assert sum(waits) == 7_000
    assert gathering.generation == 1


def test_newcomer_of_version_4_is_sent_away_once_with_its_id() -> None:
    """KIP-394; the id is good for one session timeout."""
    invited = Timer(TimerKind.SESSION, "a")
    play(
        waiting := group(),
        (
            0,
            newcomer("a", 1, needs_known_id=True),
            [SetTimer(invited, SESSION_MS), refusal(1, ErrorCode.MEMBER_ID_REQUIRED, "a")],
        ),
    )
    assert not waiting.is_gone
    assert codes(tell(waiting, again("stranger", 2))) == {2: ErrorCode.UNKNOWN_MEMBER_ID}
    assert replies(tell(waiting, again("a", 3)))[3].member_id == "a"


def test_id_that_was_given_out_and_never_used_leaves_nothing_behind() -> None:
    unused = group()
    tell(unused, newcomer("a", 1, needs_known_id=True))
    assert tell(unused, TimerFired(Timer(TimerKind.SESSION, "a"))) == []
    assert unused.is_gone
    assert codes(tell(unused, again("a", 2))) == {2: ErrorCode.UNKNOWN_MEMBER_ID}


def test_rebalance_waits_for_an_invited_member_until_its_session_is_over() -> None:
    """A restarting fleet would otherwise rebalance once per member."""
    waiting = pair(State.PREPARING)
    tell(waiting, newcomer("c", 10, needs_known_id=True))
    assert tell(waiting, again("b", 11)) == []
    effects = tell(waiting, session_over("c"))
    assert {to: answer.generation for to, answer in replies(effects).items()} == {6: 3, 11: 3}


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        (State.STABLE, Joined(2, "consumer", "range", "a", "b")),
        (State.COMPLETING, Joined(2, "consumer", "range", "a", "b")),
        (State.PREPARING, None),
    ],
)
def test_follower_that_joins_again_unchanged(state: State, answer: Joined | None) -> None:
    """No rebalance for it: it may have missed the answer only."""
    both = pair(state)
    was_waiting = both.generation
    effects = tell(both, again("b", 20))
    if answer is None:
        assert both.generation == was_waiting + 1  # it was the last that everybody waited for
    else:
        assert effects == [Reply(20, answer)]


def test_leader_that_joins_again_while_completing_is_told_the_members_again() -> None:
    assert replies(tell(pair(State.COMPLETING), again("a", 20)))[20].members == (
        Listed("a", None, b"topics"),
        Listed("b", None, b"topics"),
    )


def test_leader_that_joins_again_in_a_stable_group_asks_for_a_rebalance() -> None:
    """That is how it tells of partitions that are new."""
    both = pair()
    assert tell(both, again("a", 20)) == [SetTimer(JOIN, REBALANCE_MS)]
    assert both.state is State.PREPARING


@pytest.mark.parametrize("state", [State.STABLE, State.COMPLETING])
def test_member_with_new_metadata_begins_a_rebalance(state: State) -> None:
    both = pair(state)
    tell(both, again("b", 20, protocols=(("range", b"other topics"),)))
    assert both.state is State.PREPARING


def test_rebalance_while_completing_tells_those_who_wait_for_an_assignment() -> None:
    both = pair(State.COMPLETING)
    tell(both, Sync("b", 2, reply_to=20))
    effects = tell(both, newcomer("c", 21))
    assert effects[:3] == [
        session("c", NEW_MEMBER_MS),
        CancelTimer(SYNC),
        refusal(20, ErrorCode.REBALANCE_IN_PROGRESS),
    ]


def test_second_join_of_a_waiting_member_answers_the_first() -> None:
    """Its client gave up on the old connection; nobody waits there for ever."""
    both = pair(State.PREPARING)
    assert codes(tell(both, again("a", 20))) == {6: ErrorCode.REBALANCE_IN_PROGRESS}


def test_second_sync_of_a_waiting_member_answers_the_first() -> None:
    both = pair(State.COMPLETING)
    tell(both, Sync("b", 2, reply_to=20))
    assert codes(tell(both, Sync("b", 2, reply_to=21))) == {20: ErrorCode.REBALANCE_IN_PROGRESS}


def test_dynamic_members_that_do_not_join_in_time_are_left_behind() -> None:
    both = pair(State.PREPARING)
    assert tell(both, TimerFired(JOIN)) == [
        CancelTimer(JOIN),
        cancelled_session("b"),
        SetTimer(SYNC, REBALANCE_MS),
        joined(6, "a", 3, "a", "a"),
        session("a"),
    ]


def test_leader_that_does_not_join_in_time_is_replaced() -> None:
    both = pair()
    tell(both, again("b", 20, protocols=(("range", b"new"),)))
    assert replies(tell(both, TimerFired(JOIN)))[20] == Joined(
        3, "consumer", "range", "b", "b", (Listed("b", None, b"new"),)
    )


def test_rebalance_that_nobody_joins_empties_the_group() -> None:
    both = pair()
    tell(both, Leave([Leaver("a")], reply_to=20))
    assert tell(both, TimerFired(JOIN), now_ms=99) == [
        CancelTimer(JOIN),
        cancelled_session("b"),
        empty_record(99, 3),
    ]
    assert both.state is State.EMPTY


def test_members_that_never_sync_are_removed_after_the_rebalance_timeout() -> None:
    """A leader that dies between JoinGroup and SyncGroup must not hold the others."""
    both = pair(State.COMPLETING)
    tell(both, Sync("b", 2, reply_to=20))
    effects = tell(both, TimerFired(SYNC))
    assert effects[0] == cancelled_session("a")
    assert codes(effects) == {20: ErrorCode.REBALANCE_IN_PROGRESS}
    assert both.state is State.PREPARING
    assert both.leader == "b"


def test_follower_that_syncs_late_gets_its_assignment() -> None:
    both = pair(State.COMPLETING)
    tell(both, Sync("a", 2, {"a": b"0", "b": b"1"}, reply_to=20))
    assert tell(both, Sync("b", 2, reply_to=21)) == [CancelTimer(SYNC), synced(21, b"1")]


def test_member_that_the_leader_forgot_gets_an_empty_assignment() -> None:
    both = pair(State.COMPLETING)
    tell(both, Sync("b", 2, reply_to=20))
    assert replies(tell(both, Sync("a", 2, {"a": b"0"}, reply_to=21)))[20].assignment == b""


def test_session_that_is_over_rebalances_the_others() -> None:
    both = pair()
    assert tell(both, session_over("b")) == [cancelled_session("b"), SetTimer(JOIN, REBALANCE_MS)]


def test_session_of_a_member_that_waits_is_never_over() -> None:
    """It cannot send heartbeats while its JoinGroup or SyncGroup is parked."""
    both = pair(State.PREPARING)
    assert tell(both, session_over("a")) == []
    completing = pair(State.COMPLETING)
    tell(completing, Sync("b", 2, reply_to=20))
    assert tell(completing, session_over("b")) == []


def test_new_member_that_waits_too_long_is_asked_to_come_again() -> None:
    """Clients that gave up leave no crowd of dead members behind."""
    both = pair()
    tell(both, newcomer("c", 20))
    assert codes(tell(both, session_over("c"))) == {20: ErrorCode.UNKNOWN_MEMBER_ID}


def test_late_timers_find_nothing_to_do() -> None:
    for state in (State.STABLE, State.COMPLETING):
        assert tell(pair(state), TimerFired(JOIN)) == []
    assert tell(pair(), TimerFired(SYNC)) == []
    assert tell(pair(), session_over("long gone")) == []
    assert tell(group(), TimerFired(JOIN)) == []


STRANGERS = [
    (lambda: Sync("x", 2, reply_to=9), ErrorCode.UNKNOWN_MEMBER_ID),
    (lambda: Sync("b", 1, reply_to=9), ErrorCode.ILLEGAL_GENERATION),
    (lambda: Sync("b", 2, protocol="sticky", reply_to=9), ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    (lambda: Sync("b", 2, protocol_type="connect", reply_to=9), ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    (lambda: Heartbeat("x", 2, reply_to=9), ErrorCode.UNKNOWN_MEMBER_ID),
    (lambda: Heartbeat("b", 3, reply_to=9), ErrorCode.ILLEGAL_GENERATION),
    (lambda: again("x", 9), ErrorCode.UNKNOWN_MEMBER_ID),
    (lambda: newcomer("c", 9, protocols=(("sticky", b""),)), ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    (lambda: newcomer("c", 9, protocols=()), ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    (lambda: newcomer("c", 9, protocol_type="connect"), ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    (lambda: Delete(reply_to=9), ErrorCode.NON_EMPTY_GROUP),
]


@pytest.mark.parametrize("state", [State.STABLE, State.COMPLETING, State.PREPARING])
@pytest.mark.parametrize(("event", "code"), STRANGERS)
def test_refusal_changes_nothing(state: State, event: Any, code: ErrorCode) -> None:
    both = pair(state)
    before = str(both)
    assert tell(both, event()) == [refusal(9, code)]
    assert str(both) == before


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (Sync("a", 1, reply_to=9), ErrorCode.UNKNOWN_MEMBER_ID),
        (Heartbeat("a", 1, reply_to=9), ErrorCode.UNKNOWN_MEMBER_ID),
        (again("a", 9), ErrorCode.UNKNOWN_MEMBER_ID),
        (newcomer("a", 9, protocols=()), ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        (newcomer("a", 9, protocol_type=""), ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
        (Delete(reply_to=9), ErrorCode.GROUP_ID_NOT_FOUND),
    ],
)
def test_group_that_is_not_there_refuses_and_stays_away(event: Any, code: ErrorCode) -> None:
    nobody = group()
    assert tell(nobody, event) == [refusal(9, code)]
    assert nobody.is_gone


def test_sync_while_preparing_is_told_to_join() -> None:
    assert tell(pair(State.PREPARING), Sync("b", 2, reply_to=9)) == [refusal(9, ErrorCode.REBALANCE_IN_PROGRESS)]


def test_heartbeat_while_completing_is_fine() -> None:
    """Clients begin to send them after their JoinGroup."""
    assert tell(pair(State.COMPLETING), Heartbeat("b", 2, reply_to=9)) == [session("b"), Reply(9, Done())]


def test_each_leaver_is_answered_for_itself_and_one_rebalance_follows() -> None:
    effects = tell(pair(), Leave([Leaver("x"), Leaver("b"), Leaver("b")], reply_to=9))
    assert effects == [
        cancelled_session("b"),
        SetTimer(JOIN, REBALANCE_MS),
        Reply(9, Left([ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID])),
    ]


def test_invited_member_can_leave() -> None:
    both = pair()
    tell(both, newcomer("c", 8, needs_known_id=True))
    assert tell(both, Leave([Leaver("c")], reply_to=9)) == [cancelled_session("c"), Reply(9, Left([ErrorCode.NONE]))]
    assert both.state is State.STABLE


def test_protocol_is_the_one_most_members_like_best_among_those_all_support() -> None:
    """b and c prefer sticky; a would rather have range; roundrobin is not known to everybody."""
    three = group(initial_delay_ms=3_000)
    tell(three, newcomer("a", 1, protocols=(("roundrobin", b""), ("range", b"a"), ("sticky", b"A"))))
    tell(three, newcomer("b", 2, protocols=(("sticky", b"B"), ("range", b"b"))))
    tell(three, newcomer("c", 3, protocols=(("roundrobin", b""), ("sticky", b"C"), ("range", b"c"))))
    tell(three, TimerFired(JOIN))
    answer = replies(tell(three, TimerFired(JOIN)))[1]
    assert answer.protocol == "sticky"
    assert [each.metadata for each in answer.members] == [b"A", b"B", b"C"]


def test_full_group_turns_newcomers_away() -> None:
    full = group(max_size=1)
    tell(full, newcomer("a", 1))
    assert tell(full, newcomer("b", 2)) == [refusal(2, ErrorCode.GROUP_MAX_SIZE_REACHED)]
    assert len(full.members) == 1


def test_group_over_a_smaller_limit_sheds_those_who_join_last() -> None:
    """`group.max.size` was lowered between two starts."""
    both = pair()
    record = both.stable({"a": b"0", "b": b"1"})
    smaller = group(max_size=1)
    smaller.apply(record.key, record.value)
    assert SetTimer(JOIN, REBALANCE_MS) in smaller.resume()
    assert tell(smaller, again("b", 20)) == []
    effects = tell(smaller, again("a", 21))
    assert codes(effects) == {21: ErrorCode.GROUP_MAX_SIZE_REACHED}
    assert replies(effects)[20].leader == "b"


def test_restart_gives_members_generation_and_sessions_back() -> None:
    both = pair()
    record = both.stable({"a": b"0", "b": b"1"})
    loaded = group()
    loaded.apply(record.key, record.value)
    assert loaded.resume()[1:] == [session("a"), session("b")]
    assert tell(loaded, Heartbeat("b", 2, reply_to=1)) == [session("b"), Reply(1, Done())]
    assert tell(loaded, Sync("b", 2, reply_to=2)) == [synced(2, b"1")]


def test_description_tells_metadata_only_of_a_stable_group() -> None:
    assert replies(tell(pair(), Describe(reply_to=1)))[1] == Described(
        "Stable",
        "consumer",
        "range",
        (
            DescribedMember("a", None, "", "", b"topics", b"0"),
            DescribedMember("b", None, "", "", b"topics", b"1"),
        ),
    )
    preparing = replies(tell(pair(State.PREPARING), Describe(reply_to=1)))[1]
    assert (preparing.state, preparing.protocol) == ("PreparingRebalance", "")
    assert [member.metadata for member in preparing.members] == [b"", b""]
    assert replies(tell(group(), Describe(reply_to=1)))[1] == Described("Dead", "", "", ())
