"""ListOffsets.

Versions 0 to 11.
1: request: no `topics.partitions.max_num_offsets` any more; answer: no `topics.partitions.old_style_offsets` any
   more, `topics.partitions.timestamp`, `topics.partitions.offset`.
2: request: `isolation_level`; answer: `throttle_time_ms`.
4: request: `topics.partitions.current_leader_epoch`; answer: `topics.partitions.leader_epoch`.
6: compact and tagged.
10: request: `timeout_ms`.
Versions 3, 5, 7, 8, 9, 11: same fields as the one before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class ListOffsetsPartition(Struct):
    partition_index: int = wire("int32")
    current_leader_epoch: int = wire("int32", since=4, default=-1)
    timestamp: int = wire("int64")
    max_num_offsets: int = wire("int32", until=0, default=1)


@struct
class ListOffsetsTopic(Struct):
    name: str = wire("string")
    partitions: list[ListOffsetsPartition] = wire(array(ListOffsetsPartition))


@message(ApiKey.LIST_OFFSETS, versions=(0, 11), flexible=6)
class ListOffsetsRequest(Message):
    """Source: ListOffsetsRequest.json, Kafka 4.4."""

    replica_id: int = wire("int32")
    isolation_level: int = wire("int8", since=2)
    topics: list[ListOffsetsTopic] = wire(array(ListOffsetsTopic))
    timeout_ms: int = wire("int32", since=10)


@struct
class ListOffsetsPartitionResponse(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    old_style_offsets: list[int] = wire(array("int64"), until=0)
    timestamp: int = wire("int64", since=1, default=-1)
    offset: int = wire("int64", since=1, default=-1)
    leader_epoch: int = wire("int32", since=4, default=-1)


@struct
class ListOffsetsTopicResponse(Struct):
    name: str = wire("string")
    partitions: list[ListOffsetsPartitionResponse] = wire(array(ListOffsetsPartitionResponse))


@message(ApiKey.LIST_OFFSETS, versions=(0, 11), flexible=6)
class ListOffsetsResponse(Message):
    """Source: ListOffsetsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=2)
    topics: list[ListOffsetsTopicResponse] = wire(array(ListOffsetsTopicResponse))
