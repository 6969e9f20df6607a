"""LeaderAndIsr: the controller tells a broker which partitions it leads or follows (ZooKeeper mode, to 3.9).

Versions 0 to 7.
1: whether a replica is new.
2: broker epoch; partitions grouped by topic.
3: replicas being added and removed (KIP-455).
4: flexible.
5: topic ids, in the answer too; full or incremental (KIP-516).
6: leader recovery state (KIP-704).
7: whether the controller is a KRaft one (KIP-866).
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class LeaderAndIsrPartitionState(Struct):
    topic_name: str = wire("string", until=1)
    partition_index: int = wire("int32")
    controller_epoch: int = wire("int32")
    leader: int = wire("int32")
    leader_epoch: int = wire("int32")
    isr: list[int] = wire(array("int32"))
    partition_epoch: int = wire("int32")
    replicas: list[int] = wire(array("int32"))
    adding_replicas: list[int] = wire(array("int32"), since=3)
    removing_replicas: list[int] = wire(array("int32"), since=3)
    is_new: bool = wire("bool", since=1)
    leader_recovery_state: int = wire("int8", since=6)


@struct
class LeaderAndIsrTopicState(Struct):
    topic_name: str = wire("string")
    topic_id: UUID = wire("uuid", since=5)
    partition_states: list[LeaderAndIsrPartitionState] = wire(array(LeaderAndIsrPartitionState))


@struct
class LeaderAndIsrLiveLeader(Struct):
    broker_id: int = wire("int32")
    host_name: str = wire("string")
    port: int = wire("int32")


@message(ApiKey.LEADER_AND_ISR, versions=(0, 7), flexible=4)
class LeaderAndIsrRequest(Message):
    """Source: LeaderAndIsrRequest.json, Kafka 3.9."""

    controller_id: int = wire("int32")
    is_kraft_controller: bool = wire("bool", since=7)
    controller_epoch: int = wire("int32")
    broker_epoch: int = wire("int64", since=2, default=-1)
    type: int = wire("int8", since=5)
    ungrouped_partition_states: list[LeaderAndIsrPartitionState] = wire(array(LeaderAndIsrPartitionState), until=1)
    topic_states: list[LeaderAndIsrTopicState] = wire(array(LeaderAndIsrTopicState), since=2)
    live_leaders: list[LeaderAndIsrLiveLeader] = wire(array(LeaderAndIsrLiveLeader))


@struct
class LeaderAndIsrPartitionError(Struct):
    topic_name: str = wire("string", until=4)
    partition_index: int = wire("int32")
    error_code: int = wire("int16")


@struct
class LeaderAndIsrTopicError(Struct):
    topic_id: UUID = wire("uuid")
    partition_errors: list[LeaderAndIsrPartitionError] = wire(array(LeaderAndIsrPartitionError))


@message(ApiKey.LEADER_AND_ISR, versions=(0, 7), flexible=4)
class LeaderAndIsrResponse(Message):
    """Source: LeaderAndIsrResponse.json, Kafka 3.9."""

    error_code: int = wire("int16")
    partition_errors: list[LeaderAndIsrPartitionError] = wire(array(LeaderAndIsrPartitionError), until=4)
    topics: list[LeaderAndIsrTopicError] = wire(array(LeaderAndIsrTopicError), since=5)
