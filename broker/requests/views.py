"""The views that a message has of a buffer that is not its own: the `records` among its fields."""

import functools
from typing import Any

from kproto.schema import Array, Message, wires

Path = tuple[str, ...]
"""Attribute names from the message down to one `records` field; lists on the way are walked."""


def release_records(message: Message) -> None:
    """Let go of every view of a read buffer, and of every stored slice; a late touch of a view raises ValueError.

    Safe to call twice.
    """
    cls: Any = type(message)
    for path in paths_to_records(cls):
        _release(message, path)


@functools.cache
def paths_to_records(cls: type[Any]) -> tuple[Path, ...]:
    found: list[Path] = []
    for field in wires(cls):
        kind = field.kind.of if isinstance(field.kind, Array) else field.kind
        if kind == "records":
            found.append((field.name,))
        elif isinstance(kind, type):
            part: Any = kind
            found += ((field.name, *path) for path in paths_to_records(part))
    return tuple(found)


def _release(value: Any, path: Path) -> None:
    if isinstance(value, list):
        for element in value:
            _release(element, path)
    elif path and value is not None:
        _release(getattr(value, path[0]), path[1:])
    elif hasattr(value, "release"):
        value.release()
