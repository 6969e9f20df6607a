"""Many reads of the registry at a time: ZooKeeper's client has ten requests in flight."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import trio

from broker.registry.contract import RegistryError

AT_ONCE = 10

Asked = TypeVar("Asked")
Found = TypeVar("Found")


async def gathered(read: Callable[[Asked], Awaitable[Found]], asked: Iterable[Asked]) -> list[Found]:
    """What `read` gives for each, in their order. Raises: RegistryError: the first that any of them raised."""
    questions = list(asked)
    found: dict[int, Found] = {}
    failures: list[RegistryError] = []
    left = iter(range(len(questions)))

    async def read_some() -> None:
        for place in left:
            try:
                found[place] = await read(questions[place])
            except RegistryError as error:
                failures.append(error)
            if failures:
                return

    async with trio.open_nursery() as nursery:
        for _ in range(min(AT_ONCE, len(questions))):
            nursery.start_soon(read_some)
    if failures:
        raise failures[0]
    return [found[place] for place in range(len(questions))]
