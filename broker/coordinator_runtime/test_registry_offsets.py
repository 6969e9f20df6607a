"""Offsets of version 0, on the embedded registry, and on one that does not answer."""

from collections.abc import AsyncIterator

import pytest

from broker.clock import SetClock
from broker.coordinator_runtime.registry_offsets import RegistryOffsets
from broker.registry.contract import ConnectionLost, Registry
from broker.registry.embedded import EmbeddedTree
from kproto.errors import ApiError, ErrorCode

T0 = ("t", 0)


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    session = EmbeddedTree(None, SetClock()).session()
    yield session
    await session.close()


async def test_offset_lies_where_old_consumers_look(registry: Registry) -> None:
    assert await RegistryOffsets(registry, "g").write({T0: 42, ("t", 1): 7})
    assert (await registry.get("/consumers/g/offsets/t/0"))[0] == b"42"
    assert await RegistryOffsets(registry, "g").read([T0, ("t", 1), ("t", 2)]) == {T0: 42, ("t", 1): 7}


async def test_offset_is_overwritten(registry: Registry) -> None:
    for offset in (1, 2):
        await RegistryOffsets(registry, "g").write({T0: offset})
    assert await RegistryOffsets(registry, "g").read([T0]) == {T0: 2}


async def test_what_is_no_number_is_no_offset(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    """Foreign hands write there too."""
    await registry.create("/consumers/g/offsets/t/0", b"soon", parents=True)
    assert await RegistryOffsets(registry, "g").read([T0]) == {}
    assert "/consumers/g/offsets/t/0" in caplog.text


class Silent:
    """A registry whose connection is lost."""

    async def get(self, path: str) -> None:
        raise ConnectionLost

    async def set(self, path: str, data: bytes) -> None:
        raise ConnectionLost


async def test_registry_that_does_not_answer_gives_nothing() -> None:
    offsets = RegistryOffsets(Silent(), "g")  # type: ignore[arg-type]  # a fake of two methods
    assert await offsets.write({T0: 1}) is None
    assert await offsets.read([T0]) is None


@pytest.mark.parametrize("group_id", ["", ".", "..", "a/b", "a\0"])
async def test_group_ids_that_are_no_name_of_a_node_are_refused(registry: Registry, group_id: str) -> None:
    with pytest.raises(ApiError) as no:
        RegistryOffsets(registry, group_id)
    assert no.value.code is ErrorCode.INVALID_GROUP_ID
