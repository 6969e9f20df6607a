"""What a connection needs of the world: bytes in, pieces out. Makers: `sockets.py`, `memory.py`, `tls.py` over either.

`def` never waits, `async def` may.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from kproto.values import frozen

ANONYMOUS = "User:ANONYMOUS"
"""Who has not said who it is."""


class ConnectionLost(Exception):
    """The peer is gone, in whatever way the system calls it."""


class HandshakeFailed(ConnectionLost):
    """The connection did not come about; the text is for the log."""


class FileRange(Protocol):
    """A run of a file to be sent without copying; structurally a storage `Slice`."""

    file: int | None
    position: int

    def __len__(self) -> int: ...
    def read(self) -> bytes: ...
    def release(self) -> None: ...


Piece: TypeAlias = bytes | bytearray | memoryview | FileRange


@frozen
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Stream(Protocol):
    """One accepted (or opened) connection.

    `local`: our end as the client knows it; over TLS, once open, by the name that it asked for (SNI).
    """

    peer: Address
    local: Address

    @property
    def handshakes(self) -> bool:
        """Whether `open` has something to do."""
        ...

    @property
    def principal(self) -> str:
        """Who the client is, once open: `User:ANONYMOUS` unless it has shown a certificate."""
        ...

    async def open(self) -> None:
        """What must be said before the first byte. Raises: HandshakeFailed, ConnectionLost."""
        ...

    def receive_into(self, buffer: memoryview) -> int | None:
        """Bytes read now; 0 at the end of the stream; None if there is nothing yet. Raises: ConnectionLost."""
        ...

    async def wait_readable(self) -> None:
        """Until `receive_into` has something to say. Raises: ConnectionLost when closed meanwhile."""
        ...

    async def send(self, pieces: Sequence[Piece]) -> None:
        """All of it, in order; releases every FileRange, also on failure. Raises: ConnectionLost."""
        ...

    def send_now(self, data: bytes) -> None:
        """Last words, as much of them as goes without waiting; a loss does not matter any more."""
        ...

    @property
    def sent_bytes(self) -> int:
        """Bytes taken by the kernel so far: what the sweeper watches to see whether an answer moves."""
        ...

    def close(self) -> None:
        """At once; wakes whoever waits. Safe to call twice."""
        ...


class Listener(Protocol):
    """An address where clients come in; bound before the first nursery."""

    @property
    def address(self) -> Address: ...

    async def accept(self) -> Stream:
        """The next client.

        Raises: OSError: no descriptor is left (the client stays in the backlog); ConnectionLost: closed on our side.
        """
        ...

    def close(self) -> None: ...
