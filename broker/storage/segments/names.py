"""What files and directories of a partition are called.  Source: LogFileUtils.java, LocalLog.scala."""

import re
from pathlib import Path
from uuid import UUID

LOG = ".log"
INDEX = ".index"
TIME_INDEX = ".timeindex"
TXN_INDEX = ".txnindex"
SNAPSHOT = ".snapshot"
DELETED = ".deleted"
"""Added to the names of files that will be removed in the background."""
TEMPORARY = ".tmp"
CLEANED = ".cleaned"
"""Added while compaction writes a segment."""
SWAP = ".swap"
"""Added once it is whole: it replaces what it was made of."""
DELETE_DIRECTORY = "-delete"
FUTURE_DIRECTORY = "-future"
STRAY_DIRECTORY = "-stray"
MOVED = ".moved"
"""In a partition's directory that came from another data directory, until the one it came from is gone."""

_PARTITION = re.compile(r"(?P<topic>[a-zA-Z0-9._-]{1,249})-(?P<partition>\d{1,10})")
_MARKED = re.compile(r"(?P<name>.+)\.[0-9a-f]{32}(?P<mark>-delete|-future|-stray)")
_OFFSET_FILE = re.compile(r"(\d{20})(\.[a-z]+)")
_LONGEST_NAME = 255
MAX_OFFSET = 2**63 - 1


def offset_file(directory: Path, offset: int, suffix: str) -> Path:
    """`00000000000000000042.log` for offset 42."""
    return directory / f"{offset:020d}{suffix}"


def offset_of(name: str, suffix: str) -> int | None:
    """42 for `00000000000000000042.log` if `.log` is what is asked for, else None: no offset has more than 63 bits."""
    found = _OFFSET_FILE.fullmatch(name)
    return int(found[1]) if found and found[2] == suffix and int(found[1]) <= MAX_OFFSET else None


def partition_directory(name: str) -> tuple[str, int] | None:
    """Topic and partition of `orders-0`; None if it is not such a name."""
    found = _PARTITION.fullmatch(name)
    return (found["topic"], int(found["partition"])) if found else None


def delete_directory(name: str, unique: UUID) -> str:
    """The name under which a partition's directory waits for its removal: `orders-0.<hex>-delete`."""
    tail = f".{unique.hex}{DELETE_DIRECTORY}"
    return name[: _LONGEST_NAME - len(tail)] + tail


def future_directory(name: str, unique: UUID) -> str:
    """Where a partition's directory grows that will take the place of one elsewhere: `orders-0.<hex>-future`."""
    return f"{name}.{unique.hex}{FUTURE_DIRECTORY}"


def marked_directory(name: str) -> tuple[str, str]:
    """`orders-0` and `-future` of `orders-0.<hex>-future`; the mark is empty where there is none."""
    found = _MARKED.fullmatch(name)
    return (found["name"], found["mark"]) if found else (name, "")
