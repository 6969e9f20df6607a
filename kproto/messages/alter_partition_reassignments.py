"""AlterPartitionReassignments: partitions move to other replicas, or stop moving.

Versions 0 to 1. Flexible from the start.
1: request: `allow_replication_factor_change`; answer: `allow_replication_factor_change`.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class ReassignablePartition(Struct):
    partition_index: int = wire("int32")
    replicas: list[int] | None = wire(array("int32"), nullable=0, default=None)


@struct
class ReassignableTopic(Struct):
    name: str = wire("string")
    partitions: list[ReassignablePartition] = wire(array(ReassignablePartition))


@message(ApiKey.ALTER_PARTITION_REASSIGNMENTS, versions=(0, 1), flexible=0)
class AlterPartitionReassignmentsRequest(Message):
    """Source: AlterPartitionReassignmentsRequest.json, Kafka 4.4."""

    timeout_ms: int = wire("int32", default=60000)
    allow_replication_factor_change: bool = wire("bool", since=1, default=True)
    topics: list[ReassignableTopic] = wire(array(ReassignableTopic))


@struct
class ReassignablePartitionResponse(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)


@struct
class ReassignableTopicResponse(Struct):
    name: str = wire("string")
    partitions: list[ReassignablePartitionResponse] = wire(array(ReassignablePartitionResponse))


@message(ApiKey.ALTER_PARTITION_REASSIGNMENTS, versions=(0, 1), flexible=0)
class AlterPartitionReassignmentsResponse(Message):
    """Source: AlterPartitionReassignmentsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    allow_replication_factor_change: bool = wire("bool", since=1, default=True)
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    responses: list[ReassignableTopicResponse] = wire(array(ReassignableTopicResponse))
