"""Both builds of the record walker: as it is written, and as mypyc compiles it."""

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

KPROTO = Path(__file__).resolve().parent.parent
NAME = "kproto.records.walk"
COMPILE = """
from setuptools import setup
from mypyc.build import mypycify
modules = mypycify(["kproto/records/walk.py"], opt_level="3")
setup(name="x", packages=[], ext_modules=modules, script_args=["-q", "build_ext", "--inplace"])
"""


class CannotCompile(Exception):
    """What is missing on this machine."""


def plain_walker() -> ModuleType:
    """As it is written, also where the compiled one is installed beside it."""
    return loaded(NAME, KPROTO / "records" / "walk.py")


def compiled_walker(work: Path) -> ModuleType:
    """Compiled in a copy below `work`: the checkout stays clean. Raises: CannotCompile."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    headers = Path(sysconfig.get_path("include"), "Python.h")
    if shutil.which(compiler) is None or not headers.exists():
        raise CannotCompile("no C compiler or no Python.h: the compiled walker cannot be built")
    if importlib.util.find_spec("mypyc") is None or importlib.util.find_spec("setuptools") is None:
        raise CannotCompile("no mypyc or no setuptools: the compiled walker cannot be built")
    (work / "kproto" / "records").mkdir(parents=True)
    for file in ("__init__.py", "errors.py", "records/__init__.py", "records/walk.py"):
        shutil.copy(KPROTO / file, work / "kproto" / file)
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
