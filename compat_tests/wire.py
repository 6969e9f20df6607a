"""A client that sends whatever bytes a test likes, and tells an answer from a closed connection."""

import select
import socket
import struct
from types import TracebackType

SIZE = struct.Struct(">i")


class RawClient:
    """One connection. An answer is its bytes behind the size; None means that the broker closed."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._sock = socket.create_connection((host, port), timeout=10)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._sock.close()

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def send_some(self, data: bytes) -> int:
        """As much as the broker takes until it stops reading for half a second."""
        sent = 0
        while sent < len(data) and select.select([], [self._sock], [], 0.5)[1]:
            sent += self._sock.send(data[sent : sent + 65536])
        return sent

    def end(self) -> None:
        """No more bytes from us (FIN)."""
        self._sock.shutdown(socket.SHUT_WR)

    def answer(self, within_s: float = 10) -> bytes | None:
        """Raises: TimeoutError: neither an answer nor the end came in time."""
        self._sock.settimeout(within_s)
        try:
            size = self._exactly(SIZE.size)
            return None if size is None else self._exactly(SIZE.unpack(size)[0])
        except ConnectionResetError:
            return None

    def is_open(self, for_s: float = 0.2) -> bool:
        """Whether the broker said nothing, the end included, for so long."""
        return not select.select([self._sock], [], [], for_s)[0]

    def _exactly(self, size: int) -> bytes | None:
        got = bytearray()
        while len(got) < size:
            some = self._sock.recv(size - len(got))
            if not some:
                return None
            got += some
        return bytes(got)


def framed(content: bytes) -> bytes:
    return SIZE.pack(len(content)) + content


def header(key: int, version: int, correlation_id: int = 7, client_id: bytes | None = b"raw", *, tags: bool) -> bytes:
    """A request header; `tags`: the version is flexible."""
    name = struct.pack(">h", -1 if client_id is None else len(client_id)) + (client_id or b"")
    return struct.pack(">hhi", key, version, correlation_id) + name + (b"\0" if tags else b"")


def outcome(port: int, data: bytes) -> bytes | None:
    """What becomes of these bytes on a connection of their own."""
    with RawClient(port) as client:
        client.send(data)
        return client.answer()
