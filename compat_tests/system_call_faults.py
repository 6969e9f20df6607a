"""Faults of the disk under a broker that runs: `strace` makes its system calls on one file fail, or wait.

Nothing of the broker knows of it. The system call never reaches the kernel, so the file itself stays sound.
"""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from compat_tests.broker_process import BrokerProcess
from compat_tests.tools_at_hand import needs

FOR_EVER_US = 3_600_000_000
ATTACHED_WITHIN_S = 20.0


@contextmanager
def faults(broker: BrokerProcess, path: Path, **faults_of: str) -> Iterator["Trace"]:
    """While inside, these system calls on `path` go wrong; what waits goes on afterwards.

    Skips the test where one process may not trace another.

    Args: faults_of: by system call what strace calls an injection: `error=EIO:when=1`, `delay_enter=…` in µs.
    """
    record = broker.folder / "system-calls"
    command = [needs("strace"), "-f", "-qq", "-p", str(broker.pid), "-P", str(path), "-o", str(record)]
    command += ["-e", f"trace={','.join(faults_of)}"]
    for call, fault in faults_of.items():
        command += ["-e", f"inject={call}:{fault}"]
    strace = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        _wait_until_attached(strace, broker.pid)
        yield Trace(record)
    finally:
        strace.send_signal(signal.SIGINT)  # it lets all threads go, those in a delay too
        try:
            strace.communicate(timeout=20)
        finally:
            strace.kill()
            strace.wait()


class Trace:
    """Args: record: where strace writes the calls that it saw."""

    def __init__(self, record: Path) -> None:
        self._record = record

    def injected(self) -> int:
        """How many calls went wrong until now."""
        return self._text().count("(INJECTED)") if self._record.exists() else 0

    def begun(self, call: str) -> bool:
        """Whether a call of that name was made; it may still wait."""
        return f" {call}(" in self._text()

    def last_was_injected(self, call: str) -> bool:
        """Whether no call of that name was made after the one that went wrong."""
        return "(INJECTED)" in [line for line in self._text().splitlines() if f" {call}" in line][-1]

    def _text(self) -> str:
        return self._record.read_text() if self._record.exists() else ""


def _wait_until_attached(strace: subprocess.Popen[bytes], pid: int) -> None:
    """Until it follows every thread. Raises: AssertionError."""
    deadline = time.monotonic() + ATTACHED_WITHIN_S
    while not _traced_by(pid, strace.pid):
        if strace.poll() is not None:
            assert strace.stderr is not None
            pytest.skip(f"strace cannot trace here: {strace.stderr.read().decode().strip()}")
        assert time.monotonic() < deadline, "strace did not attach"
        time.sleep(0.01)


def _traced_by(pid: int, tracer: int) -> bool:
    return all(f"TracerPid:\t{tracer}\n" in status for status in _statuses(pid))


def _statuses(pid: int) -> Iterator[str]:
    """Of all threads; those that wait for work end by themselves, maybe right now."""
    for thread in list(Path(f"/proc/{pid}/task").iterdir()):
        with suppress(FileNotFoundError, ProcessLookupError):
            yield (thread / "status").read_text()
