"""Records of `__consumer_offsets` for groups of the consumer protocol (KIP-848).

Keys and values as in `internal_topics.py`.
"""

from uuid import UUID

from kproto.schema import Message, Struct, array, message, struct, wire


@message(record_type=3, versions=(0, 0))
class ConsumerGroupMetadataKey(Message):
    """Source: ConsumerGroupMetadataKey.json, Kafka 4.4."""

    group_id: str = wire("string")


@message(versions=(0, 0), flexible=0)
class ConsumerGroupMetadataValue(Message):
    """Source: ConsumerGroupMetadataValue.json, Kafka 4.4."""

    epoch: int = wire("int32")
    metadata_hash: int = wire("int64", tag=0)


@message(record_type=4, versions=(0, 0))
class ConsumerGroupPartitionMetadataKey(Message):
    """Source: ConsumerGroupPartitionMetadataKey.json, Kafka 4.4."""

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
class ConsumerGroupPartitionMetadataValue(Message):
    """Source: ConsumerGroupPartitionMetadataValue.json, Kafka 4.4."""

    topics: list[TopicMetadata] = wire(array(TopicMetadata))


@message(record_type=5, versions=(0, 0))
class ConsumerGroupMemberMetadataKey(Message):
    """Source: ConsumerGroupMemberMetadataKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")


@struct
class ClassicProtocol(Struct):
    name: str = wire("string")
    metadata: bytes = wire("bytes")


@struct
class ClassicMemberMetadata(Struct):
    session_timeout_ms: int = wire("int32")
    supported_protocols: list[ClassicProtocol] = wire(array(ClassicProtocol))


@message(versions=(0, 0), flexible=0)
class ConsumerGroupMemberMetadataValue(Message):
    """Source: ConsumerGroupMemberMetadataValue.json, Kafka 4.4."""

    instance_id: str | None = wire("string", nullable=0)
    rack_id: str | None = wire("string", nullable=0)
    client_id: str = wire("string")
    client_host: str = wire("string")
    subscribed_topic_names: list[str] = wire(array("string"))
    subscribed_topic_regex: str | None = wire("string", nullable=0)
    rebalance_timeout_ms: int = wire("int32", default=-1)
    server_assignor: str | None = wire("string", nullable=0)
    classic_member_metadata: ClassicMemberMetadata | None = wire(ClassicMemberMetadata, nullable=0, tag=0)


@message(record_type=6, versions=(0, 0))
class ConsumerGroupTargetAssignmentMetadataKey(Message):
    """Source: ConsumerGroupTargetAssignmentMetadataKey.json, Kafka 4.4."""

    group_id: str = wire("string")


@message(versions=(0, 0), flexible=0)
class ConsumerGroupTargetAssignmentMetadataValue(Message):
    """Source: ConsumerGroupTargetAssignmentMetadataValue.json, Kafka 4.4."""

    assignment_epoch: int = wire("int32")
    assignment_timestamp: int = wire("int64", tag=0)


@message(record_type=7, versions=(0, 0))
class ConsumerGroupTargetAssignmentMemberKey(Message):
    """Source: ConsumerGroupTargetAssignmentMemberKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")


@struct
class TopicPartition(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[int] = wire(array("int32"))


@message(versions=(0, 0), flexible=0)
class ConsumerGroupTargetAssignmentMemberValue(Message):
    """Source: ConsumerGroupTargetAssignmentMemberValue.json, Kafka 4.4."""

    topic_partitions: list[TopicPartition] = wire(array(TopicPartition))


@message(record_type=8, versions=(0, 0))
class ConsumerGroupCurrentMemberAssignmentKey(Message):
    """Source: ConsumerGroupCurrentMemberAssignmentKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")


@struct
class TopicPartitions(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[int] = wire(array("int32"))
    assignment_epochs: list[int] | None = wire(array("int32"), nullable=0, tag=0)


@message(versions=(0, 0), flexible=0)
class ConsumerGroupCurrentMemberAssignmentValue(Message):
    """Source: ConsumerGroupCurrentMemberAssignmentValue.json, Kafka 4.4."""

    member_epoch: int = wire("int32")
    previous_member_epoch: int = wire("int32")
    state: int = wire("int8")
    assigned_partitions: list[TopicPartitions] = wire(array(TopicPartitions))
    partitions_pending_revocation: list[TopicPartitions] = wire(array(TopicPartitions))


@message(record_type=16, versions=(0, 0))
class ConsumerGroupRegularExpressionKey(Message):
    """Source: ConsumerGroupRegularExpressionKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    regular_expression: str = wire("string")


@message(versions=(0, 0), flexible=0)
class ConsumerGroupRegularExpressionValue(Message):
    """Source: ConsumerGroupRegularExpressionValue.json, Kafka 4.4."""

    topics: list[str] = wire(array("string"))
    version: int = wire("int64")
    timestamp: int = wire("int64")
