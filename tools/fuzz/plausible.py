"""Values that get a request past the first look at it: most fields of a request say what a client would say."""

from random import Random
from typing import Any

from kproto.records.batch import build_batch
from kproto.records.compression import Codec
from kproto.records.legacy import build_message_set
from kproto.records.record import Record
from kproto.schema import Array, Kind, Message, wires

LINES = [Record(place, 1_700_000_000_000, b"key", b"line %d" % place) for place in range(3)]
SANE = 0.85
"""The chance of a field to be so; the others stay anything."""
LIKELY: dict[str, tuple[Any, ...]] = {
    "acks": (-1, 0, 1, 1),
    "client_software_name": ("fuzz",),
    "config_operation": (0, 1, 2, 3),
    "count": (2, 3),
    "current_leader_epoch": (-1, 0),
    "election_type": (0, 1),
    "endpoint_type": (1,),
    "generation_id": (-1, 1),
    "generation_id_or_member_epoch": (-1, 1),
    "group_instance_id": (None, "i"),
    "index": (0, 1),
    "isolation_level": (0, 1),
    "key_type": (0,),
    "last_fetched_epoch": (-1, 0),
    "leader_epoch": (0, 1),
    "max_bytes": (1 << 20,),
    "max_wait_ms": (0, 5),
    "member_id": ("",),
    "min_bytes": (0, 1),
    "num_partitions": (-1, 1, 2),
    "partition": (0, 1),
    "partition_index": (0, 1),
    "partition_indexes": (0, 1),
    "partition_max_bytes": (0, 1 << 20),
    "partitions": (0, 1),
    "producer_epoch": (-1,),
    "producer_id": (-1,),
    "protocol_type": ("consumer",),
    "rebalance_timeout_ms": (100,),
    "records": (
        *(build_batch(LINES, codec=codec) for codec in Codec),
        *(build_message_set(LINES, magic) for magic in (0, 1)),
    ),
    "replica_id": (-1,),
    "replicas": (0,),
    "replication_factor": (-1, 1),
    "resource_name": ("a", "0", ""),
    "resource_type": (2, 2, 4),
    "response_partition_limit": (1, 2000),
    "session_epoch": (-1, 0, 1),
    "session_id": (0, 1),
    "session_timeout_ms": (6000,),
    "timeout_ms": (0, 50),
    "timestamp": (-1, -2, -3),
    "transaction_timeout_ms": (1000,),
    "transactional_id": (None,),
    "upgrade_type": (1,),
    "value": ("1000", "100000", "compact", "delete"),
}
OPTIONS = ("retention.ms", "segment.bytes", "cleanup.policy", "max.message.bytes", "flush.messages")
"""Names of what has a value."""


def plausible(chance: Random, message: Message, version: int) -> Message:
    """The same message; what the version does not have stays as it is."""
    _walk(chance, message, type(message), version)
    return message


def _walk(chance: Random, of: Any, kind: Kind, version: int) -> None:
    if isinstance(kind, Array):
        for each in of or ():
            _walk(chance, each, kind.of, version)
    elif not isinstance(kind, str) and of is not None:
        present = {wire.name: wire.kind for wire in wires(kind) if wire.is_in(version)}
        likely = LIKELY | {"name": OPTIONS} if "value" in present else LIKELY
        for name, inner in present.items():
            if name in likely and _is_plain(inner) and chance.random() < SANE:
                setattr(of, name, _likely(chance, likely[name], inner, getattr(of, name)))
            else:
                _walk(chance, getattr(of, name), inner, version)


def _is_plain(kind: Kind) -> bool:
    """No structure, nor an array of them, whatever its name."""
    return isinstance(kind.of if isinstance(kind, Array) else kind, str)


def _likely(chance: Random, values: tuple[Any, ...], kind: Kind, former: Any) -> Any:
    """Of an array as many as there were."""
    return [chance.choice(values) for _ in former or ()] if isinstance(kind, Array) else chance.choice(values)
