"""What the kernel says of the broker's process, and what lies in its data directory."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_BLOCK = 512


@dataclass(slots=True)
class Sample:
    """One look. Times in s since the start, sizes in bytes."""

    at_s: float
    rss: int
    descriptors: int
    threads: int
    disk: int
    """Of the whole data directory, without the topic that keeps all."""
    kept: int
    files: int
    broker_cores: float
    all_cores: float
    """Broker and clients."""
    share: float
    """Of the wanted pace that the governor allowed."""
    written: int
    """Records so far."""
    broker_waited: float
    """Share of the time in which the broker's loop could run and had no core."""
    probe_waited: float
    """The same of the probe, whose round trips grow by it."""
    loop_ms: list[float] = field(default_factory=list)
    produce_ms: list[float] = field(default_factory=list)


class Process:
    """CPU used and waited for since the last look, memory, descriptors, threads, by /proc."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc", str(pid))
        self._cpu_s, self._seen = self._total_cpu_s(), time.monotonic()
        self._waited_s, self._waited_seen = self._total_waited_s(), self._seen

    def _total_cpu_s(self) -> float:
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def cores(self) -> float:
        """Since the last call."""
        cpu_s, now = self._total_cpu_s(), time.monotonic()
        used = (cpu_s - self._cpu_s) / max(now - self._seen, 1e-9)
        self._cpu_s, self._seen = cpu_s, now
        return used

    def _total_waited_s(self) -> float:
        """Of the first thread, ready and without a core.  Source: sched-stats.rst of Linux."""
        return int((self._folder / "schedstat").read_text().split()[1]) / 1e9

    def waited(self) -> float:
        """Share of the time since the last call in which the first thread waited for a core."""
        waited_s, now = self._total_waited_s(), time.monotonic()
        share = (waited_s - self._waited_s) / max(now - self._waited_seen, 1e-9)
        self._waited_s, self._waited_seen = waited_s, now
        return share

    @property
    def rss(self) -> int:
        return int((self._folder / "statm").read_text().split()[1]) * _PAGE

    @property
    def descriptors(self) -> int:
        return len(os.listdir(self._folder / "fd"))

    @property
    def threads(self) -> int:
        return len(os.listdir(self._folder / "task"))


def disk_use(folder: Path, kept: str) -> tuple[int, int, int]:
    """Bytes of everything else, bytes of topic `kept`, number of files; blocks, as the disk counts."""
    rest = of_kept = files = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # segments go while we look
                size = os.stat(os.path.join(place, name)).st_blocks * _BLOCK
                files += 1
                if os.path.basename(place).startswith(f"{kept}-"):
                    of_kept += size
                else:
                    rest += size
    return rest, of_kept, files
