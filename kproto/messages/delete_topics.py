"""DeleteTopics: topics and their records go.

Versions 0 to 6. Kafka 4 no longer reads 0.
1: throttle time.
2: throttling is told before it happens.
3: TOPIC_DELETION_DISABLED.
4: flexible.
5: an error message (KIP-599).
6: by name or by id (KIP-516).
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class DeleteTopicState(Struct):
    name: str | None = wire("string", nullable=0, default=None)
    topic_id: UUID = wire("uuid")


@message(ApiKey.DELETE_TOPICS, versions=(0, 6), flexible=4)
class DeleteTopicsRequest(Message):
    """Source: DeleteTopicsRequest.json, Kafka 4.4."""

    topics: list[DeleteTopicState] = wire(array(DeleteTopicState), since=6)
    topic_names: list[str] = wire(array("string"), until=5)
    timeout_ms: int = wire("int32")


@struct
class DeletableTopicResult(Struct):
    name: str | None = wire("string", nullable=6)
    topic_id: UUID = wire("uuid", since=6)
    error_code: int = wire("int16")
    error_message: str | None = wire("string", since=5, nullable=5, default=None)


@message(ApiKey.DELETE_TOPICS, versions=(0, 6), flexible=4)
class DeleteTopicsResponse(Message):
    """Source: DeleteTopicsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=1)
    responses: list[DeletableTopicResult] = wire(array(DeletableTopicResult))
