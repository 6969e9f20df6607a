"""DescribeTopicPartitions: topics and partitions page by page (KIP-966).

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class TopicRequest(Struct):
    name: str = wire("string")


@struct
class Cursor(Struct):
    topic_name: str = wire("string")
    partition_index: int = wire("int32")


@message(ApiKey.DESCRIBE_TOPIC_PARTITIONS, versions=(0, 0), flexible=0)
class DescribeTopicPartitionsRequest(Message):
    """Source: DescribeTopicPartitionsRequest.json, Kafka 4.4."""

    topics: list[TopicRequest] = wire(array(TopicRequest))
    response_partition_limit: int = wire("int32", default=2000)
    cursor: Cursor | None = wire(Cursor, nullable=0, default=None)


@struct
class DescribeTopicPartitionsResponsePartition(Struct):
    error_code: int = wire("int16")
    partition_index: int = wire("int32")
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32", default=-1)
    replica_nodes: list[int] = wire(array("int32"))
    isr_nodes: list[int] = wire(array("int32"))
    eligible_leader_replicas: list[int] | None = wire(array("int32"), nullable=0, default=None)
    last_known_elr: list[int] | None = wire(array("int32"), nullable=0, default=None)
    offline_replicas: list[int] = wire(array("int32"))


@struct
class DescribeTopicPartitionsResponseTopic(Struct):
    error_code: int = wire("int16")
    name: str | None = wire("string", nullable=0)
    topic_id: UUID = wire("uuid")
    is_internal: bool = wire("bool")
    partitions: list[DescribeTopicPartitionsResponsePartition] = wire(array(DescribeTopicPartitionsResponsePartition))
    topic_authorized_operations: int = wire("int32", default=-2147483648)


@message(ApiKey.DESCRIBE_TOPIC_PARTITIONS, versions=(0, 0), flexible=0)
class DescribeTopicPartitionsResponse(Message):
    """Source: DescribeTopicPartitionsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    topics: list[DescribeTopicPartitionsResponseTopic] = wire(array(DescribeTopicPartitionsResponseTopic))
    next_cursor: Cursor | None = wire(Cursor, nullable=0, default=None)
