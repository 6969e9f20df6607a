"""Both ends of a connection over plain memory: whole frames, cut frames, wrong frames."""

import pytest

from kproto.api_keys import ApiKey
from kproto.codec import decode
from kproto.connection import ClientConnection, ServerConnection, answer
from kproto.errors import ErrorCode, WireError
from kproto.headers import RequestHeader
from kproto.messages.api_versions import ApiVersionsRequest, ApiVersionsResponse
from kproto.messages.fetch import FetchableTopicResponse, FetchResponse, PartitionData
from kproto.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from kproto.messages.metadata import MetadataRequest
from kproto.messages.produce import ProduceRequest


def asked(client: ClientConnection) -> bytes:
    return b"".join(client.request(HeartbeatRequest("group", 7, "member"), 4))


def test_a_request_and_its_answer_travel() -> None:
    client, server = ClientConnection("me"), ServerConnection()
    sent = memoryview(asked(client))
    request = server.next_request(sent, 0, len(sent))
    assert request is not None
    assert request.header == RequestHeader(ApiKey.HEARTBEAT, 4, 0, "me")
    assert request.size == len(sent)
    assert decode(HeartbeatRequest, 4, request.body) == HeartbeatRequest("group", 7, "member")

    replied = memoryview(b"".join(server.answer(request.header, HeartbeatResponse(error_code=25))))
    got = client.next_answer(replied, 0, len(replied))
    assert got is not None
    assert (got.correlation_id, got.message, got.size) == (0, HeartbeatResponse(error_code=25), len(replied))


def test_a_frame_that_is_not_whole_is_waited_for_and_tells_its_claim() -> None:
    sent = memoryview(asked(ClientConnection()))
    server = ServerConnection()
    for end in range(len(sent)):
        assert server.next_request(sent, 0, end) is None
        assert server.claimed_bytes == (len(sent) if end >= 4 else 0)
    assert server.next_request(sent, 0, len(sent)) is not None
    assert server.claimed_bytes == 0


def test_frames_lie_one_behind_the_other_anywhere_in_the_memory() -> None:
    client, server = ClientConnection(), ServerConnection()
    memory = memoryview(b"used" + asked(client) + asked(client) + b"\0\0")
    start, end, ids = 4, len(memory), []
    while request := server.next_request(memory, start, end):
        ids.append(request.header.correlation_id)
        start += request.size
    assert ids == [0, 1]
    assert bytes(memory[start:]) == b"\0\0"


@pytest.mark.parametrize(
    "begin",
    [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\x10\0\1", b"GET / HTTP/1.1", b"\x16\x03\x01\x02\0\x01"],
    ids=["negative", "empty", "too large", "HTTP", "TLS"],
)
def test_a_size_that_cannot_be_ends_the_connection(begin: bytes) -> None:
    with pytest.raises(WireError, match="frame of"):
        ServerConnection(max_frame_bytes=1024 * 1024).next_request(memoryview(begin), 0, len(begin))


def test_a_frame_of_the_largest_size_is_allowed() -> None:
    sent = memoryview(asked(ClientConnection()))
    assert ServerConnection(max_frame_bytes=len(sent) - 4).next_request(sent, 0, len(sent)) is not None


class Foreign:
    def __len__(self) -> int:
        return 1_000


def test_the_size_of_an_answer_counts_foreign_records_and_its_first_piece_has_the_header() -> None:
    stored = Foreign()
    rows = [FetchableTopicResponse("t", partitions=[PartitionData(0, records=stored)])]
    first, middle, last = answer(RequestHeader(ApiKey.FETCH, 12, 5), FetchResponse(responses=rows))
    assert middle is stored
    assert first[:9] == (len(first) - 4 + 1_000 + len(last)).to_bytes(4, "big") + b"\0\0\0\5\0"


def test_an_answer_without_foreign_records_is_one_piece() -> None:
    assert answer(RequestHeader(ApiKey.HEARTBEAT, 0, 3), HeartbeatResponse()) == [b"\0\0\0\6\0\0\0\3\0\0"]


def test_api_versions_is_answered_without_header_tags_and_refused_in_version_0() -> None:
    """A client that asked with a version too new must be able to read the refusal (KIP-511)."""
    client, server = ClientConnection(), ServerConnection()
    sent = memoryview(b"".join(client.request(ApiVersionsRequest("me", "1"), 5)))
    request = server.next_request(sent, 0, len(sent))
    assert request is not None
    refusal = ApiVersionsResponse(error_code=ErrorCode.UNSUPPORTED_VERSION)
    replied = memoryview(b"".join(server.answer(request.header, refusal, version=0)))
    assert bytes(replied) == b"\0\0\0\x0a\0\0\0\0\0\x23\0\0\0\0"
    got = client.next_answer(replied, 0, len(replied))
    assert got is not None
    assert got.message == refusal

    sent = memoryview(b"".join(client.request(ApiVersionsRequest("me", "1"), 3)))
    request = server.next_request(sent, 0, len(sent))
    assert request is not None
    replied = memoryview(b"".join(server.answer(request.header, ApiVersionsResponse())))
    assert bytes(replied[8:10]) == b"\0\0", "the error code stands right behind the correlation id"
    assert client.next_answer(replied, 0, len(replied)) is not None


def test_answers_come_in_the_order_of_the_questions() -> None:
    client = ClientConnection()
    asked(client)
    client.request(MetadataRequest(), 1)
    second = memoryview(b"".join(answer(RequestHeader(ApiKey.HEARTBEAT, 4, 1), HeartbeatResponse())))
    with pytest.raises(WireError, match="answer 1 where 0 is due"):
        client.next_answer(second, 0, len(second))


def test_an_answer_to_nothing_is_refused_and_acks_0_expects_none() -> None:
    client = ClientConnection()
    client.request(ProduceRequest(acks=0), 9, answered=False)
    reply = memoryview(b"".join(answer(RequestHeader(ApiKey.HEARTBEAT, 4, 0), HeartbeatResponse())))
    assert client.next_answer(reply, 0, 3) is None
    assert client.next_answer(reply, 0, len(reply) - 1) is None
    with pytest.raises(WireError, match="nothing"):
        client.next_answer(reply, 0, len(reply))
