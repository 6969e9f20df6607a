"""Metadata: which brokers there are, which topics, and who leads their partitions.

Versions 0 to 13.
0: an empty list of topics means all of them.
1: null means all, empty means none; controller, racks, internal topics.
2: cluster id.
3: throttle time.
4: whether unknown topics may be created.
5: offline replicas.
6: throttling is told before it happens.
7: leader epochs (KIP-320).
8: authorized operations of topics and cluster, when asked for (KIP-430).
9: flexible.
10: topic ids (KIP-516); names may be null.
11: the authorized operations of the cluster move to DescribeCluster.
12: topics may be asked for by id.
13: an error for the whole answer: REBOOTSTRAP_REQUIRED (KIP-1102).
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class MetadataRequestTopic(Struct):
    topic_id: UUID = wire("uuid", since=10)
    name: str | None = wire("string", nullable=10)


@message(ApiKey.METADATA, versions=(0, 13), flexible=9)
class MetadataRequest(Message):
    """Source: MetadataRequest.json, Kafka 4.4."""

    topics: list[MetadataRequestTopic] | None = wire(array(MetadataRequestTopic), nullable=1)
    allow_auto_topic_creation: bool = wire("bool", since=4, default=True)
    include_cluster_authorized_operations: bool = wire("bool", since=8, until=10)
    include_topic_authorized_operations: bool = wire("bool", since=8)


@struct
class MetadataResponseBroker(Struct):
    node_id: int = wire("int32")
    host: str = wire("string")
    port: int = wire("int32")
    rack: str | None = wire("string", since=1, nullable=1, default=None)


@struct
class MetadataResponsePartition(Struct):
    error_code: int = wire("int16")
    partition_index: int = wire("int32")
    leader_id: int = wire("int32")
    leader_epoch: int = wire("int32", since=7, default=-1)
    replica_nodes: list[int] = wire(array("int32"))
    isr_nodes: list[int] = wire(array("int32"))
    offline_replicas: list[int] = wire(array("int32"), since=5)


@struct
class MetadataResponseTopic(Struct):
    error_code: int = wire("int16")
    name: str | None = wire("string", nullable=12)
    topic_id: UUID = wire("uuid", since=10)
    is_internal: bool = wire("bool", since=1)
    partitions: list[MetadataResponsePartition] = wire(array(MetadataResponsePartition))
    topic_authorized_operations: int = wire("int32", since=8, default=-2147483648)


@message(ApiKey.METADATA, versions=(0, 13), flexible=9)
class MetadataResponse(Message):
    """Source: MetadataResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=3)
    brokers: list[MetadataResponseBroker] = wire(array(MetadataResponseBroker))
    cluster_id: str | None = wire("string", since=2, nullable=2, default=None)
    controller_id: int = wire("int32", since=1, default=-1)
    topics: list[MetadataResponseTopic] = wire(array(MetadataResponseTopic))
    cluster_authorized_operations: int = wire("int32", since=8, until=10, default=-2147483648)
    error_code: int = wire("int16", since=13)
