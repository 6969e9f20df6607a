"""UpdateMetadata: the controller tells every broker the state of all partitions and brokers (ZooKeeper mode, to 3.9).

Versions 0 to 8.
0: a broker has one host and port.
1: one endpoint per security protocol.
2: racks.
3: listener names (KIP-103).
4: offline replicas (KIP-112).
5: broker epoch; partitions grouped by topic.
6: flexible.
7: topic ids (KIP-516).
8: whether the controller is a KRaft one, full or incremental (KIP-866).
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class UpdateMetadataPartitionState(Struct):
    topic_name: str = wire("string", until=4)
    partition_index: int = wire("int32")
    controller_epoch: int = wire("int32")
    leader: int = wire("int32")
    leader_epoch: int = wire("int32")
    isr: list[int] = wire(array("int32"))
    zk_version: int = wire("int32")
    replicas: list[int] = wire(array("int32"))
    offline_replicas: list[int] = wire(array("int32"), since=4)


@struct
class UpdateMetadataTopicState(Struct):
    topic_name: str = wire("string")
    topic_id: UUID = wire("uuid", since=7)
    partition_states: list[UpdateMetadataPartitionState] = wire(array(UpdateMetadataPartitionState))


@struct
class UpdateMetadataEndpoint(Struct):
    port: int = wire("int32")
    host: str = wire("string")
    listener: str = wire("string", since=3)
    security_protocol: int = wire("int16")


@struct
class UpdateMetadataBroker(Struct):
    id: int = wire("int32")
    v0_host: str = wire("string", until=0)
    v0_port: int = wire("int32", until=0)
    endpoints: list[UpdateMetadataEndpoint] = wire(array(UpdateMetadataEndpoint), since=1)
    rack: str | None = wire("string", since=2, nullable=2)


@message(ApiKey.UPDATE_METADATA, versions=(0, 8), flexible=6)
class UpdateMetadataRequest(Message):
    """Source: UpdateMetadataRequest.json, Kafka 3.9."""

    controller_id: int = wire("int32")
    is_kraft_controller: bool = wire("bool", since=8)
    type: int = wire("int8", since=8, tag=0)
    controller_epoch: int = wire("int32")
    broker_epoch: int = wire("int64", since=5, default=-1)
    ungrouped_partition_states: list[UpdateMetadataPartitionState] = wire(array(UpdateMetadataPartitionState), until=4)
    topic_states: list[UpdateMetadataTopicState] = wire(array(UpdateMetadataTopicState), since=5)
    live_brokers: list[UpdateMetadataBroker] = wire(array(UpdateMetadataBroker))


@message(ApiKey.UPDATE_METADATA, versions=(0, 8), flexible=6)
class UpdateMetadataResponse(Message):
    """Source: UpdateMetadataResponse.json, Kafka 3.9."""

    error_code: int = wire("int16")
