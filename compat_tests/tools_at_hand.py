"""What a compat test asks of the machine: a command, a Python package. Missing, it skips the test, or fails it in CI.

(The root conftest.py makes a failure of every skip where `BARNABAS_REQUIRE_ALL=1`.)
"""

import importlib.util
import shutil

import pytest


def needs(command: str) -> str:
    """The path of a command on PATH; the running test is skipped where there is none."""
    path = shutil.which(command)
    if path is None:
        pytest.skip(f"{command} is not installed")
    return path


def needs_package(name: str) -> None:
    """Skip the running test where a Python package cannot be imported."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"the Python package {name} is not installed")
