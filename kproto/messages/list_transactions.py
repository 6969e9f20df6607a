"""ListTransactions: the transactions that this broker coordinates.

Versions 0 to 2. Flexible from the start.
1: request: `duration_filter`.
2: request: `transactional_id_pattern`.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.LIST_TRANSACTIONS, versions=(0, 2), flexible=0)
class ListTransactionsRequest(Message):
    """Source: ListTransactionsRequest.json, Kafka 4.4."""

    state_filters: list[str] = wire(array("string"))
    producer_id_filters: list[int] = wire(array("int64"))
    duration_filter: int = wire("int64", since=1, default=-1)
    transactional_id_pattern: str | None = wire("string", since=2, nullable=2, default=None)


@struct
class TransactionState(Struct):
    transactional_id: str = wire("string")
    producer_id: int = wire("int64")
    transaction_state: str = wire("string")


@message(ApiKey.LIST_TRANSACTIONS, versions=(0, 2), flexible=0)
class ListTransactionsResponse(Message):
    """Source: ListTransactionsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    unknown_state_filters: list[str] = wire(array("string"))
    transaction_states: list[TransactionState] = wire(array(TransactionState))
