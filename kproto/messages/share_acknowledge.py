"""ShareAcknowledge: a share consumer acknowledges records (KIP-932).

Versions 0 to 2. Flexible from the start.
2: request: `is_renew_ack`; answer: `acquisition_lock_timeout_ms`.
1: same fields as the version before.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class AcknowledgementBatch(Struct):
    first_offset: int = wire("int64")
    last_offset: int = wire("int64")
    acknowledge_types: list[int] = wire(array("int8"))


@struct
class AcknowledgePartition(Struct):
    partition_index: int = wire("int32")
    acknowledgement_batches: list[AcknowledgementBatch] = wire(array(AcknowledgementBatch))


@struct
class AcknowledgeTopic(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[AcknowledgePartition] = wire(array(AcknowledgePartition))


@message(ApiKey.SHARE_ACKNOWLEDGE, versions=(0, 2), flexible=0)
class ShareAcknowledgeRequest(Message):
    """Source: ShareAcknowledgeRequest.json, Kafka 4.4."""

    group_id: str | None = wire("string", nullable=0, default=None)
    member_id: str | None = wire("string", nullable=0)
    share_session_epoch: int = wire("int32")
    is_renew_ack: bool = wire("bool", since=2)
    topics: list[AcknowledgeTopic] = wire(array(AcknowledgeTopic))


@struct
class LeaderIdAndEpoch(Struct):
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32")


@struct
class PartitionData(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    current_leader: LeaderIdAndEpoch = wire(LeaderIdAndEpoch)


@struct
class ShareAcknowledgeTopicResponse(Struct):
    topic_id: UUID = wire("uuid")
    partitions: list[PartitionData] = wire(array(PartitionData))


@struct
class NodeEndpoint(Struct):
    node_id: int = wire("int32")
    host: str = wire("string")
    port: int = wire("int32")
    rack: str | None = wire("string", nullable=0, default=None)


@message(ApiKey.SHARE_ACKNOWLEDGE, versions=(0, 2), flexible=0)
class ShareAcknowledgeResponse(Message):
    """Source: ShareAcknowledgeResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    acquisition_lock_timeout_ms: int = wire("int32", since=2)
    responses: list[ShareAcknowledgeTopicResponse] = wire(array(ShareAcknowledgeTopicResponse))
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint))
