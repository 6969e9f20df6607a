"""DescribeTransactions: state and partitions of transactional ids.

Version 0 only. Flexible from the start.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.DESCRIBE_TRANSACTIONS, versions=(0, 0), flexible=0)
class DescribeTransactionsRequest(Message):
    """Source: DescribeTransactionsRequest.json, Kafka 4.4."""

    transactional_ids: list[str] = wire(array("string"))


@struct
class TopicData(Struct):
    topic: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@struct
class TransactionState(Struct):
    error_code: int = wire("int16")
    transactional_id: str = wire("string")
    transaction_state: str = wire("string")
    transaction_timeout_ms: int = wire("int32")
    transaction_start_time_ms: int = wire("int64")
    producer_id: int = wire("int64")
    producer_epoch: int = wire("int16")
    topics: list[TopicData] = wire(array(TopicData))


@message(ApiKey.DESCRIBE_TRANSACTIONS, versions=(0, 0), flexible=0)
class DescribeTransactionsResponse(Message):
    """Source: DescribeTransactionsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    transaction_states: list[TransactionState] = wire(array(TransactionState))
