"""One task that looks at every connection once a second and hangs up on who is too slow; no timer per wait.

Idle too long; a frame begun that does not grow; an answer begun that does not move; and, while somebody stands in line
for the budget, the half-read frame that has grown least since the last look: no claim may starve the others.
"""

from collections.abc import Collection

import trio

from broker.server.budget import Budget
from broker.server.connection import Connection, Phase
from broker.server.limits import Limits
from kproto.values import frozen

FRAME_GROWTH_BYTES = 32 * 1024
"""A frame begun must grow by that much within the frame timeout, or end."""
LOOKS_PER_SLICE = 100
LONGEST_INTERVAL_S = 1.0


@frozen
class Mark:
    """When a connection was last seen to get on, and how far it was then."""

    phase: Phase
    frames: int
    bytes: int
    since: float


class Sweeper:
    """Looks at `connections`, which change meanwhile."""

    def __init__(self, connections: Collection[Connection], limits: Limits, budget: Budget) -> None:
        self._connections = connections
        self._limits = limits
        self._budget = budget
        self._marks: dict[Connection, Mark] = {}
        self._claims: dict[Connection, tuple[int, int]] = {}
        """Of those that hold budget: frames handled and bytes received at the last look."""
        shortest = min((s for s in (limits.idle_s, limits.frame_s, limits.send_s) if s > 0), default=LONGEST_INTERVAL_S)
        self._interval_s = min(LONGEST_INTERVAL_S, shortest / 4)

    async def run(self) -> None:
        """For ever."""
        while True:
            await trio.sleep(self._interval_s)
            await self.sweep(trio.current_time())

    def quiet_since(self, connection: Connection) -> float:
        """When it was last seen to do something, in trio's time; now if it has come since the last look."""
        mark = self._marks.get(connection)
        return trio.current_time() if mark is None else mark.since

    async def sweep(self, now: float) -> None:
        before, self._marks = self._marks, {}
        for count, connection in enumerate(tuple(self._connections), start=1):
            self._look(connection, before.get(connection), now)
            if count % LOOKS_PER_SLICE == 0:
                await trio.lowlevel.checkpoint()
        self._feed_the_line()

    def _look(self, connection: Connection, mark: Mark | None, now: float) -> None:
        """Renew its mark if it got on, hang up if the last time is too long ago."""
        phase = connection.phase
        moved_bytes = connection.stream.sent_bytes if phase is Phase.SENDING else connection.inbox.received_bytes
        step = FRAME_GROWTH_BYTES if phase is Phase.READING else 1
        if mark is None or (mark.phase, mark.frames) != (phase, connection.frames) or moved_bytes - mark.bytes >= step:
            mark = Mark(phase, connection.frames, moved_bytes, now)
        self._marks[connection] = mark
        limit_s, why = self._limit(phase)
        if 0 <= limit_s <= now - mark.since:
            connection.hang_up(why)

    def _limit(self, phase: Phase) -> tuple[float, str]:
        if phase is Phase.IDLE:
            return self._limits.idle_s, "idle for connections.max.idle.ms"
        if phase is Phase.READING:
            return self._limits.frame_s, "a frame begun did not grow within barnabas.frame.timeout.ms"
        if phase is Phase.SENDING:
            return self._limits.send_s, "an answer did not move within barnabas.send.timeout.ms"
        return -1, ""

    def _feed_the_line(self) -> None:
        """Close the frame that grew least; more of them only if they did not grow at all and it takes that many."""
        growth = {}
        before, self._claims = self._claims, {}
        for connection in self._connections:
            if connection.inbox.claim.held == 0:
                continue
            frames, received = self._claims[connection] = connection.frames, connection.inbox.received_bytes
            if connection in before and before[connection][0] == frames and connection.phase is not Phase.HANDLING:
                growth[connection] = received - before[connection][1]
        missing = self._budget.missing_bytes
        if missing <= 0:
            return
        readers = [each for each in growth if each.phase is not Phase.QUEUED] or list(growth)
        readers.sort(key=growth.__getitem__)
        for place, connection in enumerate(readers):
            if missing <= 0 or (place > 0 and growth[connection] > 0):
                return
            missing -= connection.inbox.claim.held
            connection.hang_up("its frame grew least while others waited for queued.max.request.bytes")
