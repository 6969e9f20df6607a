"""Compiles the record walker while the wheel is built, where a C compiler is at hand; hatchling calls it.

`BARNABAS_COMPILE=0` never compiles, `=1` fails where it cannot; without it the walker stays plain Python on any
trouble, and `barnabas --version` says which one it is. The build asks for mypy only if it will compile.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULES = ["kproto/records/walk.py"]
WISH = os.environ.get("BARNABAS_COMPILE", "auto")
COMPILE = f"""
from setuptools import setup
from mypyc.build import mypycify
modules = mypycify({MODULES!r}, opt_level="3")
setup(name="x", packages=[], ext_modules=modules, script_args=["-q", "build_ext", "--inplace"])
"""


class CustomBuildHook(BuildHookInterface):
    work = None

    def dependencies(self):
        """Asked before the build environment is filled: no mypy without a compiler."""
        return ["mypy[mypyc]==2.4.1", "setuptools"] if self.wanted() else []

    def wanted(self):
        if self.target_name != "wheel" or WISH == "0" or sys.implementation.name != "cpython":
            return False
        compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
        headers = Path(sysconfig.get_path("include"), "Python.h")
        return WISH == "1" or bool(shutil.which(compiler) and headers.exists())

    def initialize(self, version, build_data):
        if version == "editable" or not self.wanted():
            return
        try:
            build_data["force_include"].update(self.compiled())
            build_data.update(pure_python=False, infer_tag=True)
        except Exception as why:
            if WISH == "1":
                raise
            self.app.display_warning(f"record walker stays plain Python: {why}")

    def finalize(self, version, build_data, artifact_path):
        if self.work is not None:
            shutil.rmtree(self.work)

    def compiled(self):
        """Built files and where in the wheel they go. Compiled in a copy: the source tree stays clean."""
        self.work = work = Path(tempfile.mkdtemp())
        shutil.copytree(Path(self.root, "kproto"), work / "kproto")
        subprocess.run([sys.executable, "-c", COMPILE], cwd=work, check=True, timeout=300)
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        return {str(built): str(built.relative_to(work)) for built in (work / "kproto").rglob(f"*{suffix}")}
