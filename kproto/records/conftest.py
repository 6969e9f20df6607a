"""Both builds of the record walker, so that its tests run on each."""

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
NAME = "kproto.records.walk"
COMPILE = """
from setuptools import setup
from mypyc.build import mypycify
modules = mypycify(["kproto/records/walk.py"], opt_level="3")
setup(name="x", packages=[], ext_modules=modules, script_args=["-q", "build_ext", "--inplace"])
"""


def loaded(name: str, file: Path) -> ModuleType:
    """The module in `file`, which leaves no trace in sys.modules but for as long as it is loaded."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
    return module


@pytest.fixture(scope="session")
def compiled_walk(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The walker as mypyc compiles it, in a copy: the checkout stays clean."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    headers = Path(sysconfig.get_path("include"), "Python.h")
    if shutil.which(compiler) is None or not headers.exists():
        pytest.skip("no C compiler or no Python.h: the compiled walker cannot be built")
    if importlib.util.find_spec("mypyc") is None or importlib.util.find_spec("setuptools") is None:
        pytest.skip("no mypyc or no setuptools: the compiled walker cannot be built")
    work = tmp_path_factory.mktemp("compiled")
    (work / "kproto" / "records").mkdir(parents=True)
    for file in ("__init__.py", "errors.py", "records/__init__.py", "records/walk.py"):
        shutil.copy(HERE.parent / file, work / "kproto" / file)
    subprocess.run([sys.executable, "-c", COMPILE], cwd=work, check=True, timeout=300, capture_output=True)
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    helper = work / "kproto" / "records" / f"walk__mypyc{suffix}"
    if not helper.exists():  # older mypyc: all in one
        return loaded(NAME, helper.with_name(f"walk{suffix}"))
    sys.modules[f"{NAME}__mypyc"] = loaded(f"{NAME}__mypyc", helper)
    try:
        return loaded(NAME, helper.with_name(f"walk{suffix}"))
    finally:
        del sys.modules[f"{NAME}__mypyc"]


@pytest.fixture(scope="session")
def plain_walk() -> ModuleType:
    """The walker as it is written, also where the compiled one is installed beside it."""
    return loaded(NAME, HERE / "walk.py")


@pytest.fixture(params=["plain", "compiled"])
def walker(request: pytest.FixtureRequest) -> ModuleType:
    module = request.getfixturevalue(f"{request.param}_walk")
    assert isinstance(module, ModuleType)
    return module
