"""What only checkpoints on the system's own disk show: where they wait for it."""

import os
import threading
from pathlib import Path
from typing import Any, cast

from broker.storage.directories.checkpointing import Checkpointer
from broker.storage.files import File, SystemDisk, SystemFile
from broker.storage.segments.checkpoints import HIGH_WATERMARKS
from broker.storage.segments.log import SegmentLog


class NotedFile(SystemFile):
    """Tells at its end whether its name was gone already, and in which thread that was."""

    __slots__ = ("_ends",)

    def __init__(self, descriptor: int, ends: list[tuple[bool, bool]]) -> None:
        super().__init__(descriptor)
        self._ends = ends

    def release(self) -> None:
        nameless = os.fstat(self._fd).st_nlink == 0
        self._ends.append((nameless, threading.current_thread() is threading.main_thread()))
        super().release()


class NotedDisk(SystemDisk):
    def __init__(self) -> None:
        super().__init__()
        self.ends: list[tuple[bool, bool]] = []

    def open(self, path: Path) -> File:
        return NotedFile(os.open(path, os.O_RDWR | os.O_CLOEXEC), self.ends)


class KeptLog:
    """As much of a log as a checkpoint asks for."""

    has_directory = True
    name = "t-0"

    def __init__(self, directory: Path) -> None:
        self.directory = directory / self.name
        self.high_watermark = 1


async def test_the_file_that_a_checkpoint_replaces_goes_in_a_thread_and_not_in_the_rename(tmp_path: Path) -> None:
    """Freeing its blocks makes the rename wait for the disk, where the file system discards them."""
    disk, kept = NotedDisk(), KeptLog(tmp_path)
    failures: list[Any] = []
    checkpointer = Checkpointer(
        disk, lambda: [tmp_path], lambda: [cast(SegmentLog, kept)], lambda *failure: failures.append(failure)
    )
    for kept.high_watermark in (1, 2, 2, 3):
        await checkpointer.write(HIGH_WATERMARKS)
    assert (tmp_path / HIGH_WATERMARKS).read_text().splitlines()[2:] == ["t 0 3"]
    assert disk.ends == [(True, False)] * 2  # without a name by then, and not in the loop
    assert failures == []
