"""Registry and registration on a real ZooKeeper, and what only a server elsewhere can do: go away and come back."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import trio

from broker.cluster.test_registration import RegistrationContract
from broker.config.problems import OperatorError
from broker.registry.connect_string import ConnectString
from broker.registry.contract import EventKind, Registry, SessionExpired, SessionState, TooLarge, WatchEvent
from broker.registry.test_contract import PATIENCE_S, RegistryContract, Seen, Sessions, States
from broker.registry.zookeeper import ZooKeeperRegistry
from compat_tests.jars import ZooKeeper

_numbers = itertools.count()


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeper]:
    with ZooKeeper(tmp_path_factory.mktemp("zookeeper")) as server:
        yield server


def registry_at(
    connect: str, *, session_timeout_ms: int = 10_000, connection_timeout_ms: int = 20_000
) -> ZooKeeperRegistry:
    return ZooKeeperRegistry(
        ConnectString.parse(connect),
        session_timeout_ms=session_timeout_ms,
        connection_timeout_ms=connection_timeout_ms,
    )


async def end_session(registry: ZooKeeperRegistry, server: ZooKeeper) -> None:
    """Take the session over with its id and password, and close it: it is over for its owner too."""
    from kazoo.client import KazooClient

    def take_over() -> None:
        thief = KazooClient(server.address, client_id=registry.credentials, timeout=10)
        thief.start()
        thief.stop()
        thief.close()

    await trio.to_thread.run_sync(take_over)


class ZooKeeperSessions:
    """Sessions below a chroot of one test's own."""

    def __init__(self, server: ZooKeeper, nursery: trio.Nursery) -> None:
        self._server = server
        self._nursery = nursery
        self._connect = f"{server.address}/test/{next(_numbers)}"

    async def open(self) -> Registry:
        registry = registry_at(self._connect)
        await self._nursery.start(registry.run)
        return registry

    async def expire(self, registry: Registry) -> None:
        assert isinstance(registry, ZooKeeperRegistry)
        await end_session(registry, self._server)


class TestOnZooKeeper(RegistryContract):
    @pytest.fixture
    async def sessions(self, zookeeper: ZooKeeper, nursery: trio.Nursery) -> Sessions:
        return ZooKeeperSessions(zookeeper, nursery)


class TestRegistrationOnZooKeeper(RegistrationContract):
    @pytest.fixture
    async def sessions(self, zookeeper: ZooKeeper, nursery: trio.Nursery) -> Sessions:
        return ZooKeeperSessions(zookeeper, nursery)


async def test_two_chroots_do_not_see_each_other(zookeeper: ZooKeeper, nursery: trio.Nursery) -> None:
    one, other, above = (registry_at(zookeeper.address + path) for path in ("/chroot/one", "/chroot/other", ""))
    for each in (one, other, above):
        await nursery.start(each.run)
    assert await one.create("/a") == "/a"
    assert await other.exists("/a") is None
    assert await above.children("/chroot/one") == ["a"]
    assert await one.children("/") == ["a"]


async def test_the_session_timeout_is_the_one_that_the_server_granted(
    zookeeper: ZooKeeper, nursery: trio.Nursery
) -> None:
    registry = registry_at(zookeeper.address, session_timeout_ms=3_600_000)
    await nursery.start(registry.run)
    await registry.exists("/")
    assert registry.session_timeout_ms == pytest.approx(60_000)


async def test_more_than_zookeeper_takes_is_refused_before_it_hangs_up(
    zookeeper: ZooKeeper, nursery: trio.Nursery
) -> None:
    registry = registry_at(f"{zookeeper.address}/large")
    await nursery.start(registry.run)
    with pytest.raises(TooLarge):
        await registry.create("/a", bytes(1_000_001))
    await registry.create("/a", bytes(1_000_000))
    assert registry.state is SessionState.CONNECTED


@pytest.mark.parametrize("servers", ["127.0.0.1:1", "127.0.0.1:1,no-such-host.invalid:2181"])
async def test_an_unreachable_zookeeper_is_one_clear_message(servers: str) -> None:
    registry = registry_at(servers, connection_timeout_ms=700)
    with pytest.raises(OperatorError) as refused, trio.fail_after(PATIENCE_S):
        await registry.run()
    assert servers in refused.value.what
    assert "0.7 s" in refused.value.why
    assert "zookeeper.connect" in refused.value.do_this


