"""InitProducerId: a producer id and epoch, for an idempotent producer or for a transactional id.

Versions 0 to 6. No release has 6 as stable.
1: throttling is told before it happens.
2: flexible.
3: the id and epoch that the producer has, so that it may recover (KIP-360).
4: PRODUCER_FENCED.
5: TRANSACTION_ABORTABLE (KIP-890).
6: two-phase commit (KIP-939).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.INIT_PRODUCER_ID, versions=(0, 6), flexible=2)
class InitProducerIdRequest(Message):
    """Source: InitProducerIdRequest.json, Kafka 4.4."""

    transactional_id: str | None = wire("string", nullable=0)
    transaction_timeout_ms: int = wire("int32")
    producer_id: int = wire("int64", since=3, default=-1)
    producer_epoch: int = wire("int16", since=3, default=-1)
    enable_2pc: bool = wire("bool", since=6)
    keep_prepared_txn: bool = wire("bool", since=6)


@message(ApiKey.INIT_PRODUCER_ID, versions=(0, 6), flexible=2)
class InitProducerIdResponse(Message):
    """Source: InitProducerIdResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    producer_id: int = wire("int64", default=-1)
    producer_epoch: int = wire("int16")
    ongoing_txn_producer_id: int = wire("int64", since=6, default=-1)
    ongoing_txn_producer_epoch: int = wire("int16", since=6, default=-1)
