"""InitializeShareGroupState: a group coordinator opens the state of share partitions (KIP-932).

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class PartitionData(Struct):
    partition: int = wire("int32")
    state_epoch: int = wire("int32")
    start_offset: int = wire("int64")


@struct
class InitializeStateData(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionData] = wire(array(PartitionData))


@message(ApiKey.INITIALIZE_SHARE_GROUP_STATE, versions=(0, 0), flexible=0)
class InitializeShareGroupStateRequest(Message):
    """Source: InitializeShareGroupStateRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    topics: list[InitializeStateData] = wire(array(InitializeStateData))


@struct
class PartitionResult(Struct):
    partition: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)


@struct
class InitializeStateResult(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionResult] = wire(array(PartitionResult))


@message(ApiKey.INITIALIZE_SHARE_GROUP_STATE, versions=(0, 0), flexible=0)
class InitializeShareGroupStateResponse(Message):
    """Source: InitializeShareGroupStateResponse.json, Kafka 4.4."""

    results: list[InitializeStateResult] = wire(array(InitializeStateResult))
