"""UpdateRaftVoter: a voter of the Raft quorum tells its endpoints and versions (KIP-853).

Version 0 only. Flexible from the start.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class Listener(Struct):
    name: str = wire("string")
    host: str = wire("string")
    port: int = wire("uint16")


@struct
class KRaftVersionFeature(Struct):
    min_supported_version: int = wire("int16")
    max_supported_version: int = wire("int16")


@message(ApiKey.UPDATE_RAFT_VOTER, versions=(0, 0), flexible=0)
class UpdateRaftVoterRequest(Message):
    """Source: UpdateRaftVoterRequest.json, Kafka 4.4."""

    cluster_id: str | None = wire("string", nullable=0)
    current_leader_epoch: int = wire("int32")
    voter_id: int = wire("int32")
    voter_directory_id: UUID = wire("uuid")
    listeners: list[Listener] = wire(array(Listener))
    kraft_version_feature: KRaftVersionFeature = wire(KRaftVersionFeature)


@struct
class CurrentLeader(Struct):
    leader_id: int = wire("int32", default=-1)
    leader_epoch: int = wire("int32", default=-1)
    host: str = wire("string")
    port: int = wire("int32")


@message(ApiKey.UPDATE_RAFT_VOTER, versions=(0, 0), flexible=0)
class UpdateRaftVoterResponse(Message):
    """Source: UpdateRaftVoterResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    current_leader: CurrentLeader | None = wire(CurrentLeader, tag=0)
