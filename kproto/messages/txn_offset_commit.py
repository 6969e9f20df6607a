"""TxnOffsetCommit: offsets of a group that count once their transaction commits.

Versions 0 to 6.
2: request: `topics.partitions.committed_leader_epoch`.
3: flexible; request: `generation_id_or_member_epoch`, `member_id`, `group_instance_id`.
6: request: without `topics.name`, `topics.topic_id`; answer: without `topics.name`, `topics.topic_id`.
1, 4, 5: same fields as the version before.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class TxnOffsetCommitRequestPartition(Struct):
    partition_index: int = wire("int32")
    committed_offset: int = wire("int64")
    committed_leader_epoch: int = wire("int32", since=2, default=-1)
    committed_metadata: str | None = wire("string", nullable=0)


@struct
class TxnOffsetCommitRequestTopic(Struct):
    name: str = wire("string", until=5)
    topic_id: UUID = wire("uuid", since=6)
    partitions: list[TxnOffsetCommitRequestPartition] = wire(array(TxnOffsetCommitRequestPartition))


@message(ApiKey.TXN_OFFSET_COMMIT, versions=(0, 6), flexible=3)
class TxnOffsetCommitRequest(Message):
    """Source: TxnOffsetCommitRequest.json, Kafka 4.4."""

    transactional_id: str = wire("string")
    group_id: str = wire("string")
    producer_id: int = wire("int64")
    producer_epoch: int = wire("int16")
    generation_id_or_member_epoch: int = wire("int32", since=3, default=-1)
    member_id: str = wire("string", since=3)
    group_instance_id: str | None = wire("string", since=3, nullable=3, default=None)
    topics: list[TxnOffsetCommitRequestTopic] = wire(array(TxnOffsetCommitRequestTopic))


@struct
class TxnOffsetCommitResponsePartition(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")


@struct
class TxnOffsetCommitResponseTopic(Struct):
    name: str = wire("string", until=5)
    topic_id: UUID = wire("uuid", since=6)
    partitions: list[TxnOffsetCommitResponsePartition] = wire(array(TxnOffsetCommitResponsePartition))


@message(ApiKey.TXN_OFFSET_COMMIT, versions=(0, 6), flexible=3)
class TxnOffsetCommitResponse(Message):
    """Source: TxnOffsetCommitResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    topics: list[TxnOffsetCommitResponseTopic] = wire(array(TxnOffsetCommitResponseTopic))
