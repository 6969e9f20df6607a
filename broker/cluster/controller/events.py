"""What the controller hears, and what it wants done.

Effects are executed in order; the outcome of a Write is the next event, before any other.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from uuid import UUID

from broker.cluster.znodes import BrokerNode, PartitionStateNode, TopicNode, TopicPartition
from broker.registry.contract import Operation, RegistryError
from kproto.messages.leader_and_isr import LeaderAndIsrRequest, LeaderAndIsrResponse
from kproto.messages.stop_replica import StopReplicaRequest, StopReplicaResponse
from kproto.messages.update_metadata import UpdateMetadataRequest, UpdateMetadataResponse
from kproto.values import frozen

Request: TypeAlias = LeaderAndIsrRequest | UpdateMetadataRequest | StopReplicaRequest
Response: TypeAlias = LeaderAndIsrResponse | UpdateMetadataResponse | StopReplicaResponse
StateRead: TypeAlias = tuple[PartitionStateNode, int]
"""A partition's state and its data version, which is the partition epoch."""


@frozen
class LiveBroker:
    """A registration as read. `epoch`: czxid of its node."""

    id: int
    epoch: int
    node: BrokerNode


@frozen
class TopicRead:
    """A topic as read. `states`: by partition directory that is there, None where it has no state; None: not even
    the directory of partitions is there. `fresh_id`: for a topic that has no id yet."""

    name: str
    czxid: int
    version: int
    node: TopicNode
    states: Mapping[int, StateRead | None] | None
    fresh_id: UUID


@frozen
class Elected:
    """We are the controller. `fence`: data version of `/controller_epoch`, which every write checks."""

    epoch: int
    fence: int
    brokers: Sequence[LiveBroker]
    topics: Sequence[TopicRead]
    deletes: Sequence[str]


@frozen
class BrokersListed:
    """All brokers that are registered now."""

    brokers: Sequence[LiveBroker]


@frozen
class TopicsListed:
    """The names of all topics there are now."""

    names: Sequence[str]


@frozen
class TopicsRead:
    """New topics, changed topics, or those asked for by ReadTopics; one that is gone is missing."""

    topics: Sequence[TopicRead]


@frozen
class DeletesListed:
    """The topics that somebody wants deleted."""

    names: Sequence[str]


@frozen
class ElectionAsked:
    """Somebody wants the preferred replicas to lead."""

    partitions: Sequence[TopicPartition]


@frozen
class LogDirFailed:
    """A log directory of this broker failed: ask what it still has."""

    broker: int


@frozen
class Written:
    tag: int


@frozen
class WriteFailed:
    """Nothing of the multi happened."""

    tag: int
    cause: RegistryError


@frozen
class Removed:
    """The trees of RemoveTrees are gone."""

    tag: UUID


@frozen
class Answered:
    """A broker answered a request."""

    broker: int
    request: Request
    response: Response


@frozen
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


@frozen
class Write:
    """One multi. Its first operation is the fence; answered by Written or WriteFailed."""

    tag: int
    operations: Sequence[Operation]


@frozen
class ReadTopics:
    """Answered by TopicsRead."""

    names: Sequence[str]


@frozen
class RemoveTrees:
    """Delete these nodes in order, each with all below it, under the fence; a missing one is fine.

    Answered by Removed.
    """

    tag: UUID
    paths: Sequence[str]


@frozen
class Send:
    """A request for one broker, after all that was sent to it before. Answered by Answered."""

    broker: int
    request: Request


@frozen
class ForgetBroker:
    """It is gone: so are the requests that still wait for it."""

    broker: int


@frozen
class SetTimer:
    name: str
    after_ms: int


Effect: TypeAlias = Write | ReadTopics | RemoveTrees | Send | ForgetBroker | SetTimer
