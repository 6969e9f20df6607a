"""A broker in a process of its own, started as a user would: killed, started again on the same port and data."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from compat_tests.command import environment

READY = re.compile(r"Kafka at \S+?:(\d+)|\[KafkaServer id=(\d+)\] started")
CHECKOUT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class BrokerProcess:
    """`barnabas --port … --data …`, or `barnabas broker FILE` where a properties file is given."""

    def __init__(self, folder: Path, *options: str, properties: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "broker.log"
        """All that it says, on stdout and stderr."""
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if properties is None:
            self._arguments = ["--port", str(self.port), "--data", str(self.data), *options]
        else:
            file = folder / "server.properties"
            lines = {"listeners": f"PLAINTEXT://127.0.0.1:{self.port}", "log.dirs": str(self.data), **properties}
            file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
            self._arguments = ["broker", str(file), *options]

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, within_s: float = 20) -> "BrokerProcess":
        """Until the broker says that it serves. Raises: AssertionError with its output if it does not."""
        with self.log.open("ab") as log:
            said_before = log.tell()
            self._process = subprocess.Popen(
                self._command,
                stdout=log,  # a pipe that nobody reads would one day stop the broker
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment(),
                cwd=CHECKOUT,
            )
        ready = self._wait_until_ready(said_before, time.monotonic() + within_s)
        assert ready, f"the broker did not start:\n{self.log.read_text()}"
        return self

    def _wait_until_ready(self, said_before: int, deadline: float) -> bool:
        assert self._process is not None
        while time.monotonic() < deadline and self._process.poll() is None:
            if READY.search(self.log.read_bytes()[said_before:].decode(errors="replace")):
                return True
            time.sleep(0.02)
        return False

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-m", "barnabas", *self._arguments]

    def fails_to_start(self, within_s: float = 20) -> tuple[int, str]:
        """Start it where it must not start: the exit code and all it said. Raises: subprocess.TimeoutExpired."""
        ended = subprocess.run(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
            cwd=CHECKOUT,
            timeout=within_s,
            check=False,
        )
        return ended.returncode, ended.stdout

    def kill(self) -> None:
        """As `kill -9`: no word to the broker."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self, within_s: float = 10) -> int:
        """As Ctrl-C; the exit code. Does nothing if the broker does not run."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(within_s)
        finally:
            self._process.kill()
            self._process.wait()
            self._process = None
        return code
