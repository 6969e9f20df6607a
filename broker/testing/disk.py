"""A disk in memory that can lose power, fill up and fail: a maker of `broker.storage.files.Disk`.

It keeps two states: what the system shows, and what would be there after a power cut (bytes synced in files, names
synced in directories). `after_crash` is a new disk with only the second, or with some of the rest.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import trio

from broker.storage.files import Data, File, Held, Lock

T = TypeVar("T")


class PowerCut(Exception):
    """The machine is off: nothing that the code does now has any effect. Not an OSError, so nobody makes it one."""


@dataclass
class _Bytes:
    """What one file holds: as seen, and as durable."""

    seen: bytearray = field(default_factory=bytearray)
    durable: bytes = b""


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
        self.cold = False
        """Whether no page is in memory until it has been read."""
        self._files: dict[Path, _Bytes] = {}
        self._durable_names: dict[Path, _Bytes] = {}
        self._directories: set[Path] = {Path("/")}
        self._durable_directories: set[Path] = {Path("/")}
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
        for number, (name, suffix, error, times) in enumerate(self._faults):
            if name == call and str(path).endswith(suffix):
                if times == 1:
                    del self._faults[number]
                else:
                    self._faults[number] = (name, suffix, error, times - 1)
                raise OSError(error, os.strerror(error), str(path))
        if call not in ("open", "read"):
            self.calls.append((call, path))

    def after_crash(
        self, *, power_cut: bool = True, torn_bytes: Callable[[Path, int], int] | None = None
    ) -> "FakeDisk":
        """The disk as the next start finds it.

        Args:
            power_cut: what was not synced is gone; else (`kill -9`) everything that was written is there.
            torn_bytes: of each file's unsynced tail, given its path and length, so many bytes are there nevertheless.
        """
        crashed = FakeDisk(self.space)
        if not power_cut:
            crashed._directories = set(self._directories)
            crashed._files = {path: _Bytes(bytearray(held.seen)) for path, held in self._files.items()}
        else:
            crashed._directories = set(self._durable_directories)
            for path, held in self._durable_names.items():
                tail = max(len(held.seen) - len(held.durable), 0)
                kept = torn_bytes(path, tail) if torn_bytes and held.seen.startswith(held.durable) else 0
                crashed._files[path] = _Bytes(bytearray(held.durable + held.seen[len(held.durable) :][:kept]))
        for held in crashed._files.values():
            held.durable = bytes(held.seen)
        crashed._durable_names = dict(crashed._files)
        crashed._durable_directories = set(crashed._directories)
        return crashed

    def take(self, more: int) -> None:
        """Raises: OSError: the disk is full."""
        if self.space is not None and sum(len(held.seen) for held in self._files.values()) + more > self.space:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    # --- what tests look at and damage ---

    def contents(self, path: Path) -> bytes:
        return bytes(self._files[path].seen)

    def put(self, path: Path, data: bytes) -> None:
        """Write behind everybody's back, durably."""
        self._files[path] = self._durable_names[path] = _Bytes(bytearray(data), data)

    def paths(self, suffix: str = "") -> list[Path]:
        return sorted(path for path in self._files if path.name.endswith(suffix))

    # --- the seam ---

    def open(self, path: Path) -> File:
        self.note("open", path)
        if path not in self._files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return FakeFile(self, path, self._files[path])

    def create(self, path: Path) -> File:
        self.note("create", path)
        self._must_be_directory(path.parent)
        held = self._files.get(path)
        if held is None:
            self.take(1)
            held = self._files[path] = _Bytes()
        held.seen.clear()
        return FakeFile(self, path, held)

    def _must_be_directory(self, path: Path) -> None:
        if path not in self._directories:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    def size(self, path: Path) -> int:
        return self.open(path).size()

    def modified_ms(self, path: Path) -> int:
        return 0

    def exists(self, path: Path) -> bool:
        return path in self._files or path in self._directories

    def names(self, directory: Path) -> list[str]:
        self._must_be_directory(directory)
        return sorted(path.name for path in (*self._files, *self._directories) if path.parent == directory)

    def make_directory(self, path: Path) -> None:
        self.note("make_directory", path)
        if path in self._directories:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        self._directories.update((path, *path.parents))

    def rename(self, old: Path, new: Path) -> None:
        self.note("rename", old)
        if old in self._files:
            self._files[new] = self._files.pop(old)
            return
        for path in [path for path in self._files if path.is_relative_to(old)]:
            self._files[new / path.relative_to(old)] = self._files.pop(path)
        self._directories.remove(old)
        self._directories.add(new)

    def remove(self, path: Path) -> None:
        self.note("remove", path)
        if path not in self._files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        del self._files[path]

    def remove_tree(self, path: Path) -> None:
        self.note("remove_tree", path)
        for below in [below for below in self._files if below.is_relative_to(path)]:
            del self._files[below]
        self._directories.remove(path)

    def sync_directory(self, path: Path) -> None:
        self.note("sync_directory", path)
        for names, durable in ((self._files, self._durable_names),):
            for old in [old for old in durable if old.parent == path and old not in names]:
                del durable[old]
            durable.update({new: held for new, held in names.items() if new.parent == path})
        below = {one for one in self._directories if one.parent == path}
        lost = {one for one in self._durable_directories if one.parent == path and one not in below}
        self._durable_directories = (self._durable_directories - lost) | below | {path, *path.parents}
        for gone in [old for old in self._durable_names if any(old.is_relative_to(one) for one in lost)]:
            held = self._durable_names.pop(gone)
            moved = next((seen for seen, other in self._files.items() if other is held), None)
            if moved is not None:
                self._durable_names[moved] = held

    def capacity(self, directory: Path) -> tuple[int, int]:
        """A disk without an end tells of 1 TiB."""
        self.note("read", directory)
        total = 1 << 40 if self.space is None else self.space
        return total, total - sum(len(held.seen) for held in self._files.values())

    def lock(self, directory: Path) -> Lock:
        if directory in self._locked:
            raise Held(os.getpid())
        self._locked.add(directory)
        return FakeLock(self._locked, directory)

    async def in_thread(self, call: Callable[[], T]) -> T:
        await trio.lowlevel.checkpoint()
        return call()


