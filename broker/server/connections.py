"""All connections of one broker: who may come in, one task each, and how they end when the broker stops."""

import logging
import time
from collections import Counter
from collections.abc import Callable

import trio

from broker.requests.context import ConnectionFacts
from broker.server.budget import Budget
from broker.server.buffers import ReadBuffers
from broker.server.connection import Connection, Router
from broker.server.inbox import Inbox
from broker.server.limits import UNLIMITED, Limits, ServerSettings
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
        self._all: set[Connection] = set()
        self._per_host: Counter[str] = Counter()
        self._left = trio.Event()
        self._next_creation_at = 0.0
        self._closing = False

    def __len__(self) -> int:
        return len(self._all)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Sweep for ever."""
        task_status.started()
        await Sweeper(self._all, self._limits, self._budget).run()

    async def wait_for_room(self) -> None:
        """Until one more client may be accepted: `max.connections`, `max.connection.creation.rate`."""
        while len(self._all) >= self._limits.max_connections:
            await self._left.wait()
        if self._limits.creations_per_s < UNLIMITED:
            await self._keep_pace()

    def welcome(self, stream: Stream, facts: ConnectionFacts, nursery: trio.Nursery) -> None:
        """Serve the client in a task of its own, or close at once if its host has too many connections already."""
        host = facts.peer.host
        if self._closing or self._per_host[host] >= self._limits.allowed_from(host):
            if not self._closing:
                log.info("%s: closed: max.connections.per.ip", facts.peer)
            stream.close()
            return
        inbox = Inbox(self._buffers, self._budget, self._limits.max_frame_bytes)
        connection = Connection(
            stream,
            facts,
            inbox,
            self._router,
            output_max_bytes=self._limits.output_max_bytes,
            stopwatch=self._stopwatch,
        )
        self._all.add(connection)
        self._per_host[host] += 1
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
        self._per_host[host] -= 1
        if self._per_host[host] <= 0:
            del self._per_host[host]
        self._room_may_have_come()

    def _room_may_have_come(self) -> None:
        self._left.set()
        self._left = trio.Event()

    async def _keep_pace(self) -> None:
        """At most so many a second, a second's worth at once."""
        now = trio.current_time()
        self._next_creation_at = max(self._next_creation_at, now - 1) + 1 / self._limits.creations_per_s
        await trio.sleep_until(max(now, self._next_creation_at))
