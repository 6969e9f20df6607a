"""One broker: who needs whom, and who dies when."""

import math
from collections.abc import Sequence

import trio

from broker.advertised import advertised
from broker.cluster.config_changes import ConfigChanges
from broker.cluster.configs import Configs
from broker.cluster.controller_runtime import ControllerRuntime
from broker.cluster.elections import Elections
from broker.cluster.image import Image
from broker.cluster.log_dir_notices import LogDirNotices
from broker.cluster.producer_ids import ProducerIds
from broker.cluster.reassignments import Reassignments
from broker.cluster.registration import Registration
from broker.cluster.topics import Topics
from broker.cluster.work import Work
from broker.config.settings import BrokerSettings
from broker.coordinator_runtime.groups import Groups
from broker.foundations import Foundations
from broker.metrics import Metrics
from broker.partitions.fetch_sessions import FetchSessions
from broker.partitions.internal_log import InternalLog
from broker.partitions.manager import Partitions
from broker.purgatory import Waiter
from broker.requests.rooms import Rooms
from broker.requests.router import Router
from broker.server.budget import Budget
from broker.server.connections import Connections
from broker.server.limits import Limits, descriptor_limit
from broker.transport.contract import Address
from broker.transport.peers import LocalPeer
from broker.web.health import Health
from broker.web.pages import pages
from broker.web.responder import Responder
from broker.world import World
from kproto.values import frozen


@frozen
class Ready:
    """Where clients find this broker: its advertised listeners in the order of the options."""

    broker_id: int
    advertised: Sequence[Address]
    web: Sequence[Address] = ()
    """Where health checks are answered."""


class Broker:
    """Made on its foundations, runs once.

    Args:
        world: clock, chance, listeners that are bound already.
        ground: logs and registry session, opened before and closed after this broker.
    """

    def __init__(self, settings: BrokerSettings, world: World, ground: Foundations) -> None:
        broker_id, clock, chance, registry = ground.broker_id, world.clock, world.chance, ground.registry
        self.closing = trio.Event()
        """Set it for a clean stop."""
        self._listeners = world.listeners
        self._grace_s = settings.barnabas_shutdown_grace_ms / 1000
        self._image = Image(ground.cluster_id)
        self._work = Work()
        self._configs = Configs(registry, settings, clock, broker_id=broker_id)
        self._metrics = Metrics()
        self._partitions = Partitions(broker_id, ground.storage, self._configs.topic, clock, self._metrics)
        self._configs.on_change(self._partitions.settings_changed)
        self._groups = Groups(InternalLog(self._image), settings, clock, chance)
        self._partitions.on_leadership(self._groups.leadership_changed)
        ground.storage.places.pace(lambda: self._configs.layers.move_bytes_per_second)
        self._notices = LogDirNotices(registry, broker_id)
        self._partitions.on_replica_lost(self._notices.replica_lost)
        self._rooms = Rooms(
            broker_id=broker_id,
            settings=settings,
            clock=clock,
            chance=chance,
            image=self._image,
            topics=Topics(registry, self._image, settings, chance, self._work, broker_id=broker_id),
            configs=self._configs,
            config_changes=ConfigChanges(registry, self._configs, self._work),
            elections=Elections(registry, self._image, self._work),
            reassignments=Reassignments(registry, self._image, self._work),
            producer_ids=ProducerIds(registry, self._work, broker_id=broker_id),
            partitions=self._partitions,
            fetch_sessions=FetchSessions(settings.max_incremental_fetch_session_cache_slots, chance),
            groups=self._groups,
            authorizer=world.authorizer,
            registry=registry,
            metrics=self._metrics,
        )
        router = Router(self._rooms, max_elements=settings.barnabas_request_max_elements)
        limits = Limits.of(settings, descriptors=descriptor_limit(), protected=settings.listening.protected)
        self._connections = Connections(router, world.buffers, Budget(settings.queued_max_request_bytes), limits)
        self._configs.on_broker_change(self._connections.settings_changed)
        self._configs.on_broker_change(world.live.become)
        self._tls = world.tls
        for identities in world.tls:
            self._configs.on_check(identities.check)
            self._configs.on_broker_read(identities.renew)
        self._controller = ControllerRuntime(
            registry,
            broker_id,
            settings,
            clock,
            chance,
            inter_broker_listener=settings.listening.inter_broker,
            peers=lambda _: LocalPeer(router),
        )
        self._health = Health(broker_id, self._image, registry)
        self._responder = Responder(pages(self._rooms, self._health, LocalPeer(router)))
        self._web = world.web
        self._endpoints = advertised(settings.listening.listeners, world.listeners)
        self._registration = Registration(registry, broker_id, self._endpoints, settings, clock)
        self._registration.on_epoch(self._image.registered)

    async def run(self, *, task_status: trio.TaskStatus[Ready] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until `closing` is set; registered, and known to itself, before it says that it has started."""
        async with trio.open_nursery() as workers:  # controller, groups, and what requests began
            for accepting in self._web:
                await workers.start(self._responder.accept_forever, accepting)
            for worker in (self._work, self._configs, self._partitions, self._notices, self._groups, self._connections):
                await workers.start(worker.run)
            async with trio.open_nursery() as connections:  # one task per connection
                async with trio.open_nursery() as listeners:  # the accept loops
                    for listener in self._listeners:
                        await listeners.start(listener.accept_forever, self._connections, connections)
                    await workers.start(self._registration.run)
                    await workers.start(self._controller.run)
                    await self._until_known()
                    self._health.serving = True
                    task_status.started(self._ready())
                    await self.closing.wait()
                    self._health.serving = False
                    await self._registration.leave()
                    listeners.cancel_scope.cancel()  # 1. no new connections
                self._connections.close_idle()  # 2. the idle and the waiting go at once, the busy may finish
                connections.cancel_scope.deadline = trio.current_time() + self._grace_s
            workers.cancel_scope.cancel()  # 3. then those who served them; the foundations are the caller's

    def reload(self) -> None:
        """Read keys and certificates again, for clients that come from now on; what cannot be used is logged."""
        for identities in self._tls:
            identities.renew(self._configs.broker)

    def _ready(self) -> Ready:
        at = [accepting.address for accepting in self._web]
        return Ready(self._rooms.broker_id, list(self._endpoints.values()), at)

    async def _until_known(self) -> None:
        """Until the controller has told this broker of itself: from then on Metadata can be answered."""
        while self._rooms.broker_id not in self._image.brokers:
            waiter = Waiter()
            waiter.watch([self._image.changed])
            await waiter.wait(math.inf)
