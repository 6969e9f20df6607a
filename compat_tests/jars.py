"""Apache Kafka's own tools, and the ZooKeeper of its last release that had one, from Maven Central.

`run_tool("4.3.1", CONSOLE_CONSUMER, "--bootstrap-server", …)` runs a tool of a release as its script in `bin/` would.
Jars are fetched once, into `$XDG_CACHE_HOME/barnabas-jars/RELEASE` (by default below ~/.cache), about 40 MB each.
Beside them lies an archive of the newest release's classes, parsed: with it a tool starts in half the time.
Wants java 17 or newer, and mvn for the first time.
"""

import fcntl
import os
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from compat_tests.tools_at_hand import needs

NEWEST, LAST_WITH_ZOOKEEPER, OLD = "4.3.1", "3.9.2", "1.0.0"
SCALA_OF = {
    "0.8.1.1": "2.9.2",
    "0.8.2.2": "2.10",
    "0.9.0.1": "2.11",
    "0.10.2.2": "2.11",
    "0.11.0.3": "2.11",
    "2.8.2": "2.13",
}
"""Releases whose console clients are run, and the Scala that they were built for."""

_KAFKA = "org.apache.kafka"
_DEPENDENCIES = {
    NEWEST: (
        f"{_KAFKA}:kafka_2.13:{NEWEST}",
        f"{_KAFKA}:kafka-tools:{NEWEST}",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",  # without it nothing is logged
    ),
    LAST_WITH_ZOOKEEPER: (
        f"{_KAFKA}:kafka_2.13:{LAST_WITH_ZOOKEEPER}",
        f"{_KAFKA}:kafka-tools:{LAST_WITH_ZOOKEEPER}",
    ),
    OLD: (f"{_KAFKA}:kafka_2.11:{OLD}", f"{_KAFKA}:kafka-tools:{OLD}"),
    **{release: (f"{_KAFKA}:kafka_{scala}:{release}",) for release, scala in SCALA_OF.items()},
}
_NOT_ON_MAVEN_CENTRAL = ("javax.jms:jms", "com.sun.jdmk:jmxtools", "com.sun.jmx:jmxri")
"""What log4j 1.2.15, which came with the oldest releases, asks for and does not need."""

_FAST_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xlog:disable")
"""And no word on stdout about an archive that does not fit this JVM."""

_LOG4J_1 = """\
log4j.rootLogger=WARN, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.Target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=[%d] %p %m (%c)%n
"""
_LOG4J_2 = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
"""


def java_command(release: str, main_class: str, *arguments: str, heap: str = "256m") -> list[str]:
    """The command line that runs a class of a release; its log goes to stderr, warnings and worse."""
    jars = _jars(release)
    options = [f"-Xmx{heap}", *_FAST_START]
    if release == NEWEST and (archive := _archive(jars)).exists():
        options.append(f"-XX:SharedArchiveFile={archive}")
    return _java(release, jars, *options, "-cp", f"{jars}/*", main_class, *arguments)


def _java(release: str, jars: Path, *arguments: str) -> list[str]:
    flag = "-Dlog4j2.configurationFile" if release == NEWEST else "-Dlog4j.configuration"
    return [needs("java"), f"{flag}=file:{jars / 'log4j.properties'}", *arguments]


def run_tool(
    release: str, main_class: str, *arguments: str, stdin: str = "", timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end. Its exit code proves little: some tools end with 0 although all is lost.

    Raises: subprocess.TimeoutExpired.
    """
    command = java_command(release, main_class, *arguments)
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)


def _jars(release: str) -> Path:
    """The folder with all jars of a release and its log settings, fetched if need be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "barnabas-jars"
    jars = cache / release
    if not jars.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            _fetch(release, Path(work))
            with suppress(OSError):  # another test process was quicker
                (Path(work) / "jars").rename(jars)
    return jars


def _archive(jars: Path) -> Path:
    """The newest release's classes as this JVM parsed them, made at the first call; no such file if that failed.

    The console consumer, with nobody to talk to, loads most of what any tool needs. A JVM ignores what another wrote.
    """
    java = Path(needs("java")).resolve()
    archive = jars.with_name(f"{jars.name}-{java.stat().st_mtime_ns:x}.jsa")
    with jars.with_name(f"{jars.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            made = archive.with_suffix(".new")
            consumer = ("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", "127.0.0.1:1")
            waiting = ("--topic", "t", "--timeout-ms", "300")
            options = (*_FAST_START, f"-XX:ArchiveClassesAtExit={made}", "-cp", f"{jars}/*")
            command = _java(NEWEST, jars, *options, *consumer, *waiting)
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
            with suppress(FileNotFoundError):
                made.rename(archive)
    return archive


def _fetch(release: str, work: Path) -> None:
    (work / "pom.xml").write_text(_pom(release))
    subprocess.run(
        [needs("mvn"), "-B", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={work / 'jars'}"],
        cwd=work,
        check=True,
        timeout=900,
    )
    settings = _LOG4J_2 if release == NEWEST else _LOG4J_1
    (work / "jars" / "log4j.properties").write_text(settings)


def _pom(release: str) -> str:
    dependencies = ""
    exclusions = ""
    for coordinates in _NOT_ON_MAVEN_CENTRAL:
        group, artefact = coordinates.split(":")
        exclusions += f"<exclusion><groupId>{group}</groupId><artifactId>{artefact}</artifactId></exclusion>"
    for coordinates in _DEPENDENCIES[release]:
        group, artefact, version = coordinates.split(":")
        dependencies += (
            f"<dependency><groupId>{group}</groupId><artifactId>{artefact}</artifactId>"
            f"<version>{version}</version><exclusions>{exclusions}</exclusions></dependency>"
        )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>barnabas</groupId><artifactId>jars-{release}</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )


class ZooKeeper:
    """A ZooKeeper server of its own, on a free port of 127.0.0.1; sessions may be as short as half a second.

    Use it as a context manager, or `start` and `stop` it; it can be killed and started again on the same data.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, within_s: float = 30) -> Self:
        """Until it answers. Raises: AssertionError with its log if it does not."""
        log = self.folder / "zookeeper.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                java_command(
                    LAST_WITH_ZOOKEEPER,
                    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                    str(self._settings()),
                ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + within_s
        while not self.serves():
            assert self._process.poll() is None, f"ZooKeeper ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"ZooKeeper does not answer:\n{log.read_text()}"
            time.sleep(0.05)
        return self

    def _settings(self) -> Path:
        data = self.folder / "zookeeper-data"
        data.mkdir(parents=True, exist_ok=True)
        file = self.folder / "zoo.cfg"
        file.write_text(
            "tickTime=500\nminSessionTimeout=500\nmaxSessionTimeout=60000\nmaxClientCnxns=0\n"
            f"admin.enableServer=false\n4lw.commands.whitelist=*\ndataDir={data}\n"
            f"clientPort={self.port}\nclientPortAddress=127.0.0.1\n"
        )
        return file

    def serves(self) -> bool:
        """Whether it answers "are you ok"."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"ruok")
                return connection.recv(4) == b"imok"
        except OSError:
            return False

    def stop(self) -> None:
        """Without a word to its clients, as when its machine loses power; does nothing if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
