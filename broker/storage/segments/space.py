"""How much a data directory still takes: the last part of its file system is kept free for what must go on.

Produced records stop at the reserve; the broker's own records (group offsets) may use three quarters of it, and the
rest is for checkpoints, indexes, snapshots and renames. Between two looks at the file system what is appended is
counted, so nothing is asked of it at an append.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from broker.storage.contract import DiskFull

LOOK_EVERY_S = 1.0
_UNKNOWN = 1 << 62
_LARGEST_SHARE = 20
"""The reserve is never more than one part in so many of the file system."""

log = logging.getLogger("barnabas.storage")


class Space:
    """Of one data directory.

    Args:
        reserve_bytes: `barnabas.log.dir.reserve.bytes`.
    """

    __slots__ = ("_largest", "_path", "_refused", "_reserve_bytes", "full", "reserve", "room")

    def __init__(self, path: Path, reserve_bytes: Callable[[], int]) -> None:
        self._path = path
        self._reserve_bytes = reserve_bytes
        self._refused = False
        self._largest = 0  # of what was refused: without room for it, it would be full again at once
        self.room = _UNKNOWN
        """Bytes above the reserve."""
        self.reserve = 0
        self.full = False
        """Produced records are refused; the log says so once, and once when it is over."""

    def take(self, size: int, *, from_reserve: bool) -> None:
        """So many bytes are about to be written. Raises: DiskFull: they shall not be."""
        self.room -= size
        if self.room < 0 and not (from_reserve and self.room + self.reserve * 3 // 4 >= 0):
            self.room += size
            self._largest = max(self._largest, size)
            self._become_full(f"less than {self.reserve} bytes are free")
            raise DiskFull(f"{self._path} is full up to the {self.reserve} bytes that are kept free")

    def refused(self, reason: str) -> None:
        """The file system itself took no more."""
        self._refused = True
        self._become_full(reason)

    def measured(self, total: int, usable: int) -> None:
        """What the file system says now, in bytes."""
        self.reserve = min(self._reserve_bytes(), total // _LARGEST_SHARE)
        self.room = usable - self.reserve
        if self.room <= 0 and usable < total:
            self._become_full(f"{usable} bytes are free, {self.reserve} are kept")
        elif self.full and not self._refused and self.room > max(self.reserve // 8, self._largest):
            self.full, self._largest = False, 0
            log.warning("%s has room again (%d bytes are free): records are taken again", self._path, usable)
        self._refused = False

    def _become_full(self, reason: str) -> None:
        if not self.full:
            self.full = True
            log.error(
                "%s is full (%s): records for its partitions are refused, reads and retention go on, and it heals by"
                " itself once there is room",
                self._path,
                reason,
            )
