"""The compiled codec against its twin, for every message at every version, and against its golden texts."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kproto.codec import Piece, decode, encode, encoded
from kproto.codec_reader import Reader
from kproto.codec_writer import Writer
from kproto.errors import WireError
from kproto.messages.fetch import FetchableTopicResponse, FetchResponse, PartitionData
from kproto.messages.heartbeat import HeartbeatRequest
from kproto.messages.produce import PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData
from kproto.schema import Message
from kproto.testing.strategies import all_messages, filled, messages, versions_of
from kproto.testing.twin import slow_decode, slow_encode

GOLDEN = Path(__file__).parent / "golden"
every_message = pytest.mark.parametrize("cls", list(all_messages()), ids=lambda cls: cls.__name__)


def some_messages(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )


@every_message
@some_messages(2)
@given(data=st.data())
def test_the_compiled_codec_does_what_its_twin_does(cls: type[Message], data: st.DataObject) -> None:
    does_what_its_twin_does(cls, data)


@pytest.mark.campaign
@every_message
@some_messages(20)
@given(data=st.data())
def test_the_compiled_codec_does_what_its_twin_does_again_and_again(cls: type[Message], data: st.DataObject) -> None:
    does_what_its_twin_does(cls, data)


def does_what_its_twin_does(cls: type[Message], data: st.DataObject) -> None:
    """One message of each version, written and read by both."""
    for version in versions_of(cls):
        message = data.draw(messages(cls, version))
        body = encoded(message, version)
        assert body == slow_encode(message, version)[0]
        assert decode(cls, version, memoryview(body)) == slow_decode(cls, version, body) == message


@every_message
def test_defaults_and_full_messages_come_back(cls: type[Message]) -> None:
    for version in versions_of(cls):
        for message in (cls(), filled(cls, version)):
            body = encoded(message, version)
            assert encoded(decode(cls, version, memoryview(body)), version) == body == slow_encode(message, version)[0]


class Foreign:
    """Stored bytes that only the transport can send."""

    def __len__(self) -> int:
        return 1_000


def test_foreign_records_are_pieces_of_their_own_and_count_by_their_length() -> None:
    first, second = Foreign(), Foreign()
    rows = [PartitionData(0, records=first), PartitionData(1), PartitionData(2, records=second)]
    pieces = encode(FetchResponse(responses=[FetchableTopicResponse("t", partitions=rows)]), 4)
    assert [type(piece) for piece in pieces] == [bytes, Foreign, bytes, Foreign]
    assert (pieces[1], pieces[3]) == (first, second)
    assert pieces[0].endswith(b"\0\0\x03\xe8")
    assert pieces[2].endswith(b"\0\0\x03\xe8")


def test_plain_bytes_are_joined_and_views_stand_alone() -> None:
    def pieces(records: Piece) -> list[Piece]:
        return encode(
            ProduceRequest(topic_data=[TopicProduceData("t", partition_data=[PartitionProduceData(0, records)])]), 9
        )

    assert len(pieces(b"records")) == 1
    view = memoryview(b"records")
    assert pieces(view)[1] is view
    assert b"".join(pieces(view)) == pieces(b"records")[0]


def test_records_are_decoded_to_a_view_of_the_frame() -> None:
    frame = bytearray(
        encoded(
            ProduceRequest(topic_data=[TopicProduceData("t", partition_data=[PartitionProduceData(0, b"records")])]), 9
        )
    )
    records = decode(ProduceRequest, 9, memoryview(frame)).topic_data[0].partition_data[0].records
    frame[frame.index(b"records")] = ord("R")
    assert records == b"Records"
    assert not records.readonly


@pytest.mark.parametrize("version", [-1, 5, 99])
def test_a_version_that_no_release_has_is_refused(version: int) -> None:
    with pytest.raises(WireError, match="HeartbeatRequest"):
        decode(HeartbeatRequest, version, memoryview(b""))


def test_a_traceback_shows_the_line_of_generated_text() -> None:
    with pytest.raises(AttributeError) as caught:
        encode(HeartbeatRequest(group_id=None), 0)  # type: ignore[arg-type]
    assert "m.group_id.encode()" in str(caught.traceback[-1].statement)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("heartbeat_request_4", Reader(HeartbeatRequest, 4).source + "\n\n" + Writer(HeartbeatRequest, 4).source),
        ("produce_request_9", Reader(ProduceRequest, 9).source + "\n\n" + Writer(ProduceRequest, 9).source),
        ("produce_response_10", Reader(ProduceResponse, 10).source + "\n\n" + Writer(ProduceResponse, 10).source),
    ],
)
def test_the_text_is_the_golden_one(name: str, text: str) -> None:
    """Read the difference before you accept it: `python -m kproto show` prints the new text."""
    assert text == (GOLDEN / f"{name}.txt").read_text()
