"""AddOffsetsToTxn: the offsets of a group join a transaction.

Versions 0 to 4.
3: flexible.
1, 2, 4: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.ADD_OFFSETS_TO_TXN, versions=(0, 4), flexible=3)
class AddOffsetsToTxnRequest(Message):
    """Source: AddOffsetsToTxnRequest.json, Kafka 4.4."""

    transactional_id: str = wire("string")
    producer_id: int = wire("int64")
    producer_epoch: int = wire("int16")
    group_id: str = wire("string")


@message(ApiKey.ADD_OFFSETS_TO_TXN, versions=(0, 4), flexible=3)
class AddOffsetsToTxnResponse(Message):
    """Source: AddOffsetsToTxnResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
