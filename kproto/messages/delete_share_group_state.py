"""DeleteShareGroupState: the state of share partitions goes (KIP-932).

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class PartitionData(Struct):
    partition: int = wire("int32")


@struct
class DeleteStateData(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionData] = wire(array(PartitionData))


@message(ApiKey.DELETE_SHARE_GROUP_STATE, versions=(0, 0), flexible=0)
class DeleteShareGroupStateRequest(Message):
    """Source: DeleteShareGroupStateRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    topics: list[DeleteStateData] = wire(array(DeleteStateData))


@struct
class PartitionResult(Struct):
    partition: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)


@struct
class DeleteStateResult(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionResult] = wire(array(PartitionResult))


@message(ApiKey.DELETE_SHARE_GROUP_STATE, versions=(0, 0), flexible=0)
class DeleteShareGroupStateResponse(Message):
    """Source: DeleteShareGroupStateResponse.json, Kafka 4.4."""

    results: list[DeleteStateResult] = wire(array(DeleteStateResult))
