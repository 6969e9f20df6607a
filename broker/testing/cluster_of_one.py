"""The cluster's rooms of one broker, with a controller that runs, on an embedded registry; no sockets, no logs.

Requests pass the real router as bytes; the partitions are a fake that notes what the controller said.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import trio
import trio.testing

from broker.clock import Chance, SetClock
from broker.cluster.authorizer import AllowAll, Authorizer
from broker.cluster.config_changes import ConfigChanges
from broker.cluster.configs import Configs
from broker.cluster.controller_runtime import ControllerRuntime
from broker.cluster.elections import Elections
from broker.cluster.image import Image
from broker.cluster.producer_ids import ProducerIds
from broker.cluster.reassignments import Reassignments
from broker.cluster.topics import Topics
from broker.cluster.work import Work
from broker.cluster.znodes import PERSISTENT_PATHS, BrokerNode, broker_path
from broker.config.settings import BrokerSettings
from broker.partitions.fetch_sessions import FetchSessions
from broker.registry.contract import Registry
from broker.registry.embedded import EmbeddedRegistry, EmbeddedTree
from broker.requests.context import ConnectionFacts
from broker.requests.rooms import Rooms
from broker.requests.router import Router
from broker.transport.contract import Address
from broker.transport.peers import LocalPeer
from kproto.api_keys import response_class
from kproto.codec import decode, encoded
from kproto.connection import Request
from kproto.headers import RequestHeader, answer_has_tags
from kproto.messages.leader_and_isr import (
    LeaderAndIsrPartitionError,
    LeaderAndIsrRequest,
    LeaderAndIsrResponse,
    LeaderAndIsrTopicError,
)
from kproto.messages.stop_replica import StopReplicaPartitionError, StopReplicaRequest, StopReplicaResponse
from kproto.schema import Message

LISTENER = "PLAINTEXT"
HERE = Address("localhost", 9092)


class NotedPartitions:
    """Leads and stops whatever the controller says; remembers it."""

    def __init__(self) -> None:
        self.led: dict[tuple[str, int], int] = {}
        """Leader epoch by topic and partition."""
        self.deleted: list[tuple[str, int]] = []

    def become(self, request: LeaderAndIsrRequest) -> LeaderAndIsrResponse:
        response = LeaderAndIsrResponse()
        for topic in request.topic_states:
            errors = []
            for state in topic.partition_states:
                self.led[topic.topic_name, state.partition_index] = state.leader_epoch
                errors.append(LeaderAndIsrPartitionError(partition_index=state.partition_index))
            response.topics.append(LeaderAndIsrTopicError(topic_id=topic.topic_id, partition_errors=errors))
        return response

    async def stop(self, request: StopReplicaRequest) -> StopReplicaResponse:
        response = StopReplicaResponse()
        for topic in request.topic_states:
            for state in topic.partition_states:
                place = topic.topic_name, state.partition_index
                self.led.pop(place, None)
                if state.delete_partition:
                    self.deleted.append(place)
                response.partition_errors.append(
                    StopReplicaPartitionError(topic_name=place[0], partition_index=place[1])
                )
        return response


class Seat:
    """The connection's side of a wait, where there is no connection."""

    async def before_wait(self, **_: Any) -> None:
        return

    def after_wait(self) -> None:
        return


class ClusterOfOne:
    """What `cluster_of_one` gives; `registry` is the broker's session, `tools` another one, for foreign hands."""

    def __init__(
        self,
        tree: EmbeddedTree,
        clock: SetClock,
        nursery: trio.Nursery,
        settings: BrokerSettings,
        authorizer: Authorizer,
        broker_id: int,
    ) -> None:
        self.clock, self.broker_id, self.nursery = clock, broker_id, nursery
        self.registry: EmbeddedRegistry = tree.session()
        self.tools: Registry = tree.session()
        self.image = Image("cluster")
        self.partitions = NotedPartitions()
        self.work = Work()
        self.chance = Chance(1)
        self.configs = Configs(self.registry, settings, clock, broker_id=broker_id)
        self.topics = Topics(self.registry, self.image, settings, self.chance, self.work, broker_id=broker_id)
        self.producer_ids = ProducerIds(self.registry, self.work, broker_id=broker_id)
        rooms: Any = Rooms(
            broker_id,
            settings,
            clock,
            self.chance,
            self.image,
            self.topics,
            self.configs,
            ConfigChanges(self.registry, self.configs, self.work),
            Elections(self.registry, self.image, self.work),
            Reassignments(self.registry, self.image, self.work),
            self.producer_ids,
            self.partitions,  # type: ignore[arg-type]  # a fake of two methods
            FetchSessions(0, self.chance),
            None,
            authorizer,
            self.registry,
        )
        self.router = Router(rooms)
        self.controller = ControllerRuntime(
            self.registry,
            broker_id,
            settings,
            clock,
            self.chance,
            inter_broker_listener=LISTENER,
            peers=lambda _: LocalPeer(self.router),
        )

    async def register(self) -> None:
        """Show this broker as alive, in the present session."""
        node = BrokerNode({LISTENER: HERE}).encode()
        await self.registry.create(broker_path(self.broker_id), node, ephemeral=True)
        stat = await self.registry.exists(broker_path(self.broker_id))
        assert stat is not None
        self.image.broker_epoch = stat.czxid

    async def start(self) -> None:
        """Everything runs, and the controller has told this broker of itself."""
        for path in PERSISTENT_PATHS:
            if await self.registry.exists(path) is None:
                await self.registry.create(path, parents=True)
        await self.nursery.start(self.work.run)
        await self.nursery.start(self.configs.run)
        await self.nursery.start(self.controller.run)
        await self.register()
        await settled()

    async def ask(self, message: Message, version: int) -> Any:
        """The answer of the real router, over the bytes of this version."""
        assert message.API_KEY is not None
        header = RequestHeader(message.API_KEY, version, 7, "test")
        body = memoryview(encoded(message, version))
        facts = ConnectionFacts(Address("client", 1), HERE, LISTENER, inter_broker=True)
        pieces = await self.router.answer(Request(header, body, len(body)), facts, Seat())
        assert pieces is not None
        frame = b"".join(bytes(piece) for piece in pieces)  # type: ignore[arg-type]  # no file ranges here
        head = 9 if answer_has_tags(message.API_KEY, version) else 8
        return decode(response_class(message.API_KEY), version, memoryview(frame)[head:])


async def settled() -> None:
    """Until nobody has anything to do at this moment."""
    await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def cluster_of_one(
    options: Mapping[str, str] | None = None,
    *,
    authorizer: Authorizer | None = None,
    broker_id: int = 0,
    tree: EmbeddedTree | None = None,
    started: bool = True,
) -> AsyncIterator[ClusterOfOne]:
    """Args: tree: the registry of a broker before, for tests of a restart."""
    clock = SetClock()
    async with trio.open_nursery() as nursery:
        settings = BrokerSettings(dict(options or {}))
        tree = tree or EmbeddedTree(None, clock)
        cluster = ClusterOfOne(tree, clock, nursery, settings, authorizer or AllowAll(), broker_id)
        if started:
            await cluster.start()
        yield cluster
        nursery.cancel_scope.cancel()
    await cluster.registry.close()
