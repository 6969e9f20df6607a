"""ListOffsets: which offset belongs to a time, or is the first or the last of a partition.

Versions 0 to 11. Kafka 4 no longer reads 0.
0: up to `max_num_offsets` segment boundaries, newest first.
1: one offset with its timestamp (KIP-79).
2: isolation level; throttle time.
3: throttling is told before it happens.
4: leader epochs (KIP-320).
5: OFFSET_NOT_AVAILABLE may come back.
6: flexible.
7: -3 asks for the record of the largest timestamp (KIP-734).
8: -4 asks for the first offset on local disk (KIP-405).
9: -5 asks for the last tiered offset (KIP-1005).
10: a timeout, for remote storage (KIP-1075).
11: -6 asks for the first offset that is not yet tiered (KIP-1023).
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
