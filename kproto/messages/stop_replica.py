"""StopReplica: the controller tells a broker to stop following partitions, or to delete them (ZooKeeper mode, to 3.9).

Versions 0 to 4.
1: broker epoch; partitions grouped by topic.
2: flexible.
3: deletion per partition, with its leader epoch (KIP-570).
4: whether the controller is a KRaft one (KIP-866).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class StopReplicaPartitionV0(Struct):
    topic_name: str = wire("string")
    partition_index: int = wire("int32")


@struct
class StopReplicaTopicV1(Struct):
    name: str = wire("string")
    partition_indexes: list[int] = wire(array("int32"))


@struct
class StopReplicaPartitionState(Struct):
    partition_index: int = wire("int32")
    leader_epoch: int = wire("int32", default=-1)
    delete_partition: bool = wire("bool")


@struct
class StopReplicaTopicState(Struct):
    topic_name: str = wire("string")
    partition_states: list[StopReplicaPartitionState] = wire(array(StopReplicaPartitionState))


@message(ApiKey.STOP_REPLICA, versions=(0, 4), flexible=2)
class StopReplicaRequest(Message):
    """Source: StopReplicaRequest.json, Kafka 3.9."""

    controller_id: int = wire("int32")
    is_kraft_controller: bool = wire("bool", since=4)
    controller_epoch: int = wire("int32")
    broker_epoch: int = wire("int64", since=1, default=-1)
    delete_partitions: bool = wire("bool", until=2)
    ungrouped_partitions: list[StopReplicaPartitionV0] = wire(array(StopReplicaPartitionV0), until=0)
    topics: list[StopReplicaTopicV1] = wire(array(StopReplicaTopicV1), since=1, until=2)
    topic_states: list[StopReplicaTopicState] = wire(array(StopReplicaTopicState), since=3)


@struct
class StopReplicaPartitionError(Struct):
    topic_name: str = wire("string")
    partition_index: int = wire("int32")
    error_code: int = wire("int16")


@message(ApiKey.STOP_REPLICA, versions=(0, 4), flexible=2)
class StopReplicaResponse(Message):
    """Source: StopReplicaResponse.json, Kafka 3.9."""

    error_code: int = wire("int16")
    partition_errors: list[StopReplicaPartitionError] = wire(array(StopReplicaPartitionError))
