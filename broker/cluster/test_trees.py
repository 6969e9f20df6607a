"""Trees that change while they are removed, and reads of which one fails."""

from collections.abc import Sequence

import pytest

from broker.clock import SetClock
from broker.cluster.gather import gathered
from broker.cluster.trees import remove_tree
from broker.registry.contract import BadVersion, Check, Create, Operation, RegistryError, SessionExpired, Stat
from broker.registry.embedded import EmbeddedRegistry, EmbeddedTree

FENCE = Check("/fence", 0)


class Meddled(EmbeddedRegistry):
    """Somebody does something else right before each of the first multis."""

    def __init__(self) -> None:
        super().__init__(EmbeddedTree(None, SetClock()))
        self.meddling: list[Operation] = []

    async def multi(self, operations: Sequence[Operation]) -> list[Stat | str | None]:
        if self.meddling:
            await super().multi([self.meddling.pop(0)])
        return await super().multi(operations)


async def tree_of(*paths: str) -> Meddled:
    registry = Meddled()
    for path in ("/fence", *paths):
        await registry.create(path)
    return registry


async def test_a_tree_goes_with_all_below_it() -> None:
    registry = await tree_of("/a", "/a/b", "/a/b/c", "/a/d", "/ab")
    await remove_tree(registry, "/a", FENCE)
    assert await registry.children("/") == ["ab", "fence"]
    await remove_tree(registry, "/a", FENCE)


async def test_a_node_that_appears_meanwhile_goes_as_well() -> None:
    registry = await tree_of("/a", "/a/b")
    registry.meddling = [Create("/a/b/new"), Create("/a/newer")]
    await remove_tree(registry, "/a", FENCE)
    assert (await registry.exists("/a"), registry.meddling) == (None, [])


async def test_behind_a_broken_fence_nothing_is_removed() -> None:
    registry = await tree_of("/a")
    await registry.set("/fence", b"moved on")
    with pytest.raises(BadVersion):
        await remove_tree(registry, "/a", FENCE)
    assert await registry.exists("/a") is not None


async def test_many_reads_come_in_the_order_asked_and_the_first_error_wins() -> None:
    async def double(number: int) -> int:
        if number < 0:
            raise SessionExpired
        return 2 * number

    assert await gathered(double, range(50)) == [2 * number for number in range(50)]
    with pytest.raises(RegistryError):
        await gathered(double, [1, -1, 2])
