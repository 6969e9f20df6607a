"""AlterShareGroupOffsets: the start offsets of an empty share group are set.

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class AlterShareGroupOffsetsRequestPartition(Struct):
    partition_index: int = wire("int32")
    start_offset: int = wire("int64")


@struct
class AlterShareGroupOffsetsRequestTopic(Struct):
    topic_name: str = wire("string")
    partitions: list[AlterShareGroupOffsetsRequestPartition] = wire(array(AlterShareGroupOffsetsRequestPartition))


@message(ApiKey.ALTER_SHARE_GROUP_OFFSETS, versions=(0, 0), flexible=0)
class AlterShareGroupOffsetsRequest(Message):
    """Source: AlterShareGroupOffsetsRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    topics: list[AlterShareGroupOffsetsRequestTopic] = wire(array(AlterShareGroupOffsetsRequestTopic))


@struct
class AlterShareGroupOffsetsResponsePartition(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)


@struct
class AlterShareGroupOffsetsResponseTopic(Struct):
    topic_name: str = wire("string")
    topic_id: UUID = wire("uuid")
    partitions: list[AlterShareGroupOffsetsResponsePartition] = wire(array(AlterShareGroupOffsetsResponsePartition))


@message(ApiKey.ALTER_SHARE_GROUP_OFFSETS, versions=(0, 0), flexible=0)
class AlterShareGroupOffsetsResponse(Message):
    """Source: AlterShareGroupOffsetsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    responses: list[AlterShareGroupOffsetsResponseTopic] = wire(array(AlterShareGroupOffsetsResponseTopic))
