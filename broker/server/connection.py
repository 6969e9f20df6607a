"""One client's connection: one task that reads, has one frame after the other handled, and answers in their order.

The loop tries to receive, handles the whole frames of what came, sends their answers, passes one checkpoint and tries
again; it waits for the socket only when that is empty. The checkpoint is the fairness between connections.
"""

import contextlib
import logging
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

import trio

from broker.requests.context import ConnectionFacts, Seat
from broker.server.handshakes import Handshakes
from broker.server.inbox import Inbox
from broker.transport.contract import ConnectionLost, Piece, Stream
from broker.transport.pieces import release
from kproto.connection import Request
from kproto.errors import WireError

log = logging.getLogger("barnabas.server")

TURN_S = 0.0005
"""A turn ends after that, also amid a buffer full of small requests."""


LAST_ANSWER_S = 0.5
"""For the answer under way when the broker stops: a client that does not read must not use up everybody's grace."""


class Phase(IntEnum):
    """What a connection is at: the sweeper and a stopping broker go by it."""

    IDLE = 0
    """Waits for a request to begin."""
    READING = 1
    """Waits for the rest of a frame."""
    QUEUED = 2
    """Waits for the budget."""
    HANDLING = 3
    SENDING = 4
    WAITING = 5
    """Its handler waits for somebody else to act: a long poll, a rebalance."""
    OPENING = 6
    """Amid the handshake, which has a time limit of its own."""


class Router(Protocol):
    """Who answers requests."""

    async def answer(self, request: Request, connection: ConnectionFacts, seat: Seat) -> list[Piece] | None:
        """The answer with its size and header; None if there is none (Produce with acks=0).

        Raises: WireError: close; ConnectionLost: the client went while its handler waited.
        """
        ...


class Connection:
    """Runs until the client goes, breaks the protocol, or is hung up on.

    Args:
        output_max_bytes: answers that may stand unsent before no more requests are handled.
    """

    __slots__ = (
        "_answer_bytes",
        "_answers",
        "_closing",
        "_handshakes",
        "_output_max_bytes",
        "_router",
        "_scope",
        "_stopwatch",
        "facts",
        "frames",
        "inbox",
        "phase",
        "stream",
    )

    def __init__(
        self,
        stream: Stream,
        facts: ConnectionFacts,
        inbox: Inbox,
        router: Router,
        *,
        handshakes: Handshakes,
        output_max_bytes: int,
        stopwatch: Callable[[], float],
    ) -> None:
        self.stream = stream
        self.facts = facts
        self.inbox = inbox
        self.phase = Phase.IDLE
        self.frames = 0
        """Handled so far."""
        self._router = router
        self._handshakes = handshakes
        self._output_max_bytes = output_max_bytes
        self._stopwatch = stopwatch
        self._scope = trio.CancelScope()
        self._answers: list[Piece] = []
        self._answer_bytes = 0
        self._closing = False

    async def run(self) -> None:
        """Raises nothing but a cancellation from outside: one client's trouble ends here."""
        try:
            with self._scope:
                await self._serve_and_say_why()
        finally:
            release(self._answers)
            self.stream.close()
            self.inbox.close()

    def hang_up(self, reason: str) -> None:
        """End the connection wherever it waits."""
        log.info("%s: closed: %s", self.facts.peer, reason)
        self._scope.cancel()

    def finish(self) -> None:
        """The broker stops: go at once if idle or waiting, else once the request at work is answered."""
        self._closing = True
        if self.phase is Phase.SENDING:
            self._scope.deadline = trio.current_time() + LAST_ANSWER_S
        elif self.phase is not Phase.HANDLING:
            self._scope.cancel()

    async def before_wait(self, *, for_others: bool) -> None:
        """What a handler's wait begins with: answers out, read buffer home."""
        await self._settle_and_send()
        if for_others:
            self.phase = Phase.WAITING
            if self._closing:
                self._scope.cancel()

    def after_wait(self) -> None:
        self.phase = Phase.HANDLING

    async def _serve_and_say_why(self) -> None:
        try:
            if await self._open():
                await self._serve()
        except ConnectionLost:
            pass
        except WireError as error:
            log.warning(
                "%s: closed: %s", self.facts.peer, str(error)
            )  # the text: an exception holds views of the buffer
            await self._last_answers()
        except Exception:
            log.error("%s: closed by an error of the broker\n%s", self.facts.peer, traceback.format_exc())

    async def _open(self) -> bool:
        """What goes before the first request; then it is known who the client is, and by which name it came."""
        if self.stream.handshakes:
            self.phase = Phase.OPENING
        opened = await self._handshakes.open(self.stream)
        self.facts.principal, self.facts.local = self.stream.principal, self.stream.local
        self.phase = Phase.IDLE
        return opened

    async def _serve(self) -> None:
        while not self._closing:
            if self.inbox.claim.must_wait:
                self.phase = Phase.QUEUED
                await self.inbox.claim.wait()
            received = self.inbox.receive(self.stream)
            if received is None:
                await self._wait_for_bytes()
                continue
            if received == 0:
                return
            self.phase = Phase.HANDLING
            while await self._turn() and not self._closing:
                await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()

    async def _turn(self) -> bool:
        """Handle what is here; True if the time was up before all of it was done."""
        ends = self._stopwatch() + TURN_S
        cut = False
        while not cut and (request := self.inbox.next_request()) is not None:
            self.frames += 1
            await self._handle(request)
            cut = self._closing or self._stopwatch() >= ends
        await self._settle_and_send()
        return cut and self.inbox.frame_begun

    async def _handle(self, request: Request) -> None:
        pieces = await self._router.answer(request, self.facts, self)
        request.body.release()
        if pieces is not None:
            self._answers += pieces
            self._answer_bytes += sum(map(len, pieces))
            if self._answer_bytes > self._output_max_bytes:
                await self._settle_and_send()

    async def _settle_and_send(self) -> None:
        self.inbox.settle()
        if self._answers:
            pieces, self._answers, self._answer_bytes = self._answers, [], 0
            self.phase = Phase.SENDING
            await self.stream.send(pieces)
            self.phase = Phase.HANDLING

    async def _last_answers(self) -> None:
        """What was asked before the peer broke the protocol is answered."""
        pieces, self._answers = self._answers, []
        self.phase = Phase.SENDING
        with contextlib.suppress(ConnectionLost):
            await self.stream.send(pieces)

    async def _wait_for_bytes(self) -> None:
        self.inbox.settle()
        self.phase = Phase.READING if self.inbox.frame_begun else Phase.IDLE
        await self.stream.wait_readable()
