"""The brokers that the bench can start: ours in both builds, Apache Kafka from jars at hand, kfake where Go is.

Each maker returns a `Server`, or raises `NotHere` with the reason, which the report tells.
"""

import compileall
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from tools.bench.servers import Server, free_port

ROOMS = ("barnabas", "kproto", "broker", "coordinator", "tools")
OPTIONS = {"log.segment.delete.delay.ms": "1000"}
"""Of every broker, so that topics of past rounds do not fill the disk."""

_SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
_COMPILE = """
from setuptools import setup
from mypyc.build import mypycify
setup(name="x", packages=[], ext_modules=mypycify(["kproto/records/walk.py"], opt_level="3"),
      script_args=["-q", "build_ext", "--inplace"])
"""
_SHIPPED_JVM = (
    *("-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"),
    *("-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-XX:MaxInlineLevel=15"),
    "-Djava.awt.headless=true",
)
"""What Kafka's kafka-server-start.sh and kafka-run-class.sh give to the JVM."""

_KFAKE = """
package main

import (
	"os"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	port, _ := strconv.Atoi(os.Args[1])
	if _, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port)); err != nil {
		panic(err)
	}
	select {}
}
"""
_KFAKE_VERSION = "v0.0.0-20260918054303-01f206a7e32c"
_FRANZ_GO_VERSION = "v1.22.2"
"""Named too: kfake asks for an older one than it can be built with."""


class NotHere(Exception):
    """This broker cannot be run on this machine; the text says why."""


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def our_program(folder: Path, *, compiled: bool) -> Path:
    """A copy of this program to run `python -m barnabas` in: edits in a checkout meanwhile do not count.

    It has bytecode, as pip leaves it, even where `PYTHONDONTWRITEBYTECODE` stands: a start would take twice as long.
    Raises: NotHere: the walker cannot be compiled here.
    """
    door = Path(str(importlib.util.find_spec("barnabas").origin)).parent  # type: ignore[union-attr]
    walker = Path(str(importlib.util.find_spec("kproto").origin)).parent  # type: ignore[union-attr]
    places = {room: door.parent / room for room in ROOMS if (door.parent / room).is_dir()} | {"kproto": walker}
    if (door / "app").is_dir():  # from a wheel: the other rooms lie inside the door
        places = {"barnabas": door, "kproto": walker}
    for room, place in places.items():
        shutil.copytree(place, folder / room, ignore=shutil.ignore_patterns("*.so", "__pycache__", "test_*"))
    if compiled:
        _compile(folder, walker / "records")
    compileall.compile_dir(folder, quiet=1)
    return folder


def _compile(folder: Path, installed: Path) -> None:
    """Take the compiled walker of the installation or of an earlier bench, or compile it as the build hook does."""
    ours = folder / "kproto" / "records"
    state = hashlib.sha256((ours / "walk.py").read_bytes()).hexdigest()[:16]
    kept = cache() / "barnabas-bench" / f"walker-{state}"
    for place in (installed, kept):
        if libraries := list(place.glob(f"walk*{_SUFFIX}")):
            for library in libraries:
                shutil.copy(library, ours)
            return
    try:
        command = [sys.executable, "-c", _COMPILE]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    except (subprocess.SubprocessError, OSError) as error:
        raise NotHere("the walker is not compiled, and mypyc or a C compiler is missing") from error
    kept.mkdir(parents=True, exist_ok=True)
    for library in ours.glob(f"walk*{_SUFFIX}"):
        shutil.copy(library, kept)


def barnabas(name: str, folder: Path, program: Path) -> Server:
    def command(port: int, folder: Path) -> Sequence[str]:
        options = {
            **OPTIONS,
            "listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "log.dirs": str(folder / "data"),
            "barnabas.http.listener": f"127.0.0.1:{free_port()}",
        }
        return [sys.executable, "-m", "barnabas", "broker", write_options(folder, options)]

    return Server(name, folder, command, cwd=program)


