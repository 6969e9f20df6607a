"""Who may commit offsets, and how long they are kept."""

from typing import Any
from uuid import UUID

import pytest

from coordinator.groups.classic import ClassicGroup
from coordinator.groups.effects import Append, Committed, Done, Forgotten, Reply, SetTimer
from coordinator.groups.events import (
    EXPIRY,
    Commit,
    Delete,
    DeleteOffsets,
    FetchOffsets,
    Leave,
    Leaver,
    Sync,
    TimerFired,
    TopicDeleted,
)
from coordinator.groups.rebalance import State
from coordinator.groups.rules import Rules
from coordinator.groups.test_classic import again, codes, group, newcomer, pair, session
from coordinator.testing import tell
from kproto.errors import ErrorCode
from kproto.messages.consumer_protocol import ConsumerProtocolSubscription
from kproto.messages.internal_topics import GroupMetadataKey, OffsetCommitKey, OffsetCommitValue
from kproto.prefixed import versioned

T0 = ("t", 0)
RETENTION_MS = 1_000


def at(offset: int, commit_ms: int = 0, **more: Any) -> OffsetCommitValue:
    return OffsetCommitValue(offset=offset, commit_timestamp=commit_ms, **more)


def commit(offset: int, reply_to: int = 9, commit_ms: int = 0, **more: Any) -> Commit:
    return Commit({T0: at(offset, commit_ms)}, reply_to=reply_to, **more)


def tombstone(topic: str, partition: int) -> Append:
    return Append(OffsetCommitKey(group="orders", topic=topic, partition=partition), None)


def offsets(of: ClassicGroup) -> dict[Any, int]:
    return {partition: value.offset for partition, value in of.offsets.committed.items()}


def simple() -> ClassicGroup:
    """A consumer that assigns its partitions itself has committed."""
    alone = group(retention_ms=RETENTION_MS)
    tell(alone, commit(5))
    return alone


def test_consumer_without_a_group_commits_and_reads_back() -> None:
    alone = group()
    record = Append(OffsetCommitKey(group="orders", topic="t", partition=0), at(5, 3))
    assert tell(alone, commit(5, commit_ms=3)) == [record, Reply(9, Done())]
    assert alone.state is State.EMPTY
    assert tell(alone, FetchOffsets([T0, ("t", 1)], reply_to=1)) == [Reply(1, Committed({T0: at(5, 3)}))]
    assert tell(alone, FetchOffsets(reply_to=2)) == [Reply(2, Committed({T0: at(5, 3)}))]


def test_answer_to_a_fetch_does_not_change_with_later_commits() -> None:
    """It may wait until what it saw is safe; what came after is not."""
    alone = simple()
    [reply] = tell(alone, FetchOffsets(reply_to=1))
    tell(alone, commit(6))
    assert reply == Reply(1, Committed({T0: at(5)}))


@pytest.mark.parametrize("state", [State.STABLE, State.PREPARING])
def test_member_commits_in_its_generation_and_is_heard_of(state: State) -> None:
    """Also while a rebalance begins: that is the last chance to commit what was read."""
    both = pair(state)
    effects = tell(both, commit(5, member_id="b", generation=2))
    assert effects[0] == session("b")
    assert effects[-1] == Reply(9, Done())
    assert offsets(both) == {T0: 5}


@pytest.mark.parametrize(
    ("state", "member_id", "generation", "code"),
    [
        (State.STABLE, "b", 1, ErrorCode.ILLEGAL_GENERATION),
        (State.STABLE, "x", 2, ErrorCode.UNKNOWN_MEMBER_ID),
        (State.STABLE, "", -1, ErrorCode.UNKNOWN_MEMBER_ID),
        (State.STABLE, "b", -1, ErrorCode.ILLEGAL_GENERATION),
        (State.COMPLETING, "b", 2, ErrorCode.REBALANCE_IN_PROGRESS),
        (State.PREPARING, "x", 2, ErrorCode.UNKNOWN_MEMBER_ID),
    ],
)
def test_commit_by_who_may_not(state: State, member_id: str, generation: int, code: ErrorCode) -> None:
    both = pair(state)
    assert codes(tell(both, commit(5, member_id=member_id, generation=generation))) == {9: code}
    assert offsets(both) == {}


