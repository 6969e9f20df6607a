"""A server with fake handlers, over memory or over sockets, and a client that speaks to it in plain frames."""

import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from broker.cluster.authorizer import AllowAll
from broker.metrics import Metrics
from broker.requests.context import Context
from broker.requests.router import Router
from broker.server.budget import Budget
from broker.server.buffers import ReadBuffers
from broker.server.connections import Connections
from broker.server.limits import Limits
from broker.server.listener import Listener
from broker.transport.contract import ConnectionLost, Stream
from broker.transport.listening import SocketListener, SocketOptions, bind
from broker.transport.memory import MemoryListener
from broker.transport.sockets import SocketStream
from kproto.connection import ClientConnection
from kproto.errors import ApiError
from kproto.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from kproto.schema import Message

Handles = Callable[[Any, Context], Awaitable[Message | None]]


class Client:
    """Sends bytes, reads answers."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.wire = ClientConnection("a client")
        self._got = bytearray()

    def frame(self, message: Message, version: int | None = None, *, answered: bool = True) -> bytes:
        version = type(message).VERSIONS[1] if version is None else version
        return b"".join(self.wire.request(message, version, answered=answered))

    async def send(self, data: bytes) -> None:
        await self.stream.send([data])

    async def answer(self, within_s: float = 10) -> Any:
        """The next answer's message; None if the connection closed instead."""
        with trio.fail_after(within_s):
            while True:
                found = self.wire.next_answer(memoryview(bytes(self._got)), 0, len(self._got))
                if found is not None:
                    del self._got[: found.size]
                    return found.message
                if not await self._more():
                    return None

    async def ask(self, message: Message, version: int | None = None) -> Any:
        await self.send(self.frame(message, version))
        return await self.answer()

    async def raw(self, size: int) -> bytes:
        """Exactly that many bytes, fewer at the end of the stream."""
        with trio.fail_after(10):
            while len(self._got) < size and await self._more():
                pass
        taken = bytes(self._got[:size])
        del self._got[:size]
        return taken

    async def _more(self) -> bool:
        buffer = bytearray(65536)
        try:
            while (size := self.stream.receive_into(memoryview(buffer))) is None:
                await self.stream.wait_readable()
        except ConnectionLost:
            return False
        self._got += buffer[:size]
        return size > 0


async def heartbeat(request: HeartbeatRequest, ctx: Context) -> HeartbeatResponse:
    """Echoes the generation id as the throttle time."""
    return HeartbeatResponse(throttle_time_ms=request.generation_id)


class Server:
    """Tests add handlers by name, and connect."""

    def __init__(self, listening: MemoryListener | SocketListener, nursery: trio.Nursery) -> None:
        self.modules: dict[str, Any] = {}
        self.handler("heartbeat", heartbeat, lambda _, error: HeartbeatResponse(error_code=error.code))
        rooms: Any = SimpleNamespace(
            authorizer=AllowAll(), broker_id=1, image=SimpleNamespace(cluster_id="c"), metrics=Metrics()
        )
        self.router = Router(rooms, module_of=self.modules.__getitem__, max_elements=10_000)
        self.buffers = ReadBuffers(poison=True)
        self.budget = Budget(8 << 20)
        self.limits = Limits(max_frame_bytes=6 << 20)
        self.stopwatch = time.perf_counter
        self.nursery = nursery
        self.listening = listening

    def handler(self, name: str, answers: Handles, refused: Callable[[Any, ApiError], Message | None]) -> None:
        self.modules[name] = SimpleNamespace(**{name: answers, "refused": refused})

    async def start(self, *, also: MemoryListener | None = None) -> "Server":
        """Args: also: what a second listener, INTERNAL, accepts from."""
        self.connections = Connections(self.router, self.buffers, self.budget, self.limits, stopwatch=self.stopwatch)
        self.listeners = [Listener("PLAINTEXT", self.listening)]
        if also is not None:
            self.listeners.append(Listener("INTERNAL", also))
        await self.nursery.start(self.connections.run)
        self.clients = trio.CancelScope()
        await self.nursery.start(self._listen)
        return self

    def connect(self, *, window_bytes: int = 1 << 20, slice_bytes: int = 1 << 30) -> Client:
        if isinstance(self.listening, MemoryListener):
            return Client(self.listening.connect(window_bytes=window_bytes, slice_bytes=slice_bytes))
        return Client(SocketStream(socket.create_connection(("127.0.0.1", self.listening.address.port))))

    async def settled(self) -> None:
        """All clients are gone, and nothing is left of them. Called by the fixture."""
        self.clients.cancel()
        await self.all_gone()
        assert self.buffers.out == 0
        assert self.budget.claimed_bytes == 0

    async def all_gone(self) -> None:
        with trio.fail_after(10):
            while len(self.connections):
                await trio.lowlevel.checkpoint()

    async def _listen(self, *, task_status: trio.TaskStatus[None]) -> None:
        with self.clients:
            async with trio.open_nursery() as nursery:
                for listener in self.listeners:
                    await nursery.start(listener.accept_forever, self.connections, nursery)
                task_status.started()


@pytest.fixture
async def memory_server(nursery: trio.Nursery) -> AsyncIterator[Server]:
    """Not started: set limits and handlers first, then `await server.start()`."""
    server = Server(MemoryListener(), nursery)
    yield server
    await server.settled()


@pytest.fixture
async def tcp_server(nursery: trio.Nursery) -> AsyncIterator[Server]:
    server = Server(bind("127.0.0.1", 0, SocketOptions()), nursery)
    yield server
    await server.settled()
