"""Nonsense in every place of every message at every version: a WireError, or the reading that Kafka gives it.

The twin says where lengths, counts and tag buffers stand in a message that has something everywhere.
"""

import struct
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kproto.codec import decode
from kproto.errors import WireError
from kproto.messages.fetch import FetchRequest
from kproto.schema import Message
from kproto.testing.strategies import all_messages, filled, remembered, versions_of
from kproto.testing.twin import Mark, is_flexible, slow_decode, slow_encode, uvarint

every_message = pytest.mark.parametrize("cls", list(all_messages()), ids=lambda cls: cls.__name__)

CODES = {"string": "h", "bytes": "i", "records": "i", "array": "i"}
LENGTHS = list(CODES)


def fast_decode(cls: type[Message], version: int, body: bytes, *, max_elements: int = 1_000_000) -> Message:
    return decode(cls, version, memoryview(body), max_elements=max_elements)


@remembered
def encoded_by_twin(cls: type[Message], version: int) -> tuple[Message, bytes, list[Mark]]:
    """A message with something everywhere, its body, and the marks in it."""
    message = filled(cls, version)
    return message, *slow_encode(message, version)


def full(cls: type[Message]) -> Iterator[tuple[int, Message, bytes]]:
    """Each version, a message with something everywhere, and its body."""
    for version in versions_of(cls):
        message, body, _ = encoded_by_twin(cls, version)
        yield version, message, body


def marked(cls: type[Message], *whats: str) -> Iterator[tuple[int, bytes, Mark]]:
    """Each version, the body of a full message, and each of its marks of these kinds."""
    for version in versions_of(cls):
        _, body, marks = encoded_by_twin(cls, version)
        yield from ((version, body, mark) for mark in marks if mark.what in whats)


def put(body: bytes, mark: Mark, data: bytes) -> bytes:
    return body[: mark.start] + data + body[mark.stop :]


def length(cls: type[Message], version: int, mark: Mark, value: int) -> bytes:
    """A length as that version writes it; compact ones know nothing below -1, those of strings nothing above 32,767."""
    if is_flexible(cls, version):
        return uvarint(max(value, -1) + 1)
    most = 2 ** (8 * struct.calcsize(CODES[mark.what]) - 1) - 1
    return struct.pack(">" + CODES[mark.what], min(value, most))


def refused(cls: type[Message], version: int, body: bytes, max_elements: int = 1_000_000) -> None:
    for read in (fast_decode, slow_decode):
        with pytest.raises(WireError):
            read(cls, version, body, max_elements=max_elements)


def outcome(
    read: Callable[[type[Message], int, bytes], Message], cls: type[Message], version: int, body: bytes
) -> bytes:
    """What was read, written again; nothing if it was refused."""
    try:
        return slow_encode(read(cls, version, body), version)[0]
    except WireError:
        return b""


@every_message
def test_a_message_cut_off_anywhere_is_refused(cls: type[Message]) -> None:
    for version, _, body in full(cls):
        for end in range(len(body)):
            with pytest.raises(WireError):
                fast_decode(cls, version, body[:end])


@every_message
def test_bytes_left_over_are_ignored(cls: type[Message]) -> None:
    for version, message, body in full(cls):
        assert fast_decode(cls, version, body + b"more") == message


@every_message
def test_any_negative_length_is_null_and_refused_where_nothing_may_be_null(cls: type[Message]) -> None:
    for version, body, mark in marked(cls, *LENGTHS):
        for value in (-1, -2, -32_768):
            changed = put(body, mark, length(cls, version, mark, value))
            if mark.nullable:
                assert outcome(fast_decode, cls, version, changed) == outcome(slow_decode, cls, version, changed)
            else:
                refused(cls, version, changed)


@every_message
def test_a_length_beyond_the_message_is_refused_before_memory_is_taken(cls: type[Message]) -> None:
    for version, body, mark in marked(cls, *LENGTHS):
        for value in (len(body), 32_767, 2**31 - 1):
            refused(cls, version, put(body, mark, length(cls, version, mark, value)))


@every_message
def test_a_compact_string_over_32767_bytes_is_refused_even_if_it_is_there(cls: type[Message]) -> None:
    for version, body, mark in marked(cls, "string"):
        if is_flexible(cls, version) and not mark.in_tag:
            before, after = body[: mark.start], body[mark.stop + len("a") :]
            refused(cls, version, before + uvarint(32_769) + b"x" * 32_768 + after)
            longest = before + uvarint(32_768) + b"x" * 32_767 + after
            assert len(slow_encode(fast_decode(cls, version, longest), version)[0]) == len(longest)


