"""What stands behind an int16: checked against bytes written out by hand."""

import pytest

from kproto.errors import WireError
from kproto.messages.consumer_protocol import ConsumerProtocolSubscription
from kproto.messages.control_records import EndTxnMarker
from kproto.messages.internal_topics import GroupMetadataKey, OffsetCommitKey, OffsetCommitValue
from kproto.prefixed import key_bytes, read_key, read_versioned, versioned

KEYS = (OffsetCommitKey, GroupMetadataKey)


def test_a_key_begins_with_the_number_of_its_type() -> None:
    key = OffsetCommitKey("g", "t", 3)
    assert key_bytes(key) == b"\0\1" + b"\0\1g" + b"\0\1t" + b"\0\0\0\3"
    assert read_key(KEYS, key_bytes(key)) == key
    assert key_bytes(GroupMetadataKey("g")) == b"\0\2" + b"\0\1g"


def test_a_key_of_a_type_from_a_newer_release_is_none() -> None:
    assert read_key(KEYS, b"\0\x63anything") is None


def test_a_value_begins_with_its_version() -> None:
    value = OffsetCommitValue(5, -1, "", 9)
    assert versioned(value, 1) == b"\0\1" + bytes(7) + b"\5" + b"\0\0" + bytes(7) + b"\x09" + b"\xff" * 8
    assert read_versioned(OffsetCommitValue, versioned(value, 3)) == value
    assert versioned(EndTxnMarker(7), 0) == b"\0\0\0\0\0\7"


def test_an_unknown_version_is_refused_unless_it_is_to_be_read_as_the_newest() -> None:
    newer = b"\0\x09" + versioned(ConsumerProtocolSubscription(["a"]), 3)[2:] + b"a field of the future"
    assert read_versioned(ConsumerProtocolSubscription, newer, newer_as_newest=True).topics == ["a"]
    with pytest.raises(WireError):
        read_versioned(ConsumerProtocolSubscription, newer)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1\0"])
def test_what_is_cut_off_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        read_key(KEYS, data)
    with pytest.raises(WireError):
        read_versioned(OffsetCommitValue, data)
