"""The broker as a client of brokers: one question, one answer. To itself it speaks without bytes."""

from typing import Any, Protocol

Request = Any
Response = Any


class Peer(Protocol):
    """Another broker, or this one."""

    async def ask(self, request: Request) -> Response:
        """The answer to a request message, at the newest version that both sides serve.

        Raises: ConnectionLost: no answer; it may or may not have been done.
        """
        ...


class Answers(Protocol):
    """Who answers messages in this process: the router."""

    async def answer_message(self, request: Request) -> Response: ...


class LocalPeer:
    """This broker itself: the same router, handlers and trace as over a socket, without bytes.

    It may ask what only brokers may (LeaderAndIsr, UpdateMetadata, StopReplica).
    """

    def __init__(self, router: Answers) -> None:
        self._router = router

    async def ask(self, request: Request) -> Response:
        return await self._router.answer_message(request)
