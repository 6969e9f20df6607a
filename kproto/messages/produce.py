"""Produce.

Versions 0 to 13.
1: answer: `throttle_time_ms`.
2: answer: `responses.partition_responses.log_append_time_ms`.
3: request: `transactional_id`.
5: answer: `responses.partition_responses.log_start_offset`.
8: answer: `responses.partition_responses.record_errors`, `responses.partition_responses.error_message`.
9: compact and tagged.
10: answer: `node_endpoints`, `responses.partition_responses.current_leader`.
13: request: no `topic_data.name` any more, `topic_data.topic_id`; answer: no `responses.name` any more,
   `responses.topic_id`.
Versions 4, 6, 7, 11, 12: same fields as the one before.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Records, Struct, array, message, struct, wire


@struct
class PartitionProduceData(Struct):
    index: int = wire("int32")
    records: Records = wire("records", nullable=0)


@struct
class TopicProduceData(Struct):
    name: str = wire("string", until=12)
    topic_id: UUID = wire("uuid", since=13)
    partition_data: list[PartitionProduceData] = wire(array(PartitionProduceData))


@message(ApiKey.PRODUCE, versions=(0, 13), flexible=9)
class ProduceRequest(Message):
    """Source: ProduceRequest.json, Kafka 4.4."""

    transactional_id: str | None = wire("string", since=3, nullable=3, default=None)
    acks: int = wire("int16")
    timeout_ms: int = wire("int32")
    topic_data: list[TopicProduceData] = wire(array(TopicProduceData))


@struct
class BatchIndexAndErrorMessage(Struct):
    batch_index: int = wire("int32")
    batch_index_error_message: str | None = wire("string", nullable=0, default=None)


@struct
class LeaderIdAndEpoch(Struct):
    leader_id: int = wire("int32", default=-1)
    leader_epoch: int = wire("int32", default=-1)


@struct
class PartitionProduceResponse(Struct):
    index: int = wire("int32")
    error_code: int = wire("int16")
    base_offset: int = wire("int64")
    log_append_time_ms: int = wire("int64", since=2, default=-1)
    log_start_offset: int = wire("int64", since=5, default=-1)
    record_errors: list[BatchIndexAndErrorMessage] = wire(array(BatchIndexAndErrorMessage), since=8)
    error_message: str | None = wire("string", since=8, nullable=8, default=None)
    current_leader: LeaderIdAndEpoch | None = wire(LeaderIdAndEpoch, since=10, tag=0)


@struct
class TopicProduceResponse(Struct):
    name: str = wire("string", until=12)
    topic_id: UUID = wire("uuid", since=13)
    partition_responses: list[PartitionProduceResponse] = wire(array(PartitionProduceResponse))


@struct
class NodeEndpoint(Struct):
    node_id: int = wire("int32")
    host: str = wire("string")
    port: int = wire("int32")
    rack: str | None = wire("string", nullable=0, default=None)


@message(ApiKey.PRODUCE, versions=(0, 13), flexible=9)
class ProduceResponse(Message):
    """Source: ProduceResponse.json, Kafka 4.4."""

    responses: list[TopicProduceResponse] = wire(array(TopicProduceResponse))
    throttle_time_ms: int = wire("int32", since=1)
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint), since=10, tag=0)
