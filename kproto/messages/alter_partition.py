"""AlterPartition: a leader asks the controller to change the in-sync replicas of its partitions.

Versions 0 to 3. Flexible from the start.
1: leader recovery state (KIP-704).
2: topic ids instead of names (KIP-516).
3: the broker epoch of each replica (KIP-903).
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class BrokerState(Struct):
    broker_id: int = wire("int32")
    broker_epoch: int = wire("int64", default=-1)


@struct
class RequestPartitionData(Struct):
    partition_index: int = wire("int32")
    leader_epoch: int = wire("int32")
    new_isr: list[int] = wire(array("int32"), until=2)
    new_isr_with_epochs: list[BrokerState] = wire(array(BrokerState), since=3)
    leader_recovery_state: int = wire("int8", since=1)
    partition_epoch: int = wire("int32")


@struct
class RequestTopicData(Struct):
    topic_name: str = wire("string", until=1)
    topic_id: UUID = wire("uuid", since=2)
    partitions: list[RequestPartitionData] = wire(array(RequestPartitionData))


@message(ApiKey.ALTER_PARTITION, versions=(0, 3), flexible=0)
class AlterPartitionRequest(Message):
    """Source: AlterPartitionRequest.json, Kafka 4.4."""

    broker_id: int = wire("int32")
    broker_epoch: int = wire("int64", default=-1)
    topics: list[RequestTopicData] = wire(array(RequestTopicData))


@struct
class ResponsePartitionData(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32")
    isr: list[int] = wire(array("int32"))
    leader_recovery_state: int = wire("int8", since=1)
    partition_epoch: int = wire("int32")


@struct
class ResponseTopicData(Struct):
    topic_name: str = wire("string", until=1)
    topic_id: UUID = wire("uuid", since=2)
    partitions: list[ResponsePartitionData] = wire(array(ResponsePartitionData))


@message(ApiKey.ALTER_PARTITION, versions=(0, 3), flexible=0)
class AlterPartitionResponse(Message):
    """Source: AlterPartitionResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    topics: list[ResponseTopicData] = wire(array(ResponseTopicData))
