"""Opens every partition directory below one data directory."""

import logging
from dataclasses import field
from pathlib import Path
from uuid import UUID

import trio

from broker.storage.contract import LogId
from broker.storage.directories.directory import CLEAN_SHUTDOWN, META_PROPERTIES, DataDirectory
from broker.storage.files import Disk
from broker.storage.log_settings import LogSettings
from broker.storage.segments.checkpoints import (
    CLEANED_OFFSETS,
    HIGH_WATERMARKS,
    LOG_STARTS,
    RECOVERY_POINTS,
    Unreadable,
    read_offsets,
    read_topic_id,
)
from broker.storage.segments.keeper import Keeper
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.names import (
    DELETE_DIRECTORY,
    STRAY_DIRECTORY,
    TEMPORARY,
    marked_directory,
    partition_directory,
)
from broker.storage.segments.recovery import open_log
from broker.storage.segments.recovery_segments import LeftBehind
from kproto.values import frozen

log = logging.getLogger("barnabas.storage")

_CHECKPOINTS = (RECOVERY_POINTS, LOG_STARTS, HIGH_WATERMARKS, CLEANED_OFFSETS)

_OWN_FILES = {
    *_CHECKPOINTS,
    META_PROPERTIES,
    CLEAN_SHUTDOWN,
    "cleaner-offset-checkpoint",
    "remote-log-index-cache",
    ".lock",
    ".gitignore",
    "lost+found",
    "registry.db",
    "registry.db-wal",
    "registry.db-shm",
}
"""Ours, Kafka's, and the file system's."""
_KRAFT_LOG = "__cluster_metadata-0"
_SHOWN = 5

NO_TOPIC_ID = UUID(int=0)
"""Of a log whose directory has no `partition.metadata`: of a broker before 2.8, or not begun before a crash."""


@frozen
class Found:
    """The logs of one data directory; `unreadable` names those that cannot be told apart, with the reason."""

    logs: list[SegmentLog] = field(default_factory=list)
    futures: list[SegmentLog] = field(default_factory=list)
    """On their way into this directory when the last run ended."""
    unreadable: dict[str, str] = field(default_factory=dict)


async def load_directory(
    directory: DataDirectory, disk: Disk, defaults: LogSettings, keeper: Keeper, now_ms: int
) -> Found:
    """Raises: OSError: the directory itself cannot be read."""
    found = Found()
    clean = directory.take_clean_mark()
    offsets = {name: _offsets(disk, directory.path / name) for name in _CHECKPOINTS}
    foreign = []
    for name in disk.names(directory.path):
        log_name, mark = marked_directory(name)
        if mark == DELETE_DIRECTORY:
            log.info("%s was being deleted; that goes on", directory.path / name)
            keeper.remove_later([directory.path / name], 0)
        elif mark == STRAY_DIRECTORY or (place := partition_directory(log_name)) is None or name == _KRAFT_LOG:
            if name not in _OWN_FILES and not name.endswith(TEMPORARY):
                foreign.append(name)
        else:
            left = LeftBehind(
                clean,
                offsets[RECOVERY_POINTS].get(place, 0),
                offsets[LOG_STARTS].get(place, 0),
                offsets[HIGH_WATERMARKS].get(place, 0),
                offsets[CLEANED_OFFSETS].get(place, 0),
            )
            await _load_one(found, directory.path / name, log_name, left, disk, defaults, keeper, now_ms)
    if foreign:
        shown = ", ".join(foreign[:_SHOWN]) + (f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else "")
        log.warning("%s holds what is no log of this broker, and stays as it is: %s", directory.path, shown)
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
    name: str,
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
    _, partition = partition_directory(name) or (name, 0)
    opened = SegmentLog(LogId(topic_id or NO_TOPIC_ID, partition), name, path, defaults, disk, keeper)
    opened.has_directory, opened.has_metadata = True, topic_id is not None
    await open_log(opened, left, now_ms, trio.lowlevel.checkpoint)
    (found.logs if path.name == name else found.futures).append(opened)
