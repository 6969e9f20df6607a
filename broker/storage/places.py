"""Where logs lie: what a storage tells of its data directories, and moves between them.  Source: KIP-113."""

from collections.abc import Callable
from dataclasses import field
from typing import Protocol

from broker.storage.contract import LogId
from kproto.values import frozen


class NoSuchDirectory(Exception):
    """No data directory of that name is configured."""


@frozen
class DirectoryUse:
    """A place where logs lie: sizes in bytes by log, and those of its file system, -1 where nobody knows.

    `failed`: it is offline. `futures`: of logs that are on their way into this directory, size and how many offsets
    are missing.
    """

    path: str
    sizes: dict[LogId, int]
    total_bytes: int = -1
    usable_bytes: int = -1
    failed: bool = False
    futures: dict[LogId, tuple[int, int]] = field(default_factory=dict)


class Places(Protocol):
    """The data directories of one storage."""

    async def uses(self) -> list[DirectoryUse]:
        """What lies where, logs that failed left out."""
        ...

    def move(self, topic: str, partition: int, log_id: LogId | None, path: str) -> None:
        """Have the log move to that data directory in the background, read and written meanwhile.

        Where it is already, or back there, ends a move. Without a log the directory is remembered for it.
        Raises: NoSuchDirectory; StorageFailed: that directory, or the log, is offline.
        """
        ...

    def pace(self, bytes_per_second: Callable[[], float]) -> None:
        """What moves may copy at most; asked anew each time."""
        ...
