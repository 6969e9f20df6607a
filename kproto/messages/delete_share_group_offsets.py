"""DeleteShareGroupOffsets: the start offsets of topics of a share group go.

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class DeleteShareGroupOffsetsRequestTopic(Struct):
    topic_name: str = wire("string")


@message(ApiKey.DELETE_SHARE_GROUP_OFFSETS, versions=(0, 0), flexible=0)
class DeleteShareGroupOffsetsRequest(Message):
    """Source: DeleteShareGroupOffsetsRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    topics: list[DeleteShareGroupOffsetsRequestTopic] = wire(array(DeleteShareGroupOffsetsRequestTopic))


@struct
class DeleteShareGroupOffsetsResponseTopic(Struct):
    topic_name: str = wire("string")
    topic_id: UUID = wire("uuid")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)


@message(ApiKey.DELETE_SHARE_GROUP_OFFSETS, versions=(0, 0), flexible=0)
class DeleteShareGroupOffsetsResponse(Message):
    """Source: DeleteShareGroupOffsetsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    responses: list[DeleteShareGroupOffsetsResponseTopic] = wire(array(DeleteShareGroupOffsetsResponseTopic))
