"""One listener by its name: accepts clients for as long as the broker takes them."""

import logging

import trio

from broker.requests.context import ConnectionFacts
from broker.server.connections import Connections
from broker.transport.contract import Address, ConnectionLost, Stream
from broker.transport.contract import Listener as Accepting

log = logging.getLogger("barnabas.server")

ACCEPTED_PER_TURN = 10
"""Clients taken at once: at one a turn a backlog of 50 overflows, and who does not fit tries again after a second."""
RETRY_S = 0.1
"""Between two tries to accept while the system has no descriptor or memory left."""


class Listener:
    """A bound socket (`transport.listening.bind`) under the name that `listeners` gives it.

    Args:
        name: what `advertised.listeners` is looked up by for clients that come in here.
        tells_local_end: clients are told the local end of their own socket as our address (`--host`).
    """

    def __init__(self, name: str, accepting: Accepting, *, tells_local_end: bool = False) -> None:
        self.name = name
        self._accepting = accepting
        self._tells_local_end = tells_local_end
        self._troubled = False

    @property
    def address(self) -> Address:
        """With the port that the system gave if 0 was asked for."""
        return self._accepting.address

    async def accept_forever(
        self,
        connections: Connections,
        nursery: trio.Nursery,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Each accepted client becomes a task of `nursery`. The socket closes when this is cancelled."""
        task_status.started()
        try:
            while True:
                for _ in range(ACCEPTED_PER_TURN):
                    await connections.wait_for_room(self.name)
                    stream = await self._accept()
                    if stream is not None:
                        connections.welcome(stream, self._facts(stream), nursery)
                await trio.lowlevel.checkpoint()
        except ConnectionLost:
            log.info("listener %s at %s is closed", self.name, self.address)
        finally:
            self.close()

    def close(self) -> None:
        """Also for a start that ends before `accept_forever`; safe to call twice."""
        self._accepting.close()

    async def _accept(self) -> Stream | None:
        """None if the system has nothing left for one more: told once, and again when it is over."""
        try:
            stream = await self._accepting.accept()
        except (OSError, MemoryError) as error:
            if not self._troubled:
                log.error("listener %s cannot accept (%s); clients wait until it can", self.name, error)
            self._troubled = True
            await trio.sleep(RETRY_S)
            return None
        if self._troubled:
            log.warning("listener %s accepts again", self.name)
            self._troubled = False
        return stream

    def _facts(self, stream: Stream) -> ConnectionFacts:
        return ConnectionFacts(stream.peer, stream.local, self.name, tells_local_end=self._tells_local_end)
