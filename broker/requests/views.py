"""The views that a request has of the read buffer: its frame, and the `records` among its fields."""

import functools
from typing import Any

from kproto.schema import Array, Message, Struct, wires

Path = tuple[str, ...]
"""Attribute names from the message down to one `records` field; lists on the way are walked."""


class RequestViews:
    """One request's views. Released before its handler waits; a late touch then raises ValueError."""

    __slots__ = ("_frame", "_request")

    def __init__(self, frame: memoryview, request: Message) -> None:
        self._frame = frame
        self._request = request

    def release(self) -> None:
        """Safe to call twice."""
        for path in paths_to_records(type(self._request)):
            _release(self._request, path)
        self._frame.release()

    def release_frame(self) -> None:
        """Only the frame: the handler has put copies in the place of `records`."""
        self._frame.release()


@functools.cache
def paths_to_records(cls: type[Struct]) -> tuple[Path, ...]:
    found: list[Path] = []
    for field in wires(cls):
        kind = field.kind.of if isinstance(field.kind, Array) else field.kind
        if kind == "records":
            found.append((field.name,))
        elif isinstance(kind, type):
            found += ((field.name, *path) for path in paths_to_records(kind))
    return tuple(found)


def _release(value: Any, path: Path) -> None:
    if isinstance(value, list):
        for element in value:
            _release(element, path)
    elif isinstance(value, memoryview):
        value.release()
    elif path and value is not None:
        _release(getattr(value, path[0]), path[1:])
