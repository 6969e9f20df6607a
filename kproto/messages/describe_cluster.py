"""DescribeCluster: cluster id, controller, brokers and, when asked for, authorized operations.

Versions 0 to 2. Flexible from the start.
1: brokers or controllers (KIP-919).
2: fenced brokers, when asked for (KIP-1073).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.DESCRIBE_CLUSTER, versions=(0, 2), flexible=0)
class DescribeClusterRequest(Message):
    """Source: DescribeClusterRequest.json, Kafka 4.4."""

    include_cluster_authorized_operations: bool = wire("bool")
    endpoint_type: int = wire("int8", since=1, default=1)
    include_fenced_brokers: bool = wire("bool", since=2)


@struct
class DescribeClusterBroker(Struct):
    broker_id: int = wire("int32")
    host: str = wire("string")
    port: int = wire("int32")
    rack: str | None = wire("string", nullable=0, default=None)
    is_fenced: bool = wire("bool", since=2)


@message(ApiKey.DESCRIBE_CLUSTER, versions=(0, 2), flexible=0)
class DescribeClusterResponse(Message):
    """Source: DescribeClusterResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    endpoint_type: int = wire("int8", since=1, default=1)
    cluster_id: str = wire("string")
    controller_id: int = wire("int32", default=-1)
    brokers: list[DescribeClusterBroker] = wire(array(DescribeClusterBroker))
    cluster_authorized_operations: int = wire("int32", default=-2147483648)
