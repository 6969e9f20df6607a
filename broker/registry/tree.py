"""The tree of nodes in memory, pure: operations are tried on a draft, and a draft is taken over whole or not at all.

One draft is one transaction with one zxid. The tree knows no files, sessions only as numbers, and no clock.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias, TypeVar

from broker.registry.contract import (
    ANY_VERSION,
    BadVersion,
    Check,
    Create,
    Delete,
    EventKind,
    MultiFailed,
    NoChildrenForEphemerals,
    NodeExists,
    NoNode,
    NotEmpty,
    Operation,
    RegistryError,
    SetData,
    Stat,
    WatchEvent,
)
from broker.registry.paths import check_path, parent_of

Result: TypeAlias = Stat | str | None
Key = TypeVar("Key", int, str)


class Node:
    """`children` is how many there are; `sequence`, how many were ever made, numbers the sequential ones."""

    __slots__ = (
        "children",
        "ctime_ms",
        "cversion",
        "czxid",
        "data",
        "ephemeral_owner",
        "mtime_ms",
        "mzxid",
        "sequence",
        "version",
    )

    def __init__(self, data: bytes | None, zxid: int, now_ms: int, ephemeral_owner: int = 0) -> None:
        self.data = data
        self.czxid = self.mzxid = zxid
        self.ctime_ms = self.mtime_ms = now_ms
        self.version = self.cversion = self.children = self.sequence = 0
        self.ephemeral_owner = ephemeral_owner

    def copy(self) -> "Node":
        twin = Node(self.data, self.czxid, self.ctime_ms, self.ephemeral_owner)
        twin.mzxid, twin.mtime_ms = self.mzxid, self.mtime_ms
        twin.version, twin.cversion = self.version, self.cversion
        twin.children, twin.sequence = self.children, self.sequence
        return twin

    def stat(self) -> Stat:
        return Stat(
            czxid=self.czxid,
            mzxid=self.mzxid,
            ctime_ms=self.ctime_ms,
            mtime_ms=self.mtime_ms,
            version=self.version,
            cversion=self.cversion,
            ephemeral_owner=self.ephemeral_owner,
            children=self.children,
        )


class Tree:
    """All nodes by path, the names below each, the ephemerals of each session; `zxid` of the last transaction."""

    def __init__(self, zxid: int = 0) -> None:
        self.zxid = zxid
        self.nodes: dict[str, Node] = {"/": Node(None, zxid, 0)}
        self._names: dict[str, set[str]] = {}
        self._ephemerals: dict[int, set[str]] = {}

    def find(self, path: str) -> Node:
        """Raises: NoNode."""
        node = self.nodes.get(path)
        if node is None:
            raise NoNode(path)
        return node

    def names(self, path: str) -> list[str]:
        """The children, sorted. Raises: NoNode."""
        self.find(path)
        return sorted(self._names.get(path, ()))

    def ephemerals(self, session_id: int) -> list[str]:
        return sorted(self._ephemerals.get(session_id, ()))

    def adopt(self, stored: Iterable[tuple[str, Node]]) -> None:
        """Hang in the nodes that were stored, in any order; how many children they have is counted anew."""
        for path, node in stored:
            self.nodes[path] = node
            if path != "/":
                self._names.setdefault(parent_of(path), set()).add(path.rpartition("/")[2])
        for path, node in self.nodes.items():
            node.children = len(self._names.get(path, ()))

    def take_over(self, draft: "Draft") -> None:
        """Make the draft's changes the tree's."""
        self.zxid = max(self.zxid, draft.zxid)  # sessions that began meanwhile took some
        for path, node in draft.changes.items():
            before = self.nodes.get(path)
            if before is not None and (node is None or node.czxid != before.czxid):
                self._unhang(path, before)
            if node is not None:
                self.nodes[path] = node
                if before is None or node.czxid != before.czxid:
                    self._hang(path, node)

    def _hang(self, path: str, node: Node) -> None:
        self._names.setdefault(parent_of(path), set()).add(path.rpartition("/")[2])
        if node.ephemeral_owner:
            self._ephemerals.setdefault(node.ephemeral_owner, set()).add(path)

    def _unhang(self, path: str, node: Node) -> None:
        del self.nodes[path]
        _discard(self._names, parent_of(path), path.rpartition("/")[2])
        if node.ephemeral_owner:
            _discard(self._ephemerals, node.ephemeral_owner, path)


def _discard(table: dict[Key, set[str]], key: Key, member: str) -> None:
    members = table[key]
    members.discard(member)
    if not members:
        del table[key]


class Draft:
    """One transaction on a tree, not yet taken over: the nodes it changes (None: deleted) and what watches will see."""

    __slots__ = ("_now_ms", "_session_id", "_tree", "changes", "events", "zxid")

    def __init__(self, tree: Tree, session_id: int, now_ms: int) -> None:
        self.zxid = tree.zxid + 1
        self.changes: dict[str, Node | None] = {}
        self.events: list[WatchEvent] = []
        self._tree = tree
        self._session_id = session_id
        self._now_ms = now_ms

    def apply_all(self, operations: Sequence[Operation]) -> list[Result]:
        """In order, each seeing those before it. Raises: MultiFailed: throw the draft away."""
        return list(self._results(operations))

    def _results(self, operations: Sequence[Operation]) -> Iterator[Result]:
        for index, operation in enumerate(operations):
            try:
                yield self.apply(operation)
            except RegistryError as cause:
                raise MultiFailed(index, cause) from cause

    def apply(self, operation: Operation) -> Result:
        """One operation. Raises: NoNode, NodeExists, BadVersion, NotEmpty, NoChildrenForEphemerals."""
        match operation:
            case Create():
                return self._create(operation)
            case SetData():
                return self._set(operation)
            case Delete():
                self._delete(operation)
            case Check():
                self._expect(operation.path, self._find(operation.path), operation.version)
        return None

    def _create(self, operation: Create) -> str:
        check_path(operation.path, sequential=operation.sequential)
        above = parent_of(operation.path)
        parent = self._find(above)
        if parent.ephemeral_owner:
            raise NoChildrenForEphemerals(above)
        path = f"{operation.path}{parent.sequence:010d}" if operation.sequential else operation.path
        if self._look(path) is not None:
            raise NodeExists(path)
        parent = self._writable(above, parent)
        parent.cversion += 1
        parent.sequence += 1
        parent.children += 1
        owner = self._session_id if operation.ephemeral else 0
        self.changes[path] = Node(operation.data, self.zxid, self._now_ms, owner)
        self.events += (WatchEvent(EventKind.CREATED, path), WatchEvent(EventKind.CHILDREN, above))
        return path

    def _set(self, operation: SetData) -> Stat:
        node = self._find(operation.path)
        self._expect(operation.path, node, operation.version)
        node = self._writable(operation.path, node)
        node.data = operation.data
        node.version += 1
        node.mzxid, node.mtime_ms = self.zxid, self._now_ms
        self.events.append(WatchEvent(EventKind.CHANGED, operation.path))
        return node.stat()

    def _delete(self, operation: Delete) -> None:
        node = self._find(operation.path)
        self._expect(operation.path, node, operation.version)
        if node.children or operation.path == "/":
            raise NotEmpty(operation.path)
        above = parent_of(operation.path)
        parent = self._writable(above, self._find(above))
        parent.cversion += 1
        parent.children -= 1
        self.changes[operation.path] = None
        self.events += (WatchEvent(EventKind.DELETED, operation.path), WatchEvent(EventKind.CHILDREN, above))

    @staticmethod
    def _expect(path: str, node: Node, version: int) -> None:
        if version not in (ANY_VERSION, node.version):
            raise BadVersion(f"{path} has version {node.version}, not {version}")

    def _look(self, path: str) -> Node | None:
        return self.changes[path] if path in self.changes else self._tree.nodes.get(path)

    def _find(self, path: str) -> Node:
        node = self._look(path)
        if node is None:
            raise NoNode(path)
        return node

    def _writable(self, path: str, node: Node) -> Node:
        """This draft's own copy of a node."""
        if path not in self.changes:
            self.changes[path] = node = node.copy()
        return node
