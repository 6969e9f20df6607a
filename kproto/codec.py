"""Bytes <-> messages. One reader and one writer per message and version, compiled from its declaration when first used.

The text that `codec_reader.py` and `codec_writer.py` write is flat: neighbours of fixed width share one precompiled
`struct.Struct`, together with the length that follows them, and an empty tag buffer is one more zero byte of theirs. It
stands in `linecache`, so a traceback shows its lines; `python -m kproto show Heartbeat 4` prints it. Here is the only
`exec` of the repository.
"""

import functools
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
    foreign = encoder(type(message), version)(message, parts)
    return joined(parts, foreign)


def encoded(message: Message, version: int) -> bytes:
    """The body in one, copied together; for records of internal topics and for tests."""
    parts: list[Piece] = []
    encoder(type(message), version)(message, parts)
    return b"".join(parts)


def decode(cls: type[M], version: int, view: memoryview, *, max_elements: int = MAX_ELEMENTS) -> M:
    """Read a body. Bytes left over are ignored; `records` fields are views of `view`.

    Args:
        max_elements: array elements and tagged fields that the whole message may have.
    Raises: WireError: cut off, null where nothing may be null, a length or a count that cannot be, too many elements.
    """
    try:
        message: M = decoder(cls, version)(view, max_elements)
    except WireError as wrong:
        raise WireError(f"{cls.__name__} v{version}: {wrong}") from None
    except (struct.error, IndexError):
        raise WireError(f"{cls.__name__} v{version}: cut off") from None
    return message


def joined(parts: list[Piece], foreign: Sequence[int]) -> list[Piece]:
    """Neighbours joined; the parts at the indexes `foreign` stand alone."""
    pieces: list[Piece] = []
    start = 0
    for place in foreign:
        pieces += b"".join(parts[start:place]), parts[place]
        start = place + 1
    pieces.append(b"".join(parts[start:]))
    return pieces


@functools.cache
def encoder(cls: type, version: int) -> Callable[[Any, list[Piece]], Sequence[int]]:
    """Appends the parts of a message to a list; returns the indexes of those that are not plain bytes."""
    return compiled(Writer(cls, version))


@functools.cache
def decoder(cls: type, version: int) -> Callable[[memoryview, int], Any]:
    """Reads a message from a view, given how many elements it may have."""
    return compiled(Reader(cls, version))


def compiled(text: Text) -> Callable[..., Any]:
    """Make a function of its text."""
    name = f"<kproto {text.verb} {text.cls.__name__} v{text.version}>"
    linecache.cache[name] = (len(text.source), None, text.source.splitlines(keepends=True), name)
    namespace = dict(text.names)
    exec(compile(text.source, name, "exec"), namespace)
    return namespace[text.verb]  # type: ignore[no-any-return]
