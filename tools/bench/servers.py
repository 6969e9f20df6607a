"""A broker's process that the bench starts, stops and kills; it does not know whose broker it is."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.bench.processes import CpuReading, resident_bytes
from tools.bench.wire import answers

START_WITHIN_S = 90.0
STOP_WITHIN_S = 30.0
LOOK_EVERY_S = 0.002


class DidNotStart(Exception):
    """The text holds the end of what it said."""


class Target:
    """A broker that runs: what to call it, where it listens, whose CPU counts."""

    def __init__(self, name: str, port: int, pid: int, host: str = "127.0.0.1") -> None:
        self.name, self.host, self.port, self.pid = name, host, port, pid
        self.load_port = port
        """Where one-record produces go, if elsewhere."""

    @classmethod
    def parse(cls, text: str) -> "Target":
        """`NAME=HOST:PORT:PID`. Raises: ValueError."""
        name, equals, rest = text.partition("=")
        host, port, pid = rest.rsplit(":", 2)
        if not equals or not name:
            raise ValueError(text)
        return cls(name, int(port), int(pid), host)

    @property
    def bootstrap(self) -> str:
        return f"{self.host}:{self.port}"

    def cpu(self) -> CpuReading:
        return CpuReading.of(self.pid)

    def resident(self) -> int:
        return resident_bytes(self.pid)


class Server(Target):
    """Started from a command; its log lies in `folder`.

    Args:
        command: of the port, what to run.
        cwd: where to run it.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        command: Callable[[int, Path], Sequence[str]],
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, free_port(), 0)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder / "console.log"
        self._command, self._cwd = command, cwd
        self._environment = None if environment is None else {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Until it answers its first request. Returns: seconds. Raises: DidNotStart."""
        command = self._command(self.port, self.folder)
        with self.log.open("ab") as log:
            began = time.perf_counter()
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._cwd, env=self._environment
            )
        self.pid = self._process.pid
        while not (listens(self.port) and answers(self.port)):
            if self._process.poll() is not None or time.perf_counter() - began > START_WITHIN_S:
                self.kill()
                raise DidNotStart(f"{self.name} did not start:\n{self.said()}")
            time.sleep(LOOK_EVERY_S)
        return time.perf_counter() - began

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """As an operator does; at once if that takes too long. Nothing if it does not run."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_WITHIN_S)
            self.kill()

    def kill(self) -> None:
        """As `kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def listens(port: int) -> bool:
    """A bare connect: cheap enough to ask every few milliseconds."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
