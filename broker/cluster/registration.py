"""How a broker enters its cluster: the paths that must be there, the ids of cluster and broker, its own znode.

The broker epoch is the czxid of that znode; a new session brings a new node and so a new epoch.
Source: KafkaServer and KafkaZkClient.registerBroker of Kafka 3.9; KIP-380 (broker epoch).
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

import trio

from broker.clock import Chance, Clock
from broker.cluster.own_node import OwnNode, RegistrationSettings
from broker.cluster.topic_ids import uuid_text
from broker.cluster.znodes import (
    CLUSTER_ID,
    MIGRATION,
    PERSISTENT_PATHS,
    SEQUENCE_ID,
    MalformedNode,
    decode_cluster_id,
    encode_cluster_id,
)
from broker.config.problems import OperatorError
from broker.registry.contract import (
    ConnectionLost,
    NodeExists,
    NoNode,
    Registry,
    RegistryError,
    SessionExpired,
    SessionState,
)
from broker.transport.contract import Address

log = logging.getLogger("barnabas.registration")

T = TypeVar("T")

NO_EPOCH = -1
RETRY_S = 1.0


class IdSettings(Protocol):
    @property
    def broker_id(self) -> int: ...
    @property
    def broker_id_generation_enable(self) -> bool: ...
    @property
    def reserved_broker_max_id(self) -> int: ...


async def refuse_migration(registry: Registry) -> None:
    """Raises: OperatorError: a KRaft controller is taking this cluster over."""
    if await registry.exists(MIGRATION) is not None:
        raise OperatorError(
            "This cluster is being migrated to KRaft, and a broker of ZooKeeper mode must not join it now.",
            f"The registry has a node {MIGRATION}.",
            "Finish the migration or roll it back; after a rollback delete that node.",
        )


async def make_persistent_paths(registry: Registry) -> None:
    """What every broker finds or makes at start."""
    for path in PERSISTENT_PATHS:
        with suppress(NodeExists):
            await _until_answered(partial(registry.create, path, parents=True))


async def cluster_id_of(registry: Registry, known: str | None, chance: Chance, *, wanted: str | None = None) -> str:
    """Read it, or as the first broker make it.

    Args:
        known: what our data directories say.
        wanted: `barnabas.cluster.id`; only a cluster without an id takes it.
    Raises: OperatorError: the directories belong to another cluster, or to one whose registry is gone.
    """
    there = await _stored_cluster_id(registry)
    if known is not None and there != known:
        raise OperatorError(
            f"The data directories belong to cluster {known} (meta.properties).",
            "The registry has no cluster yet." if there is None else f"The registry is that of cluster {there}.",
            "Correct zookeeper.connect, log.dirs or the lost registry; to give the directories up, empty them.",
        )
    while there is None:
        fresh = encode_cluster_id(wanted or uuid_text(chance.uuid()))
        with suppress(NodeExists):
            await _until_answered(partial(registry.create, CLUSTER_ID, fresh, parents=True))
        there = await _stored_cluster_id(registry)
    if wanted is not None and wanted != there:
        log.warning("barnabas.cluster.id=%s has no effect: this cluster is %s already", wanted, there)
    return there


async def _stored_cluster_id(registry: Registry) -> str | None:
    try:
        data, _ = await registry.get(CLUSTER_ID)
    except NoNode:
        return None
    try:
        return decode_cluster_id(data)
    except MalformedNode as error:
        raise OperatorError(
            f"The registry's cluster id cannot be read ({CLUSTER_ID}).", str(error), "Restore that node."
        ) from error


async def broker_id_of(registry: Registry, settings: IdSettings, known: int | None) -> int:
    """The option, else what our data directories say, else a number that no broker had before.

    Raises: OperatorError: they contradict each other, or there is no number and none may be made.
    """
    if settings.broker_id >= 0:
        if known is not None and known != settings.broker_id:
            raise OperatorError(
                f"broker.id is {settings.broker_id}, but the data directories belong to broker {known}.",
                "meta.properties keeps the number of the broker that wrote them.",
                f"Set broker.id={known}, or give broker {settings.broker_id} directories of its own.",
            )
        return settings.broker_id
    if known is not None:
        return known
    if not settings.broker_id_generation_enable:
        raise OperatorError(
            "This broker has no number.",
            "broker.id is not set and broker.id.generation.enable is false.",
            "Set broker.id.",
        )
    return settings.reserved_broker_max_id + await _next_sequence_id(registry)


async def _next_sequence_id(registry: Registry) -> int:
    while True:
        try:
            return (await _until_answered(partial(registry.set, SEQUENCE_ID, b""))).version
        except NoNode:
            with suppress(NodeExists):
                await _until_answered(partial(registry.create, SEQUENCE_ID, parents=True))


async def _until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """For what may be done twice without harm."""
    while True:
        try:
            return await ask()
        except ConnectionLost:
            await trio.lowlevel.checkpoint()


class Registration:
    """The znode of this broker, made when it is ready to serve and made again after each lost session."""

    def __init__(
        self,
        registry: Registry,
        broker_id: int,
        endpoints: Mapping[str, Address],
        settings: RegistrationSettings,
        clock: Clock,
    ) -> None:
        self.epoch = NO_EPOCH
        """The broker epoch; -1 before the first registration."""
        self._registry = registry
        self._broker_id = broker_id
        self._node = OwnNode(registry, broker_id, endpoints, settings, clock)
        self._registered_in = 0
        self._moved = trio.Event()
        self._leaving = False
        self._epoch_listeners: list[Callable[[int], None]] = []

    def on_epoch(self, listener: Callable[[int], None]) -> None:
        """Call `listener` in the loop with each broker epoch of this broker, the first included."""
        self._epoch_listeners.append(listener)

    async def run(self, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Register, say the epoch, then register again in each new session until cancelled.

        Raises: OperatorError: another broker has our id, or the registry refuses at the first time.
        """
        self._registry.on_session(self._session_changed)
        while self.epoch == NO_EPOCH:
            await self._register_when_connected()
        task_status.started(self.epoch)
        while True:
            await self._register_when_connected()

    async def leave(self) -> None:
        """Do not come back: the node goes when the registry's session is closed, after the last answer."""
        self._leaving = True

    def _session_changed(self, _: SessionState) -> None:
        moved, self._moved = self._moved, trio.Event()
        moved.set()

    async def _register_when_connected(self) -> None:
        while not self._due():
            await self._moved.wait()
        try:
            await self._register()
        except SessionExpired:
            await trio.lowlevel.checkpoint()
        except RegistryError as error:
            if self.epoch == NO_EPOCH:
                raise OperatorError(
                    f"Broker {self._broker_id} cannot register.",
                    f"The registry says: {error!r}",
                    "Repair the registry.",
                ) from error
            log.error("broker %d cannot register again: %r; trying on", self._broker_id, error)
            await trio.sleep(RETRY_S)

    def _due(self) -> bool:
        connected = self._registry.state is SessionState.CONNECTED
        return connected and not self._leaving and self._registered_in != self._registry.session_id

    async def _register(self) -> None:
        stat = await self._node.make()
        self._registered_in, self.epoch = stat.ephemeral_owner, stat.czxid
        log.info("broker %d is registered, epoch %d", self._broker_id, self.epoch)
        for listener in self._epoch_listeners:
            listener(self.epoch)
