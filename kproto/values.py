"""Values: classes that hold fields, compare by them, and are never changed."""

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, cast, dataclass_transform

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
    made = dataclass(slots=True, eq=False, repr=False)(cls)
    names = [each.name for each in fields(made)]
    made._values = attrgetter(*names) if names else staticmethod(_nothing)
    return cast(type[T], made)


def _equal(one: Any, other: Any) -> bool:
    return other.__class__ is one.__class__ and bool(one._values(one) == other._values(other))


def _hash(one: Any) -> int:
    return hash(one._values(one))


def _repr(one: Any) -> str:
    shown = (f"{each.name}={getattr(one, each.name)!r}" for each in fields(one))
    return f"{type(one).__qualname__}({', '.join(shown)})"


def _nothing(one: Any) -> None:
    """The values of what has no fields."""
