"""Bodies of control records: the marks that end transactions, and the marks of a Raft log.

Keys (ControlRecordTypeSchema) and EndTxnMarker stand behind an int16 version; the marks of a Raft log do not.
"""

from uuid import UUID

from kproto.schema import Message, Struct, array, message, struct, wire


@message(versions=(0, 0))
class EndTxnMarker(Message):
    """Source: EndTxnMarker.json, Kafka 4.4."""

    coordinator_epoch: int = wire("int32")


@message(versions=(0, 0))
class ControlRecordTypeSchema(Message):
    """Source: ControlRecordTypeSchema.json, Kafka 4.4."""

    type: int = wire("int16")


@struct
class LeaderChangeMessageVoter(Struct):
    voter_id: int = wire("int32")
    voter_directory_id: UUID = wire("uuid", since=1)


@message(versions=(0, 1), flexible=0)
class LeaderChangeMessage(Message):
    """Source: LeaderChangeMessage.json, Kafka 4.4."""

    version: int = wire("int16")
    leader_id: int = wire("int32")
    voters: list[LeaderChangeMessageVoter] = wire(array(LeaderChangeMessageVoter))
    granting_voters: list[LeaderChangeMessageVoter] = wire(array(LeaderChangeMessageVoter))


@message(versions=(0, 0), flexible=0)
class SnapshotHeaderRecord(Message):
    """Source: SnapshotHeaderRecord.json, Kafka 4.4."""

    version: int = wire("int16")
    last_contained_log_timestamp: int = wire("int64")


@message(versions=(0, 0), flexible=0)
class SnapshotFooterRecord(Message):
    """Source: SnapshotFooterRecord.json, Kafka 4.4."""

    version: int = wire("int16")


@message(versions=(0, 0), flexible=0)
class KRaftVersionRecord(Message):
    """Source: KRaftVersionRecord.json, Kafka 4.4."""

    version: int = wire("int16")
    kraft_version: int = wire("int16")


@struct
class Endpoint(Struct):
    name: str = wire("string")
    host: str = wire("string")
    port: int = wire("uint16")


@struct
class KRaftVersionFeature(Struct):
    min_supported_version: int = wire("int16")
    max_supported_version: int = wire("int16")


@struct
class VotersVoter(Struct):
    voter_id: int = wire("int32")
    voter_directory_id: UUID = wire("uuid")
    endpoints: list[Endpoint] = wire(array(Endpoint))
    kraft_version_feature: KRaftVersionFeature = wire(KRaftVersionFeature)


@message(versions=(0, 0), flexible=0)
class VotersRecord(Message):
    """Source: VotersRecord.json, Kafka 4.4."""

    version: int = wire("int16")
    voters: list[VotersVoter] = wire(array(VotersVoter))
