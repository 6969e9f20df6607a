"""Bad input at the wire: framing, headers, and nonsense in every length, count and tag of every request we serve.

Each case goes over a real socket to a whole broker. What must not be answered closes; nobody else is disturbed, and
the broker's memory stays where it was.
"""

import socket
import struct
import time
from collections.abc import Iterator

import psutil
import pytest

from broker.handlers.table import TABLE, Row
from compat_tests.broker_process import BrokerProcess
from compat_tests.wire import SIZE, RawClient, framed, header, outcome
from kproto.api_keys import ApiKey, request_class, response_class
from kproto.codec import decode
from kproto.errors import ErrorCode
from kproto.headers import answer_has_tags, is_flexible
from kproto.messages.api_versions import ApiVersionsRequest, ApiVersionsResponse
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic, MetadataResponse
from kproto.messages.produce import ProduceRequest
from kproto.schema import Message
from kproto.testing.strategies import filled
from kproto.testing.twin import Mark, slow_encode, uvarint

MIB = 1024 * 1024
MAX_FRAME_BYTES = 100 * MIB
CLIENT_ROWS = [row for row in TABLE if not row.inter_broker]
each_api = pytest.mark.parametrize("row", CLIENT_ROWS, ids=lambda row: row.module)

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


@pytest.fixture(autouse=True)
def nobody_else_is_disturbed(broker: BrokerProcess) -> Iterator[None]:
    """A connection that was there before a bad one is served after it."""
    with RawClient(broker.port) as bystander:
        yield
        bystander.send(request_frame(ApiVersionsRequest(), 0))
        assert bystander.answer() is not None


@pytest.fixture(scope="module", autouse=True)
def memory_stays_bounded(broker: BrokerProcess) -> Iterator[None]:
    """Over all cases of this file: ten thousand hostile connections and a few announced gigabytes."""
    process = psutil.Process(broker.pid)
    outcome(broker.port, request_frame(ApiVersionsRequest(), 0))
    before = process.memory_info().rss
    yield
    assert process.memory_info().rss - before < 64 * MIB
    assert process.num_fds() < 200


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


def harmless(key: ApiKey, version: int) -> Message:
    """A request that asks for nothing, and wants an answer."""
    if key is ApiKey.PRODUCE:
        return ProduceRequest(acks=1)
    if key is ApiKey.API_VERSIONS:
        return ApiVersionsRequest(client_software_name="a", client_software_version="1")
    return request_class(key)()


# ---- 4.2 primitive types, in every place of every version


def marks(row: Row) -> Iterator[tuple[int, bytes, bytes, Mark]]:
    """Version, header, body, and one place in the body where a length, a count, tags, a uuid or a bool stands."""
    for version in range(row.versions[0], row.versions[1] + 1):
        message = filled(request_class(row.key), version)
        body, places = slow_encode(message, version)
        yield from ((version, head_of(message, version), body, place) for place in places)


def put(body: bytes, mark: Mark, data: bytes, rest: bytes | None = None) -> bytes:
    """`data` in the place of the mark; `rest` in the place of what follows."""
    return body[: mark.start] + data + (body[mark.stop :] if rest is None else rest)


def nonsense(key: ApiKey, version: int, body: bytes, mark: Mark) -> Iterator[tuple[str, bytes]]:
    """Bodies that must close, with the rows they come from."""
    flexible = is_flexible(key, version)
    compact_max = b"\xff\xff\xff\xff\x07"
    if mark.what == "tags":
        yield "34 tag count 2^31-1", put(body, mark, compact_max)
        yield "35 tag longer than the rest", put(body, mark, b"\1\x63" + uvarint(1000) + b"x", b"")
        yield "33 varint cut off", put(body, mark, b"\xff", b"")
    elif mark.what == "uuid":
        yield "40 uuid cut off", put(body, mark, b"\1" * 15, b"")
    elif mark.what in ("string", "bytes", "records", "array") and flexible:
        yield "32 varint of five bytes with the top bit set", put(body, mark, b"\xff" * 5)
        yield "33 varint cut off", put(body, mark, b"\x80", b"")
        yield "28, 29 longer than the rest", put(body, mark, compact_max)
        if mark.what == "string":
            yield "27 compact string of 32,768", put(body, mark, uvarint(32_769), b"x" * 40_000)
        if not mark.nullable:
            yield "25, 30 null", put(body, mark, b"\0")
    elif mark.what == "string":
        yield "28 longer than the rest", put(body, mark, struct.pack(">h", 32_767))
        if not mark.nullable:
            for size in (-1, -2, -32_768):
                yield f"25, 26 length {size}", put(body, mark, struct.pack(">h", size))
    elif mark.what in ("bytes", "records", "array"):
        yield "28, 29 longer than the rest", put(body, mark, struct.pack(">i", 2**31 - 1))
        if not mark.nullable:
            yield "30 null", put(body, mark, struct.pack(">i", -1))


@each_api
def test_nonsense_in_any_length_count_or_tag_closes(broker: BrokerProcess, row: Row) -> None:
    """Rows 25 to 35, 38 and 40, in each place of each version."""
    cases = 0
    for version, head, body, mark in marks(row):
        if mark.in_tag and mark.what != "tags":
            continue  # the tag's own size stands before it: test_a_tag_whose_content_is_cut_closes
        for name, bad in nonsense(row.key, version, body, mark):
            cases += 1
            assert outcome(broker.port, framed(head + bad)) is None, (
                f"{row.key.kafka_name} v{version}: {name} at {mark}"
            )
    assert cases or row.key in (ApiKey.API_VERSIONS, ApiKey.LIST_GROUPS)


