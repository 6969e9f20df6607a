"""Records of `__consumer_offsets` and `__transaction_state` as text."""

from struct import Struct

from kproto.codec import decode
from kproto.errors import WireError
from kproto.messages import consumer_group_records as groups
from kproto.messages.consumer_protocol import ConsumerProtocolAssignment, ConsumerProtocolSubscription
from kproto.messages.internal_topics import (
    GroupMetadataKey,
    GroupMetadataValue,
    LegacyOffsetCommitKey,
    OffsetCommitKey,
    OffsetCommitValue,
    TransactionLogKey,
    TransactionLogValue,
)
from kproto.records.record import Record
from kproto.schema import Message
from tools.dump_log.json_text import Raw, fields, json_text
from tools.dump_log.problems import unreadable

_INT16 = Struct(">h")
_CONSUMER = "consumer"
_DELETED = "<DELETE>"
_KEYS_AND_VALUES: list[tuple[type[Message], type[Message]]] = [
    (LegacyOffsetCommitKey, OffsetCommitValue),
    (OffsetCommitKey, OffsetCommitValue),
    (GroupMetadataKey, GroupMetadataValue),
    (groups.ConsumerGroupMetadataKey, groups.ConsumerGroupMetadataValue),
    (groups.ConsumerGroupPartitionMetadataKey, groups.ConsumerGroupPartitionMetadataValue),
    (groups.ConsumerGroupMemberMetadataKey, groups.ConsumerGroupMemberMetadataValue),
    (groups.ConsumerGroupTargetAssignmentMetadataKey, groups.ConsumerGroupTargetAssignmentMetadataValue),
    (groups.ConsumerGroupTargetAssignmentMemberKey, groups.ConsumerGroupTargetAssignmentMemberValue),
    (groups.ConsumerGroupCurrentMemberAssignmentKey, groups.ConsumerGroupCurrentMemberAssignmentValue),
]
"""By the number before a key, which is the place in this list."""

_STATES = (
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
)


def offsets_decoder(record: Record) -> tuple[str | None, str | None]:
    """Key and value as JSON. A record that cannot be read says so in the place of its key.

    Raises: OperatorError: it has no key.
    """
    if record.key is None:
        raise unreadable(
            f"Failed to decode message at offset {record.offset} using offset topic decoder (message had a missing key)"
        )
    try:
        kind = _number(record.key)
        if not 0 <= kind < len(_KEYS_AND_VALUES):
            return f"Unknown record type {kind} at offset {record.offset}, skipping.", None
        key_class, value_class = _KEYS_AND_VALUES[kind]
        key = json_text({"type": str(kind), "data": decode(key_class, 0, memoryview(record.key)[2:])})
        return key, _DELETED if record.value is None else _value(value_class, record.value)
    except WireError as no:
        return f"Error at offset {record.offset}, skipping. {no}", None


def _value(cls: type[Message], data: bytes) -> str:
    version = _number(data)
    message = decode(cls, version, memoryview(data)[2:])
    body: object = _group(message, version) if isinstance(message, GroupMetadataValue) else message
    return json_text({"version": str(version), "data": body}, version)


def _group(group: GroupMetadataValue, version: int) -> dict[str, object]:
    """What members of a consumer group told one another is opened, where it can be."""
    body = dict(fields(group, version))
    if group.protocol_type == _CONSUMER:
        body["members"] = [
            {
                **dict(fields(member, version)),
                "subscription": _opened(ConsumerProtocolSubscription, member.subscription),
                "assignment": _opened(ConsumerProtocolAssignment, member.assignment),
            }
            for member in group.members
        ]
    return body


def _opened(cls: type[Message], data: bytes) -> object:
    try:
        version = _number(data)
        return Raw(json_text(decode(cls, version, memoryview(data)[2:]), version))
    except WireError:
        return data


def transaction_decoder(record: Record) -> tuple[str | None, str | None]:
    """As Kafka 3.9 has it; 4.0 and later print JSON. Raises: OperatorError: it cannot be read."""
    try:
        version = _number(record.key or b"")
        if version != TransactionLogKey.RECORD_TYPE:
            return f"unknown::version={version}", None
        key = decode(TransactionLogKey, 0, memoryview(record.key or b"")[2:])
        name = f"transaction_metadata::transactionalId={key.transactional_id}"
        return name, _DELETED if record.value is None else _transaction(record.value)
    except WireError as no:
        raise unreadable(f"The record at offset {record.offset} is not of a transaction log.", str(no)) from None


def _transaction(data: bytes) -> str:
    """Partitions in the order of the record; Kafka prints them as a hash set has them."""
    value = decode(TransactionLogValue, _number(data), memoryview(data)[2:])
    partitions = [f"{each.topic}-{n}" for each in value.transaction_partitions or () for n in each.partition_ids]
    status = value.transaction_status
    return (
        f"producerId:{value.producer_id},producerEpoch:{value.producer_epoch},"
        f"state={_STATES[status] if 0 <= status < len(_STATES) else status},"
        f"partitions=[{','.join(partitions)}],"
        f"txnLastUpdateTimestamp={value.transaction_last_update_timestamp_ms},"
        f"txnTimeoutMs={value.transaction_timeout_ms}"
    )


def _number(data: bytes) -> int:
    if len(data) < _INT16.size:
        raise WireError("cut off before the version")
    return int(_INT16.unpack_from(data)[0])
