"""FetchSnapshot: a piece of a snapshot of the metadata log.

Versions 0 to 1. Flexible from the start.
1: request: `topics.partitions.replica_directory_id`; answer: `node_endpoints`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Records, Struct, array, message, struct, wire


@struct
class SnapshotId(Struct):
    end_offset: int = wire("int64")
    epoch: int = wire("int32")


@struct
class RequestPartitionSnapshot(Struct):
    partition: int = wire("int32")
    current_leader_epoch: int = wire("int32")
    snapshot_id: SnapshotId = wire(SnapshotId)
    position: int = wire("int64")
    replica_directory_id: UUID = wire("uuid", since=1, tag=0)


@struct
class RequestTopicSnapshot(Struct):
    name: str = wire("string")
    partitions: list[RequestPartitionSnapshot] = wire(array(RequestPartitionSnapshot))


@message(ApiKey.FETCH_SNAPSHOT, versions=(0, 1), flexible=0)
class FetchSnapshotRequest(Message):
    """Source: FetchSnapshotRequest.json, Kafka 4.4."""

    cluster_id: str | None = wire("string", nullable=0, tag=0, default=None)
    replica_id: int = wire("int32", default=-1)
    max_bytes: int = wire("int32", default=2147483647)
    topics: list[RequestTopicSnapshot] = wire(array(RequestTopicSnapshot))


@struct
class LeaderIdAndEpoch(Struct):
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32")


@struct
class ResponsePartitionSnapshot(Struct):
    index: int = wire("int32")
    error_code: int = wire("int16")
    snapshot_id: SnapshotId = wire(SnapshotId)
    current_leader: LeaderIdAndEpoch | None = wire(LeaderIdAndEpoch, tag=0)
    size: int = wire("int64")
    position: int = wire("int64")
    unaligned_records: Records = wire("records")


@struct
class ResponseTopicSnapshot(Struct):
    name: str = wire("string")
    partitions: list[ResponsePartitionSnapshot] = wire(array(ResponsePartitionSnapshot))


@struct
class NodeEndpoint(Struct):
    node_id: int = wire("int32")
    host: str = wire("string")
    port: int = wire("uint16")


@message(ApiKey.FETCH_SNAPSHOT, versions=(0, 1), flexible=0)
class FetchSnapshotResponse(Message):
    """Source: FetchSnapshotResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    topics: list[ResponseTopicSnapshot] = wire(array(ResponseTopicSnapshot))
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint), since=1, tag=0)
