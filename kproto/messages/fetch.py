"""Fetch.

Versions 0 to 18.
1: answer: `throttle_time_ms`.
3: request: `max_bytes`.
4: request: `isolation_level`; answer: `responses.partitions.last_stable_offset`,
   `responses.partitions.aborted_transactions`.
5: request: `topics.partitions.log_start_offset`; answer: `responses.partitions.log_start_offset`.
7: request: `session_id`, `session_epoch`, `forgotten_topics_data`; answer: `error_code`, `session_id`.
9: request: `topics.partitions.current_leader_epoch`.
11: request: `rack_id`; answer: `responses.partitions.preferred_read_replica`.
12: compact and tagged; request: `cluster_id`, `topics.partitions.last_fetched_epoch`; answer:
   `responses.partitions.diverging_epoch`, `responses.partitions.current_leader`, `responses.partitions.snapshot_id`.
13: request: no `topics.topic` any more, `topics.topic_id`, no `forgotten_topics_data.topic` any more,
   `forgotten_topics_data.topic_id`; answer: no `responses.topic` any more, `responses.topic_id`.
15: request: no `replica_id` any more, `replica_state`.
16: answer: `node_endpoints`.
17: request: `topics.partitions.replica_directory_id`.
18: request: `topics.partitions.high_watermark`.
Versions 2, 6, 8, 10, 14: same fields as the one before.
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
