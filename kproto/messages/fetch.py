"""Fetch: consumers and followers ask leaders for the batches of partitions from an offset on.

Versions 0 to 18. Kafka 4 no longer reads 0 to 3.
1: throttle time.
2: messages may have magic 1.
3: a limit for the whole answer (KIP-74).
4: isolation level, last stable offset, aborted transactions; record batches of magic 2 (KIP-98).
5: log start offsets, of followers and in the answer.
6: KAFKA_STORAGE_ERROR may come back.
7: fetch sessions, which only tell what changed (KIP-227).
8: throttling is told before it happens.
9: current leader epoch (KIP-320).
10: zstd is allowed (KIP-110).
11: the rack of the consumer, and the replica that it had better read (KIP-392).
12: flexible; last fetched epoch, and where logs diverge (KIP-595).
13: topic ids instead of names (KIP-516).
14: OFFSET_MOVED_TO_TIERED_STORAGE.
15: the replica id moves into the tagged replica state (KIP-903).
16: addresses of new leaders (KIP-951).
17: the directory id of a Raft replica (KIP-853).
18: the high watermark that a follower knows (KIP-1166).
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Records, Struct, array, message, struct, wire


@struct
class ReplicaState(Struct):
    replica_id: int = wire("int32", default=-1)
    replica_epoch: int = wire("int64", default=-1)


@struct
class FetchPartition(Struct):
    partition: int = wire("int32")
    current_leader_epoch: int = wire("int32", since=9, default=-1)
    fetch_offset: int = wire("int64")
    last_fetched_epoch: int = wire("int32", since=12, default=-1)
    log_start_offset: int = wire("int64", since=5, default=-1)
    partition_max_bytes: int = wire("int32")
    replica_directory_id: UUID = wire("uuid", since=17, tag=0)
    high_watermark: int = wire("int64", since=18, tag=1, default=9223372036854775807)


@struct
class FetchTopic(Struct):
    topic: str = wire("string", until=12)
    topic_id: UUID = wire("uuid", since=13)
    partitions: list[FetchPartition] = wire(array(FetchPartition))


@struct
class ForgottenTopic(Struct):
    topic: str = wire("string", until=12)
    topic_id: UUID = wire("uuid", since=13)
    partitions: list[int] = wire(array("int32"))


@message(ApiKey.FETCH, versions=(0, 18), flexible=12)
class FetchRequest(Message):
    """Source: FetchRequest.json, Kafka 4.4."""

    cluster_id: str | None = wire("string", since=12, nullable=12, tag=0, default=None)
    replica_id: int = wire("int32", until=14, default=-1)
    replica_state: ReplicaState | None = wire(ReplicaState, since=15, tag=1)
    max_wait_ms: int = wire("int32")
    min_bytes: int = wire("int32")
    max_bytes: int = wire("int32", since=3, default=2147483647)
    isolation_level: int = wire("int8", since=4)
    session_id: int = wire("int32", since=7)
    session_epoch: int = wire("int32", since=7, default=-1)
    topics: list[FetchTopic] = wire(array(FetchTopic))
    forgotten_topics_data: list[ForgottenTopic] = wire(array(ForgottenTopic), since=7)
    rack_id: str = wire("string", since=11)


@struct
class EpochEndOffset(Struct):
    epoch: int = wire("int32", default=-1)
    end_offset: int = wire("int64", default=-1)


@struct
class LeaderIdAndEpoch(Struct):
    leader_id: int = wire("int32", default=-1)
    leader_epoch: int = wire("int32", default=-1)


@struct
class SnapshotId(Struct):
    end_offset: int = wire("int64", default=-1)
    epoch: int = wire("int32", default=-1)


@struct
class AbortedTransaction(Struct):
    producer_id: int = wire("int64")
    first_offset: int = wire("int64")


@struct
class PartitionData(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    high_watermark: int = wire("int64")
    last_stable_offset: int = wire("int64", since=4, default=-1)
    log_start_offset: int = wire("int64", since=5, default=-1)
    diverging_epoch: EpochEndOffset | None = wire(EpochEndOffset, since=12, tag=0)
    current_leader: LeaderIdAndEpoch | None = wire(LeaderIdAndEpoch, since=12, tag=1)
    snapshot_id: SnapshotId | None = wire(SnapshotId, since=12, tag=2)
    aborted_transactions: list[AbortedTransaction] | None = wire(array(AbortedTransaction), since=4, nullable=4)
    preferred_read_replica: int = wire("int32", since=11, default=-1)
    records: Records = wire("records", nullable=0)


@struct
class FetchableTopicResponse(Struct):
    topic: str = wire("string", until=12)
    topic_id: UUID = wire("uuid", since=13)
    partitions: list[PartitionData] = wire(array(PartitionData))


@struct
class NodeEndpoint(Struct):
    node_id: int = wire("int32")
    host: str = wire("string")
    port: int = wire("int32")
    rack: str | None = wire("string", nullable=0, default=None)


@message(ApiKey.FETCH, versions=(0, 18), flexible=12)
class FetchResponse(Message):
    """Source: FetchResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=1)
    error_code: int = wire("int16", since=7)
    session_id: int = wire("int32", since=7)
    responses: list[FetchableTopicResponse] = wire(array(FetchableTopicResponse))
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint), since=16, tag=0)
