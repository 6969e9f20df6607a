"""Reads for the controller: what stands in the registry, with the one-shot watches that tell when it changes."""

import logging
from collections.abc import Callable, Iterable

from broker.clock import Chance
from broker.cluster.controller import LiveBroker, TopicRead
from broker.cluster.controller.events import StateRead
from broker.cluster.gather import gathered
from broker.cluster.znodes import (
    BROKER_IDS,
    BrokerNode,
    MalformedNode,
    PartitionStateNode,
    TopicNode,
    broker_path,
    partition_state_path,
    partitions_path,
    topic_path,
)
from broker.registry.contract import NoNode, Registry, Watch, WatchEvent

log = logging.getLogger("barnabas.controller")

MAX_PARTITIONS = 200_000


class Reader:
    """Reads and watches for one term. A watch is not set again while it waits.

    Args: changed: told of each change: which list or topic must be read again (see `watch`).
    """

    def __init__(self, registry: Registry, chance: Chance, changed: Callable[[str], None]) -> None:
        self._registry = registry
        self._chance = chance
        self._changed = changed
        self._watched: set[tuple[str, str]] = set()
        self._malformed: dict[str, str] = {}  # what was said of a node; lists are read again at each change nearby

    def _watch(self, path: str, kind: str, concerns: str) -> Watch | None:
        """A watch of this kind (`data`, `children`) that reports `concerns`; None if one waits already."""
        key = (path, kind)
        if key in self._watched:
            return None
        self._watched.add(key)

        def fired(_: WatchEvent) -> None:
            self._watched.discard(key)
            self._changed(concerns)

        return fired

    async def children(self, path: str) -> list[str]:
        """Names below a list node, watched; a change reports `path`."""
        try:
            return await self._registry.children(path, self._watch(path, "children", path))
        except NoNode:
            self._watched.discard((path, "children"))
            return []

    async def data(self, path: str, concerns: str) -> tuple[bytes | None, int, int]:
        """Data, version and czxid, watched. Raises: NoNode."""
        try:
            data, stat = await self._registry.get(path, self._watch(path, "data", concerns))
        except NoNode:
            self._watched.discard((path, "data"))
            raise
        return data, stat.version, stat.czxid

    async def appears(self, path: str) -> bool:
        """Whether the node is there; else its creation reports `path`."""
        return await self._registry.exists(path, self._watch(path, "exists", path)) is not None

    async def brokers(self) -> list[LiveBroker]:
        """All that are registered, by id; a change of the list or of one registration reports BROKER_IDS."""
        found = []
        for name in await self.children(BROKER_IDS):
            try:
                data, _, czxid = await self.data(broker_path(int(name)), BROKER_IDS)
                found.append(LiveBroker(int(name), czxid, BrokerNode.decode(data)))
            except NoNode:
                continue
            except ValueError as error:
                log.error("The registration of broker %s cannot be read: %s", name, error)
        return sorted(found, key=lambda broker: broker.id)

    async def topics(self, names: Iterable[str]) -> list[TopicRead]:
        """Those of these topics that are there; a change of one reports its path."""
        found = await gathered(self._topic, dict.fromkeys(names))
        return [topic for topic in found if topic is not None]

    async def _topic(self, name: str) -> TopicRead | None:
        try:
            data, version, czxid = await self.data(topic_path(name), topic_path(name))
            node = TopicNode.decode(data)
            _check(node)
            states = await self._states(name)
        except NoNode:
            self._malformed.pop(name, None)
            return None
        except MalformedNode as error:
            self._complain(name, str(error))
            return None
        self._malformed.pop(name, None)
        return TopicRead(name, czxid, version, node, states, self._chance.uuid())

    def _complain(self, name: str, text: str) -> None:
        """Once for each thing that is wrong with a topic."""
        if self._malformed.get(name) != text:
            self._malformed[name] = text
            log.error("Topic %s is left alone: %s", name, text)

    async def _states(self, name: str) -> dict[int, StateRead | None] | None:
        """State by partition directory; None if there is no directory of partitions. Not watched."""
        try:
            children = await self._registry.children(partitions_path(name))
        except NoNode:
            return None
        states: dict[int, StateRead | None] = {}
        for index in sorted(int(child) for child in children if child.isdecimal()):
            try:
                data, stat = await self._registry.get(partition_state_path(name, index))
                states[index] = PartitionStateNode.decode(data), stat.version
            except NoNode:
                states[index] = None
        return states


def _check(node: TopicNode) -> None:
    """Raises: MalformedNode: an assignment that no tool of Kafka writes."""
    if list(node.partitions) != list(range(len(node.partitions))) or len(node.partitions) > MAX_PARTITIONS:
        raise MalformedNode(f"topic: its partitions are not numbered from 0 on: {list(node.partitions)[:10]}")
    if not all(replicas and len(set(replicas)) == len(replicas) for replicas in node.partitions.values()):
        raise MalformedNode("topic: a partition without replicas, or with one twice")
