"""All fetch sessions of this broker, in a limited number of slots.  Source: KIP-227; FetchSessionCache of Kafka.

They live while their readers come back, on whatever connection: a session belongs to who knows its id. Rights are asked
anew for whatever it tells.
"""

import logging
from bisect import insort

import trio

from broker.clock import Chance
from broker.partitions.fetch_session import FetchSession
from kproto.errors import ApiError, ErrorCode

log = logging.getLogger("barnabas.partitions")

EVICTION_S = 120.0
"""min.incremental.fetch.session.eviction.ms, which Kafka does not let one set either."""
MAX_ID = 2**31 - 1
Worth = tuple[bool, int, int]
"""Privileged, number of partitions, id: a slot goes to what is worth more."""


class FetchSessions:
    """At most `slots` at a time; with none of them every fetch is a full one."""

    def __init__(self, slots: int, chance: Chance) -> None:
        self._slots = slots
        self._chance = chance
        self._sessions: dict[int, FetchSession] = {}
        """By id; the one that was not used for longest comes first."""
        self._worths: list[Worth] = []
        """Of all sessions, sorted."""
        self._filed: dict[int, Worth] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, session_id: int, epoch: int, *, by_id: bool) -> FetchSession:
        """The session that a fetch goes on with.

        Raises: ApiError: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH; FETCH_SESSION_TOPIC_ID_ERROR: it
            was begun with topic names and goes on with ids, or the other way round.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise ApiError(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
        session.must_stand(epoch)
        if session.by_id != by_id:
            raise ApiError(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
        return session

    def open(self, size: int, *, privileged: bool, by_id: bool) -> FetchSession | None:
        """A session for `size` partitions; None: all slots are taken by what is worth more."""
        now_s = trio.current_time()
        if len(self._sessions) >= self._slots and not self._make_room(size, privileged, now_s):
            return None
        session = FetchSession(self._fresh_id(), privileged=privileged, by_id=by_id, now_s=now_s)
        self._sessions[session.id] = session
        self._file(session, size)
        log.debug("Fetch session %d begins with %d partitions", session.id, size)
        return session

    def used(self, session: FetchSession) -> None:
        """Just now, and its size may be another."""
        session.used_s = trio.current_time()
        self._sessions[session.id] = self._sessions.pop(session.id)
        if self._filed[session.id][1] != len(session):
            self._worths.remove(self._filed[session.id])
            self._file(session, len(session))

    def close(self, session_id: int) -> None:
        """Unknown ids are fine."""
        session = self._sessions.pop(session_id, None)
        if session is not None:
            self._worths.remove(self._filed.pop(session_id))
            session.close()
            log.debug("Fetch session %d ends before its fetch %d", session_id, session.epoch)

    def _file(self, session: FetchSession, size: int) -> None:
        worth = self._filed[session.id] = (session.privileged, size, session.id)
        insort(self._worths, worth)

    def _make_room(self, size: int, privileged: bool, now_s: float) -> bool:
        """Close what was not used for two minutes; else what is worth least, unless it is young or worth as much.

        A follower's session need not wait until a consumer's is old.
        """
        unused = next(iter(self._sessions.values()), None)
        if unused is not None and now_s - unused.used_s > EVICTION_S:
            self.close(unused.id)
            return True
        for worth in self._worths:
            if (privileged, size, 0) < worth:
                return False
            session = self._sessions[worth[2]]
            if now_s - session.created_s > EVICTION_S or (privileged and not session.privileged):
                self.close(session.id)
                return True
        return False

    def _fresh_id(self) -> int:
        while True:
            fresh = 1 + self._chance.below(MAX_ID)
            if fresh not in self._sessions:
                return fresh
