"""Deleting topics in Kafka's order: brokers let go of replicas and files, then the nodes go, the request last.

A topic with a replica on a broker that is not there waits; one whose broker refused is tried again.
Source: TopicDeletionManager of Kafka.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from broker.cluster.controller.events import (
    Answered,
    DeletesListed,
    Effect,
    Removed,
    RemoveTrees,
    Send,
    SetTimer,
)
from broker.cluster.controller.requests import Requests
from broker.cluster.controller.state import ClusterState, Row, Topic
from broker.cluster.znodes import delete_topic_path, topic_config_path, topic_path
from kproto.errors import ErrorCode
from kproto.messages.stop_replica import StopReplicaRequest, StopReplicaResponse

log = logging.getLogger("barnabas.controller")

RETRY_TIMER = "retry-deletions"
RETRY_MS = 5_000
NO_TOPIC = UUID(int=0)
NOTHING_TO_STOP = (ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)


class Deletions:
    """The topics that somebody wants gone. Their states stand in the topics: `doomed`, `stopping`, `halted`."""

    def __init__(self, cluster: ClusterState, requests: Requests, *, enabled: bool) -> None:
        self._cluster = cluster
        self._requests = requests
        self._enabled = enabled

    def asked(self, event: DeletesListed) -> list[Effect]:
        """Requests for what is not there, or not to be deleted (`delete.topic.enable`), are only taken away."""
        effects: list[Effect] = []
        for name in event.names:
            topic = self._cluster.by_name.get(name)
            if topic is None or not self._enabled:
                why = "there is no such topic" if topic is None else "delete.topic.enable is false"
                log.warning("Topic %s is not deleted: %s", name, why)
                effects.append(RemoveTrees(topic.id if topic else NO_TOPIC, (delete_topic_path(name),)))
            else:
                topic.doomed = True
        return [*effects, *self.resume()]

    def resume(self) -> list[Effect]:
        """Begin with every doomed topic whose replicas are all on brokers that are there."""
        effects: list[Effect] = []
        for topic in list(self._cluster.topics.values()):
            if topic.doomed and (topic.stopping is None or topic.halted) and not self._missing(topic):
                effects += self._stop(topic)
        return effects

    def _missing(self, topic: Topic) -> list[int]:
        return [each for partition in topic.partitions.values() for each in self._cluster.offline(partition)]

    def _stop(self, topic: Topic) -> list[Effect]:
        log.info("Topic %s is being deleted", topic.name)
        rows = [Row(topic, index) for index in topic.partitions]
        brokers = self._cluster.brokers
        effects: list[Effect] = [
            Send(each.id, self._requests.update_metadata(each, rows, deleted=topic)) for each in brokers.values()
        ]
        topic.halted = False
        topic.stopping = {each for partition in topic.partitions.values() for each in partition.replicas}
        effects += [
            Send(each, self._requests.stop_replica(brokers[each], topic, delete=True))
            for each in sorted(topic.stopping)
        ]
        return effects if topic.stopping else [*effects, _remove(topic)]

    def answered(self, event: Answered) -> list[Effect]:
        """A broker let go, or could not."""
        if not isinstance(event.request, StopReplicaRequest):
            return []
        effects: list[Effect] = []
        for state in event.request.topic_states:
            topic = self._cluster.by_name.get(state.topic_name)
            deleted = all(each.delete_partition for each in state.partition_states)
            if topic is None or not deleted or topic.stopping is None or event.broker not in topic.stopping:
                continue
            if refusals := _refusals(event.response):
                log.error("Broker %d cannot delete %s: %s; tried again", event.broker, topic.name, refusals)
                topic.halted = True
                effects.append(SetTimer(RETRY_TIMER, RETRY_MS))
                continue
            topic.stopping.discard(event.broker)
            if not topic.stopping:
                effects.append(_remove(topic))
        return effects

    def forget_broker(self, broker: int) -> None:
        """It died before it answered: begin again when it is back."""
        for topic in self._cluster.topics.values():
            if topic.stopping and broker in topic.stopping:
                topic.halted = True

    def removed(self, event: Removed) -> None:
        """The nodes are gone: so is the topic."""
        topic = self._cluster.topics.get(event.tag)
        if topic is not None and topic.stopping is not None:
            log.info("Topic %s is deleted", topic.name)
            self._cluster.remove(topic)


def _remove(topic: Topic) -> Effect:
    paths = (topic_path(topic.name), topic_config_path(topic.name), delete_topic_path(topic.name))
    return RemoveTrees(topic.id, paths)


def _refusals(response: object) -> Sequence[str]:
    assert isinstance(response, StopReplicaResponse)
    codes = {response.error_code, *(each.error_code for each in response.partition_errors)}
    return [ErrorCode(code).name for code in sorted(codes) if code not in NOTHING_TO_STOP]
