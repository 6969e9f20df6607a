"""What the registry promises: ZooKeeper's data model, kept by ZooKeeper itself or by a tree of our own.

Nodes with data, versions and children; ephemerals that end with their session; sequences; one-shot watches; multi.
Makers: `embedded.py`, `zookeeper.py`; `test_contract.py` holds for both. Watches and session changes are plain calls
in the broker's loop: a listener notes what happened and returns, it never waits.

Who asks again after a lost connection: while the session is SUSPENDED every call waits for the connection. A read whose
answer was lost is asked again by the registry. A write whose answer was lost raises ConnectionLost, for only the caller
can tell whether it happened: it reads the node again and compares. The same goes for a write that was cancelled.
Any call raises SessionExpired between the end of a session and the beginning of the next.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol, TypeAlias

import trio

from kproto.values import frozen

ANY_VERSION = -1


class RegistryError(Exception):
    """The registry refused. Children say why."""


class NoNode(RegistryError):
    """The node (or the parent of the one to be created) is not there."""


class NodeExists(RegistryError):
    """There is such a node already."""


class BadVersion(RegistryError):
    """The node's data version is not the expected one."""


class NotEmpty(RegistryError):
    """The node has children."""


class NoChildrenForEphemerals(RegistryError):
    """The parent is an ephemeral node, and these have no children."""


class TooLarge(RegistryError):
    """More data than the registry takes in one operation (ZooKeeper: about 1 MB). Nothing happened."""


class StoreFailed(RegistryError):
    """The embedded registry could not write its file. Nothing happened."""


class ConnectionLost(RegistryError):
    """No answer to a write: it may or may not have happened. Read again, that waits for the connection."""


class SessionExpired(RegistryError):
    """The session is over and its ephemerals are gone."""


class MultiFailed(RegistryError):
    """Nothing of the multi happened. `index` is the operation that failed, `cause` its error."""

    def __init__(self, index: int, cause: RegistryError) -> None:
        super().__init__(f"operation {index}: {cause!r}")
        self.index = index
        self.cause = cause


class EventKind(Enum):
    """CREATED, DELETED and CHANGED tell watches of `get` and `exists`; CHILDREN and DELETED those of `children`."""

    CREATED = 1
    DELETED = 2
    CHANGED = 3
    CHILDREN = 4


@frozen
class WatchEvent:
    """What a one-shot watch saw. Always read again: more may have happened since.

    After a lost connection every watch is called once the session is CONNECTED again (CHANGED, CHILDREN), whether or
    not something happened meanwhile. The same callable left twice at one place is called once.
    """

    kind: EventKind
    path: str


Watch: TypeAlias = Callable[[WatchEvent], None]


class SessionState(Enum):
    """CONNECTED; SUSPENDED: no connection, the session may live; EXPIRED: ephemerals and watches are gone for good.

    After EXPIRED the registry opens a new session by itself and says CONNECTED again: register again then. It says
    EXPIRED as well when the session timeout has passed since SUSPENDED and nothing was heard; then the ephemerals of
    the session that was given up may live a little longer. After `close` it stays EXPIRED.
    """

    CONNECTED = "connected"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


@frozen
class Stat:
    """A node's counters. `czxid` and `mzxid`: transaction that made and last changed it; `version`: of its data."""

    czxid: int
    mzxid: int
    ctime_ms: int
    mtime_ms: int
    version: int
    cversion: int
    ephemeral_owner: int
    children: int


@frozen
class Create:
    path: str
    data: bytes | None = None
    ephemeral: bool = False
    sequential: bool = False


@frozen
class SetData:
    path: str
    data: bytes | None
    version: int = ANY_VERSION


@frozen
class Delete:
    path: str
    version: int = ANY_VERSION


@frozen
class Check:
    path: str
    version: int


Operation: TypeAlias = Create | SetData | Delete | Check


class Registry(Protocol):
    """One session with the registry. All paths are absolute and below the chroot."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep a session until cancelled, then close it; started once it is CONNECTED for the first time.

        Raises: OperatorError: before it started, when the registry cannot be reached.
        """
        ...

    @property
    def session_id(self) -> int:
        """Of the session that lives, or of the last one."""
        ...

    @property
    def state(self) -> SessionState: ...

    def on_session(self, listener: Callable[[SessionState], None]) -> None:
        """Call `listener` in the loop at each change of `state`, from now on."""
        ...

    async def get(self, path: str, watch: Watch | None = None) -> tuple[bytes | None, Stat]:
        """Raises: NoNode (and then leaves no watch)."""
        ...

    async def children(self, path: str, watch: Watch | None = None) -> list[str]:
        """Names, sorted. Raises: NoNode."""
        ...

    async def exists(self, path: str, watch: Watch | None = None) -> Stat | None:
        """None if there is no such node; the watch then waits for its creation."""
        ...

    async def create(
        self,
        path: str,
        data: bytes | None = None,
        *,
        ephemeral: bool = False,
        sequential: bool = False,
        parents: bool = False,
    ) -> str:
        """The path made (with its ten digits if sequential).

        Raises: NodeExists, NoNode (without `parents`), NoChildrenForEphemerals, TooLarge.
        """
        ...

    async def set(self, path: str, data: bytes | None, version: int = ANY_VERSION) -> Stat:
        """Raises: NoNode, BadVersion, TooLarge."""
        ...

    async def delete(self, path: str, version: int = ANY_VERSION) -> None:
        """Raises: NoNode, BadVersion, NotEmpty."""
        ...

    async def multi(self, operations: Sequence[Operation]) -> list[Stat | str | None]:
        """All or nothing, in order: a path per Create, a Stat per SetData, None per Delete and Check.

        Raises: MultiFailed, TooLarge.
        """
        ...

    async def close(self) -> None:
        """End the session; its ephemerals go at once."""
        ...
