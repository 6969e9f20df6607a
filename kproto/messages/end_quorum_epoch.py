"""EndQuorumEpoch: a leader of the Raft quorum resigns.

Versions 0 to 1.
1: flexible; request: `leader_endpoints`, without `topics.partitions.preferred_successors`,
   `topics.partitions.preferred_candidates`; answer: `node_endpoints`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class ReplicaInfo(Struct):
    candidate_id: int = wire("int32")
    candidate_directory_id: UUID = wire("uuid")


@struct
class RequestPartitionData(Struct):
    partition_index: int = wire("int32")
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32")
    preferred_successors: list[int] = wire(array("int32"), until=0)
    preferred_candidates: list[ReplicaInfo] = wire(array(ReplicaInfo), since=1)


@struct
class RequestTopicData(Struct):
    topic_name: str = wire("string")
    partitions: list[RequestPartitionData] = wire(array(RequestPartitionData))


@struct
class LeaderEndpoint(Struct):
    name: str = wire("string")
    host: str = wire("string")
    port: int = wire("uint16")


@message(ApiKey.END_QUORUM_EPOCH, versions=(0, 1), flexible=1)
class EndQuorumEpochRequest(Message):
    """Source: EndQuorumEpochRequest.json, Kafka 4.4."""

    cluster_id: str | None = wire("string", nullable=0, default=None)
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


@message(ApiKey.END_QUORUM_EPOCH, versions=(0, 1), flexible=1)
class EndQuorumEpochResponse(Message):
    """Source: EndQuorumEpochResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    topics: list[ResponseTopicData] = wire(array(ResponseTopicData))
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint), since=1, tag=0)
