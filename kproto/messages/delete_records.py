"""DeleteRecords: the log start of partitions moves up to an offset.

Versions 0 to 2.
2: flexible.
1: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class DeleteRecordsPartition(Struct):
    partition_index: int = wire("int32")
    offset: int = wire("int64")


@struct
class DeleteRecordsTopic(Struct):
    name: str = wire("string")
    partitions: list[DeleteRecordsPartition] = wire(array(DeleteRecordsPartition))


@message(ApiKey.DELETE_RECORDS, versions=(0, 2), flexible=2)
class DeleteRecordsRequest(Message):
    """Source: DeleteRecordsRequest.json, Kafka 4.4."""

    topics: list[DeleteRecordsTopic] = wire(array(DeleteRecordsTopic))
    timeout_ms: int = wire("int32")


@struct
class DeleteRecordsPartitionResult(Struct):
    partition_index: int = wire("int32")
    low_watermark: int = wire("int64")
    error_code: int = wire("int16")


@struct
class DeleteRecordsTopicResult(Struct):
    name: str = wire("string")
    partitions: list[DeleteRecordsPartitionResult] = wire(array(DeleteRecordsPartitionResult))


@message(ApiKey.DELETE_RECORDS, versions=(0, 2), flexible=2)
class DeleteRecordsResponse(Message):
    """Source: DeleteRecordsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    topics: list[DeleteRecordsTopicResult] = wire(array(DeleteRecordsTopicResult))
