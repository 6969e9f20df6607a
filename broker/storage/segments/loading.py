"""Opens every partition directory below one data directory."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import trio

from broker.storage.contract import LogId, LogSettings
from broker.storage.files import Disk
from broker.storage.segments.checkpoints import (
    CLEANED_OFFSETS,
    HIGH_WATERMARKS,
    LOG_STARTS,
    RECOVERY_POINTS,
    Unreadable,
    read_offsets,
    read_topic_id,
)
from broker.storage.segments.directory import DataDirectory
from broker.storage.segments.log import Keeper, SegmentLog
from broker.storage.segments.names import DELETE_DIRECTORY, partition_directory
from broker.storage.segments.recovery import LeftBehind, open_log

log = logging.getLogger("barnabas.storage")

_CHECKPOINTS = (RECOVERY_POINTS, LOG_STARTS, HIGH_WATERMARKS, CLEANED_OFFSETS)

NO_TOPIC_ID = UUID(int=0)
"""Of a log whose directory has no `partition.metadata`: of a broker before 2.8, or not begun before a crash."""


@dataclass(slots=True)
class Found:
    """The logs of one data directory; `unreadable` names those that cannot be told apart, with the reason."""

    logs: list[SegmentLog] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


async def load_directory(
    directory: DataDirectory, disk: Disk, defaults: LogSettings, keeper: Keeper, now_ms: int
) -> Found:
    """Raises: OSError: the directory itself cannot be read."""
    found = Found()
    clean = directory.take_clean_mark()
    offsets = {name: _offsets(disk, directory.path / name) for name in _CHECKPOINTS}
    for name in disk.names(directory.path):
        if name.endswith(DELETE_DIRECTORY):
            keeper.remove_later([directory.path / name], 0)
        elif (place := partition_directory(name)) is not None:
            left = LeftBehind(
                clean,
                offsets[RECOVERY_POINTS].get(place, 0),
                offsets[LOG_STARTS].get(place, 0),
                offsets[HIGH_WATERMARKS].get(place, 0),
                offsets[CLEANED_OFFSETS].get(place, 0),
            )
            await _load_one(found, directory.path / name, place[1], left, disk, defaults, keeper, now_ms)
    return found


def _offsets(disk: Disk, path: Path) -> dict[tuple[str, int], int]:
    try:
        return read_offsets(disk, path)
    except Unreadable:
        log.warning("%s is damaged and not used; the logs themselves tell", path)
        return {}


async def _load_one(
    found: Found,
    path: Path,
    partition: int,
    left: LeftBehind,
    disk: Disk,
    defaults: LogSettings,
    keeper: Keeper,
    now_ms: int,
) -> None:
    try:
        topic_id = read_topic_id(disk, path)
    except Unreadable as damaged:
        found.unreadable[path.name] = f"{damaged} is damaged, so nobody knows whose {path} is"
        log.error("%s", found.unreadable[path.name])
        return
    opened = SegmentLog(LogId(topic_id or NO_TOPIC_ID, partition), path.name, path, defaults, disk, keeper)
    opened.has_directory, opened.has_metadata = True, topic_id is not None
    await open_log(opened, left, now_ms, trio.lowlevel.checkpoint)
    found.logs.append(opened)