@each_api
def test_a_body_cut_off_anywhere_closes(broker: BrokerProcess, row: Row) -> None:
    """Row 28 and its like, at every length of the oldest and the newest version."""
    for version in row.versions:
        cut_off_anywhere(broker, row, version)


@pytest.mark.campaign
@each_api
def test_a_body_of_any_version_cut_off_anywhere_closes(broker: BrokerProcess, row: Row) -> None:
    for version in range(row.versions[0] + 1, row.versions[1]):
        cut_off_anywhere(broker, row, version)


def cut_off_anywhere(broker: BrokerProcess, row: Row, version: int) -> None:
    message = filled(request_class(row.key), version)
    body, _ = slow_encode(message, version)
    for end in range(len(body)):
        assert outcome(broker.port, framed(head_of(message, version) + body[:end])) is None, (version, end)


@each_api
def test_unknown_tags_are_ignored(broker: BrokerProcess, row: Row) -> None:
    """Rows 36 and 37: also twice the same, and out of order."""
    with RawClient(broker.port) as client:
        for version in range(row.versions[0], row.versions[1] + 1):
            if not is_flexible(row.key, version):
                continue
            message = harmless(row.key, version)
            body, places = slow_encode(message, version)
            last = places[-1]
            assert last.what == "tags"
            for tags in (b"\1\x63\3abc", b"\3\x63\1a\x63\1b\x62\0"):
                if body[last.start : last.stop] == b"\0":
                    client.send(framed(head_of(message, version) + put(body, last, tags)))
                    answer_of(row.key, version, client.answer())


def test_a_tag_whose_content_is_cut_closes(broker: BrokerProcess) -> None:
    """Row 38: Fetch v12, tag 0, a cluster id that is longer than its tag."""
    message = FetchRequest()
    body, places = slow_encode(message, 12)
    assert outcome(broker.port, framed(head_of(message, 12) + put(body, places[-1], b"\1\0\3\x09ab"))) is None


def test_too_many_elements_close(broker: BrokerProcess) -> None:
    """Rows 31 and 42: more than `barnabas.request.max.elements`, on one level or on two."""
    head = header(ApiKey.DESCRIBE_GROUPS, 0, tags=False)
    assert outcome(broker.port, framed(head + SIZE.pack(1_000_001) + b"\0\0" * 1_000_001)) is None
    head = header(ApiKey.LIST_OFFSETS, 1, tags=False)
    topic = b"\0\1t" + SIZE.pack(1000) + bytes(12_000)
    assert outcome(broker.port, framed(head + struct.pack(">ii", -1, 1001) + topic * 1001)) is None


@pytest.mark.parametrize("version", range(14))
def test_a_topic_name_of_invalid_utf8_is_an_invalid_name(broker: BrokerProcess, version: int) -> None:
    """Row 39."""
    message = MetadataRequest(topics=[MetadataRequestTopic(name="zz")], allow_auto_topic_creation=True)
    body, _ = slow_encode(message, version)
    answer = outcome(broker.port, framed(head_of(message, version) + body.replace(b"zz", b"\xff\xfe")))
    found = answer_of(ApiKey.METADATA, version, answer)
    assert isinstance(found, MetadataResponse)
    assert found.topics[0].error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@each_api
def test_any_negative_length_of_a_string_that_may_be_null_is_null(broker: BrokerProcess, row: Row) -> None:
    """Row 26: what becomes of it is what becomes of -1."""
    for version, head, body, mark in marks(row):
        if mark.what == "string" and mark.nullable and not is_flexible(row.key, version):
            null, *others = (
                closes(broker, head + put(body, mark, struct.pack(">h", size))) for size in (-1, -2, -300, -32_768)
            )
            assert others == [null] * 3, (version, mark)


def closes(broker: BrokerProcess, content: bytes) -> bool:
    """Rather than being answered, or waited over."""
    with RawClient(broker.port) as client:
        client.send(framed(content))
        try:
            return client.answer(within_s=0.5) is None
        except TimeoutError:
            return False


def test_the_null_uuid_is_no_topic(broker: BrokerProcess) -> None:
    """Row 40."""
    message = FetchRequest(topics=[FetchTopic(partitions=[FetchPartition()])], max_bytes=1000)
    answer = outcome(broker.port, request_frame(message, 13))
    found = answer_of(ApiKey.FETCH, 13, answer)
    assert found.responses[0].partitions[0].error_code == ErrorCode.UNKNOWN_TOPIC_ID  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", range(4, 14))
def test_any_boolean_but_zero_is_true(broker: BrokerProcess, topic: str, version: int) -> None:
    """Row 41: `allow_auto_topic_creation` of 7 creates the topic."""
    message = MetadataRequest(topics=[MetadataRequestTopic(name=topic)], allow_auto_topic_creation=True)
    body, places = slow_encode(message, version)
    allow = next(place for place in places if place.what == "bool")
    found = answer_of(
        ApiKey.METADATA, version, outcome(broker.port, framed(head_of(message, version) + put(body, allow, b"\7")))
    )
    assert isinstance(found, MetadataResponse)
    assert found.topics[0].error_code == ErrorCode.NONE


@each_api
def test_no_boolean_is_refused_for_its_value(broker: BrokerProcess, row: Row) -> None:
    """Row 41, in each place of each version."""
    for version, head, body, mark in marks(row):
        if mark.what == "bool" and not mark.in_tag:
            for byte in (b"\2", b"\7", b"\xff"):
                assert not closes(broker, head + put(body, mark, byte)), (version, mark, byte)


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
