"""Records of `__consumer_offsets`. The bytes are what the classes of Apache Kafka 4.3.1 write."""

from dataclasses import replace
from uuid import UUID

import pytest

from coordinator.groups.records import Key, Value, read_record, record_bytes
from coordinator.groups.rules import partition_of
from kproto.errors import WireError
from kproto.messages.consumer_group_records import ConsumerGroupMetadataKey
from kproto.messages.internal_topics import (
    GroupMetadataKey,
    GroupMetadataValue,
    LegacyOffsetCommitKey,
    MemberMetadata,
    OffsetCommitKey,
    OffsetCommitValue,
)
from kproto.prefixed import key_bytes

T_MS = 1_700_000_000_000
OFFSET_KEY = OffsetCommitKey(group="orders", topic="t", partition=3)
OFFSET = OffsetCommitValue(offset=42, metadata="note", commit_timestamp=T_MS)
GROUP_KEY = GroupMetadataKey(group="orders")
MEMBER = MemberMetadata(
    member_id="a-1",
    client_id="a",
    client_host="/10.0.0.1",
    session_timeout=10_000,
    subscription=b"\1\2",
    assignment=b"\3",
)
GROUP = GroupMetadataValue(
    protocol_type="consumer",
    generation=5,
    protocol="range",
    leader="a-1",
)

OFFSET_VALUES = {
    "0000000000000000002a00046e6f74650000018bcfe56800": OFFSET,
    "0001000000000000002a00046e6f74650000018bcfe568000000018bcfe58f0f": replace(OFFSET, expire_timestamp=T_MS + 9_999),
    "0002000000000000002a00046e6f74650000018bcfe56800": OFFSET,
    "0003000000000000002a0000000700046e6f74650000018bcfe56800": replace(OFFSET, leader_epoch=7),
    "0004000000000000002a00000007056e6f74650000018bcfe5680001001000000000000000010000000000000002": replace(
        OFFSET, leader_epoch=7, topic_id=UUID(int=(1 << 64) + 2)
    ),
}
GROUP_VALUES = {
    "00000008636f6e73756d657200000005000572616e67650003612d31000000010003612d3100016100092f31302e302e302e31"
    "000027100000000201020000000103": replace(GROUP, members=[MEMBER]),
    "00010008636f6e73756d657200000005000572616e67650003612d31000000010003612d3100016100092f31302e302e302e31"
    "0000ea60000027100000000201020000000103": replace(GROUP, members=[replace(MEMBER, rebalance_timeout=60_000)]),
    "00020008636f6e73756d657200000005000572616e67650003612d310000018bcfe56800000000010003612d3100016100092f31"
    "302e302e302e310000ea60000027100000000201020000000103": replace(
        GROUP, current_state_timestamp=T_MS, members=[replace(MEMBER, rebalance_timeout=60_000)]
    ),
    "00030008636f6e73756d657200000005000572616e67650003612d310000018bcfe56800000000010003612d3100014100016100"
    "092f31302e302e302e310000ea60000027100000000201020000000103": replace(
        GROUP,
        current_state_timestamp=T_MS,
        members=[replace(MEMBER, rebalance_timeout=60_000, group_instance_id="A")],
    ),
    "000409636f6e73756d6572000000050672616e676504612d310000018bcfe568000204612d31024102610a2f31302e302e302e31"
    "0000ea600000271003010202030000": replace(
        GROUP,
        current_state_timestamp=T_MS,
        members=[replace(MEMBER, rebalance_timeout=60_000, group_instance_id="A")],
    ),
    "00030008636f6e73756d657200000006ffffffff0000018bcfe5680000000000": GroupMetadataValue(
        protocol_type="consumer", generation=6, protocol=None, leader=None, current_state_timestamp=T_MS
    ),
}


@pytest.mark.parametrize(("text", "value"), OFFSET_VALUES.items())
def test_offset_of_every_version_is_read(text: str, value: OffsetCommitValue) -> None:
    assert read_record(bytes.fromhex("000100066f726465727300017400000003"), bytes.fromhex(text)) == (OFFSET_KEY, value)


@pytest.mark.parametrize(("text", "value"), GROUP_VALUES.items())
def test_group_of_every_version_is_read(text: str, value: GroupMetadataValue) -> None:
    assert read_record(bytes.fromhex("000200066f7264657273"), bytes.fromhex(text)) == (GROUP_KEY, value)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        (GROUP_KEY, list(GROUP_VALUES.values())[3], list(GROUP_VALUES)[3]),
        (GROUP_KEY, list(GROUP_VALUES.values())[5], list(GROUP_VALUES)[5]),
        (OFFSET_KEY, list(OFFSET_VALUES.values())[1], list(OFFSET_VALUES)[1]),
        (OFFSET_KEY, list(OFFSET_VALUES.values())[4], list(OFFSET_VALUES)[4]),
    ],
)
def test_records_are_written_as_kafka_writes_them(key: Key, value: Value, text: str) -> None:
    """A group with members, one without; an offset with an end of its own (version 1), one without (4)."""
    assert record_bytes(key, value)[1] == bytes.fromhex(text)


@pytest.mark.parametrize("key", [GROUP_KEY, OFFSET_KEY])
def test_tombstone_has_no_value(key: Key) -> None:
    written = record_bytes(key, None)
    assert written[1] is None
    assert read_record(*written) == (key, None)


def test_offset_under_the_first_key_type_is_an_offset_too() -> None:
    """Written by 0.8.1, kept for ever by compaction."""
    legacy = key_bytes(LegacyOffsetCommitKey(group="orders", topic="t", partition=3))
    assert read_record(legacy, bytes.fromhex(next(iter(OFFSET_VALUES)))) == (OFFSET_KEY, OFFSET)


def test_record_of_another_kind_of_group_says_nothing() -> None:
    assert read_record(key_bytes(ConsumerGroupMetadataKey(group_id="g")), b"\0\0\0\0\0\1") is None


@pytest.mark.parametrize("key", [b"", b"\0", b"\0\1\0\xff"])
def test_nonsense_is_an_error_and_nothing_else(key: bytes) -> None:
    with pytest.raises(WireError):
        read_record(key, b"")


@pytest.mark.parametrize(
    ("group_id", "partition"), [("orders", 31), ("", 0), ("grüße-𝄞", 22), ("a-long-group-id-0123456789", 30)]
)
def test_group_lives_in_the_partition_that_kafka_would_choose(group_id: str, partition: int) -> None:
    """Computed by Kafka itself: a directory must be readable by either."""
    assert partition_of(group_id, 50) == partition
