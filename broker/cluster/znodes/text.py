"""Between a node's bytes and JSON values: compact UTF-8 out; tolerant of unknown fields, strict about shapes, in."""

import json
from typing import Any


class MalformedNode(ValueError):
    """A node holds what no Kafka release writes there."""


def to_json(value: Any) -> bytes:
    """Compact UTF-8, as Kafka's Jackson writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def from_json(data: bytes | None, what: str) -> Any:
    """Any JSON value. Raises: MalformedNode."""
    try:
        return json.loads(data or b"")
    except (ValueError, RecursionError) as error:
        raise MalformedNode(f"{what}: not JSON: {shortened(data)}") from error


def from_json_object(data: bytes | None, what: str) -> dict[str, Any]:
    """A JSON object. Raises: MalformedNode."""
    value = from_json(data, what)
    if not isinstance(value, dict):
        raise MalformedNode(f"{what}: not a JSON object: {shortened(data)}")
    return value


def required(fields: dict[str, Any], name: str, what: str) -> Any:
    """The value of a field that every release writes. Raises: MalformedNode."""
    if name not in fields:
        raise MalformedNode(f"{what}: no field {name!r}")
    return fields[name]


def as_int(value: Any, what: str) -> int:
    """A number, or the decimal text that Kafka writes in some places. Raises: MalformedNode."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise MalformedNode(f"{what}: not a number: {value!r}")
    try:
        return int(value)
    except ValueError as error:
        raise MalformedNode(f"{what}: not a number: {value!r}") from error


def as_ints(value: Any, what: str) -> list[int]:
    """A list of numbers, in order. Raises: MalformedNode."""
    if not isinstance(value, list):
        raise MalformedNode(f"{what}: not a list: {value!r}")
    return [as_int(each, what) for each in value]


def as_text(value: Any, what: str) -> str:
    """A string. Raises: MalformedNode."""
    if not isinstance(value, str):
        raise MalformedNode(f"{what}: not a string: {value!r}")
    return value


def as_object(value: Any, what: str) -> dict[str, Any]:
    """A JSON object, or nothing (read as an empty one). Raises: MalformedNode."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedNode(f"{what}: not a JSON object: {value!r}")
    return value


def encode_number(value: int) -> bytes:
    """Plain decimal text, as in `/controller_epoch` and in the offsets of old consumers."""
    return b"%d" % value


def decode_number(data: bytes | None, what: str) -> int:
    """Plain decimal text. Raises: MalformedNode."""
    return as_int(shortened(data).strip(), what)


def shortened(data: bytes | None) -> str:
    """At most the first 80 characters of the data, for messages."""
    return (data or b"").decode("utf-8", "replace")[:80]
