"""What a group wants done, in order: append records, answer once all that was seen is safe, move timers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from coordinator.groups.events import Timer, TopicPartition
from coordinator.groups.records import Key, Value
from kproto.errors import ErrorCode
from kproto.messages.internal_topics import OffsetCommitValue


class Listed(NamedTuple):
    """A member as the leader is told of it, who assigns: `metadata` is that of the chosen protocol."""

    member_id: str
    instance_id: str | None
    metadata: bytes


@dataclass(slots=True)
class Joined:
    """The new generation begins. Only its leader is told the `members`; `skip_assignment`: and need not assign."""

    generation: int
    protocol_type: str
    protocol: str
    leader: str
    member_id: str
    members: tuple[Listed, ...] = ()
    skip_assignment: bool = False


@dataclass(slots=True)
class Synced:
    protocol_type: str
    protocol: str
    assignment: bytes


@dataclass(slots=True)
class Left:
    """A code per leaver, in the order they were named."""

    codes: list[ErrorCode]


@dataclass(slots=True)
class Refused:
    """`member_id`: the id to come back with (MEMBER_ID_REQUIRED)."""

    code: ErrorCode
    member_id: str | None = None


class Done(NamedTuple):
    """It was done, and there is nothing to tell."""


@dataclass(slots=True)
class DescribedMember:
    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    metadata: bytes
    assignment: bytes


@dataclass(slots=True)
class Described:
    """`state` as Kafka spells it; `Dead`: there is no such group. `protocol` and metadata only while stable."""

    state: str
    protocol_type: str
    protocol: str
    members: tuple[DescribedMember, ...]


@dataclass(slots=True)
class Committed:
    """The offsets asked for, as far as there are any; a copy, since the group goes on while the answer waits."""

    offsets: Mapping[TopicPartition, OffsetCommitValue]


@dataclass(slots=True)
class Forgotten:
    """Offsets are gone, but for those of partitions that its members still read."""

    still_read: frozenset[TopicPartition]


Answer: TypeAlias = Joined | Synced | Left | Refused | Done | Described | Committed | Forgotten


@dataclass(slots=True)
class Append:
    """A record for the group's log; a value of None is a tombstone."""

    key: Key
    value: Value


@dataclass(slots=True)
class Reply:
    to: object
    answer: Answer


@dataclass(slots=True)
class SetTimer:
    """Let `timer` fire `after_ms` from now, by a clock that nobody can set."""

    timer: Timer
    after_ms: int


@dataclass(slots=True)
class CancelTimer:
    timer: Timer


Effect: TypeAlias = Append | Reply | SetTimer | CancelTimer
