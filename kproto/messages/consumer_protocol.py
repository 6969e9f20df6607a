"""What consumers of a classic group tell one another through JoinGroup and SyncGroup; opaque to the broker.

Each stands behind an int16 version (`kproto.prefixed`); a reader takes a version that it does not know
for the newest that it knows.

Subscription: 1 adds the partitions owned (cooperative rebalance, KIP-429); 2 the generation; 3 the rack.
Assignment: 1 to 3 have the same fields as 0.
"""

from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class TopicPartition(Struct):
    topic: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@message(versions=(0, 3))
class ConsumerProtocolSubscription(Message):
    """Source: ConsumerProtocolSubscription.json, Kafka 4.4."""

    topics: list[str] = wire(array("string"))
    user_data: bytes | None = wire("bytes", nullable=0, default=None)
    owned_partitions: list[TopicPartition] = wire(array(TopicPartition), since=1)
    generation_id: int = wire("int32", since=2, default=-1)
    rack_id: str | None = wire("string", since=3, nullable=3, default=None)


@message(versions=(0, 3))
class ConsumerProtocolAssignment(Message):
    """Source: ConsumerProtocolAssignment.json, Kafka 4.4."""

    assigned_partitions: list[TopicPartition] = wire(array(TopicPartition))
    user_data: bytes | None = wire("bytes", nullable=0, default=None)
