"""DescribeProducers: the active producers of partitions.

Version 0 only. Flexible from the start.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class TopicRequest(Struct):
    name: str = wire("string")
    partition_indexes: list[int] = wire(array("int32"))


@message(ApiKey.DESCRIBE_PRODUCERS, versions=(0, 0), flexible=0)
class DescribeProducersRequest(Message):
    """Source: DescribeProducersRequest.json, Kafka 4.4."""

    topics: list[TopicRequest] = wire(array(TopicRequest))


@struct
class ProducerState(Struct):
    producer_id: int = wire("int64")
    producer_epoch: int = wire("int32")
    last_sequence: int = wire("int32", default=-1)
    last_timestamp: int = wire("int64", default=-1)
    coordinator_epoch: int = wire("int32")
    current_txn_start_offset: int = wire("int64", default=-1)


@struct
class PartitionResponse(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    active_producers: list[ProducerState] = wire(array(ProducerState))


@struct
class TopicResponse(Struct):
    name: str = wire("string")
    partitions: list[PartitionResponse] = wire(array(PartitionResponse))


@message(ApiKey.DESCRIBE_PRODUCERS, versions=(0, 0), flexible=0)
class DescribeProducersResponse(Message):
    """Source: DescribeProducersResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    topics: list[TopicResponse] = wire(array(TopicResponse))
