"""WriteTxnMarkers: a transaction coordinator has the leaders of partitions write its commit or abort markers.

Versions 0 to 2.
1: flexible.
2: request: `markers.transaction_version`.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class WritableTxnMarkerTopic(Struct):
    name: str = wire("string")
    partition_indexes: list[int] = wire(array("int32"))


@struct
class WritableTxnMarker(Struct):
    producer_id: int = wire("int64")
    producer_epoch: int = wire("int16")
    transaction_result: bool = wire("bool")
    topics: list[WritableTxnMarkerTopic] = wire(array(WritableTxnMarkerTopic))
    coordinator_epoch: int = wire("int32")
    transaction_version: int = wire("int8", since=2)


@message(ApiKey.WRITE_TXN_MARKERS, versions=(0, 2), flexible=1)
class WriteTxnMarkersRequest(Message):
    """Source: WriteTxnMarkersRequest.json, Kafka 4.4."""

    markers: list[WritableTxnMarker] = wire(array(WritableTxnMarker))


@struct
class WritableTxnMarkerPartitionResult(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")


@struct
class WritableTxnMarkerTopicResult(Struct):
    name: str = wire("string")
    partitions: list[WritableTxnMarkerPartitionResult] = wire(array(WritableTxnMarkerPartitionResult))


@struct
class WritableTxnMarkerResult(Struct):
    producer_id: int = wire("int64")
    topics: list[WritableTxnMarkerTopicResult] = wire(array(WritableTxnMarkerTopicResult))


@message(ApiKey.WRITE_TXN_MARKERS, versions=(0, 2), flexible=1)
class WriteTxnMarkersResponse(Message):
    """Source: WriteTxnMarkersResponse.json, Kafka 4.4."""

    markers: list[WritableTxnMarkerResult] = wire(array(WritableTxnMarkerResult))
