"""StreamsGroupHeartbeat: a member of a streams group (KIP-1071) joins, stays or leaves, and learns its tasks.

Versions 0 to 1. Flexible from the start.
1: answer: without `acceptable_recovery_lag_legacy`, `acceptable_recovery_lag`, `topology_description_required`.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class KeyValue(Struct):
    key: str = wire("string")
    value: str = wire("string")


@struct
class TopicInfo(Struct):
    name: str = wire("string")
    partitions: int = wire("int32")
    replication_factor: int = wire("int16")
    topic_configs: list[KeyValue] = wire(array(KeyValue))


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


@struct
class Topology(Struct):
    epoch: int = wire("int32")
    subtopologies: list[Subtopology] = wire(array(Subtopology))


@struct
class TaskIds(Struct):
    subtopology_id: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@struct
class Endpoint(Struct):
    host: str = wire("string")
    port: int = wire("uint16")


@struct
class TaskOffset(Struct):
    subtopology_id: str = wire("string")
    partition: int = wire("int32")
    offset: int = wire("int64")


@message(ApiKey.STREAMS_GROUP_HEARTBEAT, versions=(0, 1), flexible=0)
class StreamsGroupHeartbeatRequest(Message):
    """Source: StreamsGroupHeartbeatRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")
    member_epoch: int = wire("int32")
    endpoint_information_epoch: int = wire("int32")
    instance_id: str | None = wire("string", nullable=0, default=None)
    rack_id: str | None = wire("string", nullable=0, default=None)
    rebalance_timeout_ms: int = wire("int32", default=-1)
    topology: Topology | None = wire(Topology, nullable=0, default=None)
    active_tasks: list[TaskIds] | None = wire(array(TaskIds), nullable=0, default=None)
    standby_tasks: list[TaskIds] | None = wire(array(TaskIds), nullable=0, default=None)
    warmup_tasks: list[TaskIds] | None = wire(array(TaskIds), nullable=0, default=None)
    process_id: str | None = wire("string", nullable=0, default=None)
    user_endpoint: Endpoint | None = wire(Endpoint, nullable=0, default=None)
    client_tags: list[KeyValue] | None = wire(array(KeyValue), nullable=0, default=None)
    task_offsets: list[TaskOffset] | None = wire(array(TaskOffset), nullable=0, default=None)
    task_end_offsets: list[TaskOffset] | None = wire(array(TaskOffset), nullable=0, default=None)
    shutdown_application: bool = wire("bool")


@struct
class Status(Struct):
    status_code: int = wire("int8")
    status_detail: str = wire("string")


@struct
class TopicPartition(Struct):
    topic: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@struct
class EndpointToPartitions(Struct):
    user_endpoint: Endpoint = wire(Endpoint)
    active_partitions: list[TopicPartition] = wire(array(TopicPartition))
    standby_partitions: list[TopicPartition] = wire(array(TopicPartition))


@message(ApiKey.STREAMS_GROUP_HEARTBEAT, versions=(0, 1), flexible=0)
class StreamsGroupHeartbeatResponse(Message):
    """Source: StreamsGroupHeartbeatResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    member_id: str = wire("string")
    member_epoch: int = wire("int32")
    heartbeat_interval_ms: int = wire("int32")
    acceptable_recovery_lag_legacy: int = wire("int32", until=0)
    task_offset_interval_ms: int = wire("int32")
    acceptable_recovery_lag: int = wire("int64", since=1, default=-1)
    status: list[Status] | None = wire(array(Status), nullable=0)
    active_tasks: list[TaskIds] | None = wire(array(TaskIds), nullable=0, default=None)
    standby_tasks: list[TaskIds] | None = wire(array(TaskIds), nullable=0, default=None)
    warmup_tasks: list[TaskIds] | None = wire(array(TaskIds), nullable=0, default=None)
    topology_description_required: bool = wire("bool", since=1)
    endpoint_information_epoch: int = wire("int32")
    partitions_by_user_endpoint: list[EndpointToPartitions] | None = wire(
        array(EndpointToPartitions), nullable=0, default=None
    )
