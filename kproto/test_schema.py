"""Declarations: what `wire` makes of itself, and that no field can clash with a name of the generated text."""

import dataclasses
import subprocess
import sys
from uuid import UUID

from kproto.messages.fetch import FetchRequest
from kproto.messages.metadata import MetadataRequest
from kproto.messages.produce import ProduceRequest
from kproto.schema import ZERO_UUID, Array, Message, Struct, array, message, struct, wire, wires
from kproto.testing.strategies import all_messages

LOCAL_NAMES = {
    "a",
    "behind",
    "element",
    "end",
    "foreign",
    "left",
    "m",
    "n",
    "out",
    "p",
    "q",
    "r",
    "s",
    "spans",
    "stop",
    "tag",
    "view",
}


@struct
class Part(Struct):
    number: int = wire("int32", default=-1)


@struct
class Piece(Struct):
    number: int = wire("int32", default=-1)
    parts: list[Part] = wire(array(Part))


@message(versions=(0, 5), flexible=2)
class Whole(Message):
    name: str = wire("string")
    id: UUID = wire("uuid", since=1)
    part: Part = wire(Part)
    parts: list[Part] | None = wire(array(Part), nullable=3)
    sent: Part | None = wire(Part, since=2, tag=0)
    only_once_null: str | None = wire("string", nullable=(1, 2))


def test_every_field_has_kafkas_default() -> None:
    assert Whole() == Whole("", ZERO_UUID, Part(-1), [], None, "")
    assert Whole().parts is not Whole().parts


def test_messages_are_equal_if_their_class_and_all_their_fields_are() -> None:
    assert Part(1) == Part(1)
    assert Part(1) != Part(2)
    assert Part(1) != Piece(1)
    assert Whole(parts=[Part(1)]) == Whole(parts=[Part(1)])
    assert Whole(parts=[Part(1)]) != Whole(parts=[Part(2)])


def test_a_message_shows_its_fields_by_name() -> None:
    assert repr(Piece(3, [Part(7)])) == "Piece(number=3, parts=[Part(number=7)])"


def test_a_field_knows_its_versions() -> None:
    by_name = {w.name: w for w in wires(Whole)}
    assert [by_name["id"].is_in(version) for version in (0, 1, 5)] == [False, True, True]
    assert [by_name["parts"].may_be_null(version) for version in (2, 3, 5)] == [False, True, True]
    assert [by_name["only_once_null"].may_be_null(version) for version in (0, 1, 2, 3)] == [False, True, True, False]


def test_messages_are_slotted_dataclasses() -> None:
    assert dataclasses.is_dataclass(ProduceRequest)
    assert not hasattr(ProduceRequest(), "__dict__")
    assert MetadataRequest().topics == []
    assert FetchRequest().replica_state is None


def test_no_field_has_a_name_that_the_generated_text_uses() -> None:
    def names(cls: type[Struct]) -> set[str]:
        found = set()
        for w in wires(cls):
            found.add(w.name)
            kind = w.kind.of if isinstance(w.kind, Array) else w.kind
            if isinstance(kind, type):
                found |= names(kind)
        return found

    every = set().union(*(names(cls) for cls in all_messages()))
    assert not every & LOCAL_NAMES
    assert not [name for name in every if name[-1].isdigit()], "digits mark the depth"


def test_the_codec_imports_no_message_and_nothing_slow() -> None:
    """Message files are imported at the first request of their API: performance.md, rule 14."""
    code = "import sys, kproto.connection; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if name.startswith(("kproto.messages", "kproto.testing", "trio", "hypothesis"))]
