"""What the controller says to one broker, in order, each request repeated until it is answered."""

import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import trio

from broker.cluster.controller import Answered, Event, Request
from broker.transport.contract import ConnectionLost

log = logging.getLogger("barnabas.controller")

RETRY_S = 0.3


class Peer(Protocol):
    """How to speak to one broker; structurally the peers of `broker/transport`."""

    async def ask(self, request: Any, /) -> Any:
        """The answer. Raises: broker.transport.contract.ConnectionLost."""
        ...


class Sender:
    """The requests for one broker; `tell` gets the answers as events."""

    def __init__(self, broker: int, peer: Peer, tell: Callable[[Event], None]) -> None:
        self.queue: deque[Request] = deque()
        self.news = trio.Event()
        self.scope = trio.CancelScope()
        self._broker = broker
        self._peer = peer
        self._tell = tell

    async def run(self) -> None:
        with self.scope:
            while True:
                while self.queue:
                    await self._ask(self.queue.popleft())
                self.news = trio.Event()
                await self.news.wait()

    async def _ask(self, request: Request) -> None:
        while True:
            try:
                response = await self._peer.ask(request)
            except ConnectionLost:
                log.warning("Broker %d does not answer; the controller asks again", self._broker)
                await trio.sleep(RETRY_S)
            else:
                self._tell(Answered(self._broker, request, response))
                return
