"""Whole brokers in this process: every room real, only the world around them is a test's.

By default connections, logs and registry are in memory, the clock stands still and chance has a seed. With `data` the
logs and the registry are files there; with `sockets` clients come over real ones. Read buffers are poisoned when they
come home. Any number of brokers may run at once.
"""

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from broker.broker import Broker, Ready
from broker.clock import Chance, Clock, SetClock
from broker.cluster.authorizer import AllowAll, Authorizer
from broker.config.live import LiveSettings
from broker.config.load import load
from broker.config.settings import BrokerSettings
from broker.foundations import foundations
from broker.server.buffers import ReadBuffers
from broker.server.listener import Listener
from broker.testing.client import WireClient
from broker.transport.contract import Address, Stream
from broker.transport.memory import MemoryListener
from broker.transport.sockets import SocketStream
from broker.world import World, listeners_of, registry_of, storage_of

LISTENER = "PLAINTEXT"
SMALL = {
    "offsets.topic.num.partitions": "3",
    "offsets.topic.replication.factor": "1",
    "group.initial.rebalance.delay.ms": "0",
}
"""What nearly every test wants; its own options come after these."""


@dataclass(slots=True)
class Running:
    """One broker that serves. `open_stream` makes a client's end of a new connection."""

    settings: BrokerSettings
    world: World
    broker: Broker
    ready: Ready
    open_stream: Callable[[], Stream]
    stopped: trio.Event = field(default_factory=trio.Event)

    def connect(self, client_id: str | None = "test") -> WireClient:
        return WireClient(self.open_stream(), client_id)

    async def stop(self) -> None:
        """As a signal would; returns once nobody is served any more, and every read buffer is home."""
        self.broker.closing.set()
        await self.stopped.wait()
        assert self.world.buffers.out == 0, "a read buffer was not given back"


@asynccontextmanager
async def running(
    options: Mapping[str, str] | None = None,
    *,
    data: Path | None = None,
    sockets: bool = False,
    authorizer: Authorizer | None = None,
    change: Callable[[World], None] | None = None,
    clock: Clock | None = None,
    seed: int = 1,
) -> AsyncIterator[Running]:
    """A broker from its first to its last moment; a clean stop when the block ends, unless it ended already.

    Args:
        options: names of server.properties, over `SMALL`.
        data: directory for logs and registry; a second broker on it goes on where the first stopped.
        authorizer: everybody may do everything without one.
        change: called once with the world before it is used, for a test that wants another disk or registry.
    """
    settings = settings_of(options or {}, data, sockets)
    world, open_stream = world_of(settings, sockets, clock or SetClock(), seed)
    world.authorizer = authorizer or AllowAll()
    if change is not None:
        change(world)
    async with foundations(settings, world) as ground, trio.open_nursery() as serving:
        broker = Broker(settings, world, ground)
        stopped = trio.Event()
        ready = await serving.start(until_stopped, broker, stopped)
        here = Running(settings, world, broker, ready, open_stream, stopped)
        yield here
        await here.stop()


async def until_stopped(broker: Broker, stopped: trio.Event, *, task_status: trio.TaskStatus[Ready]) -> None:
    await broker.run(task_status=task_status)
    stopped.set()


def settings_of(options: Mapping[str, str], data: Path | None, sockets: bool) -> BrokerSettings:
    port = 0 if sockets else 9092
    where = {"barnabas.storage": "memory"} if data is None else {"log.dirs": str(data)}
    texts = {"listeners": f"{LISTENER}://127.0.0.1:{port}", **SMALL, **where, **options}
    return load(overrides=[f"{name}={text}" for name, text in texts.items()]).settings


def world_of(settings: BrokerSettings, sockets: bool, clock: Clock, seed: int) -> tuple[World, Callable[[], Stream]]:
    """The world of one broker, its storage claimed, and how clients reach it."""
    chance = Chance(seed)
    live = LiveSettings(settings)
    storage = storage_of(live, clock, chance)
    storage.claim(None)
    listeners, open_stream = listening(settings) if sockets else in_memory()
    registry = registry_of(settings, clock)
    world = World(live, clock, chance, storage, registry, listeners, ReadBuffers(poison=True))
    return world, open_stream


def in_memory() -> tuple[list[Listener], Callable[[], Stream]]:
    accepting = MemoryListener(Address("127.0.0.1", 9092))
    return [Listener(LISTENER, accepting)], accepting.connect


def listening(settings: BrokerSettings) -> tuple[list[Listener], Callable[[], Stream]]:
    listeners = listeners_of(settings)
    port = listeners[0].address.port
    return listeners, lambda: SocketStream(socket.create_connection(("127.0.0.1", port)))
