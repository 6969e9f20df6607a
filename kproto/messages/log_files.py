"""Files beside a segment that Kafka describes like messages: producer snapshots and the index of aborted transactions.

Each begins with an int16 version. In a `.snapshot`, `crc` is CRC-32C over everything behind it.
"""

from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class ProducerEntry(Struct):
    producer_id: int = wire("int64")
    epoch: int = wire("int16")
    last_sequence: int = wire("int32")
    last_offset: int = wire("int64")
    offset_delta: int = wire("int32")
    timestamp: int = wire("int64")
    coordinator_epoch: int = wire("int32")
    current_txn_first_offset: int = wire("int64")


@message(versions=(1, 1))
class ProducerSnapshot(Message):
    """Source: ProducerSnapshot.json, Kafka 4.4."""

    crc: int = wire("uint32")
    producer_entries: list[ProducerEntry] = wire(array(ProducerEntry))


@message(versions=(0, 0))
class AbortedTxn(Message):
    """Source: AbortedTxn.json, Kafka 4.4."""

    producer_id: int = wire("int64")
    first_offset: int = wire("int64")
    last_offset: int = wire("int64")
    last_stable_offset: int = wire("int64")
