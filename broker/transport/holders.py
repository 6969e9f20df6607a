"""Who holds a port: for the message that tells an operator so. Linux only; elsewhere nobody is named."""

import os
from pathlib import Path

_LISTENING = "0A"


def holder_of_port(port: int) -> str | None:
    """`name (pid 4711)` of a process that listens on the TCP port; None if the system does not tell us."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not sockets:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if _has_one_of(process, sockets):
            return f"{_name(process)} (pid {process.name})"
    return None


def _listening_inodes(port: int) -> list[str]:
    """Inodes of listening sockets: columns local address, state and inode of /proc/net/tcp."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in map(str.split, lines):
            if columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                found.append(columns[9])
    return found


def _has_one_of(process: Path, sockets: set[str]) -> bool:
    try:
        return any(os.readlink(entry) in sockets for entry in process.joinpath("fd").iterdir())
    except OSError:  # it ended meanwhile, or belongs to somebody else
        return False


def _name(process: Path) -> str:
    try:
        return process.joinpath("comm").read_text().strip()
    except OSError:
        return "a process"
