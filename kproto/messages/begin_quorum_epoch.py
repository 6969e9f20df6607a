"""BeginQuorumEpoch: a new leader of the Raft quorum announces itself.

Versions 0 to 1.
1: flexible; request: `voter_id`, `leader_endpoints`, `topics.partitions.voter_directory_id`; answer:
   `node_endpoints`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class RequestPartitionData(Struct):
    partition_index: int = wire("int32")
    voter_directory_id: UUID = wire("uuid", since=1)
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32")


@struct
class RequestTopicData(Struct):
    topic_name: str = wire("string")
    partitions: list[RequestPartitionData] = wire(array(RequestPartitionData))


@struct
class LeaderEndpoint(Struct):
    name: str = wire("string")
    host: str = wire("string")
    port: int = wire("uint16")


@message(ApiKey.BEGIN_QUORUM_EPOCH, versions=(0, 1), flexible=1)
class BeginQuorumEpochRequest(Message):
    """Source: BeginQuorumEpochRequest.json, Kafka 4.4."""

    cluster_id: str | None = wire("string", nullable=0, default=None)
    voter_id: int = wire("int32", since=1, default=-1)
    topics: list[RequestTopicData] = wire(array(RequestTopicData))
    leader_endpoints: list[LeaderEndpoint] = wire(array(LeaderEndpoint), since=1)


@struct
class ResponsePartitionData(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32")


@struct
class ResponseTopicData(Struct):
    topic_name: str = wire("string")
    partitions: list[ResponsePartitionData] = wire(array(ResponsePartitionData))


@struct
class NodeEndpoint(Struct):
    node_id: int = wire("int32")
    host: str = wire("string")
    port: int = wire("uint16")


@message(ApiKey.BEGIN_QUORUM_EPOCH, versions=(0, 1), flexible=1)
class BeginQuorumEpochResponse(Message):
    """Source: BeginQuorumEpochResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    topics: list[ResponseTopicData] = wire(array(ResponseTopicData))
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint), since=1, tag=0)
