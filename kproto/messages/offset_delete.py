"""OffsetDelete: committed offsets of a group go.

Version 0 only.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class OffsetDeleteRequestPartition(Struct):
    partition_index: int = wire("int32")


@struct
class OffsetDeleteRequestTopic(Struct):
    name: str = wire("string")
    partitions: list[OffsetDeleteRequestPartition] = wire(array(OffsetDeleteRequestPartition))


@message(ApiKey.OFFSET_DELETE, versions=(0, 0))
class OffsetDeleteRequest(Message):
    """Source: OffsetDeleteRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    topics: list[OffsetDeleteRequestTopic] = wire(array(OffsetDeleteRequestTopic))


@struct
class OffsetDeleteResponsePartition(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")


@struct
class OffsetDeleteResponseTopic(Struct):
    name: str = wire("string")
    partitions: list[OffsetDeleteResponsePartition] = wire(array(OffsetDeleteResponsePartition))


@message(ApiKey.OFFSET_DELETE, versions=(0, 0))
class OffsetDeleteResponse(Message):
    """Source: OffsetDeleteResponse.json, Kafka 4.4."""

    error_code: int = wire("int16")
    throttle_time_ms: int = wire("int32")
    topics: list[OffsetDeleteResponseTopic] = wire(array(OffsetDeleteResponseTopic))
