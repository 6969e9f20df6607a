"""TLS over any stream: an `SSLObject` between two buffers in memory, so that nobody but trio waits for the network.

What is to be encrypted goes through in small pieces, files too: a large answer never lies in memory as a whole, and no
encryption holds the loop for long.
"""

import contextlib
import os
import ssl
from collections.abc import Callable, Sequence
from typing import Protocol

import trio

from broker.transport.contract import (
    ANONYMOUS,
    Address,
    ConnectionLost,
    FileRange,
    HandshakeFailed,
    Piece,
    Stream,
)
from broker.transport.pieces import Bytes, release, runs
from broker.transport.tls_contexts import End
from broker.transport.tls_errors import reason

CHUNK_BYTES = 32 * 1024
"""Encrypted, or received, at once. A stream's buffers never become smaller again: this is what each may keep."""
TURN_BYTES = 256 * 1024
"""After that much encrypted, or received, others get their turn: about half a millisecond."""
BARREN_MAX_BYTES = 64 * 1024
"""Four records: who sends that much and no byte of plaintext among it only wants us to compute keys."""
FIRST_BYTES = 4 * 1024
"""Received at once from a client that has not sent large records yet: 150 changes of keys, each 30 µs of work."""
LINGER_S = 0.3
"""After a handshake that failed: closing at once would cost the client the alert that says why."""


