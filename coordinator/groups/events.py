"""What happens to a group. Time and fresh ids come with it; `reply_to` goes back with the answer, unread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, NamedTuple, TypeAlias
from uuid import UUID

from kproto.messages.internal_topics import OffsetCommitValue

NO_GENERATION = -1

Protocol: TypeAlias = tuple[str, bytes]
"""A protocol's name, and the member's metadata for it, which nobody here reads."""

TopicPartition: TypeAlias = tuple[str, int]


class TimerKind(Enum):
    SESSION = "session"
    """A member was not heard of (JoinGroup, SyncGroup, Heartbeat, OffsetCommit) for its session timeout."""
    JOIN = "join"
    """Who has not joined by now is left behind; or the first members of an empty group have gathered."""
    SYNC = "sync"
    """Who has not sent SyncGroup by now is left behind."""
    EXPIRY = "expiry"
    """Time to look for offsets that nobody needs any more."""


class Timer(NamedTuple):
    """A timer of one group; setting it again moves it."""

    kind: TimerKind
    member_id: str = ""


JOIN, SYNC, EXPIRY = Timer(TimerKind.JOIN), Timer(TimerKind.SYNC), Timer(TimerKind.EXPIRY)


@dataclass(slots=True)
class Event:
    """`may_append`: a record may come of it, so the runtime first asks whether it may write.

    `only_by_records`: it changes nothing but by its records, so a write that fails leaves the group as it was.
    """

    may_append: ClassVar[bool] = True
    only_by_records: ClassVar[bool] = False
    reply_to: object = field(default=None, kw_only=True)


@dataclass(slots=True)
class Join(Event):
    """JoinGroup. `fresh_id` is the member's id if it has none and gets one.

    `needs_known_id` (version 4 on): a newcomer is sent away once, with its id. `may_skip` (version 9 on): a static
    leader that only restarted can be told not to assign again.
    """

    member_id: str
    protocols: tuple[Protocol, ...]
    protocol_type: str = "consumer"
    instance_id: str | None = None
    session_timeout_ms: int = 10_000
    rebalance_timeout_ms: int = 60_000
    client_id: str = ""
    client_host: str = ""
    fresh_id: str = ""
    needs_known_id: bool = False
    may_skip: bool = False


@dataclass(slots=True)
class Sync(Event):
    """SyncGroup. `assignments` by member id, from the leader. Types and names are None before version 5."""

    member_id: str
    generation: int
    assignments: Mapping[str, bytes] = field(default_factory=dict)
    instance_id: str | None = None
    protocol_type: str | None = None
    protocol: str | None = None


@dataclass(slots=True)
class Heartbeat(Event):
    may_append = False
    member_id: str
    generation: int
    instance_id: str | None = None


class Leaver(NamedTuple):
    """Who leaves: by its id, or a static member by its instance id alone."""

    member_id: str
    instance_id: str | None = None


@dataclass(slots=True)
class Leave(Event):
    members: Sequence[Leaver]


@dataclass(slots=True)
class Commit(Event):
    """OffsetCommit. A generation of -1 and no member: a consumer that assigns its partitions itself."""

    only_by_records = True
    offsets: Mapping[TopicPartition, OffsetCommitValue]
    member_id: str = ""
    generation: int = NO_GENERATION
    instance_id: str | None = None


@dataclass(slots=True)
class FetchOffsets(Event):
    """OffsetFetch. None: all that the group committed."""

    may_append = False
    partitions: Sequence[TopicPartition] | None = None


@dataclass(slots=True)
class Describe(Event):
    may_append = False


@dataclass(slots=True)
class Delete(Event):
    """DeleteGroups."""

    only_by_records = True


@dataclass(slots=True)
class DeleteOffsets(Event):
    """OffsetDelete, of partitions that there are."""

    only_by_records = True
    partitions: Sequence[TopicPartition]


@dataclass(slots=True)
class TopicDeleted(Event):
    only_by_records = True
    topic: str
    topic_id: UUID


@dataclass(slots=True)
class TimerFired(Event):
    timer: Timer
