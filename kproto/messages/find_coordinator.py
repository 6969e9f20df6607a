"""FindCoordinator.

Versions 0 to 6.
1: request: `key_type`; answer: `throttle_time_ms`, `error_message`.
3: compact and tagged.
4: request: no `key` any more, `coordinator_keys`; answer: no `error_code` any more, no `error_message` any more, no
   `node_id` any more, no `host` any more, no `port` any more, `coordinators`.
Versions 2, 5, 6: same fields as the one before.
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
