"""ControlledShutdown: a broker that stops asks the controller to move its leaderships (ZooKeeper mode, to 3.9).

Versions 0 to 3.
0: the only request with header version 0, which has no client id.
1: the usual header.
2: broker epoch.
3: flexible.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.CONTROLLED_SHUTDOWN, versions=(0, 3), flexible=3)
class ControlledShutdownRequest(Message):
    """Source: ControlledShutdownRequest.json, Kafka 3.9."""

    broker_id: int = wire("int32")
    broker_epoch: int = wire("int64", since=2, default=-1)


@struct
class RemainingPartition(Struct):
    topic_name: str = wire("string")
    partition_index: int = wire("int32")


@message(ApiKey.CONTROLLED_SHUTDOWN, versions=(0, 3), flexible=3)
class ControlledShutdownResponse(Message):
    """Source: ControlledShutdownResponse.json, Kafka 3.9."""

    error_code: int = wire("int16")
    remaining_partitions: list[RemainingPartition] = wire(array(RemainingPartition))
