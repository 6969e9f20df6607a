"""How a broker enters its cluster: here on the embedded registry, in `compat_tests` on a real ZooKeeper as well."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio
import trio.testing

from broker.clock import Chance, SetClock
from broker.cluster.registration import (
    Registration,
    broker_id_of,
    cluster_id_of,
    make_persistent_paths,
    refuse_migration,
)
from broker.cluster.znodes import PERSISTENT_PATHS, BrokerNode, encode_cluster_id
from broker.config.listeners import ListenerPlan, Listening
from broker.config.problems import OperatorError
from broker.registry.contract import Registry, SessionState
from broker.registry.embedded import EmbeddedTree
from broker.registry.test_contract import PATIENCE_S, EmbeddedSessions, Sessions, States
from broker.transport.contract import Address

HERE = {"INSIDE": Address("localhost", 9092)}
ELSEWHERE = {"INSIDE": Address("elsewhere", 9092)}


@dataclass
class Settings:
    broker_id: int = -1
    broker_id_generation_enable: bool = True
    reserved_broker_max_id: int = 1000
    broker_rack: str | None = "r1"
    inter_broker_protocol_version: str = "3.9-IV0"
    zookeeper_session_timeout_ms: int = 5_000
    listening: Listening = field(
        default_factory=lambda: Listening((ListenerPlan("INSIDE", "PLAINTEXT", ("",), 9092, None),), "INSIDE")
    )


def registration(
    registry: Registry, broker_id: int = 7, endpoints: Mapping[str, Address] = HERE, settings: Settings | None = None
) -> Registration:
    return Registration(registry, broker_id, endpoints, settings or Settings(), SetClock())


async def ready(sessions: Sessions) -> Registry:
    registry = await sessions.open()
    await make_persistent_paths(registry)
    return registry


class RegistrationContract:
    """On any registry; a subclass gives the fixture `sessions`."""

    async def test_the_paths_of_a_fresh_cluster_are_made_once(self, sessions: Sessions) -> None:
        registry = await ready(sessions)
        await registry.create("/brokers/topics/t", b"x")
        await make_persistent_paths(registry)
        for path in PERSISTENT_PATHS:
            assert (await registry.get(path))[0] is None
        assert await registry.children("/brokers/topics") == ["t"]

    async def test_the_first_broker_makes_the_cluster_id_and_others_read_it(self, sessions: Sessions) -> None:
        one, other = await sessions.open(), await sessions.open()
        made = await cluster_id_of(one, None, Chance(1))
        assert len(made) == 22
        assert await cluster_id_of(other, None, Chance(2)) == made
        assert await cluster_id_of(other, made, Chance(2)) == made
        assert json.loads((await one.get("/cluster/id"))[0] or b"") == {"version": "1", "id": made}

    async def test_the_first_broker_may_name_the_cluster_and_later_ones_hear_that_it_has_a_name(
        self, sessions: Sessions, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Container images give CLUSTER_ID; with kept data it is only true the first time."""
        registry = await sessions.open()
        assert await cluster_id_of(registry, None, Chance(1), wanted="ours") == "ours"
        assert await cluster_id_of(registry, "ours", Chance(1), wanted="ours") == "ours"
        assert caplog.text == ""
        assert await cluster_id_of(registry, "ours", Chance(1), wanted="other") == "ours"
        assert "barnabas.cluster.id=other has no effect" in caplog.text

    async def test_directories_of_another_cluster_stop_the_start(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        with pytest.raises(OperatorError, match="no cluster yet"):
            await cluster_id_of(registry, "other", Chance(1))
        assert await registry.exists("/cluster/id") is None
        await registry.create("/cluster/id", encode_cluster_id("this"), parents=True)
        with pytest.raises(OperatorError, match="cluster this"):
            await cluster_id_of(registry, "other", Chance(1))

    async def test_an_unreadable_cluster_id_stops_the_start(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        await registry.create("/cluster/id", b"{}", parents=True)
        with pytest.raises(OperatorError, match="cannot be read"):
            await cluster_id_of(registry, None, Chance(1))

    async def test_a_migration_to_kraft_stops_the_start(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        await refuse_migration(registry)
        await registry.create("/migration", b"{}")
        with pytest.raises(OperatorError, match="KRaft"):
            await refuse_migration(registry)

    async def test_a_broker_without_a_number_gets_one_that_nobody_had(self, sessions: Sessions) -> None:
        registry = await sessions.open()  # `/brokers/seqid` is not even there
        await registry.create("/brokers")
        assert await broker_id_of(registry, Settings(), None) == 1001
        assert await broker_id_of(registry, Settings(), None) == 1002
        assert await broker_id_of(registry, Settings(), 5) == 5
        assert await broker_id_of(registry, Settings(broker_id=3), None) == 3

    async def test_numbers_that_contradict_stop_the_start(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        with pytest.raises(OperatorError, match=r"broker\.id is 3"):
            await broker_id_of(registry, Settings(broker_id=3), 5)
        with pytest.raises(OperatorError, match="no number"):
            await broker_id_of(registry, Settings(broker_id_generation_enable=False), None)

    async def test_a_broker_registers_and_its_epoch_is_the_czxid(
        self, sessions: Sessions, nursery: trio.Nursery
    ) -> None:
        registry = await ready(sessions)
        own, epochs = registration(registry), list[int]()
        own.on_epoch(epochs.append)
        epoch = await nursery.start(own.run)
        data, stat = await registry.get("/brokers/ids/7")
        assert (stat.ephemeral_owner, stat.version) == (registry.session_id, 1)
        assert epoch == own.epoch == stat.czxid
        assert epochs == [epoch]
        assert BrokerNode.decode(data) == BrokerNode(
            HERE, {"INSIDE": "PLAINTEXT"}, rack="r1", timestamp_ms=SetClock().now_ms()
        )
        assert json.loads(data or b"")["version"] == 5

    async def test_old_inter_broker_protocols_get_the_old_json(self, sessions: Sessions, nursery: trio.Nursery) -> None:
        registry = await ready(sessions)
        settings = Settings(inter_broker_protocol_version="0.9.0")
        await nursery.start(registration(registry, settings=settings).run)
        assert json.loads((await registry.get("/brokers/ids/7"))[0] or b"")["endpoints"] == [
            "PLAINTEXT://localhost:9092"
        ]

    async def test_a_tls_listener_is_written_under_its_name_and_its_protocol(
        self, sessions: Sessions, nursery: trio.Nursery
    ) -> None:
        registry = await ready(sessions)
        plans = (
            ListenerPlan("INSIDE", "PLAINTEXT", ("",), 9092, None),
            ListenerPlan("OUTSIDE", "SSL", ("",), 9093, None),
        )
        endpoints = {**HERE, "OUTSIDE": Address("localhost", 9093)}
        settings = Settings(listening=Listening(plans, "INSIDE"))
        await nursery.start(registration(registry, endpoints=endpoints, settings=settings).run)
        node = json.loads((await registry.get("/brokers/ids/7"))[0] or b"")
        assert node["listener_security_protocol_map"] == {"INSIDE": "PLAINTEXT", "OUTSIDE": "SSL"}
        assert node["endpoints"] == ["INSIDE://localhost:9092", "OUTSIDE://localhost:9093"]
        assert (node["host"], node["port"]) == ("localhost", 9092)

    async def test_an_id_of_another_broker_is_refused_at_once(self, sessions: Sessions, nursery: trio.Nursery) -> None:
        one, other = await ready(sessions), await sessions.open()
        await nursery.start(registration(one).run)
        with pytest.raises(OperatorError, match=r"broker\.id=7 is taken") as refused:
            await registration(other, endpoints=ELSEWHERE).run()
        assert "localhost:9092" in refused.value.why
        stat = await one.exists("/brokers/ids/7")
        assert stat is not None
        assert stat.ephemeral_owner == one.session_id

    async def test_the_node_of_our_killed_last_life_is_waited_for(
        self, sessions: Sessions, nursery: trio.Nursery
    ) -> None:
        """Its endpoints are ours and our ports are bound, so nobody else lives there; its session still does."""
        dead, alive = await ready(sessions), await sessions.open()
        await registration_of_a_dead_process(dead)
        own = registration(alive)
        started = trio.Event()

        async def start() -> None:
            await nursery.start(own.run)
            started.set()

        nursery.start_soon(start)
        await alive_watches(alive)
        assert not started.is_set()
        await dead.close()
        with trio.fail_after(PATIENCE_S):
            await started.wait()
        stat = await alive.exists("/brokers/ids/7")
        assert stat is not None
        assert (stat.ephemeral_owner, stat.czxid) == (alive.session_id, own.epoch)

    async def test_a_new_session_brings_a_new_and_higher_epoch(self, sessions: Sessions, nursery: trio.Nursery) -> None:
        registry = await ready(sessions)
        own, epochs, renewed = registration(registry), list[int](), trio.Event()
        first = await nursery.start(own.run)
        own.on_epoch(epochs.append)
        own.on_epoch(lambda _: renewed.set())
        await sessions.expire(registry)
        with trio.fail_after(PATIENCE_S):
            await renewed.wait()
        assert epochs == [own.epoch]
        assert own.epoch > first
        stat = await registry.exists("/brokers/ids/7")
        assert stat is not None
        assert (stat.ephemeral_owner, stat.czxid) == (registry.session_id, own.epoch)

    async def test_who_leaves_does_not_come_back(self, sessions: Sessions, nursery: trio.Nursery) -> None:
        registry = await ready(sessions)
        own, states = registration(registry), States(registry)
        await nursery.start(own.run)
        await own.leave()
        await sessions.expire(registry)
        await states.until(SessionState.EXPIRED, SessionState.CONNECTED)
        await trio.testing.wait_all_tasks_blocked()
        assert await registry.exists("/brokers/ids/7") is None


async def registration_of_a_dead_process(registry: Registry) -> None:
    """It registered and will never do anything again; only its session is left."""
    async with trio.open_nursery() as nursery:
        await nursery.start(registration(registry).run)
        nursery.cancel_scope.cancel()


async def alive_watches(registry: Registry) -> None:
    """Long enough for the other task to have found the node: some rounds to the registry behind its own."""
    for _ in range(5):
        await registry.exists("/brokers/ids/7")
        await trio.testing.wait_all_tasks_blocked()


class TestOnTheEmbeddedRegistry(RegistrationContract):
    @pytest.fixture
    async def sessions(self) -> Sessions:
        return EmbeddedSessions(EmbeddedTree(None, SetClock()))

    async def test_a_last_life_that_does_not_end_is_a_taken_id(
        self, sessions: Sessions, autojump_clock: object
    ) -> None:
        dead, alive = await ready(sessions), await sessions.open()
        await registration_of_a_dead_process(dead)
        began = trio.current_time()
        with pytest.raises(OperatorError, match="is taken"):
            await registration(alive).run()
        assert trio.current_time() - began == pytest.approx(7)

    async def test_remains_of_an_own_earlier_session_are_removed(self, nursery: trio.Nursery) -> None:
        """As after a session that was given up while the server could not be reached, and found alive later."""
        tree = EmbeddedTree(None, SetClock())
        registry = GivesUp(tree)
        await make_persistent_paths(registry.session)
        own = registration(registry)
        first = await nursery.start(own.run)
        before = registry.session.session_id
        renewed = trio.Event()
        own.on_epoch(lambda _: renewed.set())
        registry.give_up()
        await renewed.wait()
        _, stat = await registry.session.get("/brokers/ids/7")
        assert registry.session.session_id != before
        assert (stat.ephemeral_owner, stat.czxid) == (registry.session.session_id, own.epoch)
        assert own.epoch > first


class GivesUp:
    """A registry that goes on in a new session while the old one, with its ephemerals, lives on."""

    def __init__(self, tree: EmbeddedTree) -> None:
        self._tree = tree
        self.session = tree.session()
        self._listeners: list[Callable[[SessionState], None]] = []

    def give_up(self) -> None:
        self.session = self._tree.session()
        for listener in self._listeners:
            listener(SessionState.CONNECTED)

    def on_session(self, listener: Callable[[SessionState], None]) -> None:
        self._listeners.append(listener)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)
