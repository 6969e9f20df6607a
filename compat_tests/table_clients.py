"""Unmodified clients of thirteen years, as command lines: to write the lines of stdin, to read so many to stdout."""

import importlib.metadata
import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from compat_tests import any_python_client
from compat_tests.jars import LAST_WITH_ZOOKEEPER, NEWEST, OLD, SCALA_OF, java_command
from compat_tests.other_languages.programs import NODE, Program, go_client, go_tools, kafkajs
from compat_tests.tools_at_hand import needs

ALL_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
BEFORE_LZ4, BEFORE_ZSTD = ALL_CODECS[:2], ALL_CODECS[:4]


class Place(NamedTuple):
    """Where clients find a cluster, and a folder for files that they want."""

    bootstrap: str
    zookeeper: str
    folder: Path


class Client(Protocol):
    """`writes`, `reads`: the codecs it knows. `pinned`: of one release for ever, so its requests never change."""

    @property
    def name(self) -> str: ...
    @property
    def pinned(self) -> bool: ...
    @property
    def writes(self) -> tuple[str, ...]: ...
    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def groups(self) -> bool: ...

    def to_write(self, at: Place, topic: str, codec: str) -> list[str]: ...

    def to_read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        """From the beginning; or `goes_on`, where the group was. It may print more than the lines."""
        ...


@dataclass
class Console:
    """kafka-console-producer and kafka-console-consumer of a release; in 0.8 through ZooKeeper, or of one partition."""

    release: str
    writes: tuple[str, ...] = ALL_CODECS
    reads: tuple[str, ...] = ALL_CODECS
    by: str = "bootstrap"
    groups: bool = True
    pinned: bool = True

    @property
    def name(self) -> str:
        notes = {"zookeeper": ", through ZooKeeper", "partition": ", SimpleConsumerShell"}
        return f"Kafka {self.release} console{notes.get(self.by, '')}"

    def to_write(self, at: Place, topic: str, codec: str) -> list[str]:
        tool = "org.apache.kafka.tools.ConsoleProducer" if self.release == NEWEST else "kafka.tools.ConsoleProducer"
        to = "--bootstrap-server" if self.release == NEWEST else "--broker-list"
        how = ["--compression-codec", codec] if codec != "none" else []
        if self.release == "0.8.1.1":
            tool, how = "kafka.producer.ConsoleProducer", how and ["--compress"]
        return java_command(self.release, tool, to, at.bootstrap, "--topic", topic, *how)

    def to_read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        wanted = ["--topic", topic, "--max-messages", str(count)]
        if self.by == "partition":
            place = ["--broker-list", at.bootstrap, "--partition", "0", "--offset", "-2", "--no-wait-at-logend"]
            return java_command(self.release, "kafka.tools.SimpleConsumerShell", *place, *wanted)
        where = ["--zookeeper", at.zookeeper] if self.by == "zookeeper" else ["--bootstrap-server", at.bootstrap]
        if self.by == "bootstrap":
            wanted += ["--timeout-ms", "30000"]
        if self.release in ("0.9.0.1", "0.10.2.2"):
            wanted += ["--new-consumer"]
        if not goes_on:
            wanted += ["--from-beginning"]
        return java_command(self.release, self._consumer(), *where, *wanted, *self._of(group, at))

    def _consumer(self) -> str:
        if self.release == "0.8.1.1":
            return "kafka.consumer.ConsoleConsumer"
        has_moved = self.release in (LAST_WITH_ZOOKEEPER, NEWEST)
        return "org.apache.kafka.tools.consumer.ConsoleConsumer" if has_moved else "kafka.tools.ConsoleConsumer"

    def _of(self, group: str, at: Place) -> tuple[str, ...]:
        if not group:
            return ()
        if self.release in ("0.8.1.1", NEWEST):
            return ("--group", group)
        file = at.folder / f"{group}.properties"
        file.write_text(f"group.id={group}\n")
        return ("--consumer.config", str(file))


@dataclass
class PythonClient:
    """A class of `any_python_client` in a `pose`, run by `python`."""

    client_class: str
    name: str
    pose: tuple[int, ...] | str | None = None
    writes: tuple[str, ...] = BEFORE_ZSTD
    reads: tuple[str, ...] = BEFORE_ZSTD
    groups: bool = True
    pinned: bool = False
    python: Path = field(default_factory=lambda: Path(sys.executable))

    def to_write(self, at: Place, topic: str, codec: str) -> list[str]:
        return self._command("write", at, topic, codec)

    def to_read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        return self._command("read", at, topic, str(count), group)

    def _command(self, verb: str, at: Place, *rest: str) -> list[str]:
        script = any_python_client.__file__
        return [str(self.python), script, self.client_class, json.dumps(self.pose), verb, at.bootstrap, *rest]


@dataclass
class Kcat:
    """On the librdkafka that the system has."""

    name: str = "kcat"
    writes: tuple[str, ...] = ALL_CODECS
    reads: tuple[str, ...] = ALL_CODECS
    groups: bool = True
    pinned: bool = False

    def to_write(self, at: Place, topic: str, codec: str) -> list[str]:
        return [needs("kcat"), "-b", at.bootstrap, "-P", "-t", topic, "-z", codec]

    def to_read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        which = ("-G", group, "-X", "auto.offset.reset=earliest", topic) if group else ("-C", "-t", topic, "-o", "0")
        return [needs("kcat"), "-b", at.bootstrap, "-q", "-c", str(count), *which]


