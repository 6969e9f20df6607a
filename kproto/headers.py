"""What stands before each body: request headers 0 to 2, response headers 0 and 1.

Request header 0 has no client id (only ControlledShutdown 0), 1 is the usual one, 2 adds tagged fields for flexible
versions; its client id is never compact. Response header 1 adds tagged fields; ApiVersions is always answered with 0,
because a client may not know yet how to read more.  Source: RequestHeader.json, ResponseHeader.json, KIP-482, KIP-511.
"""

import struct

from kproto.api_keys import FIRST_FLEXIBLE, ApiKey
from kproto.errors import WireError
from kproto.primitives import read_tags
from kproto.values import frozen

MAX_HEADER_TAGS = 1_000

_WITHOUT_CLIENT_ID = struct.Struct(">hhi")
_WITH_CLIENT_ID = struct.Struct(">hhih")
_CORRELATION_ID = struct.Struct(">i")
_NEVER = 1 << 15
_KEYS = {key.value: (key, _NEVER if first is None else first) for key, first in FIRST_FLEXIBLE.items()}
"""By number: the key, and from which version on its headers have tags."""


@frozen
class RequestHeader:
    """Who asks for what. `correlation_id` is echoed; `client_id` may be None, and may be anything that is UTF-8."""

    api_key: ApiKey
    api_version: int
    correlation_id: int
    client_id: str | None = None


def is_flexible(key: ApiKey, version: int) -> bool:
    return version >= _KEYS[key][1]


def answer_has_tags(key: ApiKey, version: int) -> bool:
    """Whether the response header has a tag buffer."""
    return is_flexible(key, version) and key is not ApiKey.API_VERSIONS


def read_request_header(frame: memoryview) -> tuple[RequestHeader, memoryview]:
    """The header and the body behind it; `frame` is without its size.

    The version may be any number: what is served is for the caller to know. Invalid UTF-8 in the client id is replaced.
    Raises: WireError: cut off, or a key that no release has.
    """
    try:
        return _read(frame)
    except (struct.error, IndexError):
        raise WireError("request header: cut off") from None


def _read(frame: memoryview) -> tuple[RequestHeader, memoryview]:
    number, version, correlation_id, length = _WITH_CLIENT_ID.unpack_from(frame)
    if number not in _KEYS:
        raise WireError(f"api key {number} is not known")
    key, first_flexible = _KEYS[number]
    if key is ApiKey.CONTROLLED_SHUTDOWN and version == 0:
        return RequestHeader(key, version, correlation_id), frame[_WITHOUT_CLIENT_ID.size :]
    client_id, end = None, _WITH_CLIENT_ID.size
    if length >= 0:
        end += length
        client_id = str(frame[_WITH_CLIENT_ID.size : end], "utf-8", "replace")
    if version >= first_flexible:
        end = behind_tags(frame, end)
    if end > len(frame):
        raise WireError(f"client id of {length} bytes")
    return RequestHeader(key, version, correlation_id, client_id), frame[end:]


def behind_tags(frame: memoryview, position: int) -> int:
    """Where a tag buffer ends; nobody sends tags in a header yet."""
    return read_tags(frame, position, MAX_HEADER_TAGS)[1] if frame[position] else position + 1


def request_header_bytes(header: RequestHeader) -> bytes:
    fixed = (header.api_key, header.api_version, header.correlation_id)
    if header.api_key is ApiKey.CONTROLLED_SHUTDOWN and header.api_version == 0:
        return _WITHOUT_CLIENT_ID.pack(*fixed)
    client_id = header.client_id
    name = b"" if client_id is None else client_id.encode()
    tags = b"\0" if is_flexible(header.api_key, header.api_version) else b""
    return _WITH_CLIENT_ID.pack(*fixed, -1 if client_id is None else len(name)) + name + tags


def read_response_header(key: ApiKey, version: int, frame: memoryview) -> tuple[int, memoryview]:
    """The correlation id and the body. Raises: WireError."""
    try:
        correlation_id: int = _CORRELATION_ID.unpack_from(frame)[0]
        end = _CORRELATION_ID.size
        return correlation_id, frame[behind_tags(frame, end) if answer_has_tags(key, version) else end :]
    except (struct.error, IndexError):
        raise WireError("response header: cut off") from None
