"""An Apache Kafka broker of the last release with ZooKeeper, as a judge: what does the original answer?"""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from compat_tests.broker_process import free_port
from compat_tests.jars import LAST_WITH_ZOOKEEPER, java_command

STARTED = "started (kafka.server.KafkaServer)"


class ApacheKafka:
    """Broker 0 of a cluster of its own; use it as a context manager.

    Args:
        folder: for its file, its log and its data.
        zookeeper: `host:port`, with a path if others share it.
        properties: options beside the address and the directory.
    """

    def __init__(self, folder: Path, zookeeper: str, properties: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.properties = {
            "broker.id": "0",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "log.dirs": str(folder / "kafka-data"),
            "zookeeper.connect": zookeeper,
            **properties,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, within_s: float = 60) -> Self:
        """Until it says that it has started. Raises: AssertionError with its log if it does not."""
        file, log = self.folder / "kafka.properties", self.folder / "kafka.log"
        file.write_text("".join(f"{name}={value}\n" for name, value in self.properties.items()))
        levels = self.folder / "kafka-log4j.properties"
        levels.write_text(
            "log4j.rootLogger=INFO, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n"
            "log4j.appender.out.layout=org.apache.log4j.PatternLayout\n"
            "log4j.appender.out.layout.ConversionPattern=%m (%c)%n\n"
        )
        command = java_command(LAST_WITH_ZOOKEEPER, "kafka.Kafka", str(file), heap="512m")
        command = [f"-Dlog4j.configuration=file:{levels}" if "log4j" in each else each for each in command]
        with log.open("ab") as output:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        deadline = time.monotonic() + within_s
        while STARTED not in log.read_text():
            assert self._process.poll() is None, f"Kafka ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"Kafka does not start:\n{log.read_text()}"
            time.sleep(0.1)
        return self

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
