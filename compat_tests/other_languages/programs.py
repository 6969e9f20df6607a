"""The programs of other languages, installed: packages and what was built lie in `$XDG_CACHE_HOME/barnabas-…`.

Versions are pinned: by package-lock.json, and by go.mod with go.sum. `go1.19.mod` has the last releases that Go before
1.26 builds, such as Debian 12's. Wants the language's tools, and its registry for the first time.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from compat_tests.command import environment
from compat_tests.tools_at_hand import needs

NODE, GO = (Path(__file__).parent / language for language in ("node", "go"))
NODE_SINCE = 18
GO_SINCE, GO_OF_THE_NEWEST = (1, 19), (1, 26)
INSTALL_WITHIN_S = 600


@dataclass(frozen=True)
class Program:
    """`command`: what comes before the address, the verb and its arguments; `variables`: of its environment."""

    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GoTools:
    """`flags`: for `go build` and `go test`, among them which versions are meant."""

    go: str
    modules: Path
    variables: Mapping[str, str]

    @property
    def flags(self) -> tuple[str, ...]:
        return (f"-modfile={self.modules}", "-buildvcs=false")


def kafkajs() -> Program:
    node = needs("node")
    return Program((node, str(NODE / "client.js")), {"NODE_PATH": str(node_modules())})


def go_client(name: str) -> Program:
    """Of `franz-go`, `sarama` and `kafka-go`."""
    return Program((str(go_program()), name))


def node_modules() -> Path:
    """The folder with the packages of package-lock.json, fetched if need be."""
    node, npm = needs("node"), needs("npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < NODE_SINCE:
        pytest.skip(f"node is {version}, and the programs want {NODE_SINCE}")
    pinned = hashlib.sha256((NODE / "package-lock.json").read_bytes()).hexdigest()[:12]
    installed = cache("node") / pinned
    with alone(installed):
        if not installed.is_dir():
            with tempfile.TemporaryDirectory(dir=installed.parent) as work:
                made = Path(work, "made")
                made.mkdir()
                for name in ("package.json", "package-lock.json"):
                    shutil.copy(NODE / name, made)
                installing(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=made)
                made.rename(installed)
    return installed / "node_modules"


def go_program() -> Path:
    """The program of `go/`, built if it is not as its sources are."""
    tools = go_tools()
    program = cache("go") / f"judge-{tools.modules.stem}"
    with alone(program):
        installing(tools.go, "build", *tools.flags, "-o", str(program), ".", folder=GO, **tools.variables)
    return program


def go_tools() -> GoTools:
    """Never fetches another Go than the one at hand."""
    go = needs("go")
    variables = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
    said = subprocess.run(
        [go, "env", "GOVERSION"], env=environment(**variables), capture_output=True, text=True, check=True
    )
    found = re.match(r"go(\d+)\.(\d+)", said.stdout)
    version = (int(found[1]), int(found[2])) if found else GO_OF_THE_NEWEST
    if version < GO_SINCE:
        pytest.skip(f"go is {said.stdout.strip()}, and the clients want 1.19")
    return GoTools(go, GO / ("go.mod" if version >= GO_OF_THE_NEWEST else "go1.19.mod"), variables)


def cache(language: str) -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / f"barnabas-{language}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Other test processes want the same; the first one makes it."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def installing(*command: str, folder: Path, **variables: str) -> None:
    """Raises: AssertionError with all that was said."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL_WITHIN_S,
        check=False,
    )
    assert ended.returncode == 0, f"{' '.join(command)}:\n{ended.stdout}{ended.stderr}"
