"""FindCoordinator: which broker keeps a group, a transactional id or a share partition.

Versions 0 to 6.
0: groups only.
1: the type of the key (1: transactional id); throttle time; an error message.
2: throttling is told before it happens.
3: flexible.
4: several keys in one request (KIP-699).
5: TRANSACTION_ABORTABLE (KIP-890).
6: type 2: share partitions, `group:topic id:partition` (KIP-932).
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.FIND_COORDINATOR, versions=(0, 6), flexible=3)
class FindCoordinatorRequest(Message):
    """Source: FindCoordinatorRequest.json, Kafka 4.4."""

    key: str = wire("string", until=3)
    key_type: int = wire("int8", since=1)
    coordinator_keys: list[str] = wire(array("string"), since=4)


@struct
class Coordinator(Struct):
    key: str = wire("string")
    node_id: int = wire("int32")
    host: str = wire("string")
    port: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)


@message(ApiKey.FIND_COORDINATOR, versions=(0, 6), flexible=3)
class FindCoordinatorResponse(Message):
    """Source: FindCoordinatorResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=1)
    error_code: int = wire("int16", until=3)
    error_message: str | None = wire("string", since=1, until=3, nullable=1)
    node_id: int = wire("int32", until=3)
    host: str = wire("string", until=3)
    port: int = wire("int32", until=3)
    coordinators: list[Coordinator] = wire(array(Coordinator), since=4)
