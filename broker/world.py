"""What a broker stands on, made from its settings: clock, chance, logs, registry, listening sockets.

Plain calls, before the first nursery: directories are locked and sockets bound here, so that an operator's mistake is
a plain exception. Tests make a world of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import trio

from broker.clock import Chance, Clock, WallClock
from broker.cluster.authorizer import AllowAll, Authorizer
from broker.config.settings import BrokerSettings
from broker.registry.contract import Registry
from broker.server.buffers import ReadBuffers
from broker.server.listener import Listener
from broker.storage.contract import Storage
from broker.transport.listening import SocketOptions, bind_together

REGISTRY_FILE = "registry.db"
"""Of the embedded registry, in the first data directory."""


class Session(Registry, Protocol):
    """A registry whose session lives while `run` does."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None: ...


@dataclass(slots=True)
class World:
    """One broker's. The storage is claimed; `open_registry` begins a session and is called inside the loop."""

    clock: Clock
    chance: Chance
    storage: Storage
    open_registry: Callable[[], Session]
    listeners: list[Listener]
    buffers: ReadBuffers = field(default_factory=ReadBuffers)
    authorizer: Authorizer = field(default_factory=AllowAll)


def real_world(settings: BrokerSettings) -> World:
    """Sockets, files (or memory), and ZooKeeper or the registry of our own.

    Raises: OperatorError: a directory is locked or foreign, a port is taken.
    """
    clock, chance = WallClock(), Chance()
    storage = storage_of(settings, clock, chance)
    storage.claim(settings.broker_id if settings.broker_id >= 0 else None)
    return World(clock, chance, storage, registry_of(settings, clock), listeners_of(settings))


def storage_of(settings: BrokerSettings, clock: Clock, chance: Chance) -> Storage:
    if settings.barnabas_storage == "memory":
        from broker.storage.memory import MemoryStorage

        return MemoryStorage(settings=settings, clock=clock)
    from broker.storage.segments.store import SegmentStorage

    directories = [Path(each) for each in settings.directories]
    return SegmentStorage(directories, settings=settings, defaults=settings.topic({}), clock=clock, chance=chance)


def registry_of(settings: BrokerSettings, clock: Clock) -> Callable[[], Session]:
    if settings.zookeeper_connect is not None:
        from broker.registry.connect_string import ConnectString
        from broker.registry.zookeeper import ZooKeeperRegistry

        connect = ConnectString.parse(settings.zookeeper_connect)
        session_ms = settings.zookeeper_session_timeout_ms
        connection_ms = settings.zookeeper_connection_timeout_ms or session_ms
        return lambda: ZooKeeperRegistry(connect, session_timeout_ms=session_ms, connection_timeout_ms=connection_ms)
    from broker.registry.embedded import EmbeddedTree

    in_memory = settings.barnabas_storage == "memory"
    return EmbeddedTree(None if in_memory else Path(settings.directories[0]) / REGISTRY_FILE, clock).session


def listeners_of(settings: BrokerSettings) -> list[Listener]:
    """Every listener of the plan, bound; all or none. Raises: OperatorError."""
    options = SocketOptions(
        settings.socket_send_buffer_bytes, settings.socket_receive_buffer_bytes, settings.socket_listen_backlog_size
    )
    bound: list[Listener] = []
    try:
        for plan in settings.listening.listeners:
            bound += [
                Listener(plan.name, accepting, tells_local_end=plan.tells_local_end)
                for accepting in bind_together(plan.hosts, plan.port, options)
            ]
    except BaseException:
        for listener in bound:
            listener.close()
        raise
    return bound