@every_message
def test_more_elements_than_allowed_are_refused(cls: type[Message]) -> None:
    """Elements and tagged fields are counted over the whole message, so nesting does not multiply."""
    for version, message, body in full(cls):
        marks = encoded_by_twin(cls, version)[2]
        tagged = sum(body[mark.start] for mark in marks if mark.what == "tags")
        elements = tagged + sum(mark.what == "array" for mark in marks)
        assert fast_decode(cls, version, body, max_elements=elements) == message
        if elements:
            refused(cls, version, body, max_elements=elements - 1)


@every_message
def test_a_varint_of_more_than_five_bytes_is_refused(cls: type[Message]) -> None:
    for version, body, mark in marked(cls, *LENGTHS, "tags"):
        if is_flexible(cls, version):
            refused(cls, version, put(body, mark, b"\x80\x80\x80\x80\x80\x01" + bytes(10)))
            refused(cls, version, put(body, mark, b"\xff\xff\xff\xff\xff"))


@every_message
def test_bad_tag_buffers_are_refused(cls: type[Message]) -> None:
    """Too many fields, one larger than what is left, and one cut off in the middle."""
    for version, body, mark in marked(cls, "tags"):
        before = body[: mark.start] + b"\1" + uvarint(99)
        refused(cls, version, put(body, mark, uvarint(2**31 - 1)))
        refused(cls, version, before + uvarint(len(body)) + body[mark.stop :])
        refused(cls, version, before + uvarint(4) + b"abc")


@every_message
def test_a_varint_may_be_longer_than_it_need_be(cls: type[Message]) -> None:
    """Kafka reads such lengths, so some client may write them."""
    for version, body, mark in marked(cls, *LENGTHS, "tags"):
        if is_flexible(cls, version) and not mark.in_tag:
            longer = bytes([body[mark.start] | 0x80, 0])
            assert fast_decode(cls, version, put(body, mark, longer)) == encoded_by_twin(cls, version)[0]


@every_message
def test_unknown_tags_are_skipped(cls: type[Message]) -> None:
    for version, body, mark in marked(cls, "tags"):
        if not mark.in_tag:
            unknown = uvarint(9_999) + uvarint(3) + b"abc"
            changed = put(body, mark, uvarint(body[mark.start] + 1) + unknown)
            assert fast_decode(cls, version, changed) == encoded_by_twin(cls, version)[0]


def test_of_a_tag_that_comes_twice_the_last_wins_and_order_does_not_matter() -> None:
    empty, _ = slow_encode(FetchRequest(), 15)
    replica, first, second = b"\1\x0d" + struct.pack(">iqx", 7, 8), b"\0\2\2a", b"\0\2\2b"
    request = decode(FetchRequest, 15, memoryview(empty[:-1] + b"\3" + replica + first + second))
    assert request.cluster_id == "b"
    assert request.replica_state is not None
    assert request.replica_state.replica_id == 7


def test_a_field_that_is_longer_than_its_tag_is_refused() -> None:
    empty, _ = slow_encode(FetchRequest(), 12)
    refused(FetchRequest, 12, empty[:-1] + b"\2" + b"\0\2\3ab" + b"\x63\0")


@every_message
def test_any_byte_but_zero_is_true(cls: type[Message]) -> None:
    for version, body, mark in marked(cls, "bool"):
        assert fast_decode(cls, version, put(body, mark, b"\7")) == encoded_by_twin(cls, version)[0]


@every_message
def test_invalid_utf8_is_replaced(cls: type[Message]) -> None:
    for version, body, mark in marked(cls, "text"):
        read = fast_decode(cls, version, put(body, mark, b"\xff"))
        assert read == slow_decode(cls, version, put(body, mark, b"\xff"))
        assert "\ufffd" in repr(read)


def some_damage(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )


@every_message
@some_damage(2)
@given(data=st.data())
def test_whatever_the_bytes_codec_and_twin_agree(cls: type[Message], data: st.DataObject) -> None:
    """Nothing but WireError ever leaves, although the compiled text sees most wrong lengths only at the end."""
    agree_on_damage(cls, data)


@pytest.mark.campaign
@every_message
@some_damage(20)
@given(data=st.data())
def test_whatever_the_bytes_codec_and_twin_agree_again_and_again(cls: type[Message], data: st.DataObject) -> None:
    agree_on_damage(cls, data)


def agree_on_damage(cls: type[Message], data: st.DataObject) -> None:
    for version, _, body in full(cls):
        changed = bytearray(body)
        for _ in range(3):
            place = data.draw(st.integers(0, len(changed)))
            changed[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        fast = outcome(fast_decode, cls, version, bytes(changed))
        assert fast == outcome(slow_decode, cls, version, bytes(changed))


def test_full_messages_have_marks_of_every_kind() -> None:
    """The tests above go by these marks: without any they would all pass."""
    kinds = [mark.what for cls in all_messages() for _, _, mark in marked(cls, *LENGTHS, "tags", "bool", "text")]
    assert len(kinds) > 5_000
    assert set(kinds) == {*LENGTHS, "tags", "bool", "text"}
