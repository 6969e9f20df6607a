"""`python -m tools.bench.bare_loop FILE PORT`: our broker, whose handlers also answer on PORT, under an epoll loop.

While a client is connected there, trio stands still: bytes go from `recv` through the same router to `send`, with no
task, no checkpoint and no fairness between. It is what a request costs at least, and only fit for requests that never
wait.
"""

import select
import socket
import sys
from pathlib import Path

import trio

from broker.broker import Broker
from broker.config.load import load
from broker.foundations import foundations
from broker.requests.context import ConnectionFacts
from broker.requests.router import Router
from broker.transport.contract import Address, Piece
from broker.world import real_world
from kproto.connection import Request, ServerConnection

BUFFER_BYTES = 256 * 1024


class Client:
    """One connection, and what has come and is not handled."""

    def __init__(self, sock: socket.socket, router: Router) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self._router, self._wire = router, ServerConnection()
        self._view, self._end = memoryview(bytearray(BUFFER_BYTES)), 0
        self._facts = ConnectionFacts(Address("127.0.0.1", 0), Address("127.0.0.1", 0), "PLAINTEXT")

    def serve(self) -> bool:
        """Answer what has come; False once the client is gone."""
        size = self.sock.recv_into(self._view[self._end :])
        if not size:
            return False
        self._end += size
        start, answers = 0, list[Piece]()
        while (request := self._wire.next_request(self._view, start, self._end)) is not None:
            answers += self._answer(request)
            start += request.size
        rest = bytes(self._view[start : self._end])
        self._view[: len(rest)] = rest
        self._end = len(rest)
        if answers:
            self.sock.send(b"".join(map(in_memory, answers)))
        return True

    def _answer(self, request: Request) -> list[Piece]:
        answering = self._router.answer(request, self._facts, self)
        try:
            answering.send(None)
        except StopIteration as done:
            request.body.release()
            return done.value or []
        raise RuntimeError("this request waits: it is not for the bare loop")

    async def before_wait(self, *, for_others: bool) -> None:
        raise RuntimeError("this request waits: it is not for the bare loop")

    def after_wait(self) -> None:
        """Never reached: nothing waits here."""


def in_memory(piece: Piece) -> bytes | bytearray | memoryview:
    """Raises: RuntimeError: a range of a file, which only a Fetch is answered with."""
    if isinstance(piece, bytes | bytearray | memoryview):
        return piece
    raise RuntimeError("this answer lies in a file: it is not for the bare loop")


def serve_all(listener: socket.socket, router: Router) -> None:
    """Until the last client is gone; the first one is at the door."""
    clients: dict[int, Client] = {}
    with select.epoll() as epoll:
        epoll.register(listener, select.EPOLLIN)
        while True:
            for descriptor, _ in epoll.poll():
                if descriptor == listener.fileno():
                    client = Client(listener.accept()[0], router)
                    clients[client.sock.fileno()] = client
                    epoll.register(client.sock, select.EPOLLIN)
                elif not clients[descriptor].serve():
                    epoll.unregister(descriptor)
                    clients.pop(descriptor).sock.close()
            if not clients:
                return


async def main(file: Path, port: int) -> None:
    """Serve at both ports until killed."""
    settings = load(file=file).settings
    world = real_world(settings)
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        async with foundations(settings, world) as ground:
            broker = Broker(settings, world, ground)
            router = Router(broker._rooms)
            async with trio.open_nursery() as serving:
                await serving.start(broker.run)
                while True:
                    await trio.lowlevel.wait_readable(listener)
                    serve_all(listener, router)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), int(sys.argv[2]))
