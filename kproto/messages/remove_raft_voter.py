"""RemoveRaftVoter: a controller leaves the voters of the Raft quorum (KIP-853).

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, message, wire


@message(ApiKey.REMOVE_RAFT_VOTER, versions=(0, 0), flexible=0)
class RemoveRaftVoterRequest(Message):
    """Source: RemoveRaftVoterRequest.json, Kafka 4.4."""

    cluster_id: str | None = wire("string", nullable=0)
    voter_id: int = wire("int32")
    voter_directory_id: UUID = wire("uuid")


@message(ApiKey.REMOVE_RAFT_VOTER, versions=(0, 0), flexible=0)
class RemoveRaftVoterResponse(Message):
    """Source: RemoveRaftVoterResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0)
