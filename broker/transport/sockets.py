"""TCP by raw non-blocking sockets inside trio: `recv_into`, `send`, `os.sendfile`, and waiting only on BlockingIOError.

Half the price of trio's own SocketStream for small frames, a tenth for large ones. Listening sockets are bound in
`listening.py`, before the first nursery.
"""

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import trio

from broker.transport.contract import Address, ConnectionLost, FileRange, Piece

JOIN_BELOW_BYTES = 16 * 1024
"""A file range smaller than this is read and joined to its neighbours: one more call costs more than the copy."""
STANDS_ALONE_BYTES = 64 * 1024
"""Bytes in memory of this size go to the kernel as they are; smaller neighbours are copied together."""
CHECKPOINT_EVERY_BYTES = 1024 * 1024
"""After that many bytes sent without waiting, others get their turn."""

Bytes: TypeAlias = bytes | bytearray | memoryview
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


def runs(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, bool]]:
    """Pieces as they go to the kernel, small neighbours joined; True beside all but the last: more follows."""
    waiting: Piece | None = None
    for run in _joined(pieces):
        if waiting is not None:
            yield waiting, True
        waiting = run
    if waiting is not None:
        yield waiting, False


def release(pieces: Sequence[Piece]) -> None:
    """Let go of every file among the pieces."""
    for piece in pieces:
        if not isinstance(piece, Bytes):
            piece.release()


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    if len(pieces) == 1 and isinstance(pieces[0], Bytes):
        yield pieces[0]
        return
    small: list[Bytes] = []
    for piece in pieces:
        if not isinstance(piece, Bytes) and (piece.file is None or len(piece) < JOIN_BELOW_BYTES):
            piece = whole(piece)
        if isinstance(piece, Bytes) and len(piece) < STANDS_ALONE_BYTES:
            small.append(piece)
            continue
        if small:
            yield b"".join(small)
            small.clear()
        yield piece
    if small:
        yield b"".join(small)


def whole(piece: FileRange) -> bytes:
    """The bytes of a range. Raises: ConnectionLost: fewer are left than were promised."""
    data = piece.read()
    if len(data) != len(piece):
        raise ConnectionLost("the file was cut shorter while it was sent")
    return data
