"""Request and response headers: which version stands before which request, and what may be wrong with it."""

import io
import struct

import pytest
from kio.schema.request_header.v1.header import RequestHeader as KioHeader1
from kio.schema.request_header.v2.header import RequestHeader as KioHeader2
from kio.serial import entity_writer
from kio.static.primitive import i16, i32

from kproto.api_keys import FIRST_FLEXIBLE, ApiKey, request_class, response_class
from kproto.errors import WireError
from kproto.headers import RequestHeader, read_request_header, read_response_header, request_header_bytes


@pytest.mark.parametrize("key", list(ApiKey), ids=lambda key: key.kafka_name)
def test_headers_follow_the_flexible_versions_of_the_messages(key: ApiKey) -> None:
    assert request_class(key).FLEXIBLE == response_class(key).FLEXIBLE == FIRST_FLEXIBLE[key]
    assert request_class(key).API_KEY is response_class(key).API_KEY is key
    assert request_class(key).VERSIONS == response_class(key).VERSIONS


@pytest.mark.parametrize(("version", "judge"), [(8, KioHeader1), (9, KioHeader2)])
@pytest.mark.parametrize("client_id", ["producer-1", "", None])
def test_kio_writes_the_same_header(version: int, judge: type, client_id: str | None) -> None:
    written = io.BytesIO()
    theirs = judge(
        request_api_key=i16(0), request_api_version=i16(version), correlation_id=i32(77), client_id=client_id
    )
    entity_writer(judge)(written, theirs)
    header = RequestHeader(ApiKey.PRODUCE, version, 77, client_id)
    assert request_header_bytes(header) == written.getvalue()
    read, body = read_request_header(memoryview(written.getvalue() + b"body"))
    assert (read, bytes(body)) == (header, b"body")


def test_controlled_shutdown_0_has_no_client_id() -> None:
    header = RequestHeader(ApiKey.CONTROLLED_SHUTDOWN, 0, 5)
    data = request_header_bytes(header)
    assert data == struct.pack(">hhi", 7, 0, 5)
    read, body = read_request_header(memoryview(data + b"\0\0\0\1"))
    assert (read, bytes(body)) == (header, b"\0\0\0\1")


@pytest.mark.parametrize("version", [1, 9])
def test_a_header_cut_off_anywhere_is_refused(version: int) -> None:
    whole = request_header_bytes(RequestHeader(ApiKey.PRODUCE, version, 1, "client"))
    for end in range(len(whole)):
        with pytest.raises(WireError):
            read_request_header(memoryview(whole[:end]))


@pytest.mark.parametrize("number", [-1, 95, 9_999])
def test_an_unknown_key_is_refused(number: int) -> None:
    with pytest.raises(WireError, match="not known"):
        read_request_header(memoryview(struct.pack(">hhih", number, 0, 1, -1)))


@pytest.mark.parametrize("version", [-1, 99, 32_767])
def test_any_version_is_read_since_only_the_caller_knows_what_is_served(version: int) -> None:
    data = struct.pack(">hhih", ApiKey.API_VERSIONS, version, 1, -1) + b"\0"
    assert read_request_header(memoryview(data))[0] == RequestHeader(ApiKey.API_VERSIONS, version, 1, None)


def test_a_client_id_may_be_negative_in_length_or_no_utf8() -> None:
    assert read_request_header(memoryview(struct.pack(">hhih", 0, 1, 1, -7)))[0].client_id is None
    assert read_request_header(memoryview(struct.pack(">hhih", 0, 1, 1, 2) + b"a\xff"))[0].client_id == "a\ufffd"


def test_tags_in_a_header_are_skipped_and_bad_ones_refused() -> None:
    head = struct.pack(">hhih", ApiKey.PRODUCE, 9, 1, -1)
    assert bytes(read_request_header(memoryview(head + b"\1\0\2ab" + b"body"))[1]) == b"body"
    for bad in (b"\1\0\x09ab", b"\xff\xff\xff\xff\x0f", b"\1", b"\xff\xff\xff\xff\xff\xff"):
        with pytest.raises(WireError):
            read_request_header(memoryview(head + bad))


def test_a_response_header_cut_off_is_refused() -> None:
    for end in range(5):
        with pytest.raises(WireError):
            read_response_header(ApiKey.PRODUCE, 9, memoryview(b"\0\0\0\1\0"[:end]))
    assert read_response_header(ApiKey.PRODUCE, 8, memoryview(b"\0\0\0\1"))[0] == 1
