"""A disk in memory that can lose power, fill up and fail: a maker of `broker.storage.files.Disk`.

It keeps two states: what the system shows, and what would be there after a power cut (bytes synced in files, names
synced in directories). `after_crash` is a new disk with only the second, `crashed` one with some of the rest.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import trio

from broker.storage.files import Data, File, Held, Lock
from broker.testing.crashes import KILL, POWER_CUT, Crash, first_bytes, no_name
from broker.testing.inodes import Folder, Inode, Node

T = TypeVar("T")


class PowerCut(Exception):
    """The machine is off: nothing that the code does now has any effect. Not an OSError, so nobody makes it one."""


class FakeDisk:
    """One machine's disk.

    Args: space: bytes that files may hold in all; None for as many as they like.
    """

    def __init__(self, space: int | None = None) -> None:
        self.space = space
        self.calls: list[tuple[str, Path]] = []
        """Every call that changes something, in order."""
        self.crash_at: int | None = None
        """After so many calls nothing works any more: PowerCut."""
        self.watcher: Callable[[], None] | None = None
        """Told before each call that changes something, and once more when half of a write is done."""
        self.cold = False
        """Whether no page is in memory until it has been read."""
        self._root = Folder()
        self._locked: set[Path] = set()
        self._faults: list[tuple[str, str, int, int]] = []

    # --- faults ---

    def fail(self, call: str, error: int, *, path: str = "", times: int = 1) -> None:
        """The next `times` calls of that name on paths that end with `path` fail with that errno."""
        self._faults.append((call, path, error, times))

    def note(self, call: str, path: Path) -> None:
        """A call is made; raises what was asked for with `fail`."""
        if self.crash_at is not None and len(self.calls) >= self.crash_at:
            raise PowerCut
        if self._faults:
            self._raise_fault(call, path)
        if call not in ("open", "read"):
            if self.watcher is not None:
                self.watcher()
            self.calls.append((call, path))

    def _raise_fault(self, call: str, path: Path) -> None:
        for number, (name, suffix, error, times) in enumerate(self._faults):
            if name == call and str(path).endswith(suffix):
                if times == 1:
                    del self._faults[number]
                else:
                    self._faults[number] = (name, suffix, error, times - 1)
                raise _error(error, path)

    def after_crash(
        self, *, power_cut: bool = True, torn_bytes: Callable[[Path, int], int] | None = None
    ) -> "FakeDisk":
        """The disk as the next start finds it.

        Args:
            power_cut: what was not synced is gone; else (`kill -9`) everything that was written is there.
            torn_bytes: of what was written to a file since its sync, given its length, so many bytes are there
                nevertheless; the path is that of the disk's root.
        """
        if not power_cut:
            return self.crashed(KILL)
        if torn_bytes is None:
            return self.crashed(POWER_CUT)
        return self.crashed(Crash(first_bytes(lambda tail: torn_bytes(Path("/"), tail)), no_name))

    def crashed(self, crash: Crash) -> "FakeDisk":
        """The disk as the next start finds it. This one goes on as if nothing had been."""
        left = FakeDisk(self.space)
        left._root = crash.survivors(self._root)
        return left

    def state(self) -> int:
        """The same number for the same directories with the same bytes (as `hash`, within one process)."""
        return hash(_state(self._root))

    def take(self, more: int) -> None:
        """Raises: OSError: the disk is full."""
        if self.space is not None and self._used() + more > self.space:
            raise _error(errno.ENOSPC)

    def _used(self) -> int:
        return sum(len(file) for _, file in self._root.walk(Path("/")))

    # --- what tests look at and damage ---

    def contents(self, path: Path) -> bytes:
        return self.file(path).seen

    def put(self, path: Path, data: bytes) -> None:
        """Write behind everybody's back, durably."""
        folder = self.folder(path.parent)
        if path.name not in folder.seen:
            folder.link(len(self.calls), path.name, Inode())
        folder.durable[path.name] = folder.seen[path.name]
        self.file(path).replace(data)

    def paths(self, suffix: str = "") -> list[Path]:
        return sorted(path for path, _ in self._root.walk(Path("/")) if path.name.endswith(suffix))

    # --- finding ---

    def _node(self, path: Path) -> Node | None:
        node: Node | None = self._root
        for name in path.parts[1:]:
            if not isinstance(node, Folder):
                return None
            node = node.seen.get(name)
        return node

    def file(self, path: Path) -> Inode:
        """Raises: OSError."""
        node = self._node(path)
        if not isinstance(node, Inode):
            raise _error(errno.ENOENT if node is None else errno.EISDIR, path)
        return node

    def folder(self, path: Path) -> Folder:
        """Raises: OSError."""
        node = self._node(path)
        if not isinstance(node, Folder):
            raise _error(errno.ENOENT if node is None else errno.ENOTDIR, path)
        return node

    # --- the seam ---

    def open(self, path: Path) -> File:
        self.note("open", path)
        return FakeFile(self, path, self.file(path))

    def create(self, path: Path) -> File:
        self.note("create", path)
        folder = self.folder(path.parent)
        if path.name not in folder.seen:
            self.take(1)
            folder.link(len(self.calls), path.name, Inode())
        file = self.file(path)
        file.cut(0)
        return FakeFile(self, path, file)

    def size(self, path: Path) -> int:
        self.note("open", path)
        return len(self.file(path))

    def modified_ms(self, path: Path) -> int:
        return 0

    def exists(self, path: Path) -> bool:
        return self._node(path) is not None

    def names(self, directory: Path) -> list[str]:
        return sorted(self.folder(directory).seen)

    def make_directory(self, path: Path) -> None:
        self.note("make_directory", path)
        if self.exists(path):
            raise _error(errno.EEXIST, path)
        folder = self._root
        for name in path.parts[1:]:
            if name not in folder.seen:
                folder.link(len(self.calls), name, Folder())
            below = folder.seen[name]
            if not isinstance(below, Folder):
                raise _error(errno.ENOTDIR, path)
            folder = below

    def rename(self, old: Path, new: Path) -> None:
        self.note("rename", old)
        here, there = self.folder(old.parent), self.folder(new.parent)
        if old.name not in here.seen:
            raise _error(errno.ENOENT, old)
        if here is there:
            here.rename(len(self.calls), old.name, new.name)
            return
        there.link(len(self.calls), new.name, here.seen[old.name])
        here.unlink(len(self.calls), old.name)

    def remove(self, path: Path) -> None:
        self.note("remove", path)
        self.file(path)
        self.folder(path.parent).unlink(len(self.calls), path.name)

    def remove_tree(self, path: Path) -> None:
        """File by file, so that a crash may come in between."""
        for name, node in list(self.folder(path).seen.items()):
            if isinstance(node, Folder):
                self.remove_tree(path / name)
            else:
                self.remove(path / name)
        self.note("remove_tree", path)
        self.folder(path.parent).unlink(len(self.calls), path.name)

    def sync_directory(self, path: Path) -> None:
        self.note("sync_directory", path)
        folder = self.folder(path)
        before = folder.durable
        folder.sync()
        self.names_synced(folder, path, before)

    def bytes_synced(self, file: Inode, before: bytes) -> None:
        """For a disk that keeps elsewhere what is durable."""

    def names_synced(self, folder: Folder, path: Path, before: dict[str, Node]) -> None:
        """For a disk that keeps elsewhere what is durable."""

    def capacity(self, directory: Path) -> tuple[int, int]:
        """A disk without an end tells of 1 TiB."""
        self.note("read", directory)
        total = 1 << 40 if self.space is None else self.space
        return total, total - self._used()

    def lock(self, directory: Path) -> Lock:
        if directory in self._locked:
            raise Held(os.getpid())
        self._locked.add(directory)
        return FakeLock(self._locked, directory)

    def forget_locks(self) -> None:
        """Whoever held them was killed."""
        self._locked.clear()

    async def in_thread(self, call: Callable[[], T]) -> T:
        await trio.lowlevel.checkpoint()
        return call()

    async def in_reading_thread(self, call: Callable[[], T]) -> T:
        return await self.in_thread(call)


