"""The registry of the brokers of one process: a tree in memory, several sessions on it, a SQLite file underneath.

A multi is tried on a draft, committed to the file by a thread, taken over by the tree, told to the watches, answered.
Writes take turns; reads never wait and see what is committed. Without a file (memory brokers, tests) there is no
thread, and the tree lives as long as the object.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import trio

from broker.clock import Clock
from broker.registry.contract import (
    Create,
    Delete,
    NodeExists,
    NoNode,
    Operation,
    SessionExpired,
    SessionState,
    SetData,
    Stat,
    StoreFailed,
    Watch,
)
from broker.registry.paths import ancestors_of
from broker.registry.store import Store
from broker.registry.tree import Draft, Result, Tree
from broker.registry.watches import Watches, tell

CHECKPOINT_DELAY_S = 1.0

T = TypeVar("T")


class EmbeddedTree:
    """The tree and its file. The file is open while there are sessions; who opens the first one owns its directory."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._tree = Tree()
        self._store: Store | None = None
        self._due = trio.Event()
        self._turn = trio.Lock()
        self._sessions: dict[int, EmbeddedRegistry] = {}

    def session(self) -> "EmbeddedRegistry":
        """A new session, CONNECTED at once. Raises: OperatorError: the file cannot be opened."""
        if self._path is not None and self._store is None:
            store = Store(self._path)
            self._tree = store.load(self._clock.now_ms())
            self._store = store
            self._due = trio.Event()
        return EmbeddedRegistry(self)

    @property
    def tree(self) -> Tree:
        """For reading."""
        return self._tree

    def begin(self, session: "EmbeddedRegistry") -> int:
        """The id of a new session: a zxid, so no two are alike, over restarts neither."""
        self._tree.zxid += 1
        self._sessions[self._tree.zxid] = session
        return self._tree.zxid

    async def end(self, session_id: int) -> None:
        """Its ephemerals go at once, in one transaction, whoever is cancelled; the other sessions see it."""
        with trio.CancelScope(shield=True):
            async with self._turn:
                draft = self._draft(session_id)
                draft.apply_all([Delete(path) for path in self._tree.ephemerals(session_id)])
                with suppress(StoreFailed):  # it told the log; the file holds no ephemerals that would come back
                    await self._save(draft)
                self._publish(draft)
        del self._sessions[session_id]

    async def transact(self, session: "EmbeddedRegistry", attempt: Callable[[Draft], T]) -> T:
        """Have `attempt` fill a draft, make it so, and tell the watches of every session.

        Raises: what `attempt` does; SessionExpired, StoreFailed: it did not happen.
        """
        async with self._turn:
            session.check_alive()
            draft = self._draft(session.session_id)
            result = attempt(draft)
            await self._save(draft)
            self._publish(draft)
            return result

    def _draft(self, session_id: int) -> Draft:
        return Draft(self._tree, session_id, self._clock.now_ms())

    async def _save(self, draft: Draft) -> None:
        """In a thread, because the disk may take its time: where its log begins anew, SQLite syncs it."""
        if self._store is not None and draft.changes:
            await trio.to_thread.run_sync(self._store.save, draft.changes)
            self._due.set()

    def _publish(self, draft: Draft) -> None:
        self._tree.take_over(draft)
        for session in tuple(self._sessions.values()):
            for event in draft.events:
                session.watches.fire(event)

    async def checkpoint_forever(self) -> None:
        """Make the file safe against a power cut a second after each burst of changes. One such task is enough."""
        while True:
            await self._due.wait()
            await trio.sleep(CHECKPOINT_DELAY_S)
            if self._store is not None and self._store.written:
                self._due = trio.Event()
                await trio.to_thread.run_sync(self._store.checkpoint)

    async def close_if_unused(self) -> None:
        """With the last session the file is closed; the next session reads it again."""
        if self._store is None or self._sessions:
            return
        store, self._store = self._store, None
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(store.close)


class EmbeddedRegistry:
    """One session on an embedded tree: what `Registry` promises, never SUSPENDED."""

    def __init__(self, tree: EmbeddedTree) -> None:
        self.watches = Watches()
        self._tree = tree
        self._listeners: list[Callable[[SessionState], None]] = []
        self._session_id = tree.begin(self)
        self._state = SessionState.CONNECTED

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        try:
            await self._tree.checkpoint_forever()
        finally:
            await self.close()

    @property
    def session_id(self) -> int:
        return self._session_id

    @property
    def state(self) -> SessionState:
        return self._state

    def on_session(self, listener: Callable[[SessionState], None]) -> None:
        self._listeners.append(listener)

    async def get(self, path: str, watch: Watch | None = None) -> tuple[bytes | None, Stat]:
        self.check_alive()
        node = self._tree.tree.find(path)
        if watch is not None:
            self.watches.leave(path, watch)
        return node.data, node.stat()

    async def children(self, path: str, watch: Watch | None = None) -> list[str]:
        self.check_alive()
        names = self._tree.tree.names(path)
        if watch is not None:
            self.watches.leave(path, watch, children=True)
        return names

    async def exists(self, path: str, watch: Watch | None = None) -> Stat | None:
        self.check_alive()
        if watch is not None:
            self.watches.leave(path, watch)
        node = self._tree.tree.nodes.get(path)
        return None if node is None else node.stat()

    async def create(
        self,
        path: str,
        data: bytes | None = None,
        *,
        ephemeral: bool = False,
        sequential: bool = False,
        parents: bool = False,
    ) -> str:
        create = Create(path, data, ephemeral, sequential)
        try:
            made = await self._commit(create)
        except NoNode:
            if not parents:
                raise
            await self._make_parents(path)
            made = await self._commit(create)
        assert isinstance(made, str)
        return made

    async def _make_parents(self, path: str) -> None:
        for above in ancestors_of(path):
            try:
                await self._commit(Create(above))
            except NodeExists:
                continue

    async def set(self, path: str, data: bytes | None, version: int = -1) -> Stat:
        stat = await self._commit(SetData(path, data, version))
        assert isinstance(stat, Stat)
        return stat

    async def delete(self, path: str, version: int = -1) -> None:
        await self._commit(Delete(path, version))

    async def multi(self, operations: Sequence[Operation]) -> list[Result]:
        return await self._tree.transact(self, lambda draft: draft.apply_all(operations))

    async def _commit(self, operation: Operation) -> Result:
        return await self._tree.transact(self, lambda draft: draft.apply(operation))

    async def close(self) -> None:
        if self._state is SessionState.CONNECTED:
            await self._end()
        await self._tree.close_if_unused()

    async def expire(self) -> None:
        """End this session as if nothing had been heard of it, then begin another: for fault injection and tests."""
        if self._state is SessionState.CONNECTED:
            await self._end()
            self._session_id = self._tree.begin(self)
            self._state = SessionState.CONNECTED
            tell(self._listeners, self._state)

    async def _end(self) -> None:
        self._state = SessionState.EXPIRED
        self.watches.clear()
        await self._tree.end(self._session_id)
        tell(self._listeners, self._state)

    def check_alive(self) -> None:
        """Raises: SessionExpired."""
        if self._state is not SessionState.CONNECTED:
            raise SessionExpired(f"session {self._session_id:#x} is over")
