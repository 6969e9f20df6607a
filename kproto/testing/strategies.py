"""Messages for tests: any one that a version can carry (Hypothesis), and one with something in every field."""

import functools
import importlib
import itertools
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast
from uuid import UUID

from hypothesis import strategies as st

import kproto.messages
from kproto.schema import Array, Kind, Message, wires
from kproto.testing.twin import default_of

M = TypeVar("M", bound=Message)
F = TypeVar("F", bound=Callable[..., Any])


def remembered(function: F) -> F:
    """As functools.cache, but known to mypy, which thinks our classes as unhashable as their objects."""
    return cast(F, functools.cache(function))


def values(kind: Kind, version: int, nullable: bool = False) -> st.SearchStrategy[Any]:
    """Any value of a kind; the fields that a version lacks keep their defaults."""
    return st.none() | _values(kind, version) if nullable else _values(kind, version)


def _values(kind: Kind, version: int) -> st.SearchStrategy[Any]:
    match kind:
        case Array(of):
            return st.lists(values(of, version), max_size=3)
        case "string":
            return st.text(max_size=12) | st.just("x" * 200)
        case "bytes" | "records":
            return st.binary(max_size=12) | st.just(b"x" * 200)
        case "uuid":
            return st.uuids(allow_nil=True)
        case "bool":
            return st.booleans()
        case "float64":
            return st.floats(allow_nan=False)
        case "uint16" | "uint32":
            return st.integers(0, 2 ** int(kind[4:]) - 1)
        case str():
            half = 2 ** (int(kind[3:]) - 1)
            return st.integers(-half, half - 1)
        case _:
            return messages(kind, version)


@remembered
def messages(cls: type[Any], version: int) -> st.SearchStrategy[Any]:
    """Any message (or struct) as that version can carry it."""
    fields = {}
    for w in wires(cls):
        if w.is_in(version):
            fields[w.name] = values(w.kind, version, nullable=w.may_be_null(version))
            if w.tag is not None:
                fields[w.name] |= st.builds(default_of, st.just(w))
    return st.builds(cls, **fields)


def filled(cls: type[M], version: int) -> M:
    """A message with something in every field that the version has: one element, one byte, one letter."""
    made: M = _filled(cls, version)
    return made


def _filled(kind: Any, version: int) -> Any:
    match kind:
        case Array(of):
            return [_filled(of, version)]
        case "string":
            return "a"
        case "bytes" | "records":
            return b"a"
        case "uuid":
            return UUID(int=1)
        case "bool":
            return True
        case str():
            return 1
        case _:
            return kind(**{w.name: _filled(w.kind, version) for w in wires(kind) if w.is_in(version)})


def numbered(cls: type[M], version: int) -> M:
    """A message with another value in every field that the version has, two elements in each array.

    All numbers lie between 1 and 100, where they may also be error codes, durations and times.
    """
    numbers = itertools.cycle(range(1, 101))
    made: M = _numbered(cls, version, numbers)
    return made


def _numbered(kind: Any, version: int, numbers: Iterator[int]) -> Any:
    match kind:
        case Array(of):
            return [_numbered(of, version, numbers), _numbered(of, version, numbers)]
        case "string":
            return f"s{next(numbers)}"
        case "bytes" | "records":
            return b"b%d" % next(numbers)
        case "uuid":
            return UUID(int=next(numbers))
        case "bool":
            return next(numbers) % 2 == 0
        case str():
            return next(numbers)
        case _:
            fields = [w for w in wires(kind) if w.is_in(version)]
            return kind(**{w.name: _numbered(w.kind, version, numbers) for w in fields})


def all_messages() -> Iterator[type[Message]]:
    """Every declared class: requests, responses, and what has a file of its own beside them."""
    for module in pkgutil.iter_modules(kproto.messages.__path__, "kproto.messages."):
        for found in vars(importlib.import_module(module.name)).values():
            if isinstance(found, type) and issubclass(found, Message) and found is not Message:
                yield found


def versions_of(cls: type[Message]) -> range:
    """Every version of all releases together."""
    lowest, highest = cls.VERSIONS
    return range(lowest, highest + 1)
