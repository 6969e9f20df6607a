"""Frames of any request at any version, sound ones that tests then spoil, and the answers to them."""

import pytest

from broker.handlers.table import TABLE
from compat_tests.wire import framed, header
from kproto.api_keys import ApiKey, request_class, response_class
from kproto.codec import decode
from kproto.headers import answer_has_tags, is_flexible
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.messages.produce import ProduceRequest
from kproto.schema import Message
from kproto.testing.twin import slow_encode

CLIENT_ROWS = [row for row in TABLE if not row.inter_broker]
each_api = pytest.mark.parametrize("row", CLIENT_ROWS, ids=lambda row: row.module)


def request_frame(message: Message, version: int, *, correlation_id: int = 7, behind: bytes = b"") -> bytes:
    return framed(head_of(message, version, correlation_id) + slow_encode(message, version)[0] + behind)


def head_of(message: Message, version: int, correlation_id: int = 7) -> bytes:
    assert message.API_KEY is not None
    return header(message.API_KEY, version, correlation_id, tags=is_flexible(message.API_KEY, version))


def answer_of(key: ApiKey, version: int, frame: bytes | None) -> Message:
    """The response in an answer's bytes."""
    assert frame is not None
    start = 5 if answer_has_tags(key, version) else 4
    return decode(response_class(key), version, memoryview(frame)[start:])


def harmless(key: ApiKey, version: int) -> Message:
    """A request that asks for nothing, and wants an answer."""
    if key is ApiKey.PRODUCE:
        return ProduceRequest(acks=1)
    if key is ApiKey.API_VERSIONS:
        return ApiVersionsRequest(client_software_name="a", client_software_version="1")
    return request_class(key)()
