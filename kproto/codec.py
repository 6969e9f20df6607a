"""Bytes <-> messages. One reader and one writer per message and version, compiled from its declaration when first used.

The text that `codec_reader.py` and `codec_writer.py` write is flat: neighbours of fixed width share one precompiled
`struct.Struct`, together with the length that follows them, and an empty tag buffer is one more zero byte of theirs. It
stands in `linecache`, so a traceback shows its lines; `python -m kproto show Heartbeat 4` prints it. Here is the only
`exec` of the repository.
"""

import linecache
import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from kproto.codec_reader import Reader
from kproto.codec_text import Text
from kproto.codec_writer import Writer
from kproto.errors import WireError
from kproto.schema import Message

M = TypeVar("M", bound=Message)

Piece: TypeAlias = Any
"""bytes, or what somebody put into a `records` field: anything with a length that the transport can send."""

MAX_ELEMENTS = 1_000_000


def encode(message: Message, version: int) -> list[Piece]:
    """The body as pieces: bytes, joined where they meet; `records` that are not plain `bytes` stand as themselves."""
    parts: list[Piece] = []
    foreign = ENCODERS[type(message), version](message, parts)
    return joined(parts, foreign)


def encoded(message: Message, version: int) -> bytes:
    """The body in one, copied together; for records of internal topics and for tests."""
    parts: list[Piece] = []
    ENCODERS[type(message), version](message, parts)
    return b"".join(parts)


def decode(cls: type[M], version: int, view: memoryview, *, max_elements: int = MAX_ELEMENTS) -> M:
    """Read a body. Bytes left over are ignored; `records` fields are views of `view`.

    Args:
        max_elements: array elements and tagged fields that the whole message may have.
    Raises: WireError: cut off, null where nothing may be null, a length or a count that cannot be, too many elements.
    """
    try:
        message: M = DECODERS[cls, version](view, max_elements)
    except WireError as wrong:
        raise WireError(f"{cls.__name__} v{version}: {wrong}") from None
    except (struct.error, IndexError):
        raise WireError(f"{cls.__name__} v{version}: cut off") from None
    return message


def joined(parts: list[Piece], foreign: Sequence[int]) -> list[Piece]:
    """Neighbours joined; the parts at the indexes `foreign` stand alone."""
    if not foreign:
        return [b"".join(parts)]
    pieces: list[Piece] = []
    start = 0
    for place in foreign:
        if start < place:
            pieces.append(b"".join(parts[start:place]))
        pieces.append(parts[place])
        start = place + 1
    if start < len(parts):
        pieces.append(b"".join(parts[start:]))
    return pieces


class Compiled(dict[tuple[type[Message], int], Callable[..., Any]]):
    """Functions by message class and version, each made when it is first asked for."""

    def __init__(self, text: type[Text]) -> None:
        super().__init__()
        self._text = text

    def __missing__(self, key: tuple[type[Message], int]) -> Callable[..., Any]:
        cls, version = key
        self[key] = made = compiled(self._text(cls, version))
        return made


def compiled(text: Text) -> Callable[..., Any]:
    """Make a function of its text."""
    name = f"<kproto {text.verb} {text.cls.__name__} v{text.version}>"
    linecache.cache[name] = (len(text.source), None, text.source.splitlines(keepends=True), name)
    namespace = dict(text.names)
    exec(compile(text.source, name, "exec"), namespace)
    made: Callable[..., Any] = namespace[text.verb]
    return made


ENCODERS = Compiled(Writer)
"""Each takes a message and a list, appends its parts there, and returns the indexes of those that are not `bytes`."""
DECODERS = Compiled(Reader)
"""Each takes a view and how many elements there may be, and returns the message."""
