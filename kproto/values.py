"""Values: classes that hold fields, compare by them, and are never changed."""

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots, equality and a hash, whose fields the type checker lets nobody set.

    `dataclass(frozen=True)` looks after that at run time as well. It writes and compiles six methods for each class,
    which is four times the work, and a start makes some eighty of them; here that is done for the constructor only.
    """
    made: Any = cls
    made.__doc__ = cls.__doc__ or cls.__name__  # where a dataclass would write its signature, which takes long
    made.__eq__, made.__hash__, made.__repr__ = _equal, _hash, _repr
    return dataclass(slots=True, eq=False, repr=False)(cls)


def _equal(one: Any, other: Any) -> bool:
    return other.__class__ is one.__class__ and _fields(one) == _fields(other)


def _hash(one: Any) -> int:
    return hash(_fields(one))


def _repr(one: Any) -> str:
    shown = (f"{each.name}={getattr(one, each.name)!r}" for each in fields(one))
    return f"{type(one).__qualname__}({', '.join(shown)})"


def _fields(one: Any) -> tuple[object, ...]:
    return tuple(getattr(one, each.name) for each in fields(one))
