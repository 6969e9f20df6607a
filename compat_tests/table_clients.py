"""Unmodified clients of thirteen years, each with two verbs: write some lines, read so many of them."""

import asyncio
import importlib.metadata
import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from compat_tests import any_kafka_python
from compat_tests.jars import LAST_WITH_ZOOKEEPER, NEWEST, OLD, run_tool
from compat_tests.tools_at_hand import needs

ALL_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
MARK = "line "
"""All lines begin so; what else a client prints does not."""


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

    def write(self, at: Place, topic: str, codec: str, lines: list[str]) -> None: ...

    def read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        """From the beginning; or `goes_on`, where the group was."""
        ...


def ours(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith(MARK)]


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

    def write(self, at: Place, topic: str, codec: str, lines: list[str]) -> None:
        tool = "org.apache.kafka.tools.ConsoleProducer" if self.release == NEWEST else "kafka.tools.ConsoleProducer"
        to = "--bootstrap-server" if self.release == NEWEST else "--broker-list"
        how = ["--compression-codec", codec] if codec != "none" else []
        if self.release == "0.8.1.1":
            tool, how = "kafka.producer.ConsoleProducer", how and ["--compress"]
        text = "".join(f"{line}\n" for line in lines)
        run_tool(self.release, tool, to, at.bootstrap, "--topic", topic, *how, stdin=text)

    def read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        wanted = ["--topic", topic, "--max-messages", str(count)]
        if self.by == "partition":
            place = ["--broker-list", at.bootstrap, "--partition", "0", "--offset", "-2", "--no-wait-at-logend"]
            return ours(run_tool(self.release, "kafka.tools.SimpleConsumerShell", *place, *wanted).stdout)
        where = ["--zookeeper", at.zookeeper] if self.by == "zookeeper" else ["--bootstrap-server", at.bootstrap]
        if self.by == "bootstrap":
            wanted += ["--timeout-ms", "15000"]
        if self.release in ("0.9.0.1", "0.10.2.2"):
            wanted += ["--new-consumer"]
        if not goes_on:
            wanted += ["--from-beginning"]
        return ours(run_tool(self.release, self._consumer(), *where, *wanted, *self._of(group, at)).stdout)

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
class KafkaPython:
    """kafka-python in an environment of its own, or today's, posing as a client of `api_version`."""

    release: str
    python: Path
    api_version: tuple[int, ...] | None = None
    writes: tuple[str, ...] = ALL_CODECS[:4]
    reads: tuple[str, ...] = ALL_CODECS[:4]
    simple: bool = False
    pinned: bool = True

    @property
    def name(self) -> str:
        kind = ", SimpleClient" if self.simple else ""
        posing = "" if self.api_version is None else f", api_version {'.'.join(map(str, self.api_version))}"
        return f"kafka-python {self.release}{kind}{posing}"

    @property
    def groups(self) -> bool:
        return not self.simple and self.api_version != (0, 8, 2)

    def write(self, at: Place, topic: str, codec: str, lines: list[str]) -> None:
        self._run("write", at, topic, codec, stdin="".join(f"{line}\n" for line in lines))

    def read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        return ours(self._run("read", at, topic, str(count), group))

    def _run(self, verb: str, at: Place, topic: str, *rest: str, stdin: str = "") -> str:
        mode = f"simple-{verb}" if self.simple else verb
        asked = (mode, at.bootstrap, topic, json.dumps(self.api_version), *rest)
        command = [str(self.python), any_kafka_python.__file__, *asked]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@dataclass
class Kcat:
    """On the librdkafka that the system has."""

    name: str = "kcat"
    writes: tuple[str, ...] = ALL_CODECS
    reads: tuple[str, ...] = ALL_CODECS
    groups: bool = True
    pinned: bool = False

    def write(self, at: Place, topic: str, codec: str, lines: list[str]) -> None:
        self._run(at, "-P", "-t", topic, "-z", codec, stdin="".join(f"{line}\n" for line in lines))

    def read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        which = ("-G", group, "-X", "auto.offset.reset=earliest", topic) if group else ("-C", "-t", topic, "-o", "0")
        return ours(self._run(at, "-q", "-c", str(count), *which))

    def _run(self, at: Place, *arguments: str, stdin: str = "") -> str:
        command = [needs("kcat"), "-b", at.bootstrap, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=True).stdout


