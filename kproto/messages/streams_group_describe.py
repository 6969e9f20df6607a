"""StreamsGroupDescribe: topology, members and tasks of streams groups (KIP-1071).

Versions 0 to 1. Flexible from the start.
1: request: `include_topology_description`; answer: `groups.topology_description`,
   `groups.topology_description_status`, `groups.assignor_name`.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.STREAMS_GROUP_DESCRIBE, versions=(0, 1), flexible=0)
class StreamsGroupDescribeRequest(Message):
    """Source: StreamsGroupDescribeRequest.json, Kafka 4.4."""

    group_ids: list[str] = wire(array("string"))
    include_authorized_operations: bool = wire("bool")
    include_topology_description: bool = wire("bool", since=1)


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
class Subtopology(Struct):
    subtopology_id: str = wire("string")
    source_topics: list[str] = wire(array("string"))
    repartition_sink_topics: list[str] = wire(array("string"))
    state_changelog_topics: list[TopicInfo] = wire(array(TopicInfo))
    repartition_source_topics: list[TopicInfo] = wire(array(TopicInfo))


@struct
class Topology(Struct):
    epoch: int = wire("int32")
    subtopologies: list[Subtopology] | None = wire(array(Subtopology), nullable=0, default=None)


@struct
class Endpoint(Struct):
    host: str = wire("string")
    port: int = wire("uint16")


@struct
class TaskOffset(Struct):
    subtopology_id: str = wire("string")
    partition: int = wire("int32")
    offset: int = wire("int64")


@struct
class TaskIds(Struct):
    subtopology_id: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@struct
class Assignment(Struct):
    active_tasks: list[TaskIds] = wire(array(TaskIds))
    standby_tasks: list[TaskIds] = wire(array(TaskIds))
    warmup_tasks: list[TaskIds] = wire(array(TaskIds))


@struct
class Member(Struct):
    member_id: str = wire("string")
    member_epoch: int = wire("int32")
    instance_id: str | None = wire("string", nullable=0, default=None)
    rack_id: str | None = wire("string", nullable=0, default=None)
    client_id: str = wire("string")
    client_host: str = wire("string")
    topology_epoch: int = wire("int32")
    process_id: str = wire("string")
    user_endpoint: Endpoint | None = wire(Endpoint, nullable=0, default=None)
    client_tags: list[KeyValue] = wire(array(KeyValue))
    task_offsets: list[TaskOffset] = wire(array(TaskOffset))
    task_end_offsets: list[TaskOffset] = wire(array(TaskOffset))
    assignment: Assignment = wire(Assignment)
    target_assignment: Assignment = wire(Assignment)
    is_classic: bool = wire("bool")


@struct
class TopologyDescriptionNode(Struct):
    name: str = wire("string")
    node_type: int = wire("int8")
    source_topics: list[str] = wire(array("string"))
    sink_topic: str | None = wire("string", nullable=0, default=None)
    stores: list[str] = wire(array("string"))
    successors: list[str] = wire(array("string"))


@struct
class TopologyDescriptionSubtopology(Struct):
    subtopology_id: str = wire("string")
    nodes: list[TopologyDescriptionNode] = wire(array(TopologyDescriptionNode))


@struct
class TopologyDescriptionGlobalStore(Struct):
    source: TopologyDescriptionNode = wire(TopologyDescriptionNode)
    processor: TopologyDescriptionNode = wire(TopologyDescriptionNode)


@struct
class TopologyDescription(Struct):
    subtopologies: list[TopologyDescriptionSubtopology] = wire(array(TopologyDescriptionSubtopology))
    global_stores: list[TopologyDescriptionGlobalStore] = wire(array(TopologyDescriptionGlobalStore))


@struct
class DescribedGroup(Struct):
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    group_id: str = wire("string")
    group_state: str = wire("string")
    group_epoch: int = wire("int32")
    assignment_epoch: int = wire("int32")
    topology: Topology | None = wire(Topology, nullable=0, default=None)
    members: list[Member] = wire(array(Member))
    authorized_operations: int = wire("int32", default=-2147483648)
    topology_description: TopologyDescription | None = wire(TopologyDescription, since=1, nullable=1, default=None)
    topology_description_status: int = wire("int8", since=1)
    assignor_name: str | None = wire("string", since=1, nullable=1, default=None)


@message(ApiKey.STREAMS_GROUP_DESCRIBE, versions=(0, 1), flexible=0)
class StreamsGroupDescribeResponse(Message):
    """Source: StreamsGroupDescribeResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    groups: list[DescribedGroup] = wire(array(DescribedGroup))