def kafka(release: str, folder: Path) -> Server:
    """KRaft, broker and controller in one process, as its quick start has it. Raises: NotHere."""
    java, jars = shutil.which("java"), cache() / "barnabas-jars" / release
    if java is None:
        raise NotHere("no java")
    if not jars.is_dir():
        raise NotHere(f"no jars in {jars}; tests in compat_tests that run its tools fetch them")
    folder.mkdir(parents=True, exist_ok=True)
    old_logging = release.startswith("3.")
    logging = folder / "log4j.properties"
    logging.write_text(_LOG4J_1 if old_logging else _LOG4J_2)
    flag = f"-Dlog4j.configuration=file:{logging}" if old_logging else f"-Dlog4j2.configurationFile=file:{logging}"
    run = [java, *_SHIPPED_JVM, flag, "-cp", f"{jars}/*"]

    def command(port: int, folder: Path) -> Sequence[str]:
        if not (folder / "data").exists():
            file = write_options(folder, kafka_options(folder, port, free_port()))
            format_it = [java, "-cp", f"{jars}/*", "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg"]
            done = subprocess.run([*format_it, "-c", file], check=False, capture_output=True, text=True, timeout=120)
            if done.returncode:
                raise NotHere(f"its data directory could not be formatted: {done.stderr[-300:]}")
        return [*run, "kafka.Kafka", str(folder / "server.properties")]

    return Server(f"kafka {release}", folder, command)


_LOG4J_1 = "log4j.rootLogger=WARN, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n" + (
    "log4j.appender.out.layout=org.apache.log4j.SimpleLayout\n"
)
_LOG4J_2 = "status = error\nappender.out.type = Console\nappender.out.name = out\nrootLogger.level = WARN\n" + (
    "rootLogger.appenderRef.out.ref = out\n"
)


def kafka_options(folder: Path, port: int, controller_port: int) -> dict[str, str]:
    return {
        **OPTIONS,
        "node.id": "0",
        "process.roles": "broker,controller",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": f"0@127.0.0.1:{controller_port}",
        "log.dirs": str(folder / "data"),
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
    }


def write_options(folder: Path, options: dict[str, str]) -> str:
    file = folder / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in options.items()))
    return str(file)


def kfake(folder: Path) -> Server:
    """franz-go's broker in memory, built once into the cache. Raises: NotHere."""
    go, built = shutil.which("go"), cache() / "barnabas-bench" / f"kfake-{_KFAKE_VERSION}"
    if not built.exists():
        if go is None:
            raise NotHere("no go")
        source = built.with_suffix(".src")
        source.mkdir(parents=True, exist_ok=True)
        (source / "main.go").write_text(_KFAKE)
        try:
            if not (source / "go.mod").exists():
                _run([go, "mod", "init", "kfake"], source)
            modules = {"franz-go/pkg/kfake": _KFAKE_VERSION, "franz-go": _FRANZ_GO_VERSION}
            _run([go, "get", *(f"github.com/twmb/{name}@{version}" for name, version in modules.items())], source)
            _run([go, "build", "-o", str(built), "."], source)
        except (subprocess.SubprocessError, OSError) as error:
            said = getattr(error, "stderr", None)
            raise NotHere(f"kfake could not be built: {(said or str(error)).strip()[-300:]}") from error
    return Server("kfake", folder, lambda port, _: [str(built), str(port)])


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300)


def bare_loop(folder: Path, program: Path, bare_port: int) -> Server:
    """Our handlers under an epoll loop at `bare_port`; see bare_loop.py."""

    def command(port: int, folder: Path) -> Sequence[str]:
        options = {**OPTIONS, "listeners": f"PLAINTEXT://127.0.0.1:{port}", "log.dirs": str(folder / "data")}
        return [sys.executable, "-m", "tools.bench.bare_loop", write_options(folder, options), str(bare_port)]

    app = program / "barnabas" / "app"
    paths = [str(each) for each in (app, program) if each.is_dir()]
    environment = {"PYTHONPATH": os.pathsep.join(paths)}
    server = Server("bare epoll loop", folder, command, cwd=program, environment=environment)
    server.load_port = bare_port
    return server
