"""OffsetCommit: a group member keeps the offsets that it has come to.

Versions 0 to 10. Kafka 4 no longer reads 0 and 1.
0: kept in ZooKeeper, without member and generation.
1: kept in `__consumer_offsets`; generation and member id; a timestamp per partition.
2: one retention time for all instead of the timestamps.
3: throttle time.
4: throttling is told before it happens.
5: no retention time any more (KIP-211).
6: leader epoch of the offset (KIP-320).
7: static members (KIP-345).
8: flexible.
9: the generation may be a member epoch; STALE_MEMBER_EPOCH (KIP-848).
10: topic ids instead of names.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class OffsetCommitRequestPartition(Struct):
    partition_index: int = wire("int32")
    committed_offset: int = wire("int64")
    committed_leader_epoch: int = wire("int32", since=6, default=-1)
    commit_timestamp: int = wire("int64", since=1, until=1, default=-1)
    committed_metadata: str | None = wire("string", nullable=0)


@struct
class OffsetCommitRequestTopic(Struct):
    name: str = wire("string", until=9)
    topic_id: UUID = wire("uuid", since=10)
    partitions: list[OffsetCommitRequestPartition] = wire(array(OffsetCommitRequestPartition))


@message(ApiKey.OFFSET_COMMIT, versions=(0, 10), flexible=8)
class OffsetCommitRequest(Message):
    """Source: OffsetCommitRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    generation_id_or_member_epoch: int = wire("int32", since=1, default=-1)
    member_id: str = wire("string", since=1)
    group_instance_id: str | None = wire("string", since=7, nullable=7, default=None)
    retention_time_ms: int = wire("int64", since=2, until=4, default=-1)
    topics: list[OffsetCommitRequestTopic] = wire(array(OffsetCommitRequestTopic))


@struct
class OffsetCommitResponsePartition(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")


@struct
class OffsetCommitResponseTopic(Struct):
    name: str = wire("string", until=9)
    topic_id: UUID = wire("uuid", since=10)
    partitions: list[OffsetCommitResponsePartition] = wire(array(OffsetCommitResponsePartition))


@message(ApiKey.OFFSET_COMMIT, versions=(0, 10), flexible=8)
class OffsetCommitResponse(Message):
    """Source: OffsetCommitResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=3)
    topics: list[OffsetCommitResponseTopic] = wire(array(OffsetCommitResponseTopic))