@dataclass
class OtherLanguage:
    """A client of Node or Go, which runs as `program`."""

    name: str
    program: Program
    writes: tuple[str, ...] = ALL_CODECS
    reads: tuple[str, ...] = ALL_CODECS
    groups: bool = False
    pinned: bool = False

    def to_write(self, at: Place, topic: str, codec: str) -> list[str]:
        return self._command(at, "write-lines", topic, codec)

    def to_read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        return self._command(at, "read-lines", topic, str(count))

    def _command(self, at: Place, *asked: str) -> list[str]:
        variables = (f"{name}={value}" for name, value in self.program.variables.items())
        return ["env", *variables, *self.program.command, at.bootstrap, *asked]


def consoles() -> Iterator[Client]:
    yield Console("0.8.1.1", BEFORE_LZ4, BEFORE_LZ4, by="zookeeper")
    yield Console("0.8.1.1", (), BEFORE_LZ4, by="partition", groups=False)
    yield Console("0.8.2.2", BEFORE_ZSTD, BEFORE_ZSTD, by="zookeeper")
    yield Console("0.8.2.2", (), BEFORE_ZSTD, by="partition", groups=False)
    yield from (Console(release, BEFORE_ZSTD, BEFORE_ZSTD) for release in ("0.9.0.1", "0.10.2.2", "0.11.0.3", OLD))
    yield from (Console(release) for release in ("2.8.2", LAST_WITH_ZOOKEEPER, NEWEST))


POSES = ((0, 8, 2), (0, 9), (0, 10), (0, 11))


def kafka_pythons(folder: Path, *, every_pose: bool) -> Iterator[Client]:
    """Releases from PyPI, and the installed one; the two oldest do not start on Python 3.12."""
    today = importlib.metadata.version("kafka-python")
    poses = {"2.2.21": (*POSES, (2, 5)), today: (*POSES, (1, 0), (2, 5))}
    if sys.version_info < (3, 12):
        old = environment("1.4.7", folder)
        known, name = ALL_CODECS[:3], "kafka-python 1.4.7, SimpleClient, api_version 0.8.2"
        yield PythonClient("SimpleClient", name, writes=known, groups=False, pinned=True, python=old)
        poses = {"1.4.7": POSES, "2.0.2": POSES, **poses}
    for release, poses_of_it in poses.items():
        python = Path(sys.executable) if release == today else environment(release, folder)
        for pose in poses_of_it if every_pose else poses_of_it[-1:]:
            name = f"kafka-python {release}, api_version {'.'.join(map(str, pose))}"
            has_groups, pinned = pose != (0, 8, 2), release != today
            yield PythonClient("KafkaPython", name, pose, groups=has_groups, pinned=pinned, python=python)
    yield PythonClient("KafkaPython", f"kafka-python {today}", None, ALL_CODECS, ALL_CODECS)


def environment(release: str, folder: Path) -> Path:
    """The Python of an environment with that kafka-python, made from PyPI at the first call."""
    python = folder / f"kafka-python-{release}" / "bin" / "python"
    if not python.exists():
        venv.create(python.parent.parent)
        wanted = [f"kafka-python=={release}", "six", "python-snappy", "lz4", "xxhash"]
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *wanted]
        subprocess.run(pip, stdin=subprocess.DEVNULL, check=True, timeout=300)
    return python


def others() -> Iterator[Client]:
    confluent = f"confluent-kafka {importlib.metadata.version('confluent-kafka')}"
    yield Kcat()
    yield PythonClient("Confluent", confluent, None, ALL_CODECS, ALL_CODECS)
    yield PythonClient("Confluent", f"{confluent}, broker.version.fallback 0.9.0", "0.9.0")
    yield PythonClient("Aiokafka", f"aiokafka {importlib.metadata.version('aiokafka')}", None, ALL_CODECS, ALL_CODECS)


GO_CLIENTS = {
    "franz-go": "github.com/twmb/franz-go",
    "sarama": "github.com/IBM/sarama",
    "kafka-go": "github.com/segmentio/kafka-go",
}
"""And their modules."""


def other_languages() -> Iterator[Client]:
    """kafkajs knows lz4 and zstd by compiled extras only; which releases of the others, that depends on Go's."""
    packages = json.loads((NODE / "package.json").read_text())["dependencies"]
    kafkajs_knows = ALL_CODECS[:3]
    yield OtherLanguage(f"kafkajs {packages['kafkajs']}", kafkajs(), kafkajs_knows, kafkajs_knows, pinned=True)
    modules = go_tools().modules.read_text().split()
    for name, module in GO_CLIENTS.items():
        release = modules[modules.index(module) + 1].removeprefix("v")
        yield OtherLanguage(f"{name} {release}", go_client(name))


def every_client(folder: Path, *, every_pose: bool) -> list[Client]:
    """All releases, installed; with `every_pose` kafka-python as it spoke to each release of Kafka."""
    for release in (*SCALA_OF, OLD, LAST_WITH_ZOOKEEPER, NEWEST):
        java_command(release, "")  # fetches what is missing
    return [*consoles(), *kafka_pythons(folder, every_pose=every_pose), *others(), *other_languages()]
