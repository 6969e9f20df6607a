"""The disk's seam: every system call on files, and every thread of storage, goes through here.

Plain methods are system calls made on the spot; what may sleep long (fsync, unlink of much, cold pages) is handed to
`in_thread`. `broker.testing.disk` has a maker in memory that loses unsynced bytes, tears writes and fills up.
"""

import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import trio

Data = bytes | bytearray | memoryview
T = TypeVar("T")


class File(Protocol):
    """An open file. It closes when its last holder lets go."""

    descriptor: int | None
    """For `os.sendfile`; None where the bytes are not the kernel's."""

    def write(self, data: Data, position: int) -> int:
        """One system call; the number of bytes written, which may be fewer than asked for."""
        ...

    def read(self, size: int, position: int) -> bytes:
        """At most `size` bytes, fewer only at the end of the file."""
        ...

    def cut(self, size: int) -> None: ...
    def size(self) -> int: ...
    def sync(self) -> None:
        """Make the bytes durable. Sleeps in the kernel."""
        ...

    def is_warm(self, position: int) -> bool:
        """Whether that byte can be read without waiting for the disk."""
        ...

    def hold(self) -> None:
        """One more holder."""
        ...

    def release(self) -> None:
        """One holder fewer."""
        ...


class Held(Exception):
    """Somebody else has the lock. `pid` is the process, where the system tells."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(pid)
        self.pid = pid


class Lock(Protocol):
    def release(self) -> None: ...


class Disk(Protocol):
    """Files and directories. Every method raises OSError as the system does."""

    def open(self, path: Path) -> File:
        """For reading and writing; it must be there."""
        ...

    def create(self, path: Path) -> File:
        """For reading and writing, empty, whatever was there before."""
        ...

    def size(self, path: Path) -> int: ...
    def modified_ms(self, path: Path) -> int: ...
    def exists(self, path: Path) -> bool: ...
    def names(self, directory: Path) -> list[str]: ...
    def make_directory(self, path: Path) -> None:
        """With its parents. Raises FileExistsError if it is there."""
        ...

    def rename(self, old: Path, new: Path) -> None: ...
    def remove(self, path: Path) -> None:
        """One file."""
        ...

    def remove_tree(self, path: Path) -> None:
        """A directory and all below it. Sleeps in the kernel."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Make the names in it durable. Sleeps in the kernel."""
        ...

    def capacity(self, directory: Path) -> tuple[int, int]:
        """Of its file system: bytes in all, and those that this process may still use. May sleep in the kernel."""
        ...

    def lock(self, directory: Path) -> Lock:
        """One owner per directory, over processes and brokers of one process. Raises: Held."""
        ...

    async def in_thread(self, call: Callable[[], T]) -> T:
        """Run what sleeps in the kernel. It is waited for even when cancelled: half a call is no call."""
        ...

    async def in_reading_thread(self, call: Callable[[], T]) -> T:
        """The same for reads on behalf of clients: however many of them hang, writing and flushing has its threads."""
        ...


def write_all(file: File, data: Data, position: int) -> None:
    """Write everything: one system call, or more where the disk takes less at a time."""
    written = file.write(data, position)
    while written < len(data):
        more = file.write(memoryview(data)[written:], position + written)
        if more == 0:
            raise OSError("the disk takes no more bytes and does not say why")
        written += more


def replace(disk: Disk, path: Path, data: bytes) -> None:
    """Put a small file in place: after any crash either the old or the new one is there. Sleeps in the kernel."""
    fresh = path.with_name(path.name + ".tmp")
    file = disk.create(fresh)
    try:
        write_all(file, data, 0)
        file.sync()
    finally:
        file.release()
    disk.rename(fresh, path)
    disk.sync_directory(path.parent)


def read_whole(disk: Disk, path: Path) -> bytes:
    file = disk.open(path)
    try:
        return file.read(file.size(), 0)
    finally:
        file.release()


