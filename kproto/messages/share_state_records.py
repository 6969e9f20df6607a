"""Records of `__share_group_state`: snapshots of a share partition's state and the updates since (KIP-932)."""

from uuid import UUID

from kproto.schema import Message, Struct, array, message, struct, wire


@message(record_type=0, versions=(0, 0))
class ShareSnapshotKey(Message):
    """Source: ShareSnapshotKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    topic_id: UUID = wire("uuid")
    partition: int = wire("int32")


@struct
class StateBatch(Struct):
    first_offset: int = wire("int64")
    last_offset: int = wire("int64")
    delivery_state: int = wire("int8")
    delivery_count: int = wire("int16")


@message(versions=(0, 0), flexible=0)
class ShareSnapshotValue(Message):
    """Source: ShareSnapshotValue.json, Kafka 4.4."""

    snapshot_epoch: int = wire("int32")
    state_epoch: int = wire("int32")
    leader_epoch: int = wire("int32")
    start_offset: int = wire("int64")
    delivery_complete_count: int = wire("int32", tag=0, default=-1)
    create_timestamp: int = wire("int64")
    write_timestamp: int = wire("int64")
    state_batches: list[StateBatch] = wire(array(StateBatch))


@message(record_type=1, versions=(0, 0))
class ShareUpdateKey(Message):
    """Source: ShareUpdateKey.json, Kafka 4.4."""

    group_id: str = wire("string")
    topic_id: UUID = wire("uuid")
    partition: int = wire("int32")


@message(versions=(0, 0), flexible=0)
class ShareUpdateValue(Message):
    """Source: ShareUpdateValue.json, Kafka 4.4."""

    snapshot_epoch: int = wire("int32")
    leader_epoch: int = wire("int32")
    start_offset: int = wire("int64")
    delivery_complete_count: int = wire("int32", tag=0, default=-1)
    state_batches: list[StateBatch] = wire(array(StateBatch))
