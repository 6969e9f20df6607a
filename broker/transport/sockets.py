"""TCP by raw non-blocking sockets inside trio: `recv_into`, `send`, `os.sendfile`, and waiting only on BlockingIOError.

Half the price of trio's own SocketStream for small frames, a tenth for large ones. Listening sockets are bound in
`listening.py`, before the first nursery.
"""

import contextlib
import os
import socket
from collections.abc import Sequence

import trio

from broker.transport.contract import ANONYMOUS, Address, ConnectionLost, FileRange, Piece
from broker.transport.pieces import Bytes, release, runs

CHECKPOINT_EVERY_BYTES = 1024 * 1024
"""After that many bytes sent without waiting, others get their turn."""

_NAMES_OF_LOSS = (OSError, ValueError, trio.ClosedResourceError)
"""What a closed, reset or foreign descriptor raises; ValueError is Python's word for a socket closed on our side."""


def address_of(name: object) -> Address:
    """The address in what `getsockname` says; the IPv4 client of a dual-stack socket is shown as IPv4."""
    if not isinstance(name, tuple):
        return Address("local", 0)
    return Address(str(name[0]).removeprefix("::ffff:"), int(name[1]))


class SocketStream:
    """One TCP connection. It owns `sock`, which is connected already, and makes it non-blocking.

    Raises: ConnectionLost: the peer was gone before we looked.
    """

    handshakes = False
    principal = ANONYMOUS

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._closed = False
        self._bytes_since_wait = 0
        self.sent_bytes = 0
        try:
            sock.setblocking(False)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.peer = address_of(sock.getpeername())
            self.local = address_of(sock.getsockname())
        except OSError as error:
            sock.close()
            raise ConnectionLost(str(error)) from None

    async def open(self) -> None:
        """Nothing needs to be said."""

    def receive_into(self, buffer: memoryview) -> int | None:
        try:
            return self._sock.recv_into(buffer)
        except BlockingIOError:
            return None
        except _NAMES_OF_LOSS as error:
            raise ConnectionLost(str(error)) from None

    async def wait_readable(self) -> None:
        try:
            await trio.lowlevel.wait_readable(self._sock)
        except _NAMES_OF_LOSS as error:
            raise ConnectionLost(str(error)) from None

    async def send(self, pieces: Sequence[Piece]) -> None:
        try:
            for run, more in runs(pieces):
                if isinstance(run, Bytes):
                    await self._send_bytes(run, socket.MSG_MORE if more else 0)
                else:
                    await self._send_file(run)
        except _NAMES_OF_LOSS as error:
            raise ConnectionLost(str(error)) from None
        finally:
            release(pieces)

    def send_now(self, data: bytes) -> None:
        with contextlib.suppress(*_NAMES_OF_LOSS):  # also what stands for "not now"
            self.sent_bytes += self._sock.send(data)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            close_and_wake(self._sock)

    async def _send_bytes(self, data: Bytes, flags: int) -> None:
        size = len(data)
        sent = 0
        while sent < size:
            try:
                sent_now = self._sock.send(memoryview(data)[sent:] if sent else data, flags)
            except BlockingIOError:
                await self._wait_writable()
                continue
            sent += sent_now
            await self._count(sent_now)
            if sent < size:
                await self._wait_writable()  # it took less than there is: asked again, it would only say so

    async def _send_file(self, run: FileRange) -> None:
        assert run.file is not None
        position, end = run.position, run.position + len(run)
        while position < end:
            try:
                sent_now = os.sendfile(self._sock.fileno(), run.file, position, end - position)
            except BlockingIOError:
                await self._wait_writable()
                continue
            if sent_now == 0:
                raise ConnectionLost("the file was cut shorter while it was sent")
            position += sent_now
            await self._count(sent_now)
            if position < end:
                await self._wait_writable()

    async def _wait_writable(self) -> None:
        self._bytes_since_wait = 0
        await trio.lowlevel.wait_writable(self._sock)

    async def _count(self, sent: int) -> None:
        self.sent_bytes += sent
        self._bytes_since_wait += sent
        if self._bytes_since_wait >= CHECKPOINT_EVERY_BYTES:
            self._bytes_since_wait = 0
            await trio.lowlevel.checkpoint()


def close_and_wake(sock: socket.socket) -> None:
    """Close; whoever waits for it in the loop wakes with an error. Outside the loop nobody can wait."""
    with contextlib.suppress(RuntimeError):
        trio.lowlevel.notify_closing(sock)
    sock.close()
