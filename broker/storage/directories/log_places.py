"""What lies in which data directory, and what shall lie elsewhere."""

from collections.abc import Callable
from pathlib import Path

from broker.storage.contract import LogId, StorageFailed
from broker.storage.directories.directory import DataDirectory
from broker.storage.directories.directory_set import Directories
from broker.storage.directories.logs import Logs
from broker.storage.directories.moving import Moves
from broker.storage.directories.placement import Placement
from broker.storage.files import Disk
from broker.storage.places import DirectoryUse, NoSuchDirectory


class LogPlaces:
    """See `broker.storage.places.Places`.

    Args: failed: told of a directory that cannot be measured.
    """

    def __init__(
        self,
        directories: Directories,
        logs: Logs,
        moves: Moves,
        placement: Placement,
        disk: Disk,
        failed: Callable[[DataDirectory, OSError], None],
    ) -> None:
        self._directories = directories
        self._logs = logs
        self._moves = moves
        self._placement = placement
        self._disk = disk
        self._failed = failed

    async def uses(self) -> list[DirectoryUse]:
        return [await self._use_of(directory) for directory in self._directories]

    async def _use_of(self, directory: DataDirectory) -> DirectoryUse:
        path, total, usable = directory.path, -1, -1
        if directory.failure is None:
            try:
                total, usable = await self._disk.in_thread(directory.measure)
            except OSError as error:
                self._failed(directory, error)
        if directory.failure is not None:
            return DirectoryUse(str(path.absolute()), {}, failed=True)
        here = [kept for kept in self._logs.with_id if kept.directory.parent == path and kept.failure is None]
        sizes = {kept.id: kept.size_bytes for kept in here}
        return DirectoryUse(str(path.absolute()), sizes, total, usable, futures=self._moves.coming_to(path))

    def move(self, topic: str, partition: int, log_id: LogId | None, path: str) -> None:
        target = next((each for each in self._directories if each.path.absolute() == Path(path)), None)
        if target is None:
            raise NoSuchDirectory(f"log.dirs does not name {path}")
        if target.failure is not None:
            raise StorageFailed(f"{path} is offline")
        kept = None if log_id is None else self._logs.get(log_id)
        if kept is None:
            self._placement.prefer(f"{topic}-{partition}", target.path)
        else:
            kept.check()
            self._moves.begin(kept, target.path)

    def pace(self, bytes_per_second: Callable[[], float]) -> None:
        self._moves.rate = bytes_per_second
