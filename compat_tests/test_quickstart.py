"""What docs/quickstart.md and docs/testing.md show for other languages, as it stands there, in a folder of its own."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compat_tests.broker_process import BrokerProcess
from compat_tests.command import ROOT, environment
from compat_tests.jars import NEWEST, java_command
from compat_tests.other_languages.programs import GoTools, go_tools, node_modules
from compat_tests.tools_at_hand import needs

pytestmark = pytest.mark.campaign

WITHIN_S = 60


def shown(page: str, language: str) -> str:
    """The only block of a language in a page below docs/."""
    [script] = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    return str(script)


def quickstart(language: str, broker: BrokerProcess) -> str:
    script = shown("quickstart.md", language)
    assert script.count("localhost:9092") == 1
    return script.replace("localhost:9092", broker.bootstrap)


def start(*command: str, folder: Path, **variables: str) -> "subprocess.Popen[str]":
    """One that will not be asked anything."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def passes(*command: str, folder: Path, **variables: str) -> str:
    """What it prints. Raises: AssertionError with all it said."""
    process = start(*command, folder=folder, **variables)
    try:
        said, errors = process.communicate(timeout=WITHIN_S)
    finally:
        process.kill()
    assert process.returncode == 0, said + errors
    return said


def a_node_project(folder: Path) -> str:
    """Its `node_modules` are those of package-lock.json. Returns: the command `node`."""
    (folder / "node_modules").symlink_to(node_modules())
    return needs("node")


def test_the_lines_of_node_print_the_record(broker: BrokerProcess, tmp_path: Path) -> None:
    """They consume until they are stopped; the log of kafkajs is on stdout as well."""
    node = a_node_project(tmp_path)
    (tmp_path / "hello.mjs").write_text(quickstart("js", broker))
    process = start(node, "hello.mjs", folder=tmp_path)
    try:
        assert process.stdout is not None
        assert "from Node\n" in process.stdout
    finally:
        process.kill()
        process.communicate()


def test_the_lines_of_go_print_the_record(broker: BrokerProcess, tmp_path: Path) -> None:
    tools = a_go_module(tmp_path)
    (tmp_path / "hello.go").write_text(quickstart("go", broker))
    said = passes(tools.go, "run", *tools.flags, ".", folder=tmp_path, **tools.variables)
    assert said == "from Go\n"


def a_go_module(folder: Path) -> GoTools:
    tools = go_tools()
    shutil.copy(tools.modules, folder / "go.mod")
    shutil.copy(tools.modules.with_suffix(".sum"), folder / "go.sum")
    return GoTools(tools.go, folder / "go.mod", tools.variables)


def test_the_lines_of_java_print_the_record(broker: BrokerProcess, tmp_path: Path) -> None:
    needs("javac")  # with which `java` compiles what is in one file
    (tmp_path / "Hello.java").write_text(quickstart("java", broker))
    assert passes(*java_command(NEWEST, "Hello.java"), folder=tmp_path) == "from Java\n"


def test_the_tests_of_node_pass_beside_a_broker(tmp_path: Path) -> None:
    """And the pages of /control are at the address that they were told."""
    node = a_node_project(tmp_path)
    (tmp_path / "orders.test.js").write_text(shown("testing.md", "js"))
    said = passes(sys.executable, "-m", "barnabas", "run", "--", node, "--test", folder=tmp_path)
    assert re.search(r"^[#ℹ] pass 1$", said, re.MULTILINE), said


def test_the_tests_of_go_pass_beside_a_broker(tmp_path: Path) -> None:
    tools = a_go_module(tmp_path)
    (tmp_path / "orders_test.go").write_text(shown("testing.md", "go"))
    beside = (sys.executable, "-m", "barnabas", "run", "--topics", "orders:1", "--")
    said = passes(*beside, tools.go, "test", *tools.flags, "-v", "./...", folder=tmp_path, **tools.variables)
    assert "--- PASS: TestOrdersAreStoredAndRead" in said
