"""ListPartitionReassignments: the partitions that are moving.

Version 0 only. Flexible from the start.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class ListPartitionReassignmentsTopics(Struct):
    name: str = wire("string")
    partition_indexes: list[int] = wire(array("int32"))


@message(ApiKey.LIST_PARTITION_REASSIGNMENTS, versions=(0, 0), flexible=0)
class ListPartitionReassignmentsRequest(Message):
    """Source: ListPartitionReassignmentsRequest.json, Kafka 4.4."""

    timeout_ms: int = wire("int32", default=60000)
    topics: list[ListPartitionReassignmentsTopics] | None = wire(
        array(ListPartitionReassignmentsTopics), nullable=0, default=None
    )


@struct
class OngoingPartitionReassignment(Struct):
    partition_index: int = wire("int32")
    replicas: list[int] = wire(array("int32"))
    adding_replicas: list[int] = wire(array("int32"))
    removing_replicas: list[int] = wire(array("int32"))


@struct
class OngoingTopicReassignment(Struct):
    name: str = wire("string")
    partitions: list[OngoingPartitionReassignment] = wire(array(OngoingPartitionReassignment))


@message(ApiKey.LIST_PARTITION_REASSIGNMENTS, versions=(0, 0), flexible=0)
class ListPartitionReassignmentsResponse(Message):
    """Source: ListPartitionReassignmentsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
    topics: list[OngoingTopicReassignment] = wire(array(OngoingTopicReassignment))
