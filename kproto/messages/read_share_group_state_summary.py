"""ReadShareGroupStateSummary: how far share partitions have come (KIP-932).

Versions 0 to 1. Flexible from the start.
1: answer: `results.partitions.delivery_complete_count`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class PartitionData(Struct):
    partition: int = wire("int32")
    leader_epoch: int = wire("int32")


@struct
class ReadStateSummaryData(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionData] = wire(array(PartitionData))


@message(ApiKey.READ_SHARE_GROUP_STATE_SUMMARY, versions=(0, 1), flexible=0)
class ReadShareGroupStateSummaryRequest(Message):
    """Source: ReadShareGroupStateSummaryRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    topics: list[ReadStateSummaryData] = wire(array(ReadStateSummaryData))


@struct
class PartitionResult(Struct):
    partition: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    state_epoch: int = wire("int32")
    leader_epoch: int = wire("int32")
    start_offset: int = wire("int64")
    delivery_complete_count: int = wire("int32", since=1, default=-1)


@struct
class ReadStateSummaryResult(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionResult] = wire(array(PartitionResult))


@message(ApiKey.READ_SHARE_GROUP_STATE_SUMMARY, versions=(0, 1), flexible=0)
class ReadShareGroupStateSummaryResponse(Message):
    """Source: ReadShareGroupStateSummaryResponse.json, Kafka 4.4."""

    results: list[ReadStateSummaryResult] = wire(array(ReadStateSummaryResult))
