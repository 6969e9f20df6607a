"""AddRaftVoter: a controller joins the voters of the Raft quorum (KIP-853).

Versions 0 to 1. Flexible from the start.
1: request: `ack_when_committed`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class Listener(Struct):
    name: str = wire("string")
    host: str = wire("string")
    port: int = wire("uint16")


@message(ApiKey.ADD_RAFT_VOTER, versions=(0, 1), flexible=0)
class AddRaftVoterRequest(Message):
    """Source: AddRaftVoterRequest.json, Kafka 4.4."""

    cluster_id: str | None = wire("string", nullable=0)
    timeout_ms: int = wire("int32")
    voter_id: int = wire("int32")
    voter_directory_id: UUID = wire("uuid")
    listeners: list[Listener] = wire(array(Listener))
    ack_when_committed: bool = wire("bool", since=1, default=True)


@message(ApiKey.ADD_RAFT_VOTER, versions=(0, 1), flexible=0)
class AddRaftVoterResponse(Message):
    """Source: AddRaftVoterResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
