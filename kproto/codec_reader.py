"""Writes the text of a decoder.

The text keeps its position in `p`, the length just read in `n`, and how many elements may still come in `left`. It does
not check each length: a slice past the end is short, the next read past it fails, and one look at the end catches the
rest. Counts are checked before memory is taken. Messages are made without their constructors, which cost more than all
their fields, so every field is set here: as it was read, or to its default where the version does not have it.
"""

import contextlib
import struct
from collections.abc import Iterator
from typing import Any

from kproto.codec_text import RUNS, Text
from kproto.errors import WireError
from kproto.primitives import read_string_length, read_tags, read_uuid, read_uvarint
from kproto.schema import FIXED, ZERO_UUID, Array, Kind, Struct, Wire, wires

SLICES = {"string": 'str(view[p:q], "utf-8", "replace")', "bytes": "bytes(view[p:q])", "records": "view[p:q]"}


class Reader(Text):
    verb = "decode"
    head = "def decode(view, left):"

    def write(self) -> None:
        self.uses("WireError", WireError)
        self.line("end, p = len(view), 0")
        self.struct(self.cls, "m", 1)
        self.stop_if("p > end", "cut off")
        self.line("return m")

    def struct(self, cls: type[Struct], target: str, depth: int) -> None:
        """Make one and read its fields."""
        self.line(f"{target} = {self.uses('new', object.__new__)}({self.uses(cls.__name__, cls)})")
        for w in wires(cls):
            if w.tag is not None or not w.is_in(self.version):
                self.line(f"{target}.{w.name} = {self.default(w)}")
        for w in self.fields(cls, tagged=False):
            self.value(w.kind, f"{target}.{w.name}", w.may_be_null(self.version), depth)
        if self.flexible:
            self.tags(self.fields(cls, tagged=True), target, depth)
        self.flush()

    def tags(self, known: list[Wire], value: str, depth: int) -> None:
        self.fixed("B", "n")
        self.flush()
        with self.block("if n:"):
            spans = f"spans{depth}"
            self.line(f"{spans}, behind{depth} = {self.uses('read_tags', read_tags)}(view, p - 1, left)")
            self.line(f"left -= len({spans})")
            if known:
                with self.block(f"for tag, p, stop{depth} in {spans}:"):
                    for w in known:
                        self.tagged(w, f"{value}.{w.name}", depth)
            self.line(f"p = behind{depth}")

    def tagged(self, w: Wire, target: str, depth: int) -> None:
        with self.block(f"if tag == {w.tag}:"):
            self.value(w.kind, target, w.may_be_null(self.version), depth, in_tag=True)
            self.flush()
            self.stop_if(f"p > stop{depth}", f"{w.name} is longer than its tag says")

    def value(self, kind: Kind, target: str, null: bool, depth: int, in_tag: bool = False) -> None:
        match kind:
            case Array(of):
                self.length("i", "read_uvarint")
                if not null:
                    self.stop_if("n < 0", f"{plain(target)} is null")
                self.line(f"{target} = None if n < 0 else []" if null else f"{target} = []")
                with self.block("if n > 0:"):
                    self.stop_if("n > end - p or n > left", f"too many elements in {plain(target)}")
                    self.line("left -= n")
                    self.elements(of, target, depth)
            case "string" | "bytes" | "records":
                code, read = ("h", "read_string_length") if kind == "string" else ("i", "read_uvarint")
                self.length(code, read)
                with self.unless_null(target, null):
                    self.line("q = p + n")
                    self.line(f"{target} = {SLICES[kind]}")
                    self.line("p = q")
            case str():
                self.fixed(FIXED[kind], target)
            case _ if null:
                self.fixed("B" if in_tag else "b", "n")
                self.flush()
                self.line(f"{target} = None")
                with self.block("if n:" if in_tag else "if n >= 0:"):
                    self.inner(kind, target, depth + 1)
            case _:
                self.inner(kind, target, depth + 1)

    def inner(self, kind: type[Struct], target: str, depth: int) -> None:
        self.struct(kind, f"m{depth}", depth)
        self.line(f"{target} = m{depth}")

    def length(self, code: str, read: str) -> None:
        """Read a length or a count into `n`; below zero is null."""
        self.fixed("B" if self.flexible else code, "n")
        self.flush()
        if self.flexible:
            with self.block("if n > 127:"):
                self.line(f"n, p = {self.uses(read, LENGTHS[read])}(view, p - 1)")
            self.line("n -= 1")

    @contextlib.contextmanager
    def unless_null(self, target: str, null: bool) -> Iterator[None]:
        if null:
            self.line(f"{target} = None")
            with self.block("if n >= 0:"):
                yield
        else:
            self.stop_if("n < 0", f"{plain(target)} is null")
            yield

    def elements(self, of: str | type[Struct], target: str, depth: int) -> None:
        if isinstance(of, str) and of in RUNS:
            self.line(f"{target} = list({self.uses(f'RUN_{of}', RUNS[of])}[n].unpack_from(view, p))")
            self.line(f"p += n * {struct.calcsize('>' + FIXED[of])}")
            return
        with self.block("for _ in range(n):"):
            element = f"m{depth + 1}"
            if isinstance(of, str):
                self.value(of, element, False, depth)
                self.flush()
            else:
                self.struct(of, element, depth + 1)
            self.line(f"{target}.append({element})")

    def flush(self) -> None:
        """Read all that waits, in one call."""
        codes, fields = self.take_waiting()
        if not codes:
            return
        targets = ", ".join(target for _, target in fields)
        if codes == "B":
            self.line(f"{targets} = view[p]")
        else:
            unpack = self.uses(f"unpack_{codes.replace('?', 'o')}", struct.Struct(">" + codes).unpack_from)
            self.line(f"{targets}{',' if len(fields) == 1 else ''} = {unpack}(view, p)")
        self.line(f"p += {struct.calcsize('>' + codes)}")
        for code, target in fields:
            if code == FIXED["uuid"]:
                self.line(f"{target} = {self.uses('read_uuid', read_uuid)}({target})")

    def stop_if(self, condition: str, reason: str) -> None:
        with self.block(f"if {condition}:"):
            self.line(f"raise WireError({reason!r})")

    def default(self, w: Wire) -> str:
        match w.default:
            case type():
                return "[]" if w.default is list else f"{self.uses(w.default.__name__, w.default)}()"
            case value if value is ZERO_UUID:
                return self.uses("ZERO_UUID", ZERO_UUID)
            case value:
                return repr(value)


LENGTHS: dict[str, Any] = {"read_uvarint": read_uvarint, "read_string_length": read_string_length}


def plain(target: str) -> str:
    """The name of the field again."""
    return target.rpartition(".")[2]