class FakeLock:
    def __init__(self, locked: set[Path], directory: Path) -> None:
        self._locked = locked
        self._directory = directory

    def release(self) -> None:
        self._locked.discard(self._directory)


class FakeFile:
    """See `broker.storage.files.File`."""

    def __init__(self, disk: FakeDisk, path: Path, held: _Bytes) -> None:
        self.descriptor: int | None = None
        self.holders = 1
        self._disk = disk
        self._path = path
        self._held = held
        self._warm = not disk.cold

    def write(self, data: Data, position: int) -> int:
        """On a disk that is nearly full, as many bytes as there is room for."""
        taken = len(data)
        if self._disk.space is not None:
            used = sum(len(held.seen) for held in self._disk._files.values())
            taken = min(taken, max(self._disk.space - used, 0))
            if not taken and len(data):
                self._disk.take(1)
        self._disk.note("write", self._path)
        self._held.seen[position : position + taken] = memoryview(data)[:taken]
        return taken

    def read(self, size: int, position: int) -> bytes:
        self._disk.note("read", self._path)
        self._warm = True
        return bytes(self._held.seen[position : position + size])

    def cut(self, size: int) -> None:
        self._disk.note("cut", self._path)
        del self._held.seen[size:]

    def size(self) -> int:
        return len(self._held.seen)

    def sync(self) -> None:
        self._disk.note("sync", self._path)
        self._held.durable = bytes(self._held.seen)

    def is_warm(self, position: int) -> bool:
        return self._warm

    def hold(self) -> None:
        self.holders += 1

    def release(self) -> None:
        self.holders -= 1
        if self.holders < 0:
            raise ValueError(f"{self._path} was released once too often")
