"""Text of one generated function, line by line; the base of `codec_reader.py` and `codec_writer.py`."""

import contextlib
from collections.abc import Iterator
from typing import Any

from kproto.errors import WireError
from kproto.primitives import Runs
from kproto.schema import FIXED, Message, Struct, Wire, wires

RUNS = {kind: Runs(FIXED[kind]) for kind in ("int8", "int16", "int32", "int64")}
"""Integers that are packed and unpacked a whole array at once."""


class Text:
    """A function under way: its lines, the names it uses, and fixed-width fields that wait for their neighbours."""

    verb = ""
    head = ""

    def __init__(self, cls: type[Message], version: int) -> None:
        lowest, highest = cls.VERSIONS
        if not lowest <= version <= highest:
            raise WireError(f"versions {lowest} to {highest} are known, not {version}")
        self.cls = cls
        self.version = version
        self.flexible = cls.FLEXIBLE is not None and version >= cls.FLEXIBLE
        self.names: dict[str, Any] = {}
        self._lines = [self.head]
        self._indent = 1
        self._waiting: list[tuple[str, str]] = []
        self.write()

    def write(self) -> None:
        """All lines after the first."""
        raise AssertionError("a Text is a Reader or a Writer")

    @property
    def source(self) -> str:
        return "\n".join([*self._lines, ""])

    def line(self, text: str) -> None:
        self._lines.append("    " * self._indent + text)

    @contextlib.contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is written inside stands under `head`, one step to the right."""
        self.line(head)
        self._indent += 1
        yield
        self._indent -= 1

    def uses(self, name: str, value: Any) -> str:
        """Let the text know `value` by that name."""
        self.names[name] = value
        return name

    def fixed(self, code: str, name: str) -> None:
        """A field of fixed width, by its letter in `struct`, that joins its neighbours."""
        self._waiting.append((code, name))

    def take_waiting(self) -> tuple[str, list[tuple[str, str]]]:
        """The letters of all that waits, and (letter, name) of each."""
        waiting, self._waiting = self._waiting, []
        return "".join(code for code, _ in waiting), waiting

    def fields(self, cls: type[Struct], *, tagged: bool) -> list[Wire]:
        """The fields that this version has, tagged ones by their number."""
        found = [w for w in wires(cls) if w.is_in(self.version) and (w.tag is not None) == tagged]
        return sorted(found, key=lambda w: w.tag or 0)
