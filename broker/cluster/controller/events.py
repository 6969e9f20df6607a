"""What the controller hears, and what it wants done.

Effects are executed in order; the outcome of a Write is the next event, before any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from broker.cluster.znodes import BrokerNode, PartitionStateNode, TopicNode, TopicPartition
from broker.registry.contract import Operation, RegistryError
from kproto.messages.leader_and_isr import LeaderAndIsrRequest, LeaderAndIsrResponse
from kproto.messages.stop_replica import StopReplicaRequest, StopReplicaResponse
from kproto.messages.update_metadata import UpdateMetadataRequest, UpdateMetadataResponse

Request: TypeAlias = LeaderAndIsrRequest | UpdateMetadataRequest | StopReplicaRequest
Response: TypeAlias = LeaderAndIsrResponse | UpdateMetadataResponse | StopReplicaResponse
StateRead: TypeAlias = tuple[PartitionStateNode, int]
"""A partition's state and its data version, which is the partition epoch."""


@dataclass(slots=True, frozen=True)
class LiveBroker:
    """A registration as read. `epoch`: czxid of its node."""

    id: int
    epoch: int
    node: BrokerNode


@dataclass(slots=True, frozen=True)
class TopicRead:
    """A topic as read. `states`: by partition directory that is there, None where it has no state; None: not even
    the directory of partitions is there. `fresh_id`: for a topic that has no id yet."""

    name: str
    czxid: int
    version: int
    node: TopicNode
    states: Mapping[int, StateRead | None] | None
    fresh_id: UUID


@dataclass(slots=True, frozen=True)
class Elected:
    """We are the controller. `fence`: data version of `/controller_epoch`, which every write checks."""

    epoch: int
    fence: int
    brokers: Sequence[LiveBroker]
    topics: Sequence[TopicRead]
    deletes: Sequence[str]


@dataclass(slots=True, frozen=True)
class BrokersListed:
    """All brokers that are registered now."""

    brokers: Sequence[LiveBroker]


@dataclass(slots=True, frozen=True)
class TopicsListed:
    """The names of all topics there are now."""

    names: Sequence[str]


@dataclass(slots=True, frozen=True)
class TopicsRead:
    """New topics, changed topics, or those asked for by ReadTopics; one that is gone is missing."""

    topics: Sequence[TopicRead]


@dataclass(slots=True, frozen=True)
class DeletesListed:
    """The topics that somebody wants deleted."""

    names: Sequence[str]


@dataclass(slots=True, frozen=True)
class ElectionAsked:
    """Somebody wants the preferred replicas to lead."""

    partitions: Sequence[TopicPartition]


@dataclass(slots=True, frozen=True)
class LogDirFailed:
    """A log directory of this broker failed: ask what it still has."""

    broker: int


@dataclass(slots=True, frozen=True)
class Written:
    tag: int


@dataclass(slots=True, frozen=True)
class WriteFailed:
    """Nothing of the multi happened."""

    tag: int
    cause: RegistryError


@dataclass(slots=True, frozen=True)
class Removed:
    """The trees of RemoveTrees are gone."""

    tag: UUID


@dataclass(slots=True, frozen=True)
class Answered:
    """A broker answered a request."""

    broker: int
    request: Request
    response: Response


@dataclass(slots=True, frozen=True)
class TimerFired:
    name: str


Event: TypeAlias = (
    Elected
    | BrokersListed
    | TopicsListed
    | TopicsRead
    | DeletesListed
    | ElectionAsked
    | LogDirFailed
    | Written
    | WriteFailed
    | Removed
    | Answered
    | TimerFired
)


@dataclass(slots=True, frozen=True)
class Write:
    """One multi. Its first operation is the fence; answered by Written or WriteFailed."""

    tag: int
    operations: Sequence[Operation]


@dataclass(slots=True, frozen=True)
class ReadTopics:
    """Answered by TopicsRead."""

    names: Sequence[str]


@dataclass(slots=True, frozen=True)
class RemoveTrees:
    """Delete these nodes in order, each with all below it, under the fence; a missing one is fine.

    Answered by Removed.
    """

    tag: UUID
    paths: Sequence[str]


@dataclass(slots=True, frozen=True)
class Send:
    """A request for one broker, after all that was sent to it before. Answered by Answered."""

    broker: int
    request: Request


@dataclass(slots=True, frozen=True)
class ForgetBroker:
    """It is gone: so are the requests that still wait for it."""

    broker: int


@dataclass(slots=True, frozen=True)
class SetTimer:
    name: str
    after_ms: int


Effect: TypeAlias = Write | ReadTopics | RemoveTrees | Send | ForgetBroker | SetTimer
