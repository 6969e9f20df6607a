"""WriteShareGroupState: a leader keeps the state of share partitions (KIP-932).

Versions 0 to 1. Flexible from the start.
1: request: `topics.partitions.delivery_complete_count`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class StateBatch(Struct):
    first_offset: int = wire("int64")
    last_offset: int = wire("int64")
    delivery_state: int = wire("int8")
    delivery_count: int = wire("int16")


@struct
class PartitionData(Struct):
    partition: int = wire("int32")
    state_epoch: int = wire("int32")
    leader_epoch: int = wire("int32")
    start_offset: int = wire("int64")
    delivery_complete_count: int = wire("int32", since=1, default=-1)
    state_batches: list[StateBatch] = wire(array(StateBatch))


@struct
class WriteStateData(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionData] = wire(array(PartitionData))


@message(ApiKey.WRITE_SHARE_GROUP_STATE, versions=(0, 1), flexible=0)
class WriteShareGroupStateRequest(Message):
    """Source: WriteShareGroupStateRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    topics: list[WriteStateData] = wire(array(WriteStateData))


@struct
class PartitionResult(Struct):
    partition: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)


@struct
class WriteStateResult(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionResult] = wire(array(PartitionResult))


@message(ApiKey.WRITE_SHARE_GROUP_STATE, versions=(0, 1), flexible=0)
class WriteShareGroupStateResponse(Message):
    """Source: WriteShareGroupStateResponse.json, Kafka 4.4."""

    results: list[WriteStateResult] = wire(array(WriteStateResult))
