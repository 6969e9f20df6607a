"""Slots of fetch sessions: who gets one, who loses one."""

from uuid import UUID

import pytest
from trio.testing import MockClock

from broker.clock import Chance
from broker.partitions.fetch_session import LAST_EPOCH, FetchSession, SessionWaiter
from broker.partitions.fetch_sessions import EVICTION_S, FetchSessions
from broker.purgatory import WaitingRoom
from kproto.errors import ApiError, ErrorCode
from kproto.messages.fetch import FetchPartition, FetchTopic

NO_ID = UUID(int=0)


def sessions_of(slots: int) -> FetchSessions:
    return FetchSessions(slots, Chance(1))


def opened(sessions: FetchSessions, size: int, *, privileged: bool = False) -> FetchSession:
    """Asks for as many partitions as it was opened for."""
    session = sessions.open(size, privileged=privileged, by_id=False)
    assert session is not None
    ask(session, size)
    return session


def ask(session: FetchSession, size: int) -> None:
    for number in range(size):
        session.ask(FetchTopic(topic="t"), FetchPartition(partition=number))


def lives(sessions: FetchSessions, session: FetchSession) -> bool:
    try:
        return sessions.find(session.id, session.epoch, by_id=False) is session
    except ApiError as no:
        if no.code != ErrorCode.FETCH_SESSION_ID_NOT_FOUND:
            raise
        return False


async def test_ids_are_positive_and_different(mock_clock: MockClock) -> None:
    """0 means that there is no session."""
    sessions = sessions_of(50)
    ids = {opened(sessions, 1).id for _ in range(50)}
    assert len(ids) == len(sessions) == 50
    assert all(0 < each < 2**31 for each in ids)


async def test_without_slots_there_are_no_sessions(mock_clock: MockClock) -> None:
    """max.incremental.fetch.session.cache.slots=0."""
    assert sessions_of(0).open(1000, privileged=True, by_id=True) is None


async def test_a_young_session_keeps_its_slot(mock_clock: MockClock) -> None:
    """Or two readers too many would take it from each other for ever."""
    sessions = sessions_of(1)
    young = opened(sessions, 1)
    mock_clock.jump(EVICTION_S)
    assert sessions.open(1000, privileged=False, by_id=False) is None
    assert lives(sessions, young)


async def test_a_session_that_is_not_used_for_two_minutes_loses_its_slot(mock_clock: MockClock) -> None:
    """To whomever, and the one that was not used for longest goes first."""
    sessions = sessions_of(2)
    first, second = opened(sessions, 9), opened(sessions, 5)
    mock_clock.jump(EVICTION_S)
    sessions.used(first)
    mock_clock.jump(1)
    opened(sessions, 1)
    assert (lives(sessions, first), lives(sessions, second)) == (True, False)


@pytest.mark.parametrize(("size", "gets_it"), [(2, False), (3, False), (4, True)], ids=["less", "as much", "more"])
async def test_an_old_session_that_is_used_yields_to_a_larger_one(
    size: int, gets_it: bool, mock_clock: MockClock
) -> None:
    """Sessions save most where there are many partitions."""
    sessions = sessions_of(2)
    small, large = opened(sessions, 3), opened(sessions, 7)
    mock_clock.jump(EVICTION_S + 1)
    sessions.used(small)
    sessions.used(large)
    assert (sessions.open(size, privileged=False, by_id=False) is not None) == gets_it
    assert lives(sessions, small) == (not gets_it)
    assert lives(sessions, large)


async def test_what_counts_is_the_size_after_the_last_fetch(mock_clock: MockClock) -> None:
    sessions = sessions_of(2)
    grown, shrunk = opened(sessions, 1), opened(sessions, 5)
    mock_clock.jump(EVICTION_S + 1)
    ask(grown, 6)
    for number in range(4):
        shrunk.forget("t", NO_ID, number)
    sessions.used(grown)
    sessions.used(shrunk)
    opened(sessions, 4)
    assert (lives(sessions, grown), lives(sessions, shrunk)) == (True, False)


async def test_a_follower_takes_the_slot_of_the_smallest_consumer_at_once(mock_clock: MockClock) -> None:
    """However young and large; another follower's it does not, while that is young."""
    sessions = sessions_of(2)
    large, small = opened(sessions, 900), opened(sessions, 800)
    follower = opened(sessions, 1, privileged=True)
    assert (lives(sessions, large), lives(sessions, small)) == (True, False)
    opened(sessions, 1, privileged=True)
    assert not lives(sessions, large)
    assert sessions.open(1000, privileged=True, by_id=False) is None
    assert lives(sessions, follower)


async def test_a_consumer_never_takes_the_slot_of_a_follower_in_use(mock_clock: MockClock) -> None:
    sessions = sessions_of(1)
    follower = opened(sessions, 1, privileged=True)
    mock_clock.jump(EVICTION_S + 1)
    sessions.used(follower)
    assert sessions.open(1000, privileged=False, by_id=False) is None
    assert sessions.open(2, privileged=True, by_id=False) is not None
    assert not lives(sessions, follower)


async def test_a_closed_session_watches_nothing_and_gives_its_slot_back(mock_clock: MockClock) -> None:
    """What a session that is gone left in a partition's waiting room would stay there for ever."""
    sessions, room = sessions_of(1), WaitingRoom()
    session = opened(sessions, 3)
    for watch in session.to_look_at():
        watch.stand_in((room,))
    assert len(room.waiters) == 3
    sessions.close(session.id)
    sessions.close(session.id)
    assert not room.waiters
    assert sessions.open(1, privileged=False, by_id=False) is not None


async def test_an_unused_session_leaves_a_waiting_room_at_the_first_thing_that_happens(mock_clock: MockClock) -> None:
    """Its reader may never come back: the next append costs nothing for it."""
    room = WaitingRoom()
    session = opened(sessions_of(1), 2)
    first, second = session.to_look_at()
    first.stand_in((room,))
    second.stand_in((room, WaitingRoom()))
    assert session.to_look_at() == []
    room.grow(100)
    assert not room.waiters
    assert session.to_look_at() == [first, second]


async def test_epochs_begin_again_after_the_largest(mock_clock: MockClock) -> None:
    """At 1: 0 would ask for a new session."""
    session = opened(sessions_of(1), 1)
    session.epoch = LAST_EPOCH
    assert session.go_on() == 1


async def test_a_fetch_that_waits_is_told_of_growth_by_the_watches(mock_clock: MockClock) -> None:
    """Of the first bytes and of all that follow, and of nothing once it waits no more."""
    room = WaitingRoom()
    session = opened(sessions_of(1), 1)
    (watch,) = session.to_look_at()
    watch.stand_in((room,))
    waiter = SessionWaiter(session, 100)
    room.grow(60)
    assert not waiter.woken
    room.grow(60)
    assert waiter.woken
    assert await waiter.wait(within_ms=0)
    assert not room.waiters
    watch.stand_in((room,))
    room.grow(1)
    assert not room.waiters
