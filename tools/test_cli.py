"""The command line as a user meets it: exit codes, messages, pipes, what it imports."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from barnabas import __version__
from tools.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
NOT_AT_START = (
    "kafka",
    "kazoo",
    "cramjam",
    "sqlite3",
    "rich",
    "hypothesis",
    "javaproperties",
    "difflib",
    "numpy",
    "asyncio",
    "backports",
    "email",
    "h11",
    "http",
    "multiprocessing",
    "xml",
    "broker.transport.tls",
    "broker.web.control",
    "coordinator.groups.classic",
    "kproto.messages.fetch",
    "kproto.messages.internal_topics",
    "kproto.messages.produce",
)
"""Together they would take longer than the half second of a start; whoever needs one imports it then."""


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: text for name, text in os.environ.items() if not name.startswith("KAFKA_")}
    return subprocess.run(
        [sys.executable, "-m", "barnabas", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_version_says_which_record_walker_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"barnabas {__version__}"
    assert second in ("walker: plain", "walker: compiled")


def test_the_version_is_that_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Usage: barnabas {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["--port", "70000"],
        ["--port", "1", "topics", "list"],
        ["consume"],
        ["consume", "t", "-f", "%q"],
        ["topics", "alter", "t"],
        ["topics", "create", "t", "--config", "x", "--bootstrap-server", "127.0.0.1:1"],
        ["produce", "t", "v", "-H", "x", "--bootstrap-server", "127.0.0.1:1"],
    ],
)
def test_a_wrong_command_line_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["topics", "list"], ["produce", "t", "v"], ["consume", "t"], ["groups", "describe", "g"]]
)
def test_a_broker_that_is_not_there_is_told_at_once_in_three_lines(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--bootstrap-server", "127.0.0.1:1"]) == 1
    what, why, do_this = capsys.readouterr().err.splitlines()
    assert what == "barnabas: No broker at 127.0.0.1:1."
    assert "refused" in why
    assert "--bootstrap-server" in do_this


def test_the_bootstrap_server_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:2")
    assert main(["topics", "list"]) == 1
    assert "No broker at 127.0.0.1:2." in capsys.readouterr().err


def test_a_file_with_a_mistake_is_told_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "server.properties"
    file.write_text("broker.id=0\nlog.segment.bytes=3\n")
    ended = run("broker", str(file))
    assert ended.returncode == 1
    assert f"barnabas: {file}, line 2: log.segment.bytes is '3'." in ended.stderr
    assert "at least 14" in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


def test_a_data_directory_that_cannot_be_made_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run("--port", "0", "--data", str(tmp_path / "file" / "data"))
    assert ended.returncode == 1
    assert "Cannot keep data in" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_closed_pipe_ends_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "barnabas", "--help"],
            cwd=ROOT,
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("module", ["tools.cli", "tools.commands.run_broker", "broker.__main__"])
def test_starting_a_broker_imports_no_client_and_no_codec(module: str) -> None:
    """The command, and the broker with all its rooms."""
    assert imported(f"import {module}; tell()") == []


def test_a_broker_that_begins_to_serve_has_imported_no_more(tmp_path: Path) -> None:
    """With logs on disk and the registry of our own, which is what needs SQLite."""
    options = ["listeners=PLAINTEXT://127.0.0.1:0", f"log.dirs={tmp_path / 'data'}"]
    start = f"""
import os
from broker.__main__ import run
from broker.config.load import load

def announce(ready):
    tell()
    os._exit(0)

run(load(overrides={options!r}).settings, announce=announce)
"""
    assert imported(start) == ["sqlite3"]


def imported(script: str) -> list[str]:
    """What of NOT_AT_START a process has imported when its script calls `tell`."""
    tell = f"lambda: print(*(name for name in {NOT_AT_START!r} if name in sys.modules), flush=True)"
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys; tell = {tell}\n{script}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout.split()
