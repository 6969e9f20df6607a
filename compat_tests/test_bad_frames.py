"""Bad input at the wire: framing and headers. What stands in a body is test_bad_fields.py's.

Each case goes over a real socket to a whole broker. What must not be answered closes; nobody else is disturbed, and
the broker's memory stays where it was.
"""

import socket
import struct
import time

import psutil
import pytest

from broker.handlers.table import TABLE, Row
from compat_tests.broker_process import BrokerProcess
from compat_tests.frames import CLIENT_ROWS, answer_of, each_api, harmless, request_frame
from compat_tests.wire import SIZE, RawClient, framed, header, outcome
from kproto.api_keys import ApiKey, request_class
from kproto.errors import ErrorCode
from kproto.headers import is_flexible
from kproto.messages.api_versions import ApiVersionsRequest, ApiVersionsResponse
from kproto.messages.metadata import MetadataRequest
from kproto.testing.strategies import filled

MIB = 1024 * 1024
MAX_FRAME_BYTES = 100 * MIB
pytestmark = pytest.mark.usefixtures("nobody_else_is_disturbed", "memory_stays_bounded")

CLOSED = {
    "1 negative size": SIZE.pack(-1),
    "2 size above socket.request.max.bytes": SIZE.pack(MAX_FRAME_BYTES + 1),
    "4 size 0": SIZE.pack(0),
    "7 TLS ClientHello": bytes.fromhex("16030100c8010000c40303") + bytes(193),
    "8 GET / HTTP": b"GET / HTTP/1.1\r\nHost: kafka\r\n\r\n",
    "10 header without a body": framed(header(ApiKey.HEARTBEAT, 0, tags=False)),
    "11 header cut after the version": framed(struct.pack(">hh", 3, 0)),
    "12 api key -1": framed(header(-1, 0, tags=False)),
    "12 api key 9999": framed(header(9999, 0, tags=False)),
    "19 client id longer than the rest": framed(struct.pack(">hhih", 3, 0, 1, 30_000) + b"short"),
}


# ---- 4.1 framing and header


@pytest.mark.parametrize("data", CLOSED.values(), ids=CLOSED)
def test_what_is_no_request_closes_without_an_answer(broker: BrokerProcess, data: bytes) -> None:
    assert outcome(broker.port, data) is None


def test_a_large_size_and_silence_takes_no_memory(broker: BrokerProcess) -> None:
    """Row 3: fifty announce 100 MiB; the budget admits few, and none of them is given more than it sent."""
    process = psutil.Process(broker.pid)
    before = process.memory_info().rss
    clients = [RawClient(broker.port) for _ in range(50)]
    for client in clients:
        client.send(SIZE.pack(MAX_FRAME_BYTES) + bytes(1000))
    time.sleep(0.3)
    assert outcome(broker.port, request_frame(ApiVersionsRequest(), 0)) is not None
    assert process.memory_info().rss - before < 16 * MIB
    for client in clients:
        client.close()


@pytest.mark.parametrize("data", [b"\0", b"\0\0", b"\0\0\0"])
def test_part_of_a_size_waits_for_the_rest(broker: BrokerProcess, data: bytes) -> None:
    """Row 5: closed only when idle for `connections.max.idle.ms`."""
    frame = request_frame(ApiVersionsRequest(), 0)
    with RawClient(broker.port) as client:
        client.send(frame[: len(data)])
        assert client.is_open(0.1)
        client.send(frame[len(data) :])
        assert client.answer() is not None


def test_a_frame_shorter_than_its_size_and_the_end_closes(broker: BrokerProcess) -> None:
    """Row 6."""
    with RawClient(broker.port) as client:
        client.send(request_frame(ApiVersionsRequest(), 0)[:-1])
        client.end()
        assert client.answer() is None


@each_api
def test_versions_that_are_not_served_close(broker: BrokerProcess, row: Row) -> None:
    """Rows 13 and 14; only ApiVersions is answered."""
    lowest, highest = row.versions
    for version in {-1, -32768, lowest - 1, highest + 1, 32767}:
        answer = outcome(broker.port, framed(header(row.key, version, tags=is_flexible(row.key, version)) + bytes(64)))
        assert (answer is not None) == (row.key is ApiKey.API_VERSIONS), version


@pytest.mark.parametrize("version", [-1, 6, 99, 32767])
def test_an_unknown_version_of_api_versions_is_told_the_range(broker: BrokerProcess, version: int) -> None:
    """Row 15: in version 0, with 35 and the range of ApiVersions alone."""
    answer = outcome(broker.port, framed(header(18, version, tags=version >= 3) + b"\1\2\3"))
    assert answer == struct.pack(">ihihhh", 7, ErrorCode.UNSUPPORTED_VERSION, 1, 18, 0, 5)


