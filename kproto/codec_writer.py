"""Writes the text of an encoder: expressions that give bytes, in one `out += ...` up to the next loop or choice.

Evaluation runs from left to right, so a length may bind a name (`len(s := m.group_id.encode())`) that the next
expression sends.
"""

import struct

from kproto.codec_text import RUNS, Text
from kproto.primitives import UVARINTS, write_tags
from kproto.schema import FIXED, Array, Kind, Struct, Wire


class Writer(Text):
    verb = "encode"
    head = "def encode(m, out):"

    def write(self) -> None:
        self._parts: list[str] = []
        self._foreign = "()"
        self.struct(self.cls, "m", 1)
        self.send()
        if self._foreign != "()":
            self._lines.insert(1, f"    {self._foreign} = []")
        self.line(f"return {self._foreign}")

    def struct(self, cls: type[Struct], value: str, depth: int) -> None:
        for w in self.fields(cls, tagged=False):
            self.value(w.kind, f"{value}.{w.name}", w.may_be_null(self.version), depth)
        if self.flexible:
            self.tags(self.fields(cls, tagged=True), value, depth)

    def tags(self, known: list[Wire], value: str, depth: int) -> None:
        if not known:
            self.fixed("x", "")
            return
        self.send()
        tags, outer = f"tags{depth}", f"out{depth}"
        self.line(f"{tags} = ()")
        for w in known:
            with self.block(f"if {self.differs(w, f'{value}.{w.name}')}:"):
                self.line(f"{outer}, out = out, []")
                self.value(w.kind, f"{value}.{w.name}", w.may_be_null(self.version), depth, in_tag=True)
                self.send()
                self.line(f"{tags} += (({w.tag}, out),)")
                self.line(f"out = {outer}")
        self.part(f"{self.uses('write_tags', write_tags)}({tags}) if {tags} else b'\\x00'")

    def differs(self, w: Wire, value: str) -> str:
        """Whether a tagged field is to be sent."""
        if w.default is None:
            is_struct = isinstance(w.kind, type)
            return f"{value} is not None" + (f" and {value} != {self.made(w.kind)}" if is_struct else "")
        if w.kind == "uuid":
            return f"{value}.int"
        if isinstance(w.default, type):
            return f"{value} != " + ("[]" if w.default is list else self.made(w.default))
        return f"{value} != {w.default!r}"

    def made(self, kind: Kind) -> str:
        assert isinstance(kind, type)
        return f"{self.uses(kind.__name__, kind)}()"

    def value(self, kind: Kind, value: str, null: bool, depth: int, in_tag: bool = False) -> None:
        match kind:
            case Array(of):
                self.length("i", "a", value, null)
                self.elements(of, null, depth)
            case "string":
                self.length("h", "s", value, null, encoded=True)
                self.part("s or b''" if null else "s")
            case "bytes":
                self.length("i", "s", value, null)
                self.part("s or b''" if null else "s")
            case "records":
                self.length("i", "r", value, null)
                self.records()
            case "uuid":
                self.fixed("16s", f"{value}.bytes")
            case str():
                self.fixed(FIXED[kind], value)
            case _ if null:
                inner = f"m{depth + 1}"
                absent = "0" if in_tag else "-1"
                self.fixed("b", f"{absent} if ({inner} := {value}) is None else 1")
                self.send()
                with self.block(f"if {inner} is not None:"):
                    self.struct(kind, inner, depth + 1)
                    self.send()
            case _:
                self.struct(kind, value, depth + 1)

    def length(self, code: str, name: str, value: str, null: bool, encoded: bool = False) -> None:
        """Bind `name` to the value (a string to its UTF-8) and write its length."""
        extra = " + 1" if self.flexible else ""
        length = f"len({name} := {value}{'.encode()' if encoded else ''}){extra}"
        if null:
            again = f"len({name} := {name}.encode())" if encoded else f"len({name})"
            length = f"{0 if self.flexible else -1} if ({name} := {value}) is None else {again}{extra}"
        if self.flexible:
            self.part(f"{self.uses('UVARINT', UVARINTS)}[{length}]")
        else:
            self.fixed(code, length)

    def elements(self, of: str | type[Struct], null: bool, depth: int) -> None:
        if isinstance(of, str) and of in RUNS:
            run = f"{self.uses(f'RUN_{of}', RUNS[of])}[len(a)].pack(*a)"
            self.part(f"{run} if a else b''" if null else run)
            return
        self.send()
        element = f"m{depth + 1}"
        with self.block(f"for {element} in a or ():" if null else f"for {element} in a:"):
            if isinstance(of, str):
                self.value(of, element, False, depth)
            else:
                self.struct(of, element, depth + 1)
            self.send()

    def records(self) -> None:
        """`r` as a part of its own, and its place noted unless it can be joined."""
        self._foreign = "foreign"
        self.send()
        with self.block("if type(r) is bytes:"):
            self.line("out.append(r)")
        with self.block("elif r is not None:"):
            self.line("foreign.append(len(out))")
            self.line("out.append(r)")

    def part(self, expression: str) -> None:
        self.flush()
        self._parts.append(expression)

    def flush(self) -> None:
        """One part of all that waits."""
        codes, fields = self.take_waiting()
        if codes.strip("x"):
            pack = self.uses(f"pack_{codes.replace('?', 'o')}", struct.Struct(">" + codes).pack)
            self._parts.append(f"{pack}({', '.join(value for _, value in fields if value)})")
        elif codes:
            self._parts.append(repr(bytes(len(codes))))

    def send(self) -> None:
        """Let the text append all parts that it has so far."""
        self.flush()
        if len(self._parts) == 1:
            self.line(f"out.append({self._parts[0]})")
        elif self._parts:
            self.line(f"out += {', '.join(self._parts)}")
        self._parts = []
