"""What a broker stands on, made from its settings: clock, chance, logs, registry, listening sockets.

Plain calls, before the first nursery: directories are locked and sockets bound here, so that an operator's mistake is
a plain exception. Tests make a world of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import trio

from broker.clock import Chance, Clock, WallClock
from broker.cluster.authorizer import AllowAll, Authorizer
from broker.config.http_listener import http_addresses
from broker.config.listeners import SSL, ListenerPlan
from broker.config.live import LiveSettings
from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings
from broker.registry.contract import Registry
from broker.server.buffers import ReadBuffers
from broker.server.listener import Listener
from broker.storage.contract import Storage
from broker.transport.contract import Listener as Accepting
from broker.transport.listening import SocketOptions, bind, bind_together

if TYPE_CHECKING:
    from broker.transport.tls_contexts import TlsIdentities

REGISTRY_FILE = "registry.db"
"""Of the embedded registry, in the first data directory."""


class Session(Registry, Protocol):
    """A registry whose session lives while `run` does."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None: ...


@dataclass(slots=True)
class World:
    """One broker's. The storage is claimed; `open_registry` begins a session and is called inside the loop."""

    live: LiveSettings
    """Of the storage's background tasks."""
    clock: Clock
    chance: Chance
    storage: Storage
    open_registry: Callable[[], Session]
    listeners: list[Listener]
    buffers: ReadBuffers = field(default_factory=ReadBuffers)
    authorizer: Authorizer = field(default_factory=AllowAll)
    web: list[Accepting] = field(default_factory=list)
    """Where health checks come in: nowhere, or one socket."""
    tls: Sequence["TlsIdentities"] = ()
    """Keys and certificates: one set for all TLS listeners, or none without any."""


def real_world(settings: BrokerSettings) -> World:
    """Sockets, files (or memory), and ZooKeeper or the registry of our own.

    Raises: OperatorError: a directory is locked or foreign, a port is taken, a certificate cannot be used.
    """
    tls = tls_of(settings)
    clock, chance = WallClock(), Chance()
    live = LiveSettings(settings)
    storage = storage_of(live, clock, chance)
    storage.claim(settings.broker_id if settings.broker_id >= 0 else None)
    listeners, web = sockets_of(settings, tls)
    return World(live, clock, chance, storage, registry_of(settings, clock), listeners, web=web, tls=tls)


def storage_of(settings: BrokerSettings, clock: Clock, chance: Chance) -> Storage:
    if settings.barnabas_storage == "memory":
        from broker.storage.memory import MemoryStorage

        return MemoryStorage(settings=settings, clock=clock)
    from broker.storage.directories.store import SegmentStorage

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


def tls_of(settings: BrokerSettings) -> Sequence["TlsIdentities"]:
    """Keys and certificates of the TLS listeners. Raises: OperatorError: they cannot be used."""
    if all(plan.protocol != SSL for plan in settings.listening.listeners):
        return ()
    from broker.transport.tls_contexts import TlsIdentities

    return [TlsIdentities(settings)]


def sockets_of(settings: BrokerSettings, tls: Sequence["TlsIdentities"]) -> tuple[list[Listener], list[Accepting]]:
    """Those of Kafka clients, and that of HTTP; all or none. Raises: OperatorError."""
    listeners = listeners_of(settings, tls)
    try:
        return listeners, web_listener_of(settings)
    except BaseException:
        for listener in listeners:
            listener.close()
        raise


def web_listener_of(settings: BrokerSettings) -> list[Accepting]:
    """The first address of `barnabas.http.listener` that is free. Raises: OperatorError: none of them is."""
    addresses = http_addresses(settings.barnabas_http_listener)
    for number, (host, port) in enumerate(addresses, 1):
        try:
            return [bind(host, port, SocketOptions())]
        except OperatorError:
            if number == len(addresses):
                raise
    return []


def listeners_of(settings: BrokerSettings, tls: Sequence["TlsIdentities"] = ()) -> list[Listener]:
    """Every listener of the plan, bound; all or none. Raises: OperatorError."""
    options = SocketOptions(
        settings.socket_send_buffer_bytes, settings.socket_receive_buffer_bytes, settings.socket_listen_backlog_size
    )
    bound: list[Listener] = []
    try:
        for plan in settings.listening.listeners:
            bound += [
                Listener(plan.name, protected(accepting, plan, tls), tells_local_end=plan.tells_local_end)
                for accepting in bind_together(plan.hosts, plan.port, options)
            ]
    except BaseException:
        for listener in bound:
            listener.close()
        raise
    return bound


def protected(accepting: Accepting, plan: ListenerPlan, tls: Sequence["TlsIdentities"]) -> Accepting:
    """The socket itself, or TLS over it."""
    if plan.protocol != SSL:
        return accepting
    from broker.transport.tls_listener import TlsListener

    (identities,) = tls
    return TlsListener(accepting, identities.of(plan.name))
