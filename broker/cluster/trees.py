"""Removing a node with all that lies below it, as one fenced multi per few hundred nodes."""

from broker.registry.contract import Check, Delete, MultiFailed, NoNode, NotEmpty, Operation, Registry

MAX_OPERATIONS = 1000


async def remove_tree(registry: Registry, path: str, fence: Check) -> None:
    """Leaves first. A node that is gone already is fine, one that appears meanwhile goes as well.

    Raises: BadVersion, NoNode: the fence does not hold.
    """
    while True:
        nodes: list[Operation] = [Delete(each) for each in await _below(registry, path)]
        if not nodes:
            return
        try:
            for start in range(0, len(nodes), MAX_OPERATIONS):
                await registry.multi([fence, *nodes[start : start + MAX_OPERATIONS]])
        except MultiFailed as failure:
            if failure.index == 0 or not isinstance(failure.cause, NoNode | NotEmpty):
                raise failure.cause from failure
        else:
            return


async def _below(registry: Registry, path: str) -> list[str]:
    """The node and its descendants, children before parents; empty if it is not there."""
    found: list[str] = []
    to_visit = [path]
    while to_visit:
        node = to_visit.pop()
        try:
            children = await registry.children(node)
        except NoNode:
            continue
        found.append(node)
        to_visit += [f"{node}/{child}" for child in children]
    return found[::-1]
