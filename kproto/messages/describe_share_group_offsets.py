"""DescribeShareGroupOffsets: the start offsets of share groups.

Versions 0 to 1. Flexible from the start.
1: answer: `groups.topics.partitions.lag`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class DescribeShareGroupOffsetsRequestTopic(Struct):
    topic_name: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@struct
class DescribeShareGroupOffsetsRequestGroup(Struct):
    group_id: str = wire("string")
    topics: list[DescribeShareGroupOffsetsRequestTopic] | None = wire(
        array(DescribeShareGroupOffsetsRequestTopic), nullable=0
    )


@message(ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS, versions=(0, 1), flexible=0)
class DescribeShareGroupOffsetsRequest(Message):
    """Source: DescribeShareGroupOffsetsRequest.json, Kafka 4.4."""

    groups: list[DescribeShareGroupOffsetsRequestGroup] = wire(array(DescribeShareGroupOffsetsRequestGroup))


@struct
class DescribeShareGroupOffsetsResponsePartition(Struct):
    partition_index: int = wire("int32")
    start_offset: int = wire("int64")
    leader_epoch: int = wire("int32")
    lag: int = wire("int64", since=1, default=-1)
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)


@struct
class DescribeShareGroupOffsetsResponseTopic(Struct):
    topic_name: str = wire("string")
    topic_id: UUID = wire("uuid")
    partitions: list[DescribeShareGroupOffsetsResponsePartition] = wire(
        array(DescribeShareGroupOffsetsResponsePartition)
    )


@struct
class DescribeShareGroupOffsetsResponseGroup(Struct):
    group_id: str = wire("string")
    topics: list[DescribeShareGroupOffsetsResponseTopic] = wire(array(DescribeShareGroupOffsetsResponseTopic))
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)


@message(ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS, versions=(0, 1), flexible=0)
class DescribeShareGroupOffsetsResponse(Message):
    """Source: DescribeShareGroupOffsetsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    groups: list[DescribeShareGroupOffsetsResponseGroup] = wire(array(DescribeShareGroupOffsetsResponseGroup))
