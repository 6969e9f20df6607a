"""All connections of one broker: who may come in, one task each, and how they end when the broker stops."""

import logging
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable

import trio

from broker.requests.context import ConnectionFacts
from broker.server.budget import Budget
from broker.server.buffers import ReadBuffers
from broker.server.connection import Connection, Phase, Router
from broker.server.handshakes import Handshakes
from broker.server.inbox import Inbox
from broker.server.limits import UNLIMITED, Limits, ServerSettings
from broker.server.pace import Pace
from broker.server.sweeper import Sweeper
from broker.transport.contract import Stream

log = logging.getLogger("barnabas.server")


class Connections:
    """Made once per broker; `run` beside the connections for as long as there are any.

    Args:
        router: answers the requests.
        buffers: lent to connections while they work.
        budget: for requests not yet handled (`queued.max.request.bytes`).
        stopwatch: seconds, for the length of a turn.
    """

    def __init__(
        self,
        router: Router,
        buffers: ReadBuffers,
        budget: Budget,
        limits: Limits,
        *,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._router = router
        self._buffers = buffers
        self._budget = budget
        self._limits = limits
        self._stopwatch = stopwatch
        self._handshakes = Handshakes(limits.handshake_s)
        self._all: set[Connection] = set()
        self._per_host: Counter[str] = Counter()
        self._per_listener: Counter[str] = Counter()
        self._left = trio.Event()
        self._pace = Pace()
        self._paces: dict[str, Pace] = defaultdict(Pace)
        self._sweeper = Sweeper(self._all, limits, budget)
        self._closing = False

    def __len__(self) -> int:
        return len(self._all)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Sweep for ever."""
        task_status.started()
        await self._sweeper.run()

    async def wait_for_room(self, listener: str) -> None:
        """Until one more client may be accepted: `max.connections`, `max.connection.creation.rate`.

        Those of the listener, and those of the broker unless the listener is protected: who comes in there takes the
        place of an idle client of another one.
        """
        while not self._has_room(listener):
            await self._left.wait()
        if listener != self._limits.protected:
            await self._keep_pace(self._pace, lambda: self._limits.creations_per_s)
        await self._keep_pace(self._paces[listener], lambda: self._limits.of_listener(listener).creations_per_s)

    def welcome(self, stream: Stream, facts: ConnectionFacts, nursery: trio.Nursery) -> None:
        """Serve the client in a task of its own, or close at once if its host has too many connections already."""
        host = facts.peer.host
        if self._closing or self._per_host[host] >= self._limits.allowed_from(host):
            if not self._closing:
                log.info("%s: closed: max.connections.per.ip", facts.peer)
            stream.close()
            return
        if facts.listener_name == self._limits.protected and len(self._all) >= self._limits.max_connections:
            self._make_room(facts.listener_name)
        inbox = Inbox(self._buffers, self._budget, self._limits.max_frame_bytes)
        connection = Connection(
            stream,
            facts,
            inbox,
            self._router,
            handshakes=self._handshakes,
            output_max_bytes=self._limits.output_max_bytes,
            stopwatch=self._stopwatch,
        )
        self._all.add(connection)
        self._per_host[host] += 1
        self._per_listener[facts.listener_name] += 1
        nursery.start_soon(self._serve, connection)

    def settings_changed(self, settings: ServerSettings) -> None:
        """For clients that come from now on; those who are in stay."""
        self._limits.admit(settings)
        self._room_may_have_come()

    def close_idle(self) -> None:
        """The broker stops: idle and waiting connections go at once, the busy ones once they have answered."""
        self._closing = True
        for connection in tuple(self._all):
            connection.finish()

    async def _serve(self, connection: Connection) -> None:
        try:
            await connection.run()
        finally:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        host = connection.facts.peer.host
        self._all.discard(connection)
        self._per_listener[connection.facts.listener_name] -= 1
        self._per_host[host] -= 1
        if self._per_host[host] <= 0:
            del self._per_host[host]
        self._room_may_have_come()

    def _room_may_have_come(self) -> None:
        self._left.set()
        self._left = trio.Event()

    def _has_room(self, listener: str) -> bool:
        if self._per_listener[listener] >= self._limits.of_listener(listener).max_connections:
            return False
        return listener == self._limits.protected or len(self._all) < self._limits.max_connections

    def _make_room(self, protected: str) -> None:
        """Hang up on the client of another listener that has been idle for longest; else on the one that came first."""
        others = [each for each in self._all if each.facts.listener_name != protected]
        idle = [each for each in others if each.phase is Phase.IDLE]
        if others:
            longest = min(idle or others, key=self._sweeper.quiet_since)
            longest.hang_up(f"max.connections, and listener {protected} needed room")

    async def _keep_pace(self, pace: Pace, rate: Callable[[], int]) -> None:
        """The rate is asked again when settings changed."""
        if rate() >= UNLIMITED:
            return
        at = pace.take(trio.current_time(), rate())
        while at == math.inf:
            await self._left.wait()
            at = pace.take(trio.current_time(), rate())
        await trio.sleep_until(at)
