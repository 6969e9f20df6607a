"""What files and directories of a disk in memory hold: as the system shows it, as durable, and what lies between.

Bytes become durable with `fsync` of the file, names with `fsync` of their directory; what came since is remembered
change by change, so that a crash may keep some of it (`broker.testing.crashes`).
"""

from collections.abc import Iterator
from pathlib import Path


class Inode:
    """The bytes of one file. A crashed disk shares them with the one it comes from until somebody writes."""

    __slots__ = ("_seen", "changes", "durable")

    def __init__(self, data: bytes = b"") -> None:
        self._seen: bytes | bytearray = data
        self.durable = data
        self.changes: list[tuple[int, bytes | None]] = []
        """Since the last sync: (position, bytes written there), or (size, None) for a cut."""

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def seen(self) -> bytes:
        if not isinstance(self._seen, bytes):
            self._seen = bytes(self._seen)
        return self._seen

    def _writable(self) -> bytearray:
        if not isinstance(self._seen, bytearray):
            self._seen = bytearray(self._seen)
        return self._seen

    def read(self, size: int, position: int) -> bytes:
        return bytes(self._seen[position : position + size])

    def write(self, data: bytes, position: int) -> None:
        put(self._writable(), data, position)
        self.changes.append((position, data))

    def cut(self, size: int) -> None:
        if size != len(self._seen):
            put_cut(self._writable(), size)
            self.changes.append((size, None))

    def sync(self) -> None:
        self.durable = self.seen
        self.changes.clear()

    def replace(self, data: bytes) -> None:
        """Durably, by nobody's call."""
        self._seen = data
        self.sync()


def put(content: bytearray, data: bytes, position: int) -> None:
    """Write as a file does: what lies between its end and `position` becomes zeros."""
    if position > len(content):
        content.extend(bytes(position - len(content)))
    content[position : position + len(data)] = data


def put_cut(content: bytearray, size: int) -> None:
    """Cut, or lengthen with zeros."""
    del content[size:]
    content.extend(bytes(size - len(content)))


class Folder:
    """The names in one directory."""

    __slots__ = ("changes", "durable", "seen")

    def __init__(self) -> None:
        self.seen: dict[str, Node] = {}
        self.durable: dict[str, Node] = {}
        self.changes: list[NameChange] = []
        """Since the last sync of the directory."""

    def link(self, number: int, name: str, node: "Node") -> None:
        self._change(number, {name: node}, ())

    def unlink(self, number: int, name: str) -> None:
        self._change(number, {}, (name,))

    def rename(self, number: int, old: str, new: str) -> None:
        self._change(number, {new: self.seen[old]}, (old,))

    def _change(self, number: int, added: "dict[str, Node]", removed: tuple[str, ...]) -> None:
        change = NameChange(number, added, removed)
        change.apply(self.seen)
        self.changes.append(change)

    def sync(self) -> None:
        self.durable = dict(self.seen)
        self.changes.clear()

    def walk(self, path: Path) -> Iterator[tuple[Path, Inode]]:
        """All files below, with their paths."""
        for name, node in self.seen.items():
            if isinstance(node, Inode):
                yield path / name, node
            else:
                yield from node.walk(path / name)


Node = Inode | Folder


class NameChange:
    """One step of one directory, of which a crash keeps all or nothing. `number`: when it was, among the disk's."""

    __slots__ = ("added", "number", "removed")

    def __init__(self, number: int, added: dict[str, Node], removed: tuple[str, ...]) -> None:
        self.number = number
        self.added = added
        self.removed = removed

    def apply(self, names: dict[str, Node]) -> None:
        """To a directory in which the steps before it may be missing."""
        if all(name in names for name in self.removed):
            for name in self.removed:
                del names[name]
            names.update(self.added)
