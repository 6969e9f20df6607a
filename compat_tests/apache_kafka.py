"""An Apache Kafka broker with ZooKeeper, as a judge: what does the original answer, what does it make of our files?"""

import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from compat_tests.broker_process import free_port
from compat_tests.jars import LAST_WITH_ZOOKEEPER, java_command
from compat_tests.typed_client import TypedClient
from kproto.messages.metadata import MetadataRequest

STARTED = "started (kafka.server.KafkaServer)"
_COMPLAINT = re.compile(r"^(WARN|ERROR|FATAL) .*$", re.MULTILINE)
_BEFORE_LISTENERS = "0.8."
_OPEN_FOR_SNAPPY = "--add-opens=java.base/java.lang=ALL-UNNAMED"
"""snappy of 0.8.1 defines classes by reflection."""


class ApacheKafka:
    """Broker 0 of a cluster of its own; use it as a context manager, or start and stop it again and again.

    Args:
        folder: for its file, its log and its data.
        zookeeper: `host:port`, with a path if others share it.
        properties: options beside the address and the directory.
        release: the last one with ZooKeeper, or an older one that `jars.py` knows.
    """

    def __init__(
        self, folder: Path, zookeeper: str, properties: Mapping[str, str], release: str = LAST_WITH_ZOOKEEPER
    ) -> None:
        self.folder = folder
        self.release = release
        self.port = free_port()
        address = {"listeners": f"PLAINTEXT://127.0.0.1:{self.port}"}
        if release.startswith(_BEFORE_LISTENERS):
            address = {"port": str(self.port), "host.name": "127.0.0.1"}
        self.properties = {
            "broker.id": "0",
            "log.dirs": str(folder / "kafka-data"),
            "zookeeper.connect": zookeeper,
            **address,
            **properties,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """All that it says; each line begins with its level."""
        return self.folder / "kafka.log"

    def said(self) -> str:
        """Since its last start."""
        return self.log.read_bytes()[self._said_before :].decode(errors="replace")

    def complaints(self) -> list[str]:
        """Lines of warnings and errors since its last start."""
        return [found[0] for found in _COMPLAINT.finditer(self.said())]

    def start(self, within_s: float = 60) -> Self:
        """Until it says that it has started, and clients hear of it. Raises: AssertionError with its log if not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "kafka.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in self.properties.items()))
        levels = self.folder / "kafka-log4j.properties"
        levels.write_text(
            "log4j.rootLogger=INFO, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n"
            "log4j.appender.out.layout=org.apache.log4j.PatternLayout\n"
            "log4j.appender.out.layout.ConversionPattern=%p %m (%c)%n\n"
        )
        command = java_command(self.release, "kafka.Kafka", str(file), heap="512m")
        command = [f"-Dlog4j.configuration=file:{levels}" if "log4j" in each else each for each in command]
        if self.release.startswith(_BEFORE_LISTENERS):
            command.insert(1, _OPEN_FOR_SNAPPY)
        with self.log.open("ab") as output:
            self._said_before = output.tell()
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            self._wait(time.monotonic() + within_s)
        except BaseException:
            self.stop()
            raise
        return self

    def _wait(self, deadline: float) -> None:
        while STARTED not in self.said():
            assert self._process is not None
            assert self._process.poll() is None, f"Kafka ended:\n{self.said()}"
            assert time.monotonic() < deadline, f"Kafka does not start:\n{self.said()}"
            time.sleep(0.1)
        while not self._knows_itself():
            assert time.monotonic() < deadline, f"Kafka does not hear of itself:\n{self.said()}"
            time.sleep(0.1)

    def _knows_itself(self) -> bool:
        """It says that it has started a little before its controller tells it so; 0.8 is told with the first topic."""
        if self.release.startswith(_BEFORE_LISTENERS):
            return True
        with TypedClient(self.port) as client:
            return bool(client.ask(MetadataRequest(topics=[]), 0).brokers)

    def stop_cleanly(self, within_s: float = 60) -> None:
        """As its script does, and wait for it. Raises: subprocess.TimeoutExpired."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(within_s)
        finally:
            self.stop()

    def stop(self) -> None:
        """At once; does nothing if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
