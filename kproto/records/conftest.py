"""Both builds of the record walker, so that its tests run on each."""

from types import ModuleType

import pytest

from kproto.testing.walkers import CannotCompile, compiled_walker, plain_walker


@pytest.fixture(scope="session")
def compiled_walk(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The walker as mypyc compiles it."""
    try:
        return compiled_walker(tmp_path_factory.mktemp("compiled"))
    except CannotCompile as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def plain_walk() -> ModuleType:
    """The walker as it is written."""
    return plain_walker()


@pytest.fixture(params=["plain", "compiled"])
def walker(request: pytest.FixtureRequest) -> ModuleType:
    module = request.getfixturevalue(f"{request.param}_walk")
    assert isinstance(module, ModuleType)
    return module