@dataclass
class Confluent:
    """librdkafka as confluent-kafka brings it; with `fallback` it asks nobody and speaks as to a broker of then."""

    fallback: str = ""
    writes: tuple[str, ...] = ALL_CODECS
    reads: tuple[str, ...] = ALL_CODECS
    groups: bool = True
    pinned: bool = False

    @property
    def name(self) -> str:
        release = importlib.metadata.version("confluent-kafka")
        return f"confluent-kafka {release}" + (f", broker.version.fallback {self.fallback}" if self.fallback else "")

    def _options(self, at: Place) -> dict[str, object]:
        posing = {"api.version.request": False, "broker.version.fallback": self.fallback} if self.fallback else {}
        return {"bootstrap.servers": at.bootstrap, **posing}

    def write(self, at: Place, topic: str, codec: str, lines: list[str]) -> None:
        from confluent_kafka import Producer

        producer = Producer({**self._options(at), "compression.codec": codec})
        for line in lines:
            producer.produce(topic, line.encode())
        assert producer.flush(20) == 0

    def read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        from confluent_kafka import Consumer, TopicPartition

        options = {"group.id": group or "none", "auto.offset.reset": "earliest", "enable.auto.commit": bool(group)}
        consumer = Consumer({**self._options(at), **options})
        if group:
            consumer.subscribe([topic])
        else:
            consumer.assign([TopicPartition(topic, 0, 0)])
        found = [message.value() or b"" for message in consumer.consume(count, 20)]
        consumer.close()
        return [value.decode() for value in found]


@dataclass
class Aiokafka:
    writes: tuple[str, ...] = ALL_CODECS
    reads: tuple[str, ...] = ALL_CODECS
    groups: bool = True
    pinned: bool = False

    @property
    def name(self) -> str:
        return f"aiokafka {importlib.metadata.version('aiokafka')}"

    def write(self, at: Place, topic: str, codec: str, lines: list[str]) -> None:
        from aiokafka import AIOKafkaProducer

        async def send() -> None:
            compression = None if codec == "none" else codec
            async with AIOKafkaProducer(bootstrap_servers=at.bootstrap, compression_type=compression) as producer:
                for line in lines:
                    await producer.send(topic, line.encode())

        asyncio.run(asyncio.wait_for(send(), 30))

    def read(self, at: Place, topic: str, count: int, group: str = "", goes_on: bool = False) -> list[str]:
        from aiokafka import AIOKafkaConsumer

        options = {"bootstrap_servers": at.bootstrap, "group_id": group or None, "auto_offset_reset": "earliest"}

        async def receive() -> list[str]:
            async with AIOKafkaConsumer(topic, **options) as consumer:
                return [(await consumer.getone()).value.decode() for _ in range(count)]

        return asyncio.run(asyncio.wait_for(receive(), 30))


def consoles() -> Iterator[Client]:
    before_lz4, before_zstd = ALL_CODECS[:2], ALL_CODECS[:4]
    yield Console("0.8.1.1", before_lz4, before_lz4, by="zookeeper")
    yield Console("0.8.1.1", (), before_lz4, by="partition", groups=False)
    yield Console("0.8.2.2", before_zstd, before_zstd, by="zookeeper")
    yield Console("0.8.2.2", (), before_zstd, by="partition", groups=False)
    yield from (Console(release, before_zstd, before_zstd) for release in ("0.9.0.1", "0.10.2.2", "0.11.0.3", OLD))
    yield from (Console(release) for release in ("2.8.2", LAST_WITH_ZOOKEEPER, NEWEST))


POSES = ((0, 8, 2), (0, 9), (0, 10), (0, 11))


def pythons(folder: Path) -> Iterator[Client]:
    """Releases from PyPI, and the installed one; the two oldest do not start on Python 3.12."""
    if sys.version_info < (3, 12):
        yield KafkaPython("1.4.7", environment("1.4.7", folder), (0, 8, 2), ALL_CODECS[:3], simple=True)
        yield from (KafkaPython("1.4.7", environment("1.4.7", folder), pose) for pose in POSES)
        yield from (KafkaPython("2.0.2", environment("2.0.2", folder), pose) for pose in POSES)
    yield from (KafkaPython("2.2.21", environment("2.2.21", folder), pose) for pose in (*POSES, (2, 5)))
    today, here = importlib.metadata.version("kafka-python"), Path(sys.executable)
    yield from (KafkaPython(today, here, pose, pinned=False) for pose in (*POSES, (1, 0), (2, 5)))
    yield KafkaPython(today, here, None, ALL_CODECS, ALL_CODECS, pinned=False)


def environment(release: str, folder: Path) -> Path:
    """The Python of an environment with that kafka-python, made from PyPI at the first call."""
    python = folder / f"kafka-python-{release}" / "bin" / "python"
    if not python.exists():
        venv.create(python.parent.parent, with_pip=True)
        wanted = [f"kafka-python=={release}", "six", "python-snappy", "lz4", "xxhash"]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True, timeout=300)
    return python


def every_client(folder: Path) -> list[Client]:
    fallbacks = [Confluent(), Confluent("0.9.0", ALL_CODECS[:4], ALL_CODECS[:4])]
    return [*consoles(), *pythons(folder), Kcat(), *fallbacks, Aiokafka()]