async def test_a_short_absence_of_the_server_keeps_the_session(tmp_path: Path, nursery: trio.Nursery) -> None:
    """A read asked meanwhile waits; every watch is called afterwards, for kazoo does not set them again."""
    with ZooKeeper(tmp_path) as server:
        registry = registry_at(server.address, session_timeout_ms=30_000)
        await nursery.start(registry.run)
        session_id, states, seen = registry.session_id, States(registry), Seen()
        await registry.create("/e", b"x", ephemeral=True)
        await registry.children("/", seen)
        await restart(server, states, meanwhile=lambda: nursery.start_soon(registry.exists, "/e"))
        await states.until(SessionState.SUSPENDED, SessionState.CONNECTED)
        assert SessionState.EXPIRED not in states.seen
        assert registry.session_id == session_id
        assert await seen.told() == [WatchEvent(EventKind.CHILDREN, "/")]
        stat = await registry.exists("/e")
        assert stat is not None
        assert stat.ephemeral_owner == session_id
        await registry.close()


async def test_a_server_that_accepts_and_says_nothing_costs_no_session(
    zookeeper: ZooKeeper, nursery: trio.Nursery
) -> None:
    """As a ZooKeeper that is just starting sometimes does; its next connection is answered."""
    clients: list[trio.SocketStream] = []
    left_mute: list[trio.SocketStream] = []

    async def forward(client: trio.SocketStream) -> None:
        clients.append(client)
        if registry.state is SessionState.SUSPENDED and registry.session_id and not left_mute:
            left_mute.append(client)
            await trio.sleep_forever()
        server = await trio.open_tcp_stream("127.0.0.1", zookeeper.port)
        async with server, client, trio.open_nursery() as both_ways:
            both_ways.start_soon(pump, client, server)
            both_ways.start_soon(pump, server, client)

    listeners = await nursery.start(partial(trio.serve_tcp, forward, 0, host="127.0.0.1"))
    registry = registry_at(f"127.0.0.1:{listeners[0].socket.getsockname()[1]}", session_timeout_ms=6_000)
    await nursery.start(registry.run)
    session_id, states = registry.session_id, States(registry)
    await clients[-1].aclose()
    await states.until(SessionState.SUSPENDED, SessionState.CONNECTED)
    assert left_mute
    assert registry.session_id == session_id
    await registry.close()


async def pump(source: trio.SocketStream, sink: trio.SocketStream) -> None:
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        async for data in source:
            await sink.send_all(data)
    await sink.aclose()


async def test_a_long_absence_ends_the_session_by_our_own_clock(tmp_path: Path, nursery: trio.Nursery) -> None:
    """ZooKeeper itself would say so only when it is back, and a restarted server might even keep the session."""
    with ZooKeeper(tmp_path) as server:
        registry = registry_at(server.address, session_timeout_ms=1_000)
        await nursery.start(registry.run)
        old_id, states = registry.session_id, States(registry)
        await registry.create("/e", b"x", ephemeral=True)
        await trio.to_thread.run_sync(server.stop)
        await states.until(SessionState.SUSPENDED, SessionState.EXPIRED)
        with pytest.raises(SessionExpired):
            await registry.get("/e")
        await trio.to_thread.run_sync(server.start)
        await states.until(SessionState.EXPIRED, SessionState.CONNECTED)
        assert registry.session_id != old_id
        gone = Seen()
        if await registry.exists("/e", gone) is not None:
            await gone.told()
        await registry.create("/e", b"y", ephemeral=True)
        await registry.close()


async def test_a_session_that_we_gave_up_is_closed_when_it_is_found_alive(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    """A server that was down gives every session a full timeout again when it starts; our ephemerals must not stay."""
    with ZooKeeper(tmp_path) as server:
        registry, witness = (registry_at(server.address, session_timeout_ms=timeout) for timeout in (8_000, 60_000))
        for each in (registry, witness):
            await nursery.start(each.run)
        states = States(registry)
        await registry.create("/e", b"x", ephemeral=True)
        await trio.to_thread.run_sync(server.stop)
        await states.until(SessionState.SUSPENDED)
        registry._session._expired("the test says so")  # instead of eight seconds of silence
        await trio.to_thread.run_sync(server.start)
        await states.until(SessionState.EXPIRED, SessionState.CONNECTED)
        assert await witness.exists("/e") is None
        for each in (registry, witness):
            await each.close()


async def restart(server: ZooKeeper, states: States, meanwhile: Callable[[], object]) -> None:
    await trio.to_thread.run_sync(server.stop)
    await states.until(SessionState.SUSPENDED)
    meanwhile()
    await trio.to_thread.run_sync(server.start)
