"""Records of `__consumer_offsets` that every release with classic groups writes, and of `__transaction_state`.

A key is an int16 that names its type, then the body at version 0; a value is an int16 version, then the body; a null
value is a tombstone. `kproto.prefixed` reads and writes them so.

OffsetCommitValue: 1 adds an expiry of its own, which 2 takes back; 3 adds the leader epoch; 4 is flexible and adds the
topic id as a tag. GroupMetadataValue: 1 adds the rebalance timeout; 2 the time of the last state change; 3 static
members (`group_instance_id`); 4 is flexible. TransactionLogValue: 1 is flexible and adds what KIP-890 needs.
"""

from uuid import UUID

from kproto.schema import Message, Struct, array, message, struct, wire


@message(record_type=0, versions=(0, 0))
class LegacyOffsetCommitKey(Message):
    """Source: LegacyOffsetCommitKey.json, Kafka 4.4."""

    group: str = wire("string")
    topic: str = wire("string")
    partition: int = wire("int32")


@message(versions=(0, 0))
class LegacyOffsetCommitValue(Message):
    """Source: LegacyOffsetCommitValue.json, Kafka 4.4."""

    offset: int = wire("int64")
    metadata: str = wire("string")
    commit_timestamp: int = wire("int64")


@message(record_type=1, versions=(0, 0))
class OffsetCommitKey(Message):
    """Source: OffsetCommitKey.json, Kafka 4.4."""

    group: str = wire("string")
    topic: str = wire("string")
    partition: int = wire("int32")


@message(versions=(0, 4), flexible=4)
class OffsetCommitValue(Message):
    """Source: OffsetCommitValue.json, Kafka 4.4."""

    offset: int = wire("int64")
    leader_epoch: int = wire("int32", since=3, default=-1)
    metadata: str = wire("string")
    commit_timestamp: int = wire("int64")
    expire_timestamp: int = wire("int64", since=1, until=1, default=-1)
    topic_id: UUID = wire("uuid", since=4, tag=0)


@message(record_type=2, versions=(0, 0))
class GroupMetadataKey(Message):
    """Source: GroupMetadataKey.json, Kafka 4.4."""

    group: str = wire("string")


@struct
class MemberMetadata(Struct):
    member_id: str = wire("string")
    group_instance_id: str | None = wire("string", since=3, nullable=3, default=None)
    client_id: str = wire("string")
    client_host: str = wire("string")
    rebalance_timeout: int = wire("int32", since=1, default=-1)
    session_timeout: int = wire("int32")
    subscription: bytes = wire("bytes")
    assignment: bytes = wire("bytes")


@message(versions=(0, 4), flexible=4)
class GroupMetadataValue(Message):
    """Source: GroupMetadataValue.json, Kafka 4.4."""

    protocol_type: str = wire("string")
    generation: int = wire("int32")
    protocol: str | None = wire("string", nullable=0)
    leader: str | None = wire("string", nullable=0)
    current_state_timestamp: int = wire("int64", since=2, default=-1)
    members: list[MemberMetadata] = wire(array(MemberMetadata))


@message(record_type=0, versions=(0, 0))
class TransactionLogKey(Message):
    """Source: TransactionLogKey.json, Kafka 4.4."""

    transactional_id: str = wire("string")


@struct
class PartitionsSchema(Struct):
    topic: str = wire("string")
    partition_ids: list[int] = wire(array("int32"))


@message(versions=(0, 1), flexible=1)
class TransactionLogValue(Message):
    """Source: TransactionLogValue.json, Kafka 4.4."""

    producer_id: int = wire("int64")
    previous_producer_id: int = wire("int64", since=1, tag=0, default=-1)
    next_producer_id: int = wire("int64", since=1, tag=1, default=-1)
    producer_epoch: int = wire("int16")
    next_producer_epoch: int = wire("int16", since=1, tag=3, default=-1)
    transaction_timeout_ms: int = wire("int32")
    transaction_status: int = wire("int8")
    transaction_partitions: list[PartitionsSchema] | None = wire(array(PartitionsSchema), nullable=0)
    transaction_last_update_timestamp_ms: int = wire("int64")
    transaction_start_timestamp_ms: int = wire("int64")
    client_transaction_version: int = wire("int16", since=1, tag=2)
