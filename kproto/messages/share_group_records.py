"""Records of `__consumer_offsets` for share groups (KIP-932). Layout of keys and values as in `internal_topics.py`."""

from uuid import UUID

from kproto.schema import Message, Struct, array, message, struct, wire


@message(record_type=9, versions=(0, 0))
class ShareGroupPartitionMetadataKey(Message):
    """Source: ShareGroupPartitionMetadataKey.json, Kafka 4.0."""

    group_id: str = wire("string")


@struct
class PartitionMetadata(Struct):
    partition: int = wire("int32")
    racks: list[str] = wire(array("string"))


@struct
class TopicMetadata(Struct):
    topic_id: UUID = wire("uuid")
    topic_name: str = wire("string")
    num_partitions: int = wire("int32")
    partition_metadata: list[PartitionMetadata] = wire(array(PartitionMetadata))


@message(versions=(0, 0), flexible=0)
class ShareGroupPartitionMetadataValue(Message):
    """Source: ShareGroupPartitionMetadataValue.json, Kafka 4.0."""

    topics: list[TopicMetadata] = wire(array(TopicMetadata))


@message(record_type=10, versions=(0, 0))
class ShareGroupMemberMetadataKey(Message):
    """Source: ShareGroupMemberMetadataKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")


@message(versions=(0, 0), flexible=0)
class ShareGroupMemberMetadataValue(Message):
    """Source: ShareGroupMemberMetadataValue.json, Kafka 4.4."""

    rack_id: str | None = wire("string", nullable=0)
    client_id: str = wire("string")
    client_host: str = wire("string")
    subscribed_topic_names: list[str] = wire(array("string"))


@message(record_type=11, versions=(0, 0))
class ShareGroupMetadataKey(Message):
    """Source: ShareGroupMetadataKey.json, Kafka 4.4."""

    group_id: str = wire("string")


@message(versions=(0, 0), flexible=0)
class ShareGroupMetadataValue(Message):
    """Source: ShareGroupMetadataValue.json, Kafka 4.4."""

    epoch: int = wire("int32")
    metadata_hash: int = wire("int64")


@message(record_type=12, versions=(0, 0))
class ShareGroupTargetAssignmentMetadataKey(Message):
    """Source: ShareGroupTargetAssignmentMetadataKey.json, Kafka 4.4."""

    group_id: str = wire("string")


@message(versions=(0, 0), flexible=0)
class ShareGroupTargetAssignmentMetadataValue(Message):
    """Source: ShareGroupTargetAssignmentMetadataValue.json, Kafka 4.4."""

    assignment_epoch: int = wire("int32")
    assignment_timestamp: int = wire("int64", tag=0)


@message(record_type=13, versions=(0, 0))
class ShareGroupTargetAssignmentMemberKey(Message):
    """Source: ShareGroupTargetAssignmentMemberKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")


@struct
class TopicPartition(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[int] = wire(array("int32"))


@message(versions=(0, 0), flexible=0)
class ShareGroupTargetAssignmentMemberValue(Message):
    """Source: ShareGroupTargetAssignmentMemberValue.json, Kafka 4.4."""

    topic_partitions: list[TopicPartition] = wire(array(TopicPartition))


@message(record_type=14, versions=(0, 0))
class ShareGroupCurrentMemberAssignmentKey(Message):
    """Source: ShareGroupCurrentMemberAssignmentKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")


@struct
class TopicPartitions(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[int] = wire(array("int32"))


@message(versions=(0, 0), flexible=0)
class ShareGroupCurrentMemberAssignmentValue(Message):
    """Source: ShareGroupCurrentMemberAssignmentValue.json, Kafka 4.4."""

    member_epoch: int = wire("int32")
    previous_member_epoch: int = wire("int32")
    state: int = wire("int8")
    assigned_partitions: list[TopicPartitions] = wire(array(TopicPartitions))


@message(record_type=15, versions=(0, 0))
class ShareGroupStatePartitionMetadataKey(Message):
    """Source: ShareGroupStatePartitionMetadataKey.json, Kafka 4.4."""

    group_id: str = wire("string")


@struct
class TopicPartitionsInfo(Struct):
    topic_id: UUID = wire("uuid")
    topic_name: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@struct
class TopicInfo(Struct):
    topic_id: UUID = wire("uuid")
    topic_name: str = wire("string")


@message(versions=(0, 0), flexible=0)
class ShareGroupStatePartitionMetadataValue(Message):
    """Source: ShareGroupStatePartitionMetadataValue.json, Kafka 4.4."""

    initializing_topics: list[TopicPartitionsInfo] = wire(array(TopicPartitionsInfo))
    initialized_topics: list[TopicPartitionsInfo] = wire(array(TopicPartitionsInfo))
    deleting_topics: list[TopicInfo] = wire(array(TopicInfo))
