"""What a stranger relies on: what the wheel holds, links that lead somewhere, rooms that say what they are."""

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("barnabas", "kproto", "coordinator", "broker", "tools")
FOR_TESTS = (ROOT / "broker" / "testing", ROOT / "tools" / "fuzz")
"""Not in the wheel; these may import what is made for tests."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in the wheel, built without compiler."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, env={"BARNABAS_COMPILE": "0"}, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(file).namelist())


def test_only_kproto_and_barnabas_can_be_imported_after_an_install(wheel: set[str]) -> None:
    """Users have a `broker` and `tools` of their own."""
    top = {name.split("/")[0] for name in wheel}
    assert {name for name in top if not name.endswith(".dist-info")} == {"kproto", "barnabas"}


def test_every_source_file_is_in_the_wheel_and_no_test(wheel: set[str]) -> None:
    expected = set()
    for room in ROOMS:
        inside = "" if room in ("barnabas", "kproto") else "barnabas/app/"
        for file in (ROOT / room).rglob("*.py"):
            only_for_tests = file.name.startswith("test_") or any(map(file.is_relative_to, FOR_TESTS))
            if not only_for_tests and file.name not in ("conftest.py", "build_hook.py"):
                expected.add(inside + str(file.relative_to(ROOT)))
    assert {name for name in wheel if name.endswith(".py")} == expected


def test_files_that_are_no_code_go_with_it(wheel: set[str]) -> None:
    assert {"kproto/py.typed", "barnabas/py.typed", "barnabas/app/broker/config/option_names.txt"} <= wheel


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("**/*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_between_our_files_lead_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", page.read_text())
    dead = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert dead == []


def test_every_package_says_at_its_door_what_lives_there() -> None:
    doors = [door for room in ROOMS for door in (ROOT / room).rglob("__init__.py")]
    silent = [str(door.relative_to(ROOT)) for door in doors if not ast.get_docstring(ast.parse(door.read_text()))]
    assert silent == []


def test_every_folder_of_modules_is_a_package() -> None:
    """import-linter looks into packages only: a room without a door would be unwatched."""
    folders = {file.parent for room in ROOMS for file in (ROOT / room).rglob("*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_only_tests_import_what_is_made_for_tests() -> None:
    """import-linter cannot tell tests from the program by their names."""
    guilty = []
    for file in (each for room in ROOMS for each in (ROOT / room).rglob("*.py")):
        for_tests = file.name.startswith("test_") or file.name in ("conftest.py", "testing.py")
        if not for_tests and "testing" not in file.parts and not any(map(file.is_relative_to, FOR_TESTS)):
            guilty += [
                f"{file.relative_to(ROOT)} imports {name}" for name in imported(file) if "testing" in name.split(".")
            ]
    assert guilty == []


def imported(file: Path) -> set[str]:
    """Of our own packages."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.split(".")[0] in ROOMS}
