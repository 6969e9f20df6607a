"""AssignReplicasToDirs: a broker tells the controller in which log directories its replicas lie (KIP-858).

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class RequestPartitionData(Struct):
    partition_index: int = wire("int32")


@struct
class RequestTopicData(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[RequestPartitionData] = wire(array(RequestPartitionData))


@struct
class RequestDirectoryData(Struct):
    id: UUID = wire("uuid")
    topics: list[RequestTopicData] = wire(array(RequestTopicData))


@message(ApiKey.ASSIGN_REPLICAS_TO_DIRS, versions=(0, 0), flexible=0)
class AssignReplicasToDirsRequest(Message):
    """Source: AssignReplicasToDirsRequest.json, Kafka 4.4."""

    broker_id: int = wire("int32")
    broker_epoch: int = wire("int64", default=-1)
    directories: list[RequestDirectoryData] = wire(array(RequestDirectoryData))


@struct
class ResponsePartitionData(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")


@struct
class ResponseTopicData(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[ResponsePartitionData] = wire(array(ResponsePartitionData))


@struct
class ResponseDirectoryData(Struct):
    id: UUID = wire("uuid")
    topics: list[ResponseTopicData] = wire(array(ResponseTopicData))


@message(ApiKey.ASSIGN_REPLICAS_TO_DIRS, versions=(0, 0), flexible=0)
class AssignReplicasToDirsResponse(Message):
    """Source: AssignReplicasToDirsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    directories: list[ResponseDirectoryData] = wire(array(ResponseDirectoryData))
