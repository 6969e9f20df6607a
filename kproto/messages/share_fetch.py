"""ShareFetch: a share consumer acquires records, and acknowledges earlier ones (KIP-932).

Versions 0 to 2. Flexible from the start.
1: request: `max_records`, `batch_size`, without `topics.partitions.partition_max_bytes`; answer:
   `acquisition_lock_timeout_ms`.
2: request: `share_acquire_mode`, `is_renew_ack`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Records, Struct, array, message, struct, wire


@struct
class AcknowledgementBatch(Struct):
    first_offset: int = wire("int64")
    last_offset: int = wire("int64")
    acknowledge_types: list[int] = wire(array("int8"))


@struct
class FetchPartition(Struct):
    partition_index: int = wire("int32")
    partition_max_bytes: int = wire("int32", until=0)
    acknowledgement_batches: list[AcknowledgementBatch] = wire(array(AcknowledgementBatch))


@struct
class FetchTopic(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[FetchPartition] = wire(array(FetchPartition))


@struct
class ForgottenTopic(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[int] = wire(array("int32"))


@message(ApiKey.SHARE_FETCH, versions=(0, 2), flexible=0)
class ShareFetchRequest(Message):
    """Source: ShareFetchRequest.json, Kafka 4.4."""

    group_id: str | None = wire("string", nullable=0, default=None)
    member_id: str | None = wire("string", nullable=0)
    share_session_epoch: int = wire("int32")
    max_wait_ms: int = wire("int32")
    min_bytes: int = wire("int32")
    max_bytes: int = wire("int32", default=2147483647)
    max_records: int = wire("int32", since=1)
    batch_size: int = wire("int32", since=1)
    share_acquire_mode: int = wire("int8", since=2)
    is_renew_ack: bool = wire("bool", since=2)
    topics: list[FetchTopic] = wire(array(FetchTopic))
    forgotten_topics_data: list[ForgottenTopic] = wire(array(ForgottenTopic))


@struct
class LeaderIdAndEpoch(Struct):
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32")


@struct
class AcquiredRecords(Struct):
    first_offset: int = wire("int64")
    last_offset: int = wire("int64")
    delivery_count: int = wire("int16")


@struct
class PartitionData(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    acknowledge_error_code: int = wire("int16")
    acknowledge_error_message: str | None = wire("string", nullable=0, default=None)
    current_leader: LeaderIdAndEpoch = wire(LeaderIdAndEpoch)
    records: Records = wire("records", nullable=(0, 0))
    acquired_records: list[AcquiredRecords] = wire(array(AcquiredRecords))


@struct
class ShareFetchableTopicResponse(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionData] = wire(array(PartitionData))


@struct
class NodeEndpoint(Struct):
    node_id: int = wire("int32")
    host: str = wire("string")
    port: int = wire("int32")
    rack: str | None = wire("string", nullable=0, default=None)


@message(ApiKey.SHARE_FETCH, versions=(0, 2), flexible=0)
class ShareFetchResponse(Message):
    """Source: ShareFetchResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    acquisition_lock_timeout_ms: int = wire("int32", since=1)
    responses: list[ShareFetchableTopicResponse] = wire(array(ShareFetchableTopicResponse))
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint))
