"""Produce: a producer hands over record batches, and the leaders of their partitions append them.

Versions 0 to 13. Kafka 4 no longer reads 0 to 2.
0: message sets of magic 0 or 1.
1: throttle time.
2: the append time of topics that stamp it; messages may have magic 1 (KIP-32).
3: transactional id; only record batches of magic 2 from here on (KIP-98).
4: KAFKA_STORAGE_ERROR may come back.
5: log start offset in the answer.
6: throttling is told before it happens (KIP-219).
7: zstd is allowed (KIP-110).
8: which records of a batch were refused, and why (KIP-467).
9: flexible.
10: the new leader and its address beside an error (KIP-951).
11, 12: TRANSACTION_ABORTABLE; partitions join a transaction implicitly (KIP-890).
13: topic ids instead of names (KIP-516).
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Records, Struct, array, message, struct, wire


@struct
class PartitionProduceData(Struct):
    """`records`: one batch as the producer made it, still compressed; before 3 a set of messages."""

    index: int = wire("int32")
    records: Records = wire("records", nullable=0)


@struct
class TopicProduceData(Struct):
    name: str = wire("string", until=12)
    topic_id: UUID = wire("uuid", since=13)
    partition_data: list[PartitionProduceData] = wire(array(PartitionProduceData))


@message(ApiKey.PRODUCE, versions=(0, 13), flexible=9)
class ProduceRequest(Message):
    """Append these batches and say so within `timeout_ms`.

    `acks`: 0 nobody answers, 1 once the leader has them, -1 once every in-sync replica has.
    Source: ProduceRequest.json, Kafka 4.4.
    """

    transactional_id: str | None = wire("string", since=3, nullable=3, default=None)
    acks: int = wire("int16")
    timeout_ms: int = wire("int32")
    topic_data: list[TopicProduceData] = wire(array(TopicProduceData))


@struct
class BatchIndexAndErrorMessage(Struct):
    """A record that made its whole batch refused, by its place in the batch."""

    batch_index: int = wire("int32")
    batch_index_error_message: str | None = wire("string", nullable=0, default=None)


@struct
class LeaderIdAndEpoch(Struct):
    """Who leads the partition now, beside NOT_LEADER_OR_FOLLOWER; its address is among `node_endpoints`."""

    leader_id: int = wire("int32", default=-1)
    leader_epoch: int = wire("int32", default=-1)


@struct
class PartitionProduceResponse(Struct):
    """`base_offset`: of the first record stored, -1 if refused. `log_append_time_ms`: -1 unless the topic stamps it."""

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
    """What became of each batch; never sent for acks 0.  Source: ProduceResponse.json, Kafka 4.4."""

    responses: list[TopicProduceResponse] = wire(array(TopicProduceResponse))
    throttle_time_ms: int = wire("int32", since=1)
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint), since=10, tag=0)
