"""A broker in a process of its own, started as a user would: killed, started again on the same port and data."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

READY = re.compile(r"Kafka at \S+?:(\d+)|\[KafkaServer id=(\d+)\] started")


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
        environment = {k: v for k, v in os.environ.items() if not k.startswith("KAFKA_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "barnabas", *self._arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment | {"PYTHONUNBUFFERED": "1"},
                cwd=Path(__file__).resolve().parent.parent,
            )
        said = self._wait_until_ready(time.monotonic() + within_s)
        assert said, f"the broker did not start:\n{self.log.read_text()}"
        return self

    def _wait_until_ready(self, deadline: float) -> bool:
        assert self._process is not None
        assert self._process.stdout is not None
        output = self._process.stdout
        said = b""
        while time.monotonic() < deadline and self._process.poll() is None:
            if select.select([output], [], [], 0.05)[0]:
                said += os.read(output.fileno(), 65536)
                if READY.search(said.decode(errors="replace")):
                    return True
        return False

    def kill(self) -> None:
        """As `kill -9`: no word to the broker."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._close()

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
            self._close()
        return code

    def _close(self) -> None:
        assert self._process is not None
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
