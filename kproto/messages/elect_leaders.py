"""ElectLeaders: preferred or unclean leader election of partitions.

Versions 0 to 2.
1: request: `election_type`; answer: `error_code`.
2: flexible.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class TopicPartitions(Struct):
    topic: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@message(ApiKey.ELECT_LEADERS, versions=(0, 2), flexible=2)
class ElectLeadersRequest(Message):
    """Source: ElectLeadersRequest.json, Kafka 4.4."""

    election_type: int = wire("int8", since=1)
    topic_partitions: list[TopicPartitions] | None = wire(array(TopicPartitions), nullable=0)
    timeout_ms: int = wire("int32", default=60000)


@struct
class PartitionResult(Struct):
    partition_id: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)


@struct
class ReplicaElectionResult(Struct):
    topic: str = wire("string")
    partition_result: list[PartitionResult] = wire(array(PartitionResult))


@message(ApiKey.ELECT_LEADERS, versions=(0, 2), flexible=2)
class ElectLeadersResponse(Message):
    """Source: ElectLeadersResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16", since=1)
    replica_election_results: list[ReplicaElectionResult] = wire(array(ReplicaElectionResult))
