"""ReadShareGroupState: a leader loads the state of share partitions (KIP-932).

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class PartitionData(Struct):
    partition: int = wire("int32")
    leader_epoch: int = wire("int32")


@struct
class ReadStateData(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionData] = wire(array(PartitionData))


@message(ApiKey.READ_SHARE_GROUP_STATE, versions=(0, 0), flexible=0)
class ReadShareGroupStateRequest(Message):
    """Source: ReadShareGroupStateRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    topics: list[ReadStateData] = wire(array(ReadStateData))


@struct
class StateBatch(Struct):
    first_offset: int = wire("int64")
    last_offset: int = wire("int64")
    delivery_state: int = wire("int8")
    delivery_count: int = wire("int16")


@struct
class PartitionResult(Struct):
    partition: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    state_epoch: int = wire("int32")
    start_offset: int = wire("int64")
    state_batches: list[StateBatch] = wire(array(StateBatch))


@struct
class ReadStateResult(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionResult] = wire(array(PartitionResult))


@message(ApiKey.READ_SHARE_GROUP_STATE, versions=(0, 0), flexible=0)
class ReadShareGroupStateResponse(Message):
    """Source: ReadShareGroupStateResponse.json, Kafka 4.4."""

    results: list[ReadStateResult] = wire(array(ReadStateResult))