def test_commit_of_a_generation_in_a_group_that_is_gone() -> None:
    gone = group()
    assert codes(tell(gone, commit(5, member_id="a", generation=1))) == {9: ErrorCode.GROUP_ID_NOT_FOUND}
    assert codes(tell(simple(), commit(5, member_id="a", generation=1))) == {9: ErrorCode.UNKNOWN_MEMBER_ID}
    assert gone.is_gone


def test_empty_group_is_deleted_with_its_offsets() -> None:
    alone = simple()
    effects = tell(alone, Delete(reply_to=1))
    assert effects == [tombstone("t", 0), Append(GroupMetadataKey(group="orders"), None), Reply(1, Done())]
    assert alone.is_gone


def test_offsets_that_are_deleted_leave_the_others_and_the_last_takes_the_group_along() -> None:
    alone = group()
    tell(alone, Commit({T0: at(5), ("u", 1): at(6)}))
    effects = tell(alone, DeleteOffsets([T0, ("t", 7)], reply_to=1))
    assert effects == [tombstone("t", 0), Reply(1, Forgotten(frozenset()))]
    assert offsets(alone) == {("u", 1): 6}
    effects = tell(alone, DeleteOffsets([("u", 1)], reply_to=2))
    assert effects == [
        tombstone("u", 1),
        Append(GroupMetadataKey(group="orders"), None),
        Reply(2, Forgotten(frozenset())),
    ]
    assert alone.is_gone
    assert codes(tell(alone, DeleteOffsets([T0], reply_to=3))) == {3: ErrorCode.GROUP_ID_NOT_FOUND}


def test_offsets_of_topics_that_members_read_stay() -> None:
    reading_t = versioned(ConsumerProtocolSubscription(topics=["t"]), 0)
    reader = group()
    tell(reader, newcomer("a", 1, protocols=(("range", reading_t),)))
    tell(reader, Sync("a", 1, {"a": b"0"}, reply_to=2))
    tell(reader, Commit({T0: at(5), ("u", 1): at(6)}, "a", 1))
    effects = tell(reader, DeleteOffsets([T0, ("u", 1)], reply_to=3))
    assert effects == [tombstone("u", 1), Reply(3, Forgotten(frozenset([T0])))]
    assert offsets(reader) == {T0: 5}


@pytest.mark.parametrize("state", [State.PREPARING, State.COMPLETING, State.STABLE])
def test_nothing_goes_while_nobody_knows_what_the_members_read(state: State) -> None:
    """A rebalance gathers them, or their metadata is not that of consumers."""
    both = pair(state)
    assert tell(both, DeleteOffsets([T0], reply_to=9)) == [Reply(9, Forgotten(frozenset([T0])))]


def test_a_group_that_is_no_consumers_keeps_its_offsets_while_it_has_members() -> None:
    workers = group()
    tell(workers, newcomer("a", 1, protocol_type="connect"))
    assert codes(tell(workers, DeleteOffsets([T0], reply_to=2))) == {2: ErrorCode.NON_EMPTY_GROUP}


def test_deleted_topic_takes_its_offsets_along() -> None:
    alone = simple()
    tell(alone, Commit({("u", 1): at(1)}))
    assert tell(alone, TopicDeleted("t", UUID(int=1))) == [tombstone("t", 0)]
    assert offsets(alone) == {("u", 1): 1}


def test_offsets_of_a_topic_that_came_after_the_deleted_one_stay() -> None:
    """The name is only a label."""
    alone = group()
    tell(alone, Commit({T0: at(5, topic_id=UUID(int=2))}))
    assert tell(alone, TopicDeleted("t", UUID(int=1))) == []
    assert tell(alone, TopicDeleted("t", UUID(int=2))) == [tombstone("t", 0)]


def test_offsets_without_a_group_expire_after_their_last_commit() -> None:
    alone = simple()
    assert tell(alone, TimerFired(EXPIRY), now_ms=999) == [SetTimer(EXPIRY, 600_000)]
    tell(alone, commit(6, commit_ms=500))
    assert tell(alone, TimerFired(EXPIRY), now_ms=1_499) == [SetTimer(EXPIRY, 600_000)]
    assert tell(alone, TimerFired(EXPIRY), now_ms=1_500) == [
        tombstone("t", 0),
        Append(GroupMetadataKey(group="orders"), None),
    ]
    assert alone.is_gone


