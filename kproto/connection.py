"""Both ends of a connection without its I/O: bytes that came in, bytes that are to go out.

The ends own no buffers. A caller reads into memory of its own, asks for one frame after the other, and sends the pieces
it is given. Bodies and `records` are views of that memory: they live as long as the caller lets it be.
"""

import struct
from collections import deque

from kproto.api_keys import ApiKey, response_class
from kproto.codec import ENCODERS, Piece, decode, joined
from kproto.errors import ErrorCode, WireError
from kproto.frames import SIZE_BYTES, frame_size, size_field
from kproto.headers import (
    RequestHeader,
    answer_has_tags,
    read_request_header,
    read_response_header,
    request_header_bytes,
)
from kproto.schema import Message
from kproto.values import frozen

_HEAD = struct.Struct(">ii")
_HEAD_WITH_TAGS = struct.Struct(">iix")
_ERROR_CODE = struct.Struct(">h")
MAX_FRAME_BYTES = 100 * 1024 * 1024
"""Default of `socket.request.max.bytes`."""


@frozen
class Request:
    """A whole request that came in, its body not read yet."""

    header: RequestHeader
    body: memoryview
    size: int
    """Bytes of the whole frame, the four of its size included."""


class ServerConnection:
    """The broker's end."""

    __slots__ = ("claimed_bytes", "max_frame_bytes")

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self.max_frame_bytes = max_frame_bytes
        self.claimed_bytes = 0
        """Bytes that the frame begun but not whole takes in all, its size included; 0 before its size is known."""

    def next_request(self, view: memoryview, start: int, end: int) -> Request | None:
        """The request that begins at `start` of what has come, or None until more has come (see `claimed_bytes`).

        Raises: WireError: a size beyond the limits, a header cut off, an unknown key.
        """
        self.claimed_bytes = 0
        if end - start < SIZE_BYTES:
            return None
        size = SIZE_BYTES + frame_size(view, start, self.max_frame_bytes)
        if start + size > end:
            self.claimed_bytes = size
            return None
        header, body = read_request_header(view[start + SIZE_BYTES : start + size])
        return Request(header, body, size)

    def answer(self, header: RequestHeader, message: Message, version: int | None = None) -> list[Piece]:
        return answer(header, message, version)


def answer(header: RequestHeader, message: Message, version: int | None = None) -> list[Piece]:
    """A response as pieces, size and header first; the size counts foreign `records` by their `len()`.

    Args:
        version: where it is not the one asked for: ApiVersions refuses in version 0.
    """
    version = header.api_version if version is None else version
    parts: list[Piece] = [b""]
    foreign = ENCODERS[type(message), version](message, parts)
    head = _HEAD_WITH_TAGS if answer_has_tags(header.api_key, version) else _HEAD
    parts[0] = head.pack(head.size - SIZE_BYTES + sum(map(len, parts)), header.correlation_id)
    return joined(parts, foreign)


@frozen
class Answer:
    """A response that came in."""

    correlation_id: int
    message: Message
    size: int
    """Bytes of the whole frame, the four of its size included."""


class ClientConnection:
    """The end of who asks: another broker, a tool, a test. Answers come in the order of the requests."""

    __slots__ = ("_asked", "_correlation_id", "client_id", "max_frame_bytes")

    def __init__(self, client_id: str | None = None, max_frame_bytes: int = 2**31 - 1) -> None:
        self.client_id = client_id
        self.max_frame_bytes = max_frame_bytes
        self._correlation_id = 0
        self._asked: deque[RequestHeader] = deque()

    def request(self, message: Message, version: int, *, answered: bool = True) -> list[Piece]:
        """A request as pieces, size and header first.

        Args:
            answered: False for a Produce with acks=0, which nobody answers.
        """
        assert message.API_KEY is not None, f"{type(message).__name__} is not a request"
        header = RequestHeader(message.API_KEY, version, self._correlation_id, self.client_id)
        parts: list[Piece] = [b"", request_header_bytes(header)]
        foreign = ENCODERS[type(message), version](message, parts)
        parts[0] = size_field(sum(map(len, parts)))
        self._correlation_id = (self._correlation_id + 1) & 0x7FFF_FFFF
        if answered:
            self._asked.append(header)
        return joined(parts, foreign)

    def next_answer(self, view: memoryview, start: int, end: int) -> Answer | None:
        """The answer that begins at `start` of what has come, or None until more has come.

        Raises: WireError: nothing was asked, not the answer to the oldest question, or it cannot be read.
        """
        if end - start < SIZE_BYTES:
            return None
        size = SIZE_BYTES + frame_size(view, start, self.max_frame_bytes)
        if start + size > end:
            return None
        if not self._asked:
            raise WireError("an answer to nothing")
        asked = self._asked.popleft()
        correlation_id, body = read_response_header(
            asked.api_key, asked.api_version, view[start + SIZE_BYTES : start + size]
        )
        if correlation_id != asked.correlation_id:
            raise WireError(f"answer {correlation_id} where {asked.correlation_id} is due")
        version = 0 if _is_refused_version(asked, body) else asked.api_version
        return Answer(correlation_id, decode(response_class(asked.api_key), version, body), size)


def _is_refused_version(asked: RequestHeader, body: memoryview) -> bool:
    """A broker that does not know the version of an ApiVersions request answers in version 0 (KIP-511)."""
    return asked.api_key is ApiKey.API_VERSIONS and body[: _ERROR_CODE.size] == _ERROR_CODE.pack(
        ErrorCode.UNSUPPORTED_VERSION
    )
