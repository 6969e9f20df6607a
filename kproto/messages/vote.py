"""Vote: a candidate of the Raft quorum asks for a vote.

Versions 0 to 2. Flexible from the start.
1: request: `voter_id`, `topics.partitions.replica_directory_id`, `topics.partitions.voter_directory_id`; answer:
   `node_endpoints`.
2: request: `topics.partitions.pre_vote`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class RequestPartitionData(Struct):
    partition_index: int = wire("int32")
    replica_epoch: int = wire("int32")
    replica_id: int = wire("int32")
    replica_directory_id: UUID = wire("uuid", since=1)
    voter_directory_id: UUID = wire("uuid", since=1)
    last_offset_epoch: int = wire("int32")
    last_offset: int = wire("int64")
    pre_vote: bool = wire("bool", since=2)


@struct
class RequestTopicData(Struct):
    topic_name: str = wire("string")
    partitions: list[RequestPartitionData] = wire(array(RequestPartitionData))


@message(ApiKey.VOTE, versions=(0, 2), flexible=0)
class VoteRequest(Message):
    """Source: VoteRequest.json, Kafka 4.4."""

    cluster_id: str | None = wire("string", nullable=0, default=None)
    voter_id: int = wire("int32", since=1, default=-1)
    topics: list[RequestTopicData] = wire(array(RequestTopicData))


@struct
class ResponsePartitionData(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32")
    vote_granted: bool = wire("bool")


@struct
class ResponseTopicData(Struct):
    topic_name: str = wire("string")
    partitions: list[ResponsePartitionData] = wire(array(ResponsePartitionData))


@struct
class NodeEndpoint(Struct):
    node_id: int = wire("int32")
    host: str = wire("string")
    port: int = wire("uint16")


@message(ApiKey.VOTE, versions=(0, 2), flexible=0)
class VoteResponse(Message):
    """Source: VoteResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    topics: list[ResponseTopicData] = wire(array(ResponseTopicData))
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint), since=1, tag=0)