class Identity(Protocol):
    """Who we are to the other end: `tls_contexts.Identity`."""

    def end(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> End: ...
    def principal(self, certificate: bytes | None) -> str: ...


class TlsStream:
    """A TLS connection over `inner`; keeps the `Stream` contract. `open` comes first.

    Args: scratch: for bytes received; all streams of a listener share it, nothing stays in it.
    """

    handshakes = True

    def __init__(self, inner: Stream, identity: Identity, scratch: memoryview) -> None:
        self.peer = inner.peer
        self.local = inner.local
        self.principal = ANONYMOUS
        self._inner = inner
        self._identity = identity
        self._scratch = scratch
        self._tls: End | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._closed = False
        self._sending = False
        """A record may be half sent: nothing else can follow it."""
        self._dry = True
        """Nothing that was received waits to be decrypted."""
        self._bytes_since_turn = 0
        self._barren_bytes = 0
        """Received since the last plaintext."""
        self._appetite_bytes = FIRST_BYTES

    @property
    def sent_bytes(self) -> int:
        return self._inner.sent_bytes

    async def open(self) -> None:
        tls = self._identity.end(self._incoming, self._outgoing)
        try:
            await self._shake_hands(tls)
        except ssl.SSLError as error:
            await self._last_words()
            raise HandshakeFailed(reason(error)) from None
        try:
            self.principal = self._identity.principal(tls.getpeercert(binary_form=True))
        except ValueError as no:
            raise HandshakeFailed(f"its certificate is valid, but {no}") from None
        if tls.asked_name:
            self.local = Address(tls.asked_name, self.local.port)
        self._tls = tls
        self._barren_bytes = 0
        self._dry = not self._incoming.pending  # a request may have come with the last of the handshake

    def receive_into(self, buffer: memoryview) -> int | None:
        if self._tls is None or self._closed:
            raise ConnectionLost("closed")
        got = received = 0
        limit = min(len(buffer), TURN_BYTES)
        self._dry = False
        while got < limit and received < TURN_BYTES:
            try:
                size = decrypted(self._tls, buffer[got:limit])
            except ssl.SSLWantReadError:
                if self._barren_bytes >= BARREN_MAX_BYTES:
                    raise ConnectionLost("it sends nothing but changes of keys") from None
                if self._barren_bytes and received:
                    break
                if (more := self._receive(amid=got > 0)) is None:
                    self._dry = True
                    break
                received += more
                continue
            except ssl.SSLEOFError:
                return got  # it went without a word: what it sent before counts
            except ssl.SSLError as error:
                self._send_what_goes()
                raise ConnectionLost(reason(error)) from None
            if size == 0:
                return got
            self._plaintext_came(size)
            got += size
        return got or None

    async def wait_readable(self) -> None:
        await self._flush()
        if self._dry:
            await self._inner.wait_readable()
        else:
            await trio.lowlevel.checkpoint()

    async def send(self, pieces: Sequence[Piece]) -> None:
        try:
            for run, _ in runs(pieces):
                if isinstance(run, Bytes):
                    await self._send_bytes(run)
                else:
                    await self._send_file(run)
            await self._flush()
        except ssl.SSLError as error:
            raise ConnectionLost(reason(error)) from None
        finally:
            release(pieces)

    def send_now(self, data: bytes) -> None:
        if self._tls is not None and not self._closed:
            with contextlib.suppress(ssl.SSLError):
                self._tls.write(data)
            self._send_what_goes()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._tls is not None and not self._outgoing.pending:
            with contextlib.suppress(ssl.SSLError):  # it wants to read the other side's farewell too
                self._tls.unwrap()
            self._send_what_goes()
        self._inner.close()

    async def _shake_hands(self, tls: End) -> None:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                while (size := self._receive(amid=False)) is None:
                    await self._inner.wait_readable()
                if size == self._barren_bytes == 0:
                    raise ConnectionLost("it only looked whether somebody listens") from None
                await trio.lowlevel.checkpoint()
        await self._flush()

    async def _last_words(self) -> None:
        """The alert, and some time for it to arrive: what the client sends meanwhile is thrown away."""
        if not self._outgoing.pending:
            return
        self._send_what_goes()
        with trio.move_on_after(LINGER_S):
            while (size := self._inner.receive_into(self._scratch)) != 0:
                if size is None:
                    await self._inner.wait_readable()
                await trio.lowlevel.checkpoint()

    def _receive(self, *, amid: bool) -> int | None:
        """Take what is there to be decrypted; None if there is nothing yet.

        Args: amid: bytes wait to be returned; a loss is told the next time.
        """
        try:
            size = self._inner.receive_into(self._scratch[: self._appetite_bytes])
        except ConnectionLost:
            if amid:
                return None
            raise
        if size == 0:
            self._incoming.write_eof()
        elif size is not None:
            self._barren_bytes += size
            self._incoming.write(self._scratch[:size])
        return size

    def _plaintext_came(self, size: int) -> None:
        if self._appetite_bytes <= self._barren_bytes < 2 * size:  # a large record, and more may come
            self._appetite_bytes = min(CHUNK_BYTES, 2 * self._appetite_bytes)
        self._barren_bytes = 0

    async def _send_bytes(self, data: Bytes) -> None:
        with memoryview(data) as view:
            for at in range(0, len(view), CHUNK_BYTES):
                await self._encrypt(view[at : at + CHUNK_BYTES])

    async def _send_file(self, run: FileRange) -> None:
        assert run.file is not None
        position, end = run.position, run.position + len(run)
        while position < end:
            data = os.pread(run.file, min(CHUNK_BYTES, end - position), position)
            if not data:
                raise ConnectionLost("the file was cut shorter while it was sent")
            position += len(data)
            await self._encrypt(data)

    async def _encrypt(self, data: bytes | memoryview) -> None:
        if self._tls is None or self._closed:
            raise ConnectionLost("closed")
        self._tls.write(data)
        if self._outgoing.pending >= CHUNK_BYTES:
            await self._flush()
        self._bytes_since_turn += len(data)
        if self._bytes_since_turn >= TURN_BYTES:
            self._bytes_since_turn = 0
            await trio.lowlevel.checkpoint()

    async def _flush(self) -> None:
        while self._outgoing.pending:
            data = self._outgoing.read()
            self._sending = True
            await self._inner.send([data])
            self._sending = False

    def _send_what_goes(self) -> None:
        """Last words; the connection ends after them, so it does not matter if they get through in part."""
        if not self._sending:
            self._inner.send_now(self._outgoing.read())


def decrypted(tls: ssl.SSLObject, buffer: memoryview) -> int:
    """How many bytes were written to `buffer`; 0 once the other end has said farewell. Raises: ssl.SSLError."""
    read: Callable[[int, memoryview], int] = tls.read  # type: ignore[assignment]  # the stubs know the other form only
    return read(len(buffer), buffer)
