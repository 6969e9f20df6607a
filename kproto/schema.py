"""How a message is declared: one class for all its versions, with ranges on its fields.

`@message` and `@struct` make stock slotted dataclasses; `wire(...)` says how a field travels. `codec.py` turns
them into straight-line Python; mypy sees plain classes with plain types, and every field has Kafka's default.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeAlias, TypeVar, dataclass_transform
from uuid import UUID

from kproto.api_keys import ApiKey

T = TypeVar("T")

ZERO_UUID = UUID(int=0)

FIXED = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint16": "H",
    "uint32": "I",
    "float64": "d",
    "uuid": "16s",
}
"""Types of fixed width, with the letter that `struct` has for them."""


class Array(NamedTuple):
    """A counted run of elements; arrays of arrays do not exist."""

    of: "str | type[Struct]"


Records: TypeAlias = Any
"""A `records` field: a memoryview of the frame after decoding, or None. For encoding anything that has a length: plain
`bytes` are joined with their neighbours, anything else becomes a piece of its own."""

Kind: TypeAlias = "str | type[Struct] | Array"
"""A primitive by Kafka's name (the keys of FIXED, `string`, `bytes`, `records`), a struct, or an array of either."""


def array(of: "str | type[Struct]") -> Array:
    return Array(of)


class Struct:
    """What every declared class is: a run of fields, in place inside a message.

    It compares and shows itself here, once for all: were these methods written for each class, as dataclasses have it,
    the first use of an API would take twice as long.
    """

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class Message(Struct):
    """A struct that travels by itself."""

    __slots__ = ()
    API_KEY: ClassVar[ApiKey | None]
    """None for what is not a request or a response: records of internal topics, consumer protocol, markers."""
    VERSIONS: ClassVar[tuple[int, int]]
    """Lowest and highest version of all releases together."""
    FLEXIBLE: ClassVar[int | None]
    """First version with compact lengths and tagged fields (KIP-482)."""
    RECORD_TYPE: ClassVar[int | None]
    """For the key of a record in an internal topic: the number that stands before it and names its type."""


class Wire(NamedTuple):
    """How one field travels; versions are those of the message it is in."""

    name: str
    kind: Kind
    since: int
    until: int | None
    nullable: tuple[int, int | None] | None
    tag: int | None
    default: Any
    """The value itself, or a class (`list`, a struct) that makes it."""

    def is_in(self, version: int) -> bool:
        return self.since <= version and (self.until is None or version <= self.until)

    def may_be_null(self, version: int) -> bool:
        if self.nullable is None:
            return False
        first, last = self.nullable
        return first <= version and (last is None or version <= last)


_KAFKAS = object()
_ZEROES: dict[str, Any] = {
    "bool": False,
    "float64": 0.0,
    "string": "",
    "bytes": b"",
    "records": None,
    "uuid": ZERO_UUID,
}


def wire(
    kind: Kind,
    *,
    since: int = 0,
    until: int | None = None,
    nullable: int | tuple[int, int] | None = None,
    tag: int | None = None,
    default: Any = _KAFKAS,
) -> Any:
    """A field of a message.

    Args:
        since, until: the versions that have it, both inclusive. Other versions neither write it nor read it.
        nullable: the first version in which it may be None, or the first and the last.
        tag: number of a tagged field; written only if it differs from the default.
        default: where it is not zero, empty, or a struct of defaults. A tagged struct that is not nullable is None
            until somebody sets it: "not sent".
    """
    if default is _KAFKAS:
        default = _default_of(kind, tagged=tag is not None and nullable is None)
    span = (nullable, None) if isinstance(nullable, int) else nullable
    metadata = {"wire": ("", kind, since, until, span, tag, default)}
    if isinstance(default, type):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def _default_of(kind: Kind, tagged: bool) -> Any:
    if isinstance(kind, Array):
        return list
    if isinstance(kind, type):
        return None if tagged else kind
    return _ZEROES.get(kind, 0)


@dataclass_transform()
def struct(cls: type[T]) -> type[T]:
    """A run of fields that is only ever part of a message."""
    cls.__doc__ = cls.__doc__ or cls.__name__  # where a dataclass would write its signature, which takes long
    return dataclasses.dataclass(slots=True, match_args=False, eq=False, repr=False)(cls)


@dataclass_transform()
def message(
    api_key: ApiKey | None = None,
    *,
    versions: tuple[int, int],
    flexible: int | None = None,
    record_type: int | None = None,
) -> Callable[[type[T]], type[T]]:
    """A message with its key, all versions ever published (both inclusive), and the first flexible one."""

    def declare(cls: type[T]) -> type[T]:
        made: Any = struct(cls)
        made.API_KEY, made.VERSIONS = api_key, versions
        made.FLEXIBLE, made.RECORD_TYPE = flexible, record_type
        return made  # type: ignore[no-any-return]

    return declare


def wires(cls: type[Struct]) -> list[Wire]:
    """All fields of a declared class, in the order of the wire and of its constructor."""
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    return [Wire(field.name, *field.metadata["wire"][1:]) for field in fields]
