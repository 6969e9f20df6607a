"""EndTxn: commit or abort.

Versions 0 to 5.
3: flexible.
5: answer: `producer_id`, `producer_epoch`.
1, 2, 4: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.END_TXN, versions=(0, 5), flexible=3)
class EndTxnRequest(Message):
    """Source: EndTxnRequest.json, Kafka 4.4."""

    transactional_id: str = wire("string")
    producer_id: int = wire("int64")
    producer_epoch: int = wire("int16")
    committed: bool = wire("bool")


@message(ApiKey.END_TXN, versions=(0, 5), flexible=3)
class EndTxnResponse(Message):
    """Source: EndTxnResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    producer_id: int = wire("int64", since=5, default=-1)
    producer_epoch: int = wire("int16", since=5, default=-1)
