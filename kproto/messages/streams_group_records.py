"""Records of `__consumer_offsets` for streams groups (KIP-1071).

Keys and values as in `internal_topics.py`.
"""

from kproto.schema import Message, Struct, array, message, struct, wire


@message(record_type=17, versions=(0, 0))
class StreamsGroupMetadataKey(Message):
    """Source: StreamsGroupMetadataKey.json, Kafka 4.4."""

    group_id: str = wire("string")


@struct
class LastAssignmentConfig(Struct):
    key: str = wire("string")
    value: str = wire("string")


@message(versions=(0, 0), flexible=0)
class StreamsGroupMetadataValue(Message):
    """Source: StreamsGroupMetadataValue.json, Kafka 4.4."""

    epoch: int = wire("int32")
    metadata_hash: int = wire("int64")
    validated_topology_epoch: int = wire("int32", tag=0, default=-1)
    last_assignment_configs: list[LastAssignmentConfig] | None = wire(array(LastAssignmentConfig), nullable=0, tag=1)
    stored_description_topology_epoch: int = wire("int32", tag=2, default=-1)
    failed_description_topology_epoch: int = wire("int32", tag=3, default=-1)


@message(record_type=19, versions=(0, 0))
class StreamsGroupMemberMetadataKey(Message):
    """Source: StreamsGroupMemberMetadataKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")


@struct
class Endpoint(Struct):
    host: str = wire("string")
    port: int = wire("uint16")


@struct
class KeyValue(Struct):
    key: str = wire("string")
    value: str = wire("string")


@message(versions=(0, 0), flexible=0)
class StreamsGroupMemberMetadataValue(Message):
    """Source: StreamsGroupMemberMetadataValue.json, Kafka 4.4."""

    instance_id: str | None = wire("string", nullable=0)
    rack_id: str | None = wire("string", nullable=0)
    client_id: str = wire("string")
    client_host: str = wire("string")
    rebalance_timeout_ms: int = wire("int32", default=-1)
    topology_epoch: int = wire("int32")
    process_id: str = wire("string")
    user_endpoint: Endpoint | None = wire(Endpoint, nullable=0, default=None)
    client_tags: list[KeyValue] = wire(array(KeyValue))


@message(record_type=20, versions=(0, 0))
class StreamsGroupTargetAssignmentMetadataKey(Message):
    """Source: StreamsGroupTargetAssignmentMetadataKey.json, Kafka 4.4."""

    group_id: str = wire("string")


@message(versions=(0, 0), flexible=0)
class StreamsGroupTargetAssignmentMetadataValue(Message):
    """Source: StreamsGroupTargetAssignmentMetadataValue.json, Kafka 4.4."""

    assignment_epoch: int = wire("int32")
    assignment_timestamp: int = wire("int64", tag=0)


@message(record_type=21, versions=(0, 0))
class StreamsGroupTargetAssignmentMemberKey(Message):
    """Source: StreamsGroupTargetAssignmentMemberKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")


@struct
class StreamsGroupTargetAssignmentMemberTaskIds(Struct):
    subtopology_id: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@message(versions=(0, 0), flexible=0)
class StreamsGroupTargetAssignmentMemberValue(Message):
    """Source: StreamsGroupTargetAssignmentMemberValue.json, Kafka 4.4."""

    active_tasks: list[StreamsGroupTargetAssignmentMemberTaskIds] = wire(
        array(StreamsGroupTargetAssignmentMemberTaskIds)
    )
    standby_tasks: list[StreamsGroupTargetAssignmentMemberTaskIds] = wire(
        array(StreamsGroupTargetAssignmentMemberTaskIds)
    )
    warmup_tasks: list[StreamsGroupTargetAssignmentMemberTaskIds] = wire(
        array(StreamsGroupTargetAssignmentMemberTaskIds)
    )


@message(record_type=22, versions=(0, 0))
class StreamsGroupCurrentMemberAssignmentKey(Message):
    """Source: StreamsGroupCurrentMemberAssignmentKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")


@struct
class StreamsGroupCurrentMemberAssignmentTaskIds(Struct):
    subtopology_id: str = wire("string")
    partitions: list[int] = wire(array("int32"))
    assignment_epochs: list[int] | None = wire(array("int32"), nullable=0, tag=0)


@message(versions=(0, 0), flexible=0)
class StreamsGroupCurrentMemberAssignmentValue(Message):
    """Source: StreamsGroupCurrentMemberAssignmentValue.json, Kafka 4.4."""

    member_epoch: int = wire("int32")
    previous_member_epoch: int = wire("int32")
    state: int = wire("int8")
    active_tasks: list[StreamsGroupCurrentMemberAssignmentTaskIds] = wire(
        array(StreamsGroupCurrentMemberAssignmentTaskIds)
    )
    standby_tasks: list[StreamsGroupCurrentMemberAssignmentTaskIds] = wire(
        array(StreamsGroupCurrentMemberAssignmentTaskIds)
    )
    warmup_tasks: list[StreamsGroupCurrentMemberAssignmentTaskIds] = wire(
        array(StreamsGroupCurrentMemberAssignmentTaskIds)
    )
    active_tasks_pending_revocation: list[StreamsGroupCurrentMemberAssignmentTaskIds] = wire(
        array(StreamsGroupCurrentMemberAssignmentTaskIds)
    )
    standby_tasks_pending_revocation: list[StreamsGroupCurrentMemberAssignmentTaskIds] = wire(
        array(StreamsGroupCurrentMemberAssignmentTaskIds)
    )
    warmup_tasks_pending_revocation: list[StreamsGroupCurrentMemberAssignmentTaskIds] = wire(
        array(StreamsGroupCurrentMemberAssignmentTaskIds)
    )


@message(record_type=23, versions=(0, 0))
class StreamsGroupTopologyKey(Message):
    """Source: StreamsGroupTopologyKey.json, Kafka 4.4."""

    group_id: str = wire("string")


@struct
class TopicConfig(Struct):
    key: str = wire("string")
    value: str = wire("string")


@struct
class TopicInfo(Struct):
    name: str = wire("string")
    partitions: int = wire("int32")
    replication_factor: int = wire("int16")
    topic_configs: list[TopicConfig] = wire(array(TopicConfig))


@struct
class CopartitionGroup(Struct):
    source_topics: list[int] = wire(array("int16"))
    source_topic_regex: list[int] = wire(array("int16"))
    repartition_source_topics: list[int] = wire(array("int16"))


@struct
class Subtopology(Struct):
    subtopology_id: str = wire("string")
    source_topics: list[str] = wire(array("string"))
    source_topic_regex: list[str] = wire(array("string"))
    state_changelog_topics: list[TopicInfo] = wire(array(TopicInfo))
    repartition_sink_topics: list[str] = wire(array("string"))
    repartition_source_topics: list[TopicInfo] = wire(array(TopicInfo))
    copartition_groups: list[CopartitionGroup] = wire(array(CopartitionGroup))


@message(versions=(0, 0), flexible=0)
class StreamsGroupTopologyValue(Message):
    """Source: StreamsGroupTopologyValue.json, Kafka 4.4."""

    epoch: int = wire("int32")
    subtopologies: list[Subtopology] = wire(array(Subtopology))
