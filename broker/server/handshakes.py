"""What goes before the first request of a TLS connection: so many at once, each for so long.

A client that has not sent a byte holds no seat and hardly any memory. While others stand in line for a seat, each
handshake has a second instead of `barnabas.handshake.timeout.ms`, so that those which never end keep nobody out.
"""

import logging
from collections import deque

import trio

from broker.transport.contract import Address, HandshakeFailed, Stream

log = logging.getLogger("barnabas.server")

SEATS = 200
"""Handshakes under way at once; each holds up to 100 KiB."""
HURRIED_S = 1.0
LINES_PER_S = 10
"""Failed handshakes in the log; how many more there were is told with the next one."""
LATE = "not finished within barnabas.handshake.timeout.ms, or too slow while others waited"


class Handshakes:
    """Of one broker. Args: within_s: for each, the time in line included."""

    def __init__(self, within_s: float = 10.0, seats: int = SEATS) -> None:
        self._within_s = within_s
        self._free = seats
        self._seated: dict[trio.CancelScope, float] = {}
        """Since when each is under way."""
        self._line: list[trio.Event] = []
        self._told: deque[float] = deque(maxlen=LINES_PER_S)
        self._untold = 0

    async def open(self, stream: Stream) -> bool:
        """Whether the connection may begin; if not, the log says why.

        Raises: ConnectionLost: the client went, as clients do that only look whether somebody listens.
        """
        if not stream.handshakes:
            return True
        try:
            with trio.move_on_after(self._within_s) as scope:
                await stream.wait_readable()
                await self._take_seat()
                try:
                    await self._open_seated(stream, scope)
                finally:
                    self._leave_seat()
        except HandshakeFailed as failure:
            self._tell(stream.peer, str(failure))
            return False
        if scope.cancelled_caught:
            self._tell(stream.peer, LATE)
        return not scope.cancelled_caught

    async def _take_seat(self) -> None:
        """Whoever came last is the next: in a storm that is the one whose client still waits for us."""
        if self._free > 0:
            self._free -= 1
            return
        if not self._line:  # who sits down later is hurried from the start
            for scope, since in self._seated.items():
                scope.deadline = min(scope.deadline, since + HURRIED_S)
        turn = trio.Event()
        self._line.append(turn)
        try:
            await turn.wait()
        except BaseException:
            self._line.remove(turn)
            raise

    def _leave_seat(self) -> None:
        if self._line:
            self._line.pop().set()
        else:
            self._free += 1

    async def _open_seated(self, stream: Stream, scope: trio.CancelScope) -> None:
        now = trio.current_time()
        if self._line:
            scope.deadline = min(scope.deadline, now + HURRIED_S)
        self._seated[scope] = now
        try:
            await stream.open()
        finally:
            del self._seated[scope]

    def _tell(self, peer: Address, why: str) -> None:
        now = trio.current_time()
        if len(self._told) == LINES_PER_S and now - self._told[0] < 1:
            self._untold += 1
            return
        self._told.append(now)
        more = f" ({self._untold} more like it were not logged)" if self._untold else ""
        self._untold = 0
        log.warning("%s: closed: the TLS handshake failed: %s%s", peer, why, more)
