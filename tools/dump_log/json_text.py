"""A message as the JSON that Kafka's own converters write: no blanks, fields in order, bytes as base64."""

import base64
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from kproto.schema import Struct, Wire, wires

_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_ESCAPES = str.maketrans({**{chr(code): f"\\u{code:04X}" for code in range(32)}, **_SHORT})


class Raw(str):
    """JSON already."""

    __slots__ = ()


def json_text(value: Any, version: int = 0) -> str:
    """A message at a version, or a part of one. Dicts are objects with these keys."""
    match value:
        case Raw():
            return value
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return f'"{value.translate(_ESCAPES)}"'
        case bytes() | memoryview():
            return f'"{base64.b64encode(value).decode()}"'
        case UUID():
            return f'"{base64.urlsafe_b64encode(value.bytes).decode().rstrip("=")}"'
        case list():
            return f"[{','.join(json_text(each, version) for each in value)}]"
        case dict():
            return "{" + ",".join(f"{json_text(name)}:{json_text(each, version)}" for name, each in value.items()) + "}"
        case Struct():
            return json_text(dict(fields(value, version)), version)
        case _:
            return str(value)


def fields(message: Struct, version: int) -> Iterator[tuple[str, Any]]:
    """Kafka's names and the values; a tagged field only if it says something."""
    for wire in wires(type(message)):
        value = getattr(message, wire.name)
        if wire.is_in(version) and not (wire.tag is not None and value == _default(wire)):
            yield kafkas_name(wire.name), value


def kafkas_name(name: str) -> str:
    """`groupInstanceId` for `group_instance_id`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _default(wire: Wire) -> Any:
    return wire.default() if isinstance(wire.default, type) else wire.default
