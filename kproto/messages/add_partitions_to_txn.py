"""AddPartitionsToTxn: partitions join a transaction; from version 4 on brokers also ask whether they have.

Versions 0 to 5.
3: flexible.
4: request: `transactions`, without `v3_and_below_transactional_id`, without `v3_and_below_producer_id`, without
   `v3_and_below_producer_epoch`, without `v3_and_below_topics`; answer: `error_code`, `results_by_transaction`,
   without `results_by_topic_v3_and_below`.
1, 2, 5: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class AddPartitionsToTxnTopic(Struct):
    name: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@struct
class AddPartitionsToTxnTransaction(Struct):
    transactional_id: str = wire("string")
    producer_id: int = wire("int64")
    producer_epoch: int = wire("int16")
    verify_only: bool = wire("bool")
    topics: list[AddPartitionsToTxnTopic] = wire(array(AddPartitionsToTxnTopic))


@message(ApiKey.ADD_PARTITIONS_TO_TXN, versions=(0, 5), flexible=3)
class AddPartitionsToTxnRequest(Message):
    """Source: AddPartitionsToTxnRequest.json, Kafka 4.4."""

    transactions: list[AddPartitionsToTxnTransaction] = wire(array(AddPartitionsToTxnTransaction), since=4)
    v3_and_below_transactional_id: str = wire("string", until=3)
    v3_and_below_producer_id: int = wire("int64", until=3)
    v3_and_below_producer_epoch: int = wire("int16", until=3)
    v3_and_below_topics: list[AddPartitionsToTxnTopic] = wire(array(AddPartitionsToTxnTopic), until=3)


@struct
class AddPartitionsToTxnPartitionResult(Struct):
    partition_index: int = wire("int32")
    partition_error_code: int = wire("int16")


@struct
class AddPartitionsToTxnTopicResult(Struct):
    name: str = wire("string")
    results_by_partition: list[AddPartitionsToTxnPartitionResult] = wire(array(AddPartitionsToTxnPartitionResult))


@struct
class AddPartitionsToTxnResult(Struct):
    transactional_id: str = wire("string")
    topic_results: list[AddPartitionsToTxnTopicResult] = wire(array(AddPartitionsToTxnTopicResult))


@message(ApiKey.ADD_PARTITIONS_TO_TXN, versions=(0, 5), flexible=3)
class AddPartitionsToTxnResponse(Message):
    """Source: AddPartitionsToTxnResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16", since=4)
    results_by_transaction: list[AddPartitionsToTxnResult] = wire(array(AddPartitionsToTxnResult), since=4)
    results_by_topic_v3_and_below: list[AddPartitionsToTxnTopicResult] = wire(
        array(AddPartitionsToTxnTopicResult), until=3
    )
