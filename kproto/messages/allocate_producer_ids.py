"""AllocateProducerIds: a broker asks the controller for a block of producer ids.

Version 0 only. Flexible from the start.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.ALLOCATE_PRODUCER_IDS, versions=(0, 0), flexible=0)
class AllocateProducerIdsRequest(Message):
    """Source: AllocateProducerIdsRequest.json, Kafka 4.4."""

    broker_id: int = wire("int32")
    broker_epoch: int = wire("int64", default=-1)


@message(ApiKey.ALLOCATE_PRODUCER_IDS, versions=(0, 0), flexible=0)
class AllocateProducerIdsResponse(Message):
    """Source: AllocateProducerIdsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    producer_id_start: int = wire("int64")
    producer_id_len: int = wire("int32")