def test_offsets_of_a_group_expire_after_its_last_member_left() -> None:
    """Not after their commit: a consumer that reads slowly keeps its place."""
    both = group(retention_ms=RETENTION_MS)
    tell(both, newcomer("a", 1))
    tell(both, commit(5, member_id="a", generation=1))  # refused: not assigned yet
    assert offsets(both) == {}
    tell(both, Commit({T0: at(5, 0)}, reply_to=1))
    both.offsets.take(T0, at(5, 0))
    tell(both, Leave([Leaver("a")], reply_to=2), now_ms=10_000)
    assert both.state is State.EMPTY
    assert tell(both, TimerFired(EXPIRY), now_ms=10_999) == [SetTimer(EXPIRY, 600_000)]
    assert tombstone("t", 0) in tell(both, TimerFired(EXPIRY), now_ms=11_000)


def test_commit_after_the_group_was_emptied_is_kept_its_full_time() -> None:
    both = group(retention_ms=RETENTION_MS)
    tell(both, newcomer("a", 1))
    tell(both, Leave([Leaver("a")], reply_to=2), now_ms=0)
    tell(both, commit(5, commit_ms=900))
    assert tell(both, TimerFired(EXPIRY), now_ms=1_100) == [SetTimer(EXPIRY, 600_000)]


def test_offset_with_an_end_of_its_own_goes_then() -> None:
    """OffsetCommit 2 to 4 let the client choose."""
    alone = group(retention_ms=RETENTION_MS)
    tell(alone, Commit({T0: at(5, 0, expire_timestamp=5_000)}))
    assert tell(alone, TimerFired(EXPIRY), now_ms=4_999) == [SetTimer(EXPIRY, 600_000)]
    assert tombstone("t", 0) in tell(alone, TimerFired(EXPIRY), now_ms=5_000)


def consumers(*topics: str) -> ClassicGroup:
    """A stable group that reads these topics, with offsets of t and u."""
    subscription = versioned(ConsumerProtocolSubscription(topics=list(topics)), 0)
    return stable_with((("range", subscription),))


def stable_with(protocols: Any) -> ClassicGroup:
    one = group(retention_ms=RETENTION_MS)
    tell(one, Commit({T0: at(5), ("u", 0): at(6)}))
    tell(one, newcomer("a", 1, protocols=protocols))
    tell(one, Sync("a", 1, {"a": b""}, reply_to=2))
    assert one.state is State.STABLE
    return one


def test_stable_group_forgets_topics_that_it_reads_no_more() -> None:
    """KIP-211."""
    assert tell(consumers("t"), TimerFired(EXPIRY), now_ms=RETENTION_MS) == [
        tombstone("u", 0),
        SetTimer(EXPIRY, 600_000),
    ]


def test_stable_group_whose_subscriptions_nobody_can_read_keeps_everything() -> None:
    kept = stable_with((("range", b"my own format"),))
    assert tell(kept, TimerFired(EXPIRY), now_ms=RETENTION_MS) == [SetTimer(EXPIRY, 600_000)]


def test_rebalancing_group_keeps_everything() -> None:
    both = pair(State.PREPARING)
    both.offsets.take(T0, at(5))
    assert tell(both, TimerFired(EXPIRY), now_ms=10**15) == [SetTimer(EXPIRY, 600_000)]


def test_empty_group_without_offsets_goes_at_the_next_look() -> None:
    both = ClassicGroup("orders", Rules(initial_delay_ms=0))
    tell(both, newcomer("a", 1))
    tell(both, Leave([Leaver("a")], reply_to=2))
    assert not both.is_gone
    assert tell(both, TimerFired(EXPIRY)) == [Append(GroupMetadataKey(group="orders"), None)]
    assert both.is_gone
    assert codes(tell(both, again("a", 3))) == {3: ErrorCode.UNKNOWN_MEMBER_ID}
