"""Where a log that is not there yet will lie."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from broker.storage.contract import StorageFailed
from broker.storage.directories.directory_set import Directories
from broker.storage.segments.log import SegmentLog

_MOST_PREFERENCES = 100_000
"""The oldest are forgotten: anyone may ask for a place of logs that will never be."""


class Placement:
    """Args: all_logs: those that are there, future ones too."""

    def __init__(self, directories: Directories, all_logs: Callable[[], Iterable[SegmentLog]]) -> None:
        self._directories = directories
        self._all_logs = all_logs
        self._preferred: dict[str, Path] = {}

    def prefer(self, name: str, directory: Path) -> None:
        """Somebody asked, by AlterReplicaLogDirs, for that directory before there is a log."""
        while len(self._preferred) >= _MOST_PREFERENCES:
            del self._preferred[next(iter(self._preferred))]
        self._preferred[name] = directory

    def of(self, name: str) -> Path:
        """The preferred directory, else the one with the fewest logs. Raises: StorageFailed: it failed."""
        place = self._preferred.pop(name, None) or self._emptiest()
        if self._directories.at(place).failure is not None:
            raise StorageFailed(f"{name} was to be made in {place}, which failed")
        return place

    def _emptiest(self) -> Path:
        count = Counter(kept.directory.parent for kept in self._all_logs())
        return min((directory.path for directory in self._directories.live), key=lambda path: count[path])
