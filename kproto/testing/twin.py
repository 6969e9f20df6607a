"""The twin: a slow, obvious codec that the compiled one is compared with.

It walks the declaration field by field, checks every length at once and knows no shortcut. It also notes where each
length, count and tag buffer stands, so that tests can put nonsense there.
"""

import struct
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from kproto.errors import WireError
from kproto.schema import FIXED, Array, Kind, Message, Struct, Wire, wires

M = TypeVar("M", bound=Message)


@dataclass
class Mark:
    """Where something stands in what was written."""

    what: str
    """`string`, `bytes`, `records`, `array` (their length), `tags` (their count), `bool`, `uuid` or `text`."""
    start: int
    stop: int
    nullable: bool
    in_tag: bool


@dataclass
class SlowWriter:
    version: int
    flexible: bool
    out: bytearray = field(default_factory=bytearray)
    marks: list[Mark] = field(default_factory=list)
    in_tag: bool = False

    def struct(self, value: Struct) -> None:
        tagged = []
        for w in wires(type(value)):
            if w.is_in(self.version):
                if w.tag is None:
                    self.value(w.kind, getattr(value, w.name), w.may_be_null(self.version))
                elif getattr(value, w.name) != default_of(w) and not is_all_default(w, getattr(value, w.name)):
                    tagged.append(w)
        if self.flexible:
            self.tags(value, sorted(tagged, key=lambda w: w.tag or 0))

    def tags(self, value: Struct, tagged: list[Wire]) -> None:
        self.mark("tags", uvarint(len(tagged)))
        for w in tagged:
            content = SlowWriter(self.version, self.flexible, in_tag=True)
            kind = w.kind
            if isinstance(kind, type) and w.may_be_null(self.version):
                content.out += b"\0" if getattr(value, w.name) is None else b"\1"
                if getattr(value, w.name) is not None:
                    content.struct(getattr(value, w.name))
            else:
                content.value(kind, getattr(value, w.name), w.may_be_null(self.version))
            self.out += uvarint(w.tag or 0) + uvarint(len(content.out))
            base = len(self.out)
            self.marks += (Mark(m.what, m.start + base, m.stop + base, m.nullable, True) for m in content.marks)
            self.out += content.out

    def value(self, kind: Kind, value: Any, nullable: bool) -> None:
        match kind:
            case Array(of):
                self.length("array", "i", value, nullable)
                for element in value or []:
                    self.value(of, element, False)
            case "string":
                text = None if value is None else value.encode()
                self.length("string", "h", text, nullable)
                self.mark("text", text or b"")
            case "bytes" | "records":
                self.length(kind, "i", value, nullable)
                self.out += b"" if value is None else value
            case "uuid":
                self.mark("uuid", value.bytes)
            case "bool":
                self.mark("bool", b"\1" if value else b"\0")
            case str():
                self.out += struct.pack(">" + FIXED[kind], value)
            case _:
                if nullable:
                    self.out += b"\xff" if value is None else b"\1"
                if value is not None:
                    self.struct(value)

    def length(self, what: str, code: str, value: Any, nullable: bool) -> None:
        if self.flexible:
            self.mark(what, uvarint(0 if value is None else len(value) + 1), nullable)
        else:
            self.mark(what, struct.pack(">" + code, -1 if value is None else len(value)), nullable)

    def mark(self, what: str, data: bytes, nullable: bool = False) -> None:
        self.marks.append(Mark(what, len(self.out), len(self.out) + len(data), nullable, self.in_tag))
        self.out += data


@dataclass
class SlowReader:
    version: int
    flexible: bool
    data: bytes
    budget: list[int]
    """Elements still allowed; shared with the readers of tagged fields."""
    position: int = 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.position + size > len(self.data):
            raise WireError(f"{size} bytes at {self.position} of {len(self.data)}")
        self.position += size
        return self.data[self.position - size : self.position]

    def fixed(self, code: str) -> Any:
        return struct.unpack(">" + code, self.take(struct.calcsize(">" + code)))[0]

    def uvarint(self) -> int:
        value = 0
        for place in range(5):
            byte = self.take(1)[0]
            value += (byte & 127) << 7 * place
            if byte < 128:
                return value % 2**32
        raise WireError("varint of more than 5 bytes")

    def spend(self, count: int) -> None:
        if count > self.budget[0]:
            raise WireError("too many elements")
        self.budget[0] -= count

    def struct(self, cls: type[Struct]) -> Any:
        values = {}
        for w in wires(cls):
            if w.is_in(self.version) and w.tag is None:
                values[w.name] = self.value(w.kind, w.may_be_null(self.version))
        if self.flexible:
            values |= self.tags({w.tag: w for w in wires(cls) if w.is_in(self.version) and w.tag is not None})
        return cls(**values)

    def tags(self, known: dict[int | None, Wire]) -> dict[str, Any]:
        values = {}
        count = self.uvarint()
        self.spend(count)
        for _ in range(count):
            tag, size = self.uvarint(), self.uvarint()
            content = SlowReader(self.version, self.flexible, self.take(size), self.budget)
            if w := known.get(tag):
                if isinstance(w.kind, type) and w.may_be_null(self.version):
                    values[w.name] = content.struct(w.kind) if content.take(1)[0] else None
                else:
                    values[w.name] = content.value(w.kind, w.may_be_null(self.version))
        return values

    def value(self, kind: Kind, nullable: bool) -> Any:
        match kind:
            case Array(of):
                count = self.length("i", nullable)
                if count is None:
                    return None
                if count > len(self.data) - self.position:
                    raise WireError("more elements than bytes")
                self.spend(count)
                return [self.value(of, False) for _ in range(count)]
            case "string":
                size = self.length("h", nullable)
                if size is not None and size > 32_767:
                    raise WireError("string too long")
                return None if size is None else self.take(size).decode(errors="replace")
            case "bytes" | "records":
                size = self.length("i", nullable)
                return None if size is None else self.take(size)
            case "uuid":
                return UUID(bytes=self.take(16))
            case str():
                return self.fixed(FIXED[kind])
            case _:
                return None if nullable and self.fixed("b") < 0 else self.struct(kind)

    def length(self, code: str, nullable: bool) -> int | None:
        size: int = self.uvarint() - 1 if self.flexible else self.fixed(code)
        if size >= 0:
            return size
        if not nullable:
            raise WireError("null where nothing may be null")
        return None


def uvarint(value: int) -> bytes:
    groups = [value >> shift & 127 for shift in range(0, 35, 7)]
    while len(groups) > 1 and not groups[-1]:
        groups.pop()
    return bytes([*(group | 128 for group in groups[:-1]), groups[-1]])


def default_of(w: Wire) -> Any:
    return w.default() if isinstance(w.default, type) else w.default


def is_all_default(w: Wire, value: Any) -> bool:
    """A tagged struct that somebody set, to what it would be anyway."""
    return isinstance(w.kind, type) and w.default is None and value == w.kind()


def is_flexible(cls: type[Message], version: int) -> bool:
    return cls.FLEXIBLE is not None and version >= cls.FLEXIBLE


def slow_encode(message: Message, version: int) -> tuple[bytes, list[Mark]]:
    """The body, and where its parts stand."""
    writer = SlowWriter(version, is_flexible(type(message), version))
    writer.struct(message)
    return bytes(writer.out), writer.marks


def slow_decode(cls: type[M], version: int, data: bytes, *, max_elements: int = 1_000_000) -> M:
    """Raises: WireError."""
    read: M = SlowReader(version, is_flexible(cls, version), data, [max_elements]).struct(cls)
    return read
