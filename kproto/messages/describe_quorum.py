"""DescribeQuorum: voters and observers of the Raft quorum, and how far each has come.

Versions 0 to 2. Flexible from the start.
1: answer: `topics.partitions.current_voters.last_fetch_timestamp`,
   `topics.partitions.current_voters.last_caught_up_timestamp`.
2: answer: `error_message`, `nodes`, `topics.partitions.error_message`,
   `topics.partitions.current_voters.replica_directory_id`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class RequestPartitionData(Struct):
    partition_index: int = wire("int32")


@struct
class RequestTopicData(Struct):
    topic_name: str = wire("string")
    partitions: list[RequestPartitionData] = wire(array(RequestPartitionData))


@message(ApiKey.DESCRIBE_QUORUM, versions=(0, 2), flexible=0)
class DescribeQuorumRequest(Message):
    """Source: DescribeQuorumRequest.json, Kafka 4.4."""

    topics: list[RequestTopicData] = wire(array(RequestTopicData))


@struct
class ReplicaState(Struct):
    replica_id: int = wire("int32")
    replica_directory_id: UUID = wire("uuid", since=2)
    log_end_offset: int = wire("int64")
    last_fetch_timestamp: int = wire("int64", since=1, default=-1)
    last_caught_up_timestamp: int = wire("int64", since=1, default=-1)


@struct
class ResponsePartitionData(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", since=2, nullable=2)
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32")
    high_watermark: int = wire("int64")
    current_voters: list[ReplicaState] = wire(array(ReplicaState))
    observers: list[ReplicaState] = wire(array(ReplicaState))


@struct
class ResponseTopicData(Struct):
    topic_name: str = wire("string")
    partitions: list[ResponsePartitionData] = wire(array(ResponsePartitionData))


@struct
class Listener(Struct):
    name: str = wire("string")
    host: str = wire("string")
    port: int = wire("uint16")


@struct
class Node(Struct):
    node_id: int = wire("int32")
    listeners: list[Listener] = wire(array(Listener))


@message(ApiKey.DESCRIBE_QUORUM, versions=(0, 2), flexible=0)
class DescribeQuorumResponse(Message):
    """Source: DescribeQuorumResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    error_message: str | None = wire("string", since=2, nullable=2)
    topics: list[ResponseTopicData] = wire(array(ResponseTopicData))
    nodes: list[Node] = wire(array(Node), since=2)
