"""Which data directories work, and how much they still take: looked at once a second, and whenever a log failed."""

import errno
import logging
from collections.abc import Callable
from pathlib import Path

import trio

from broker.storage.directories.directory import DataDirectory
from broker.storage.directories.directory_set import Directories
from broker.storage.files import Disk
from broker.storage.segments.space import LOOK_EVERY_S

log = logging.getLogger("barnabas.storage")

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class Watch:
    """Args: failed: told of a directory that does not work; raises OperatorError when it was the last one."""

    def __init__(self, directories: Directories, disk: Disk, failed: Callable[[DataDirectory, OSError], None]) -> None:
        self._directories = directories
        self._disk = disk
        self._failed = failed
        self._unwritable: set[Path] = set()
        self._suspects: set[DataDirectory] = set()
        self._suspected = trio.Event()

    async def run(self) -> None:
        """Until cancelled. Raises: OperatorError: the last directory failed."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._probe_suspects)
            while True:
                await trio.sleep(LOOK_EVERY_S)
                await self.look_at_space()

    def suspect(self, path: Path) -> None:
        """Something in that directory failed: is it a file, or the directory?"""
        self._suspects.add(self._directories.at(path))
        self._suspected.set()

    def checkpoint_failed(self, path: Path, error: OSError) -> None:
        """Told once for each file; a full disk is no failure."""
        if error.errno in _NO_SPACE:
            self._directories.at(path.parent).space.refused(error.strerror or str(error))
            return
        if path not in self._unwritable:
            self._unwritable.add(path)
            log.error("%s cannot be written: %s", path, error.strerror or error)
        self.suspect(path.parent)

    async def look_at_space(self) -> None:
        for directory in self._directories.live:
            try:
                total, usable = await self._disk.in_thread(directory.measure)
            except OSError as error:
                self._failed(directory, error)
            else:
                directory.space.measured(total, usable)

    async def _probe_suspects(self) -> None:
        while True:
            await self._suspected.wait()
            self._suspected = trio.Event()
            suspects, self._suspects = self._suspects, set()
            for directory in suspects:
                if directory.failure is None:
                    try:
                        await self._disk.in_thread(directory.probe)
                    except OSError as error:
                        self._failed(directory, error)
