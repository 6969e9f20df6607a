"""A foreign hand in the tree of a ZooKeeper: it reads what the broker wrote, and ends sessions that are not its own."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

PATIENCE_S = 15.0

_PASSWORD_SECRET = 0xB3415C00
_MULTIPLIER, _INCREMENT, _MASK = 0x5DEECE66D, 0xB, (1 << 48) - 1


class Tree:
    """The nodes below a chroot, as a client of ZooKeeper sees them."""

    def __init__(self, kazoo: KazooClient) -> None:
        self._kazoo = kazoo

    def text(self, path: str) -> str | None:
        """The data of a node; None: there is no node."""
        try:
            return bytes(self._kazoo.get(path)[0] or b"").decode()
        except NoNodeError:
            return None

    def json(self, path: str) -> Any:
        """The data of a node read as JSON; None: there is no node."""
        text = self.text(path)
        return None if text is None else json.loads(text)

    def children(self, path: str) -> list[str]:
        return sorted(self._kazoo.get_children(path))

    def exists(self, path: str) -> bool:
        return self._kazoo.exists(path) is not None

    def make(self, path: str) -> None:
        """An empty node; 0.8 makes no chroot for itself."""
        self._kazoo.ensure_path(path)

    def session_of(self, path: str) -> int:
        """Of an ephemeral node; 0: it is not one, or is not there."""
        stat = self._kazoo.exists(path)
        return 0 if stat is None else int(stat.ephemeralOwner)


@contextmanager
def tree_at(connect: str) -> Iterator[Tree]:
    """`connect`: host:port, with a chroot if need be."""
    kazoo = KazooClient(connect, timeout=10)
    kazoo.start()
    try:
        yield Tree(kazoo)
    finally:
        kazoo.stop()
        kazoo.close()


def end_session(address: str, session_id: int) -> None:
    """Take a session over with its id and password, and close it: it is over for its owner too."""
    thief = KazooClient(address, client_id=(session_id, password_of(session_id)), timeout=10)
    thief.start()
    assert thief.client_id[0] == session_id, "the password was not right"
    thief.stop()
    thief.close()


def password_of(session_id: int) -> bytes:
    """Every ZooKeeper makes it of the id: 16 bytes of a java.util.Random seeded with the id and a fixed number.

    Source: ZooKeeperServer.generatePasswd of ZooKeeper 3.8.
    """
    seed = (session_id ^ _PASSWORD_SECRET ^ _MULTIPLIER) & _MASK
    password = b""
    for _ in range(4):
        seed = (seed * _MULTIPLIER + _INCREMENT) & _MASK
        password += (seed >> 16).to_bytes(4, "little")
    return password


def wait_until(what: str, holds: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Look again and again. Raises: AssertionError."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.05)
