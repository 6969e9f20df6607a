"""Varints, tag buffers and runs at their edges."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kproto.errors import WireError
from kproto.primitives import (
    MAX_STRING_BYTES,
    UVARINTS,
    Runs,
    read_string_length,
    read_tags,
    read_uuid,
    read_uvarint,
    write_tags,
    write_uvarint,
)


@pytest.mark.parametrize(
    ("value", "data"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (2**32 - 1, "ffffffff0f")],
)
def test_varints_are_groups_of_seven_bits_lowest_first(value: int, data: str) -> None:
    written = bytes.fromhex(data)
    assert write_uvarint(value) == UVARINTS[value] == written
    assert read_uvarint(memoryview(b"x" + written + b"y"), 1) == (value, 1 + len(written))


@given(st.integers(0, 2**32 - 1))
def test_any_varint_comes_back(value: int) -> None:
    assert read_uvarint(memoryview(UVARINTS[value]), 0) == (value, len(UVARINTS[value]))


def test_only_varints_of_one_byte_are_kept() -> None:
    assert len(UVARINTS[2**31]) == 5
    assert len(UVARINTS) == 128


def test_a_varint_that_goes_on_after_five_bytes_is_refused() -> None:
    with pytest.raises(WireError, match="5 bytes"):
        read_uvarint(memoryview(b"\x80\x80\x80\x80\x80\x00"), 0)


def test_a_string_may_have_32767_bytes() -> None:
    assert read_string_length(memoryview(write_uvarint(MAX_STRING_BYTES + 1)), 0)[0] == 32_768
    with pytest.raises(WireError, match="32768 bytes"):
        read_string_length(memoryview(write_uvarint(MAX_STRING_BYTES + 2)), 0)


def test_tags_come_back_as_spans() -> None:
    data = memoryview(b"x" + write_tags(((0, [b"ab", b"c"]), (300, [b""]))) + b"rest")
    spans, behind = read_tags(data, 1, most=2)
    assert [(tag, bytes(data[start:stop])) for tag, start, stop in spans] == [(0, b"abc"), (300, b"")]
    assert bytes(data[behind:]) == b"rest"
    with pytest.raises(WireError, match="2 tagged fields"):
        read_tags(data, 1, most=1)


def test_a_count_of_zero_in_two_bytes_is_an_empty_buffer() -> None:
    assert read_tags(memoryview(b"\x80\x00"), 0, most=5) == ([], 2)


def test_long_runs_are_not_kept() -> None:
    """A client that sends arrays of every length cannot fill our memory."""
    runs = Runs("i")
    assert runs[3].size == 12
    assert runs[5_000].size == 20_000
    assert list(runs) == [3]


def test_uuids_are_read() -> None:
    assert read_uuid(bytes(15) + b"\1") == UUID(int=1)
