"""What opens first and dies last: the logs, the registry session, and who this broker is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from broker.cluster.lost_replicas import refuse_lost_replicas, tell_strays
from broker.cluster.other_brokers import refuse_other_brokers
from broker.cluster.registration import broker_id_of, cluster_id_of, make_persistent_paths, refuse_migration
from broker.config.settings import BrokerSettings
from broker.registry.contract import Registry
from broker.storage.contract import Identity, Storage
from broker.world import World
from kproto.values import frozen

CLOSE_WITHIN_S = 10.0


@frozen
class Foundations:
    """Logs loaded, session open, ids known."""

    broker_id: int
    cluster_id: str
    storage: Storage
    registry: Registry


@asynccontextmanager
async def foundations(settings: BrokerSettings, world: World) -> AsyncIterator[Foundations]:
    """Open them; when the block ends the logs are closed cleanly, then the session.

    Raises: OperatorError: the registry cannot be reached, a directory is another broker's, other brokers are alive.
    """
    async with trio.open_nursery() as registry_work:
        registry = world.open_registry()
        await registry_work.start(registry.run)
        try:
            ground = await identified(settings, world, registry)
        except BaseException:
            await close(world.storage)  # as it was found, for whoever comes next
            raise
        async with trio.open_nursery() as storage_work:
            await storage_work.start(world.storage.run)
            try:
                yield ground
            finally:
                await close(world.storage)
                storage_work.cancel_scope.cancel()
        registry_work.cancel_scope.cancel()


async def close(storage: Storage) -> None:
    with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
        await storage.close()


async def identified(settings: BrokerSettings, world: World, registry: Registry) -> Foundations:
    """Who this broker is, by its options, its directories, and the registry, in this order."""
    await refuse_migration(registry)
    await make_persistent_paths(registry)
    known = world.storage.identity
    cluster_id = await cluster_id_of(registry, known.cluster_id, world.chance, wanted=settings.barnabas_cluster_id)
    broker_id = await broker_id_of(registry, settings, known.broker_id)
    await refuse_other_brokers(registry, broker_id)
    logs = [kept.name for kept in await world.storage.load()]
    if known.broker_id is None and not logs and settings.barnabas_storage != "memory":
        await refuse_lost_replicas(registry, broker_id, ", ".join(settings.directories))
    await tell_strays(registry, logs)
    world.storage.identify(Identity(broker_id, cluster_id))
    return Foundations(broker_id, cluster_id, world.storage, registry)
