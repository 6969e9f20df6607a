"""The file of the embedded registry: one SQLite table with a row per node, ephemerals left out.

A committed transaction is in the kernel's hands: a killed process loses nothing. What makes it safe against a power
cut, and keeps the write-ahead log short, is `checkpoint`. Both are for a thread: the first commit after a checkpoint
begins the log anew, and SQLite syncs that.
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from broker.config.problems import OperatorError
from broker.registry.contract import StoreFailed
from broker.registry.tree import Node, Tree

if TYPE_CHECKING:
    import sqlite3

log = logging.getLogger("barnabas.registry")

APPLICATION_ID = 0x6261726E  # `barn`, so that the file tells what it is
SCHEMA_VERSION = 1
EPOCH_BITS = 32

_TABLE = """
create table if not exists node (
    path text primary key, data blob, czxid integer not null, mzxid integer not null, ctime_ms integer not null,
    mtime_ms integer not null, version integer not null, cversion integer not null, sequence integer not null
) without rowid
"""
_WRITE = "insert or replace into node values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_READ = "select path, data, czxid, mzxid, ctime_ms, mtime_ms, version, cversion, sequence from node"


class Store:
    """One open file. `written` tells that a checkpoint is due."""

    def __init__(self, path: Path) -> None:
        """Open or create it. Raises: OperatorError: not such a file, or not ours to write."""
        import sqlite3

        self._errors = sqlite3.Error
        self.path = path
        self.written = False
        try:
            self._connection = self._open()
            self._prepare()
        except sqlite3.Error as error:
            raise OperatorError(
                f"the registry file {path} cannot be opened",
                f"SQLite says: {error}",
                "Check its owner and the free space; if it is damaged, restore it from a backup.",
            ) from error

    def _open(self) -> "sqlite3.Connection":
        import sqlite3

        return sqlite3.connect(self.path, timeout=0.1, isolation_level=None, check_same_thread=False)

    def _prepare(self) -> None:
        (application_id,) = self._connection.execute("pragma application_id").fetchone()
        (schema_version,) = self._connection.execute("pragma user_version").fetchone()
        (tables,) = self._connection.execute("select count(*) from sqlite_master").fetchone()
        if tables and (application_id, schema_version) != (APPLICATION_ID, SCHEMA_VERSION):
            raise OperatorError(
                f"{self.path} is not a registry file that this release can read",
                f"it has application id {application_id:#x}, version {schema_version}",
                f"Start the release that wrote it, or move it away (version {SCHEMA_VERSION} is expected here).",
            )
        self._connection.execute("pragma page_size=1024")  # rows are small: half the time of the default at each commit
        self._connection.execute("pragma journal_mode=wal")
        self._connection.execute("pragma wal_autocheckpoint=0")
        self._connection.execute(f"pragma application_id={APPLICATION_ID}")
        self._connection.execute(f"pragma user_version={SCHEMA_VERSION}")
        self._connection.execute(_TABLE)

    def load(self, now_ms: int) -> Tree:
        """The tree as it was, without ephemerals, in a new epoch of zxids.

        The upper half of a zxid is the epoch, raised at each opening and written (with fsync) to the root's row before
        anything else happens, so that zxids grow over restarts although most transactions do not store theirs.
        """
        try:
            stored = list(self._stored())
            last = max((node.mzxid for _, node in stored), default=0)
            tree = Tree(((last >> EPOCH_BITS) + 1) << EPOCH_BITS)
            tree.adopt(stored)
            root = tree.nodes["/"]
            root.mzxid, root.mtime_ms = tree.zxid, now_ms
            self._connection.execute("pragma synchronous=full")
            self.save({"/": root})
            self._connection.execute("pragma synchronous=normal")
        except self._errors as error:
            raise OperatorError(
                f"the registry file {self.path} cannot be read",
                f"SQLite says: {error}",
                "Restore it from a backup, or move it away to begin with an empty cluster.",
            ) from error
        return tree

    def _stored(self) -> Iterator[tuple[str, Node]]:
        for row in self._connection.execute(_READ):
            path, data, czxid, mzxid, ctime_ms, mtime_ms, version, cversion, sequence = row
            node = Node(data, czxid, ctime_ms)
            node.mzxid, node.mtime_ms = mzxid, mtime_ms
            node.version, node.cversion, node.sequence = version, cversion, sequence
            yield path, node

    def save(self, changes: Mapping[str, Node | None]) -> None:
        """One transaction. For a thread, one at a time. Raises: StoreFailed: nothing of it stays."""
        rows = [_row(path, node) for path, node in changes.items() if node is not None and not node.ephemeral_owner]
        gone = [(path,) for path, node in changes.items() if node is None]
        execute = self._connection.execute
        self.written = True
        try:
            if len(rows) == 1 and not gone:
                execute(_WRITE, rows[0])
                return
            execute("begin immediate")
            for path in gone:
                execute("delete from node where path = ?", path)
            for row in rows:
                execute(_WRITE, row)
            execute("commit")
        except self._errors as error:
            self._roll_back()
            log.error("registry file %s: write failed: %s", self.path, error)
            raise StoreFailed(f"{self.path}: {error}") from error

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("rollback")

    def checkpoint(self) -> None:
        """Fsync what was committed and move it to the file itself. For a thread; another may `save` meanwhile."""
        self.written = False
        connection = self._open()
        try:
            connection.execute("pragma wal_checkpoint(passive)").fetchone()
        except self._errors as error:
            self.written = True
            log.warning("registry file %s: checkpoint failed: %s", self.path, error)
        finally:
            connection.close()

    def close(self) -> None:
        """Fsync everything and close. For a thread."""
        self._connection.close()


def _row(path: str, node: Node) -> tuple[object, ...]:
    return (
        path,
        node.data,
        node.czxid,
        node.mzxid,
        node.ctime_ms,
        node.mtime_ms,
        node.version,
        node.cversion,
        node.sequence,
    )