def _error(number: int, path: Path | None = None) -> OSError:
    return OSError(number, os.strerror(number), *([] if path is None else [str(path)]))


def _state(folder: Folder) -> frozenset[tuple[str, object]]:
    return frozenset(
        (name, _state(node) if isinstance(node, Folder) else node.seen) for name, node in folder.seen.items()
    )


class FakeLock:
    def __init__(self, locked: set[Path], directory: Path) -> None:
        self._locked = locked
        self._directory = directory

    def release(self) -> None:
        self._locked.discard(self._directory)


class FakeFile:
    """See `broker.storage.files.File`."""

    def __init__(self, disk: FakeDisk, path: Path, held: Inode) -> None:
        self.descriptor: int | None = None
        self.holders = 1
        self._disk = disk
        self._path = path
        self._held = held
        self._warm = not disk.cold

    def write(self, data: Data, position: int) -> int:
        """On a disk that is nearly full, as many bytes as there is room for."""
        disk, taken = self._disk, len(data)
        if disk.space is not None:
            taken = min(taken, max(disk.space - disk._used(), 0))
            if not taken and len(data):
                disk.take(1)
        disk.note("write", self._path)
        written, half = bytes(memoryview(data)[:taken]), taken // 2
        if disk.watcher is not None and half:
            self._held.write(written[:half], position)
            disk.watcher()
            self._held.write(written[half:], position + half)
        else:
            self._held.write(written, position)
        return taken

    def read(self, size: int, position: int) -> bytes:
        self._disk.note("read", self._path)
        self._warm = True
        return self._held.read(size, position)

    def cut(self, size: int) -> None:
        self._disk.note("cut", self._path)
        self._held.cut(size)

    def size(self) -> int:
        return len(self._held)

    def sync(self) -> None:
        self._disk.note("sync", self._path)
        before = self._held.durable
        self._held.sync()
        self._disk.bytes_synced(self._held, before)

    def is_warm(self, position: int) -> bool:
        return self._warm

    def hold(self) -> None:
        self.holders += 1

    def release(self) -> None:
        self.holders -= 1
        if self.holders < 0:
            raise ValueError(f"{self._path} was released once too often")