class SystemFile:
    """A descriptor, counted."""

    __slots__ = ("_holders", "descriptor")

    def __init__(self, descriptor: int) -> None:
        self.descriptor: int | None = descriptor
        self._holders = 1

    @property
    def _fd(self) -> int:
        if self.descriptor is None:
            raise ValueError("this file is closed")
        return self.descriptor

    def write(self, data: Data, position: int) -> int:
        return os.pwrite(self._fd, data, position)

    def read(self, size: int, position: int) -> bytes:
        return os.pread(self._fd, size, position)

    def cut(self, size: int) -> None:
        os.ftruncate(self._fd, size)

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def sync(self) -> None:
        _fsync(self._fd)

    def is_warm(self, position: int) -> bool:
        if _RWF_NOWAIT is None:
            return True
        try:
            os.preadv(self._fd, [bytearray(1)], position, _RWF_NOWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True  # this file system cannot tell
        return True

    def hold(self) -> None:
        self._holders += 1

    def release(self) -> None:
        self._holders -= 1
        if self._holders == 0:
            descriptor, self.descriptor = self._fd, None
            os.close(descriptor)


_RWF_NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)
_fsync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class SystemDisk:
    """The operating system's files; one per broker, since it bounds how many threads wait for its disks.

    Args:
        threads: how many calls may sleep in the kernel at once, and as many reads.
    """

    def __init__(self, threads: int = 16) -> None:
        self._limiter = trio.CapacityLimiter(threads)
        self._reading = trio.CapacityLimiter(threads)

    def open(self, path: Path) -> File:
        return SystemFile(os.open(path, os.O_RDWR | os.O_CLOEXEC))

    def create(self, path: Path) -> File:
        return SystemFile(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644))

    def size(self, path: Path) -> int:
        return path.stat().st_size

    def modified_ms(self, path: Path) -> int:
        return path.stat().st_mtime_ns // 1_000_000

    def exists(self, path: Path) -> bool:
        return path.exists()

    def names(self, directory: Path) -> list[str]:
        return sorted(os.listdir(directory))

    def make_directory(self, path: Path) -> None:
        path.mkdir(parents=True)

    def rename(self, old: Path, new: Path) -> None:
        os.replace(old, new)

    def remove(self, path: Path) -> None:
        os.unlink(path)

    def remove_tree(self, path: Path) -> None:
        import shutil

        shutil.rmtree(path)

    def sync_directory(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def capacity(self, directory: Path) -> tuple[int, int]:
        found = os.statvfs(directory)
        return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize

    def lock(self, directory: Path) -> Lock:
        return DirectoryLock(directory)

    async def in_thread(self, call: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(call, limiter=self._limiter)

    async def in_reading_thread(self, call: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(call, limiter=self._reading)


class DirectoryLock:
    """`flock` on the directory, against brokers of our kind, and `lockf` on its `.lock`, which is Kafka's own.

    In this order: closing any descriptor of `.lock` drops the `lockf` of the whole process, so a second broker of one
    process must be refused before it opens that file.
    """

    def __init__(self, directory: Path) -> None:
        self._descriptors: list[int] = []
        try:
            self._take(directory, os.O_RDONLY | os.O_DIRECTORY, fcntl.flock)
            self._take(directory / ".lock", os.O_RDWR | os.O_CREAT, fcntl.lockf)
        except BaseException:
            self.release()
            raise

    def _take(self, path: Path, flags: int, lock: Callable[[int, int], None]) -> None:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o644)
        self._descriptors.append(descriptor)
        try:
            lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise Held(_holder_of(os.fstat(descriptor).st_ino)) from None
        except OSError:
            if lock is fcntl.lockf:
                raise
            # some network file systems cannot `flock` a directory; `.lock` still keeps other processes out

    def release(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())


def _holder_of(inode: int) -> int | None:
    """Who holds a lock on that file, as Linux tells in /proc/locks; None elsewhere, or if it is hidden from us."""
    try:
        table = Path("/proc/locks").read_text()
    except OSError:
        return None
    found = re.search(rf"^\d+: \S+ +\S+ +WRITE (\d+) \S+:{inode} ", table, re.MULTILINE)
    return int(found[1]) if found and found[1] != "0" else None
