"""The registry kept by ZooKeeper: the contract's operations in kazoo's words.

Sessions and their states are in `zookeeper_session.py`; kazoo's one thread touches only these two files and
`kazoo_client.py`, and hands all it hears to the loop. Who asks again after a lost connection: `contract.py`.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from broker.registry.connect_string import ConnectString
from broker.registry.contract import (
    ANY_VERSION,
    Create,
    EventKind,
    MultiFailed,
    NodeExists,
    NoNode,
    Operation,
    RegistryError,
    SessionState,
    SetData,
    Stat,
    TooLarge,
    Watch,
    WatchEvent,
)
from broker.registry.paths import ancestors_of, check_path
from broker.registry.zookeeper_session import ZooKeeperSession

if TYPE_CHECKING:
    from broker.registry.kazoo_client import Client

MAX_DATA_BYTES = 1_000_000  # jute.maxbuffer is 1 MiB for the whole request; beyond it the server hangs up

_EVENT_KINDS = {
    "CREATED": EventKind.CREATED,
    "DELETED": EventKind.DELETED,
    "CHANGED": EventKind.CHANGED,
    "CHILD": EventKind.CHILDREN,
}


class ZooKeeperRegistry:
    """A session with a ZooKeeper ensemble, and the next one after it expired: what `Registry` promises."""

    def __init__(self, connect: ConnectString, *, session_timeout_ms: int, connection_timeout_ms: int) -> None:
        self._chroot = connect.chroot
        self._session = ZooKeeperSession(
            connect.hosts, session_timeout_ms=session_timeout_ms, connection_timeout_ms=connection_timeout_ms
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """The chroot is made where it is missing."""
        await self._session.run(self._make_chroot, task_status)

    async def _make_chroot(self) -> None:
        if not self._chroot or await self.exists("/") is not None:
            return
        for path in (*ancestors_of(self._chroot), self._chroot):
            with suppress(NodeExists):
                await self._session.ask(f"create {path}", partial(self._kazoo.create_async, path, None))

    @property
    def session_id(self) -> int:
        return self._session.credentials[0]

    @property
    def credentials(self) -> tuple[int, bytes]:
        """Session id and password: who has them can take the session over, and so end it (fault injection, tests)."""
        return self._session.credentials

    @property
    def session_timeout_ms(self) -> float:
        """As the server granted it; as asked for before there was a connection."""
        return self._session.session_timeout_s * 1000

    @property
    def state(self) -> SessionState:
        return self._session.state

    def on_session(self, listener: Callable[[SessionState], None]) -> None:
        self._session.listeners.append(listener)

    async def close(self) -> None:
        await self._session.close()

    @property
    def _kazoo(self) -> "Client":
        return self._session.client

    def _full(self, path: str, *, sequential: bool = False) -> str:
        check_path(path, sequential=sequential)
        return self._chroot or "/" if path == "/" else self._chroot + path

    def _full_of(self, operation: Operation) -> str:
        return self._full(operation.path, sequential=isinstance(operation, Create) and operation.sequential)

    def _short(self, path: str) -> str:
        return path[len(self._chroot) :] or "/"

    def _heard_event(self, event: Any) -> None:
        """In kazoo's thread: a watch fired. Kind NONE: the connection is gone, which the session hears as well."""
        if event.type in _EVENT_KINDS:
            seen = WatchEvent(_EVENT_KINDS[event.type], self._short(event.path))
            self._session.in_loop(self._session.watches.fire, seen)

    async def _look(self, what: str, path: str, watch: Watch | None, *, children: bool = False) -> Any:
        """A read that may leave a watch; it is there before the question leaves, so that no event comes too early."""
        full, look = self._full(path), getattr(self._kazoo, f"{what}_async")
        if watch is None:
            return await self._session.ask_again(f"{what} {path}", lambda: look(full))
        watches = self._session.watches
        watches.leave(path, watch, children=children)
        try:
            return await self._session.ask_again(f"{what} {path}", lambda: look(full, watch=self._heard_event))
        except (RegistryError, trio.Cancelled):
            watches.take_back(path, watch, children=children)
            raise

    async def get(self, path: str, watch: Watch | None = None) -> tuple[bytes | None, Stat]:
        data, stat = await self._look("get", path, watch)
        return data, _stat(stat)

    async def children(self, path: str, watch: Watch | None = None) -> list[str]:
        return sorted(await self._look("get_children", path, watch, children=True))

    async def exists(self, path: str, watch: Watch | None = None) -> Stat | None:
        stat = await self._look("exists", path, watch)
        return None if stat is None else _stat(stat)

    async def create(
        self,
        path: str,
        data: bytes | None = None,
        *,
        ephemeral: bool = False,
        sequential: bool = False,
        parents: bool = False,
    ) -> str:
        _check_size(data)
        full = self._full(path, sequential=sequential)

        def send() -> Any:
            return self._kazoo.create_async(full, data, ephemeral=ephemeral, sequence=sequential)

        try:
            return self._short(await self._session.ask(f"create {path}", send))
        except NoNode:
            if not parents:
                raise
        for above in ancestors_of(path):
            with suppress(NodeExists):
                await self.create(above)
        return self._short(await self._session.ask(f"create {path}", send))

    async def set(self, path: str, data: bytes | None, version: int = ANY_VERSION) -> Stat:
        _check_size(data)
        full = self._full(path)
        return _stat(await self._session.ask(f"set {path}", lambda: self._kazoo.set_async(full, data, version)))

    async def delete(self, path: str, version: int = ANY_VERSION) -> None:
        full = self._full(path)
        await self._session.ask(f"delete {path}", lambda: self._kazoo.delete_async(full, version))

    async def multi(self, operations: Sequence[Operation]) -> list[Stat | str | None]:
        from broker.registry.kazoo_client import request_of

        _check_size(*(each.data for each in operations if isinstance(each, Create | SetData)))
        requests = [request_of(each, self._full_of(each)) for each in operations]

        def send() -> Any:
            transaction = self._kazoo.transaction()
            transaction.operations.extend(requests)
            return transaction.commit_async()

        return self._results(operations, await self._session.ask(f"multi of {len(operations)}", send))

    def _results(self, operations: Sequence[Operation], answers: list[Any]) -> list[Stat | str | None]:
        from broker.registry.kazoo_client import failure_among

        failed = failure_among(answers)
        if failed is not None:
            index, error = failed
            raise MultiFailed(index, error(operations[index].path))
        return [self._result(each) for each in answers]

    def _result(self, answer: Any) -> Stat | str | None:
        if answer is True:
            return None
        return self._short(answer) if isinstance(answer, str) else _stat(answer)


def _stat(stat: Any) -> Stat:
    return Stat(
        czxid=stat.czxid,
        mzxid=stat.mzxid,
        ctime_ms=stat.ctime,
        mtime_ms=stat.mtime,
        version=stat.version,
        cversion=stat.cversion,
        ephemeral_owner=stat.ephemeralOwner,
        children=stat.numChildren,
    )


def _check_size(*data: bytes | None) -> None:
    size = sum(len(each) for each in data if each is not None)
    if size > MAX_DATA_BYTES:
        raise TooLarge(f"{size} bytes in one operation, ZooKeeper takes {MAX_DATA_BYTES}")
