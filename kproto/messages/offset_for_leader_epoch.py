"""OffsetForLeaderEpoch: where the batches of a leader epoch end, for followers and consumers that look for the point
where logs diverge.

Versions 0 to 4. Kafka 4 no longer reads 0 and 1.
1: the epoch found comes back (KIP-279).
2: current leader epoch (KIP-320); throttle time.
3: replica id, -2 for debugging consumers.
4: flexible.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class OffsetForLeaderPartition(Struct):
    partition: int = wire("int32")
    current_leader_epoch: int = wire("int32", since=2, default=-1)
    leader_epoch: int = wire("int32")


@struct
class OffsetForLeaderTopic(Struct):
    topic: str = wire("string")
    partitions: list[OffsetForLeaderPartition] = wire(array(OffsetForLeaderPartition))


@message(ApiKey.OFFSET_FOR_LEADER_EPOCH, versions=(0, 4), flexible=4)
class OffsetForLeaderEpochRequest(Message):
    """Source: OffsetForLeaderEpochRequest.json, Kafka 4.4."""

    replica_id: int = wire("int32", since=3, default=-2)
    topics: list[OffsetForLeaderTopic] = wire(array(OffsetForLeaderTopic))


@struct
class EpochEndOffset(Struct):
    error_code: int = wire("int16")
    partition: int = wire("int32")
    leader_epoch: int = wire("int32", since=1, default=-1)
    end_offset: int = wire("int64", default=-1)


@struct
class OffsetForLeaderTopicResult(Struct):
    topic: str = wire("string")
    partitions: list[EpochEndOffset] = wire(array(EpochEndOffset))


@message(ApiKey.OFFSET_FOR_LEADER_EPOCH, versions=(0, 4), flexible=4)
class OffsetForLeaderEpochResponse(Message):
    """Source: OffsetForLeaderEpochResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=2)
    topics: list[OffsetForLeaderTopicResult] = wire(array(OffsetForLeaderTopicResult))
