"""Frames, headers and every message at every version: our codec and its slow twin must say the same."""

from dataclasses import fields
from random import Random
from typing import Any

from kproto.codec import decode, encoded
from kproto.connection import ServerConnection
from kproto.errors import WireError
from kproto.schema import Array, Kind, Message, wires
from kproto.testing.strategies import all_messages, versions_of
from kproto.testing.twin import Mark, is_flexible, slow_decode, slow_encode, uvarint
from tools.fuzz import spoiling
from tools.fuzz.batches import batch
from tools.fuzz.runner import Target

MAX_ELEMENTS = 2_000
MAX_FRAME_BYTES = 1 << 20
LENGTHS = {"string": 2, "bytes": 4, "records": 4, "array": 4}
"""Bytes of a length field where the version is not flexible."""

Input = tuple[type[Message], int, bytes]


def targets() -> list[Target]:
    known = sorted(all_messages(), key=lambda cls: cls.__name__)
    spread = [(cls, version) for cls in known for version in versions_of(cls)]
    return [
        Target("messages", lambda chance: message(chance, *chance.choice(spread)), read_message, (WireError,)),
        Target("frames", frame, read_frames, (WireError,)),
    ]


# --- messages


def message(chance: Random, cls: type[Message], version: int) -> Input:
    """One with anything in it, written by the twin, then spoiled where a length stands or anywhere."""
    body, marks = slow_encode(any_message(chance, cls, version), version)
    places = [mark for mark in marks if mark.what in LENGTHS or mark.what == "tags"]
    if places and chance.random() < 0.6:
        mark = chance.choice(places)
        body = body[: mark.start] + _length(chance, cls, version, mark) + body[mark.stop :]
        return cls, version, body if chance.random() < 0.6 else spoiling.spoiled(chance, body, most=2)
    return cls, version, spoiling.spoiled(chance, body)


def _length(chance: Random, cls: type[Message], version: int, mark: Mark) -> bytes:
    if mark.what == "tags":
        tag = uvarint(chance.randrange(4)) + spoiling.varint(chance) + spoiling.some_bytes(chance, 20)
        return chance.choice((spoiling.varint(chance), b"\1" + tag, b"\2" + tag + tag))
    if is_flexible(cls, version):
        return chance.choice((spoiling.varint(chance), uvarint(chance.randrange(40))))
    size = LENGTHS[mark.what]
    return spoiling.number(chance, 8 * size).to_bytes(size, "big", signed=True)


def any_message(chance: Random, kind: Kind, version: int) -> Any:
    match kind:
        case Array(of):
            return [any_message(chance, of, version) for _ in range(chance.choice((0, 1, 1, 2)))]
        case "string":
            return chance.choice(("", "a", "a", "a", "topic-ä", "x" * 130))
        case "records" if chance.random() < 0.5:
            return batch(chance)
        case "bytes" | "records":
            return spoiling.some_bytes(chance, 40)
        case "uuid":
            from uuid import UUID

            return UUID(int=chance.choice((0, 1, chance.getrandbits(128))))
        case "bool":
            return chance.random() < 0.5
        case "float64":
            return chance.choice((0.0, -1.5, 1e300))
        case str() if chance.random() < 0.3:
            return 0  # the first partition, the first offset, no error: what is there
        case str():
            return spoiling.number(chance, int(kind.lstrip("uint")), signed=not kind.startswith("u"))
        case _:
            present = [w for w in wires(kind) if w.is_in(version)]
            values = {w.name: any_message(chance, w.kind, version) for w in present}
            null = {w.name: None for w in present if w.may_be_null(version) and chance.random() < 0.3}
            return kind(**values | null)


def read_message(made: Input) -> None:
    """Both refuse it, or both read the same; what was read can be written again."""
    cls, version, body = made
    twin = _by_twin(cls, version, body)
    try:
        found = decode(cls, version, memoryview(body), max_elements=MAX_ELEMENTS)
    except WireError:
        assert twin is None, f"{cls.__name__} v{version} {body!r}: the codec refuses what its twin reads"
        raise
    assert twin is not None, f"{cls.__name__} v{version} {body!r}: the codec reads what its twin refuses"
    assert encoded(_owned(found), version) == slow_encode(twin, version)[0], (
        f"{cls.__name__} v{version} {body!r}: the codec and its twin read different things"
    )


def _by_twin(cls: type[Message], version: int, body: bytes) -> Message | None:
    try:
        return slow_decode(cls, version, body, max_elements=MAX_ELEMENTS)
    except WireError:
        return None


def _owned(found: Any) -> Any:
    """With bytes in the place of views, as `encoded` wants them."""
    if isinstance(found, memoryview):
        return bytes(found)
    if isinstance(found, list):
        return [_owned(each) for each in found]
    if hasattr(found, "__dataclass_fields__"):
        for each in fields(found):
            setattr(found, each.name, _owned(getattr(found, each.name)))
    return found


# --- frames


def frame(chance: Random) -> bytes:
    """A few requests behind one another, spoiled."""
    whole = b""
    for _ in range(chance.randint(1, 3)):
        key, version = chance.choice((chance.randrange(100), spoiling.number(chance, 16))), chance.randrange(18)
        head = (key & 0xFFFF).to_bytes(2, "big") + version.to_bytes(2, "big") + chance.randbytes(4)
        name = spoiling.some_bytes(chance, 30)
        length = chance.choice((len(name), spoiling.number(chance, 16))).to_bytes(2, "big", signed=True)
        content = head + length + name + chance.choice((b"", b"\0", b"\1\0\3abc", spoiling.varint(chance)))
        whole += len(content).to_bytes(4, "big") + content
    return spoiling.spoiled(chance, whole)


def read_frames(data: bytes) -> None:
    wire, view, start = ServerConnection(MAX_FRAME_BYTES), memoryview(data), 0
    while (request := wire.next_request(view, start, len(data))) is not None:
        assert 0 < request.size <= len(data) - start
        start += request.size
    assert wire.claimed_bytes <= MAX_FRAME_BYTES + 4
