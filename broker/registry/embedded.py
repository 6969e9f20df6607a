"""The registry of the brokers of one process: a tree in memory, several sessions on it, a SQLite file underneath.

A multi is tried on a draft, committed to the file, taken over by the tree, told to the watches, answered: all of it one
plain call in the loop. Without a file (memory brokers, tests) the tree lives as long as the object.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

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
CLOSE_TIMEOUT_S = 2.0


class EmbeddedTree:
    """The tree and its file. The file is open while there are sessions; who opens the first one owns its directory."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._tree = Tree()
        self._store: Store | None = None
        self._due = trio.Event()
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

    def end(self, session_id: int) -> None:
        """Its ephemerals go at once, in one transaction; the other sessions see it."""
        gone = [Delete(path) for path in self._tree.ephemerals(session_id)]
        del self._sessions[session_id]
        if gone:
            draft = self.draft(session_id)
            draft.apply_all(gone)
            with suppress(StoreFailed):  # it told the log; the file holds no ephemerals that would come back
                self._save(draft)
            self._publish(draft)

    def draft(self, session_id: int) -> Draft:
        return Draft(self._tree, session_id, self._clock.now_ms())

    def commit(self, draft: Draft) -> None:
        """Make it so, then tell the watches of every session. Raises: StoreFailed: it did not happen."""
        self._save(draft)
        self._publish(draft)

    def _save(self, draft: Draft) -> None:
        if self._store is not None:
            self._store.save(draft.changes)
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
        with trio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
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
        self._check_alive()
        node = self._tree.tree.find(path)
        if watch is not None:
            self.watches.leave(path, watch)
        return node.data, node.stat()

    async def children(self, path: str, watch: Watch | None = None) -> list[str]:
        self._check_alive()
        names = self._tree.tree.names(path)
        if watch is not None:
            self.watches.leave(path, watch, children=True)
        return names

    async def exists(self, path: str, watch: Watch | None = None) -> Stat | None:
        self._check_alive()
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
            made = self._commit(create)
        except NoNode:
            if not parents:
                raise
            self._make_parents(path)
            made = self._commit(create)
        assert isinstance(made, str)
        return made

    def _make_parents(self, path: str) -> None:
        for above in ancestors_of(path):
            try:
                self._commit(Create(above))
            except NodeExists:
                continue

    async def set(self, path: str, data: bytes | None, version: int = -1) -> Stat:
        stat = self._commit(SetData(path, data, version))
        assert isinstance(stat, Stat)
        return stat

    async def delete(self, path: str, version: int = -1) -> None:
        self._commit(Delete(path, version))

    async def multi(self, operations: Sequence[Operation]) -> list[Result]:
        self._check_alive()
        draft = self._tree.draft(self._session_id)
        results = draft.apply_all(operations)
        if draft.changes:
            self._tree.commit(draft)
        return results

    async def close(self) -> None:
        if self._state is SessionState.CONNECTED:
            self._end()
        await self._tree.close_if_unused()

    def expire(self) -> None:
        """End this session as if nothing had been heard of it, then begin another: for fault injection and tests."""
        if self._state is SessionState.CONNECTED:
            self._end()
            self._session_id = self._tree.begin(self)
            self._state = SessionState.CONNECTED
            tell(self._listeners, self._state)

    def _end(self) -> None:
        self._state = SessionState.EXPIRED
        self.watches.clear()
        self._tree.end(self._session_id)
        tell(self._listeners, self._state)

    def _commit(self, operation: Operation) -> Result:
        self._check_alive()
        draft = self._tree.draft(self._session_id)
        result = draft.apply(operation)
        self._tree.commit(draft)
        return result

    def _check_alive(self) -> None:
        if self._state is not SessionState.CONNECTED:
            raise SessionExpired(f"session {self._session_id:#x} is over")
