"""A disk and a registry that a test can stop, so that what waits for them waits for as long as it likes."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import trio

from broker.registry.contract import Operation, Stat
from broker.testing.disk import FakeDisk
from broker.world import Session

T = TypeVar("T")


class Gate:
    """Open until it is shut."""

    def __init__(self) -> None:
        self._opened = trio.Event()
        self._opened.set()

    def shut(self) -> None:
        self._opened = trio.Event()

    def open(self) -> None:
        self._opened.set()

    async def passed(self) -> None:
        await self._opened.wait()


class GatedDisk(FakeDisk):
    """What may sleep long (fsync, reads of cold pages) waits at the gate."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    async def in_thread(self, call: Callable[[], T]) -> T:
        await self._gate.passed()
        return await super().in_thread(call)


class GatedSession:
    """A registry session whose writes wait at the gate; all else is the session's own."""

    def __init__(self, session: Session, gate: Gate) -> None:
        self._session = session
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def create(self, *args: Any, **options: Any) -> Any:
        await self._gate.passed()
        return await self._session.create(*args, **options)

    async def set(self, path: str, data: bytes | None, version: int = -1) -> Stat:
        await self._gate.passed()
        return await self._session.set(path, data, version)

    async def multi(self, operations: Sequence[Operation]) -> Any:
        await self._gate.passed()
        return await self._session.multi(operations)


def gated(open_registry: Callable[[], Session], gate: Gate) -> Callable[[], Session]:
    return lambda: cast(Session, GatedSession(open_registry(), gate))
