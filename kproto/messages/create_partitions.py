"""CreatePartitions: more partitions for topics that exist.

Versions 0 to 3.
1: throttling is told before it happens.
2: flexible.
3: THROTTLING_QUOTA_EXCEEDED (KIP-599).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class CreatePartitionsAssignment(Struct):
    broker_ids: list[int] = wire(array("int32"))


@struct
class CreatePartitionsTopic(Struct):
    name: str = wire("string")
    count: int = wire("int32")
    assignments: list[CreatePartitionsAssignment] | None = wire(array(CreatePartitionsAssignment), nullable=0)


@message(ApiKey.CREATE_PARTITIONS, versions=(0, 3), flexible=2)
class CreatePartitionsRequest(Message):
    """Source: CreatePartitionsRequest.json, Kafka 4.4."""

    topics: list[CreatePartitionsTopic] = wire(array(CreatePartitionsTopic))
    timeout_ms: int = wire("int32")
    validate_only: bool = wire("bool")


@struct
class CreatePartitionsTopicResult(Struct):
    name: str = wire("string")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)


@message(ApiKey.CREATE_PARTITIONS, versions=(0, 3), flexible=2)
class CreatePartitionsResponse(Message):
    """Source: CreatePartitionsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    results: list[CreatePartitionsTopicResult] = wire(array(CreatePartitionsTopicResult))
