"""The controller itself: one event in, effects out.

Source: KafkaController of Kafka's ZooKeeper mode; the order of things at the start is that of onControllerFailover.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence

from broker.cluster.controller.deletion import NO_TOPIC, RETRY_TIMER, Deletions
from broker.cluster.controller.election import elected, preferred
from broker.cluster.controller.events import (
    Answered,
    BrokersListed,
    DeletesListed,
    Effect,
    Elected,
    ElectionAsked,
    Event,
    ForgetBroker,
    LiveBroker,
    LogDirFailed,
    ReadTopics,
    Removed,
    RemoveTrees,
    TimerFired,
    TopicRead,
    TopicsListed,
    TopicsRead,
    Write,
    WriteFailed,
    Written,
)
from broker.cluster.controller.requests import Requests
from broker.cluster.controller.state import ClusterState, Row, Topic
from broker.cluster.controller.telling import Teller
from broker.cluster.controller.writes import Plan, plans
from broker.cluster.znodes import PREFERRED_ELECTION, PartitionStateNode, TopicNode
from kproto.errors import ErrorCode
from kproto.messages.leader_and_isr import LeaderAndIsrRequest, LeaderAndIsrResponse

log = logging.getLogger("barnabas.controller")

Rule = Callable[[Row], PartitionStateNode | None]


class Controller:
    """One term in office: begun by Elected, ended by dropping the object.

    Args: broker_id: whose controller this is. delete_topics: `delete.topic.enable`. inter_broker_listener: where
        brokers reach each other.
    """

    def __init__(self, broker_id: int, *, delete_topics: bool, inter_broker_listener: str) -> None:
        self.cluster = ClusterState()
        self.epoch = 0
        self._broker_id = broker_id
        self._delete_topics = delete_topics
        self._inter_broker_listener = inter_broker_listener
        self._fence = -1
        self._plans: dict[int, Plan] = {}
        self._last_tag = 0

    def handle(self, event: Event) -> list[Effect]:
        match event:
            case Elected():
                return self._begin(event)
            case BrokersListed():
                return self._brokers_listed(event.brokers)
            case TopicsListed():
                return self._topics_listed(event.names)
            case TopicsRead():
                return self._topics_read(event.topics)
            case DeletesListed():
                return self._deletions.asked(event)
            case ElectionAsked():
                return self._prefer(event)
            case LogDirFailed():
                return self._teller.introduce(event.broker)
            case Written():
                return self._written(self._plans.pop(event.tag))
            case WriteFailed():
                return self._write_failed(self._plans.pop(event.tag), event)
            case Answered():
                self._note_newer_controller(event)
                return [*self._failed_replicas(event), *self._deletions.answered(event)]
            case Removed():
                self._deletions.removed(event)
            case TimerFired(name) if name == RETRY_TIMER:
                return self._deletions.resume()
        return []

    # The start of a term, and brokers that come and go.

    def _begin(self, event: Elected) -> list[Effect]:
        """Tell every broker all there is, then elect where nobody leads, then go on with deletions."""
        self.epoch, self._fence = event.epoch, event.fence
        requests = Requests(self.cluster, self._broker_id, self.epoch, self._inter_broker_listener)
        self._deletions = Deletions(self.cluster, requests, enabled=self._delete_topics)
        self._teller = Teller(self.cluster, requests)
        self.cluster.brokers = {broker.id: broker for broker in event.brokers}
        to_name: list[tuple[Topic, TopicNode]] = []
        for read in event.topics:
            topic = self._known_or_new(read)
            topic.take(read)
            to_name += _without_id(topic, read)
        effects = [effect for broker in self.cluster.brokers for effect in self._teller.introduce(broker)]
        effects += self._write(to_name, self._elections(self.cluster.rows()))
        return [*effects, *self._deletions.asked(DeletesListed(event.deletes))]

    def _brokers_listed(self, brokers: Sequence[LiveBroker]) -> list[Effect]:
        before, now = self.cluster.brokers, {broker.id: broker for broker in brokers}
        same = {each for each in now if each in before and before[each].epoch == now[each].epoch}
        died, came = before.keys() - same, now.keys() - same
        if not died and not came and before == now:
            return []
        log.info("Brokers alive: %s; gone: %s; come: %s", sorted(now), sorted(died), sorted(came))
        self.cluster.brokers = now
        effects: list[Effect] = [ForgetBroker(each) for each in sorted(died)]
        for broker in died:
            self._deletions.forget_broker(broker)
            for row in self.cluster.rows():
                row.partition.failed_on.discard(broker)
        for broker in sorted(came):
            effects += self._teller.introduce(broker)
        touched = [row for row in self.cluster.rows() if not died.isdisjoint(row.partition.replicas)]
        effects += self._teller.tell_all(touched, but=came)
        effects += self._write([], self._elections(self.cluster.rows(), returned=died & came))
        return [*effects, *self._deletions.resume()]

    # Topics that come, change and go.

    def _topics_listed(self, names: Sequence[str]) -> list[Effect]:
        known, there = self.cluster.by_name, set(names)
        effects = [effect for name in known.keys() - there for effect in self._gone(known[name])]
        if new := [name for name in names if name not in known]:
            effects.append(ReadTopics(tuple(new)))
        return effects

    def _gone(self, topic: Topic) -> list[Effect]:
        """Somebody removed the nodes behind our back: nobody leads it any more, but the files stay."""
        if topic.stopping is not None:
            return []
        log.warning("Topic %s vanished from the registry; its files stay where they are", topic.name)
        self.cluster.remove(topic)
        return self._teller.gone(topic)

    def _topics_read(self, topics: Sequence[TopicRead]) -> list[Effect]:
        effects: list[Effect] = []
        to_name: list[tuple[Topic, TopicNode]] = []
        to_tell: list[Row] = []
        for read in topics:
            known = self.cluster.by_name.get(read.name)
            if known is not None and known.czxid != read.czxid:
                effects += self._gone(known)
            topic = self._known_or_new(read)
            if topic.stopping is None:
                to_tell += [Row(topic, index) for index in topic.take(read)]
                to_name += _without_id(topic, read)
        effects += self._teller.tell([row for row in to_tell if row.partition.state is not None], new=False)
        touched = [self.cluster.by_name[read.name] for read in topics]
        return [*effects, *self._write(to_name, self._elections(self.cluster.rows(touched)))]

    def _known_or_new(self, read: TopicRead) -> Topic:
        """A new topic without an id, or with the id of another one, gets the fresh one."""
        if read.name not in self.cluster.by_name:
            topic_id = read.node.topic_id
            if topic_id is None or topic_id in self.cluster.topics:
                topic_id = read.fresh_id
            self.cluster.add(Topic(topic_id, read.name, read.czxid, read.version))
        return self.cluster.by_name[read.name]

    # Elections, and what they write.

    def _elections(
        self, rows: Iterable[Row], *, returned: Collection[int] = ()
    ) -> list[tuple[Row, PartitionStateNode]]:
        return _changes(
            rows, lambda row: elected(row.partition, self.cluster.online(row.partition), self.epoch, returned)
        )

    def _prefer(self, event: ElectionAsked) -> list[Effect]:
        known = [(self.cluster.by_name.get(name), index) for name, index in event.partitions]
        rows = [Row(topic, index) for topic, index in known if topic is not None and index in topic.partitions]
        rule: Rule = lambda row: preferred(row.partition, self.cluster.online(row.partition), self.epoch)  # noqa: E731
        return [*self._write([], _changes(rows, rule)), RemoveTrees(NO_TOPIC, (PREFERRED_ELECTION,))]

    def _write(
        self, to_name: Sequence[tuple[Topic, TopicNode]], states: Sequence[tuple[Row, PartitionStateNode]]
    ) -> list[Effect]:
        effects: list[Effect] = []
        for plan in plans(self._fence, to_name, states):
            self._last_tag += 1
            self._plans[self._last_tag] = plan
            effects.append(Write(self._last_tag, plan.operations))
        return effects

    def _written(self, plan: Plan) -> list[Effect]:
        """It stands in the registry: now the brokers may know."""
        new = [row for row, _ in plan.states if row.partition.state is None]
        old = [row for row, _ in plan.states if row.partition.state is not None]
        plan.believe()
        return [*self._teller.tell(old, new=False), *self._teller.tell(new, new=True)]

    def _write_failed(self, plan: Plan, event: WriteFailed) -> list[Effect]:
        """Somebody else wrote there (a leader its in-sync set, a tool a topic): read again, then decide again."""
        log.info("A write of partition states was refused (%r); reading again", event.cause)
        return [ReadTopics(tuple(topic.name for topic in plan.topics if topic.id in self.cluster.topics))]

    # What brokers answer.

    def _note_newer_controller(self, event: Answered) -> None:
        if event.response.error_code == ErrorCode.STALE_CONTROLLER_EPOCH:
            log.error(
                "Broker %d has heard a newer controller than ours of epoch %d: either we are deposed, or the registry"
                " was restored from an older copy; it obeys no more until the registry is at that epoch again",
                event.broker,
                self.epoch,
            )

    def _failed_replicas(self, event: Answered) -> list[Effect]:
        """A broker cannot hold some replicas, since their disk failed: others must lead them."""
        if not isinstance(event.response, LeaderAndIsrResponse) or not isinstance(event.request, LeaderAndIsrRequest):
            return []
        failed = []
        for state in event.response.topics:
            topic = self.cluster.topics.get(state.topic_id)
            for error in state.partition_errors:
                if topic is None or error.partition_index not in topic.partitions:
                    continue
                row = Row(topic, error.partition_index)
                if error.error_code == ErrorCode.KAFKA_STORAGE_ERROR:
                    row.partition.failed_on.add(event.broker)
                    failed.append(row)
                elif error.error_code:
                    why = ErrorCode(error.error_code).name
                    log.error("Broker %d refused partition %s-%d: %s", event.broker, topic.name, row.index, why)
        if not failed:
            return []
        log.error("Broker %d lost %d replicas with a log directory", event.broker, len(failed))
        return [*self._teller.tell_all(failed), *self._write([], self._elections(failed))]


def _without_id(topic: Topic, read: TopicRead) -> list[tuple[Topic, TopicNode]]:
    """The node to be written if an old tool made or changed it: its id is missing then (KIP-516)."""
    if read.node.topic_id == topic.id:
        return []
    return [(topic, TopicNode(topic.id, read.node.partitions, read.node.adding, read.node.removing))]


def _changes(rows: Iterable[Row], rule: Rule) -> list[tuple[Row, PartitionStateNode]]:
    return [(row, state) for row in rows if (state := rule(row)) is not None]
