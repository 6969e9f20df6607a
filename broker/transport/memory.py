"""Connections without a network, for tests: two ends in one process, with slicing and back-pressure.

`slice_bytes` bounds what one `receive_into` gives (1: every byte on its own), `window_bytes` what a sender may be
ahead of its reader, as socket buffers do.
"""

import itertools
from collections import deque
from collections.abc import Sequence

import trio

from broker.transport.contract import ANONYMOUS, Address, ConnectionLost, Piece
from broker.transport.pieces import Bytes, release, runs, whole


class _Wire:
    """Bytes under way in one direction."""

    def __init__(self, window_bytes: int, slice_bytes: int) -> None:
        self.window_bytes = window_bytes
        self.slice_bytes = slice_bytes
        self.bytes = bytearray()
        self.ended = False
        self.lost = False
        self._moved = trio.Event()

    def moved(self) -> None:
        """Something changed: whoever waits looks again."""
        self._moved.set()
        self._moved = trio.Event()

    async def wait(self) -> None:
        await self._moved.wait()


class MemoryStream:
    """One end; keeps the `Stream` contract. Made in pairs by `memory_pair`."""

    handshakes = False
    principal = ANONYMOUS

    def __init__(self, local: Address, peer: Address, incoming: _Wire, outgoing: _Wire) -> None:
        self.local = local
        self.peer = peer
        self.sent_bytes = 0
        self.closed = False
        self._in = incoming
        self._out = outgoing

    async def open(self) -> None:
        """Nothing needs to be said."""

    def receive_into(self, buffer: memoryview) -> int | None:
        self._check(self._in)
        size = min(len(buffer), len(self._in.bytes), self._in.slice_bytes)
        if size == 0:
            return 0 if self._in.ended else None
        buffer[:size] = self._in.bytes[:size]
        del self._in.bytes[:size]
        self._in.moved()
        return size

    async def wait_readable(self) -> None:
        await trio.lowlevel.checkpoint()
        while not self._in.bytes and not self._in.ended:
            self._check(self._in)
            await self._in.wait()
        self._check(self._in)

    async def send(self, pieces: Sequence[Piece]) -> None:
        try:
            for run, _ in runs(pieces):
                data = bytes(run) if isinstance(run, Bytes) else whole(run)
                await self._send_bytes(memoryview(data))
        finally:
            release(pieces)

    def send_now(self, data: bytes) -> None:
        room = self._out.window_bytes - len(self._out.bytes)
        if not self.closed and not self._out.lost:
            self._out.bytes += data[: max(0, room)]
            self._out.moved()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """What a test's client reads: some bytes, b"" at the end. Raises: ConnectionLost."""
        buffer = bytearray(max_bytes)
        while True:
            size = self.receive_into(memoryview(buffer))
            if size is not None:
                return bytes(buffer[:size])
            await self.wait_readable()

    def end(self) -> None:
        """No more bytes from here (FIN); the other direction goes on."""
        self._out.ended = True
        self._out.moved()

    def reset(self) -> None:
        """Break both directions at once (RST): bytes under way are gone."""
        for wire in (self._in, self._out):
            wire.lost = True
            wire.bytes.clear()
            wire.moved()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.end()
            self._in.lost = True
            self._in.moved()

    async def _send_bytes(self, data: memoryview) -> None:
        while data:
            self._check(self._out)
            room = self._out.window_bytes - len(self._out.bytes)
            if room <= 0:
                await self._out.wait()
                continue
            self._out.bytes += data[:room]
            self.sent_bytes += len(data[:room])
            data = data[room:]
            self._out.moved()

    def _check(self, wire: _Wire) -> None:
        if self.closed or wire.lost:
            raise ConnectionLost("closed")


def memory_pair(
    *,
    window_bytes: int = 1 << 20,
    slice_bytes: int = 1 << 30,
    client: Address = Address("10.0.0.1", 40000),  # noqa: B008
) -> tuple[MemoryStream, MemoryStream]:
    """The two ends of one connection: the client's and the server's."""
    server = Address("10.0.0.9", 9092)
    up, down = _Wire(window_bytes, slice_bytes), _Wire(window_bytes, slice_bytes)
    return MemoryStream(client, server, down, up), MemoryStream(server, client, up, down)


class MemoryListener:
    """A listener that tests connect to by a call."""

    def __init__(self, address: Address = Address("10.0.0.9", 9092)) -> None:  # noqa: B008 - frozen
        self.address = address
        self._backlog: deque[MemoryStream] = deque()
        self._arrived = trio.Event()
        self._closed = False
        self._ports = itertools.count(40000)

    def connect(
        self, *, window_bytes: int = 1 << 20, slice_bytes: int = 1 << 30, host: str = "10.0.0.1"
    ) -> MemoryStream:
        """A client's end; the broker's waits to be accepted. Raises: ConnectionLost: nobody listens any more."""
        if self._closed:
            raise ConnectionLost("nobody listens")
        client, server = memory_pair(
            window_bytes=window_bytes, slice_bytes=slice_bytes, client=Address(host, next(self._ports))
        )
        self._backlog.append(server)
        self._arrived.set()
        return client

    async def accept(self) -> MemoryStream:
        await trio.lowlevel.checkpoint()
        while not self._backlog:
            if self._closed:
                raise ConnectionLost("closed")
            self._arrived = trio.Event()
            await self._arrived.wait()
        return self._backlog.popleft()

    def close(self) -> None:
        self._closed = True
        self._arrived.set()
        for stream in self._backlog:
            stream.close()
