"""The records of `__consumer_offsets`, as Kafka writes them and as every release since 0.8.2 wrote them.

A group's metadata with its members (key type 2), a committed offset (key types 0 and 1). What a newer release or the
consumer protocol of KIP-848 added says nothing to classic groups. Source: GroupMetadataManager.scala of Kafka 3.9.
"""

from typing import TypeAlias

from kproto.messages.internal_topics import (
    GroupMetadataKey,
    GroupMetadataValue,
    LegacyOffsetCommitKey,
    OffsetCommitKey,
    OffsetCommitValue,
)
from kproto.prefixed import key_bytes, read_key, read_versioned, versioned
from kproto.schema import Message

Key: TypeAlias = GroupMetadataKey | OffsetCommitKey
Value: TypeAlias = GroupMetadataValue | OffsetCommitValue | None

GROUP_VERSION = 3
OFFSET_VERSION = 4
OFFSET_WITH_EXPIRY_VERSION = 1
"""The only version that has a field for it (OffsetCommit 2 to 4: `retention_time_ms`)."""

KEYS: tuple[type[Message], ...] = (OffsetCommitKey, GroupMetadataKey, LegacyOffsetCommitKey)


def record_bytes(key: Key, value: Value) -> tuple[bytes, bytes | None]:
    """Key and value as they stand in the log."""
    return key_bytes(key), None if value is None else versioned(value, _version_of(value))


def read_record(key: bytes, value: bytes | None) -> tuple[Key, Value] | None:
    """What a record of the log says; None if it says nothing to classic groups.

    Raises: WireError: bytes that no release writes.
    """
    match read_key(KEYS, key):
        case GroupMetadataKey() as group:
            return group, None if value is None else read_versioned(GroupMetadataValue, value)
        case OffsetCommitKey() as offset:
            return offset, None if value is None else read_versioned(OffsetCommitValue, value)
        case LegacyOffsetCommitKey(group=group_id, topic=topic, partition=partition):
            legacy = OffsetCommitKey(group=group_id, topic=topic, partition=partition)
            return legacy, None if value is None else read_versioned(OffsetCommitValue, value)
    return None


def _version_of(value: GroupMetadataValue | OffsetCommitValue) -> int:
    if isinstance(value, GroupMetadataValue):
        return GROUP_VERSION
    return OFFSET_VERSION if value.expire_timestamp == -1 else OFFSET_WITH_EXPIRY_VERSION
