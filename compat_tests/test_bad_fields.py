"""Bad input in the body of a request: nonsense in every length, count, tag, uuid and bool of every version.

Rows 25 to 42 of our catalogue of bad inputs, over a real socket to a whole broker. What must not be answered closes;
nobody else is disturbed, and the broker's memory stays where it was.
"""

import struct
from collections.abc import Iterator

import pytest

from broker.handlers.table import Row
from compat_tests.broker_process import BrokerProcess
from compat_tests.frames import answer_of, each_api, harmless, head_of, request_frame
from compat_tests.wire import SIZE, RawClient, framed, header, outcome
from kproto.api_keys import ApiKey, request_class
from kproto.errors import ErrorCode
from kproto.headers import is_flexible
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic, MetadataResponse
from kproto.testing.strategies import filled
from kproto.testing.twin import Mark, slow_encode, uvarint

pytestmark = pytest.mark.usefixtures("nobody_else_is_disturbed", "memory_stays_bounded")


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