@pytest.mark.parametrize("version", [3, 4, 5])
def test_an_illegal_software_name_is_an_invalid_request_and_the_connection_stays(
    broker: BrokerProcess, version: int
) -> None:
    """Row 16."""
    with RawClient(broker.port) as client:
        for name in ("", "-x", "a b", "ä", "x" * 300 + "!"):
            client.send(
                request_frame(ApiVersionsRequest(client_software_name=name, client_software_version="1"), version)
            )
            refused = answer_of(ApiKey.API_VERSIONS, version, client.answer())
            assert isinstance(refused, ApiVersionsResponse)
            assert (refused.error_code, refused.api_keys) == (ErrorCode.INVALID_REQUEST, [])
        client.send(request_frame(ApiVersionsRequest(client_software_name="a", client_software_version="1"), version))
        assert len(decoded_keys(client.answer(), version)) == len(CLIENT_ROWS)


def decoded_keys(frame: bytes | None, version: int) -> list[int]:
    answer = answer_of(ApiKey.API_VERSIONS, version, frame)
    assert isinstance(answer, ApiVersionsResponse)
    return [each.api_key for each in answer.api_keys]


@pytest.mark.parametrize("row", [row for row in TABLE if row.inter_broker], ids=lambda row: row.module)
def test_what_brokers_ask_of_each_other_closes(broker: BrokerProcess, row: Row) -> None:
    """Row 17, and the same for what no broker of this kind has (a quorum's APIs)."""
    for version in range(row.versions[0], row.versions[1] + 1):
        message = filled(request_class(row.key), version)
        assert outcome(broker.port, request_frame(message, version)) is None
    for key in (ApiKey.CONTROLLED_SHUTDOWN, ApiKey.VOTE, ApiKey.ENVELOPE, ApiKey.SASL_HANDSHAKE):
        assert outcome(broker.port, framed(header(key, 0, tags=is_flexible(key, 0)) + bytes(64))) is None


def test_what_is_not_served_closes_at_any_version(broker: BrokerProcess) -> None:
    """Row 12 with a body that is right; and 97, 99 to 101, 107 to 109, whose APIs are not in the table."""
    missing = [key for key in ApiKey if key not in {row.key for row in TABLE}]
    for key in missing:
        cls = request_class(key)
        for version in range(cls.VERSIONS[0], cls.VERSIONS[1] + 1):
            assert outcome(broker.port, request_frame(filled(cls, version), version)) is None, (key, version)
    assert len(missing) > 20


@pytest.mark.parametrize("client_id", [None, b"", b"\xff\xfe\x80", b"a\nb\x1b[2J", b"x" * 32_767], ids=str)
@pytest.mark.parametrize("correlation_id", [-1, 0, -(2**31), 2**31 - 1])
def test_any_client_id_and_correlation_id_is_served(
    broker: BrokerProcess, client_id: bytes | None, correlation_id: int
) -> None:
    """Rows 18, 20, 21 and 22: the correlation id is echoed, twice the same too."""
    frame = framed(header(18, 0, correlation_id, client_id, tags=False))
    with RawClient(broker.port) as client:
        client.send(frame * 2)
        for _ in range(2):
            answer = client.answer()
            assert answer is not None
            assert SIZE.unpack_from(answer)[0] == correlation_id


def test_a_thousand_requests_are_answered_in_their_order(broker: BrokerProcess) -> None:
    """Row 23."""
    with RawClient(broker.port) as client:
        client.send(b"".join(request_frame(ApiVersionsRequest(), 0, correlation_id=n) for n in range(1000)))
        answers = [client.answer() for _ in range(1000)]
    assert [SIZE.unpack_from(answer or b"")[0] for answer in answers] == list(range(1000))


@each_api
def test_bytes_left_over_after_the_body_are_ignored(broker: BrokerProcess, row: Row) -> None:
    """Row 24; and the emptiest request of every version has an answer."""
    with RawClient(broker.port) as client:
        for version in range(row.versions[0], row.versions[1] + 1):
            client.send(request_frame(harmless(row.key, version), version, behind=b"left over"))
            answer_of(row.key, version, client.answer())


# ---- the same broker, other faults of the wire


def test_a_client_that_resets_amid_a_frame_harms_nobody(broker: BrokerProcess) -> None:
    """Row 34 of the faults."""
    for end in range(1, 30):
        sock = socket.create_connection(("127.0.0.1", broker.port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.sendall(request_frame(MetadataRequest(), 1)[:end])
        sock.close()


def test_one_byte_at_a_time_gives_the_same_answer(broker: BrokerProcess) -> None:
    """Row 35 of the faults."""
    frame = request_frame(ApiVersionsRequest(client_software_name="a", client_software_version="1"), 3)
    with RawClient(broker.port) as client:
        client.send(frame)
        whole = client.answer()
        for place in range(len(frame)):
            client.send(frame[place : place + 1])
        assert client.answer() == whole


def test_thousands_of_connects_are_survived(broker: BrokerProcess) -> None:
    """Row 62 of the faults; in bursts that fit into the backlog, or the kernel would make us wait a second."""
    for _ in range(100):
        clients = [RawClient(broker.port) for _ in range(40)]
        for client in clients:
            client.send(b"\0")
        clients[-1].send(request_frame(ApiVersionsRequest(), 0)[1:])
        assert clients[-1].answer() is not None
        for client in clients:
            client.close()
