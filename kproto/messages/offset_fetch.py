"""OffsetFetch: the offsets that a group has committed.

Versions 0 to 10. Kafka 4 no longer reads 0.
0: read from ZooKeeper.
1: read from `__consumer_offsets`.
2: null asks for all topics; an error for the whole answer.
3: throttle time.
4: throttling is told before it happens.
5: leader epochs (KIP-320).
6: flexible.
7: wait for offsets of open transactions (KIP-447).
8: several groups in one request (KIP-709).
9: member id and epoch (KIP-848).
10: topic ids instead of names.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class OffsetFetchRequestTopic(Struct):
    name: str = wire("string")
    partition_indexes: list[int] = wire(array("int32"))


@struct
class OffsetFetchRequestTopics(Struct):
    name: str = wire("string", until=9)
    topic_id: UUID = wire("uuid", since=10)
    partition_indexes: list[int] = wire(array("int32"))


@struct
class OffsetFetchRequestGroup(Struct):
    group_id: str = wire("string")
    member_id: str | None = wire("string", since=9, nullable=9, default=None)
    member_epoch: int = wire("int32", since=9, default=-1)
    topics: list[OffsetFetchRequestTopics] | None = wire(array(OffsetFetchRequestTopics), nullable=0)


@message(ApiKey.OFFSET_FETCH, versions=(0, 10), flexible=6)
class OffsetFetchRequest(Message):
    """Source: OffsetFetchRequest.json, Kafka 4.4."""

    group_id: str = wire("string", until=7)
    topics: list[OffsetFetchRequestTopic] | None = wire(array(OffsetFetchRequestTopic), until=7, nullable=2)
    groups: list[OffsetFetchRequestGroup] = wire(array(OffsetFetchRequestGroup), since=8)
    require_stable: bool = wire("bool", since=7)


@struct
class OffsetFetchResponsePartition(Struct):
    partition_index: int = wire("int32")
    committed_offset: int = wire("int64")
    committed_leader_epoch: int = wire("int32", since=5, default=-1)
    metadata: str | None = wire("string", nullable=0)
    error_code: int = wire("int16")


@struct
class OffsetFetchResponseTopic(Struct):
    name: str = wire("string")
    partitions: list[OffsetFetchResponsePartition] = wire(array(OffsetFetchResponsePartition))


@struct
class OffsetFetchResponsePartitions(Struct):
    partition_index: int = wire("int32")
    committed_offset: int = wire("int64")
    committed_leader_epoch: int = wire("int32", default=-1)
    metadata: str | None = wire("string", nullable=0)
    error_code: int = wire("int16")


@struct
class OffsetFetchResponseTopics(Struct):
    name: str = wire("string", until=9)
    topic_id: UUID = wire("uuid", since=10)
    partitions: list[OffsetFetchResponsePartitions] = wire(array(OffsetFetchResponsePartitions))


@struct
class OffsetFetchResponseGroup(Struct):
    group_id: str = wire("string")
    topics: list[OffsetFetchResponseTopics] = wire(array(OffsetFetchResponseTopics))
    error_code: int = wire("int16")


@message(ApiKey.OFFSET_FETCH, versions=(0, 10), flexible=6)
class OffsetFetchResponse(Message):
    """Source: OffsetFetchResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=3)
    topics: list[OffsetFetchResponseTopic] = wire(array(OffsetFetchResponseTopic), until=7)
    error_code: int = wire("int16", since=2, until=7)
    groups: list[OffsetFetchResponseGroup] = wire(array(OffsetFetchResponseGroup), since=8)
