"""What a broker's process has used so far, by /proc."""

import os
from pathlib import Path

from kproto.values import frozen

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
NS = 1_000_000_000


@frozen
class CpuUsed:
    """CPU time between two readings, and the part of it that the kernel worked, 0 to 1."""

    seconds: float
    kernel_share: float


@frozen
class CpuReading:
    """CPU time of a process at one moment: of all its life, of that in the kernel, and of each thread that lives."""

    ticks: int
    kernel_ticks: int
    thread_ns: dict[str, int]

    @classmethod
    def of(cls, pid: int) -> "CpuReading":
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        threads = {}
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                threads[task] = int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue
        return cls(int(fields[11]) + int(fields[12]), int(fields[12]), threads)

    def since(self, earlier: "CpuReading") -> CpuUsed:
        """To the nanosecond, or, if a thread has ended with what it used, to the tick (10 ms); the share by ticks."""
        ticks = self.ticks - earlier.ticks
        seconds = ticks / TICKS
        if earlier.thread_ns.keys() <= self.thread_ns.keys():
            seconds = (sum(self.thread_ns.values()) - sum(earlier.thread_ns.values())) / NS
        return CpuUsed(seconds, (self.kernel_ticks - earlier.kernel_ticks) / ticks if ticks else 0.0)


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
