"""Limits of one listener, and the listener of the brokers, which clients of another one cannot fill up."""

import trio
import trio.testing

from broker.config.listener_limits import ListenerLimits
from broker.config.settings import BrokerSettings
from broker.server.conftest import Client, Server
from broker.server.limits import Limits
from broker.transport.memory import MemoryListener
from kproto.messages.heartbeat import HeartbeatRequest

Jumps = trio.testing.MockClock


async def served(client: Client) -> bool:
    return (await client.ask(HeartbeatRequest(generation_id=3))).throttle_time_ms == 3  # type: ignore[no-any-return]


async def test_a_full_listener_lets_its_clients_wait_and_another_one_goes_on(memory_server: Server) -> None:
    internal = MemoryListener()
    memory_server.limits = Limits(listeners={"PLAINTEXT": ListenerLimits(max_connections=2)})
    await memory_server.start(also=internal)
    clients = [memory_server.connect() for _ in range(3)]
    for client in clients:
        await client.send(client.frame(HeartbeatRequest(generation_id=3)))
    await trio.testing.wait_all_tasks_blocked()
    assert len(memory_server.connections) == 2
    assert await served(Client(internal.connect()))
    clients[0].stream.close()
    assert (await clients[2].answer()).throttle_time_ms == 3


async def test_a_listener_has_a_pace_of_its_own(memory_server: Server, autojump_clock: Jumps) -> None:
    internal = MemoryListener()
    memory_server.limits = Limits(listeners={"PLAINTEXT": ListenerLimits(creations_per_s=10)})
    await memory_server.start(also=internal)
    started = trio.current_time()
    inside = [Client(internal.connect()) for _ in range(40)]
    assert await served(inside[-1])
    assert trio.current_time() - started < 0.1
    outside = [memory_server.connect() for _ in range(40)]
    await outside[-1].send(outside[-1].frame(HeartbeatRequest(generation_id=3)))
    assert (await outside[-1].answer()).throttle_time_ms == 3
    assert 2.5 <= trio.current_time() - started <= 4.5


async def test_a_broker_that_comes_takes_the_place_of_the_client_that_is_idle_for_longest(
    memory_server: Server, autojump_clock: Jumps
) -> None:
    """And nobody's while no broker comes."""
    internal = MemoryListener()
    memory_server.limits = Limits(max_connections=3, protected="INTERNAL")
    await memory_server.start(also=internal)
    clients = [memory_server.connect() for _ in range(3)]
    for client in (clients[1], clients[0], clients[2]):
        assert await served(client)
        await trio.sleep(5)
    assert len(memory_server.connections) == 3
    assert await served(Client(internal.connect()))
    assert await clients[1].raw(1) == b""
    assert await served(clients[0])
    assert await served(clients[2])


async def test_nobody_comes_while_the_rate_is_0_and_then_they_do(memory_server: Server, autojump_clock: Jumps) -> None:
    memory_server.limits = Limits(creations_per_s=0)
    await memory_server.start()
    client = memory_server.connect()
    await client.send(client.frame(HeartbeatRequest(generation_id=3)))
    await trio.sleep(100)
    assert len(memory_server.connections) == 0
    memory_server.connections.settings_changed(BrokerSettings({"max.connection.creation.rate": "5"}))
    assert (await client.answer()).throttle_time_ms == 3


async def test_limits_of_a_listener_may_change_while_clients_wait(memory_server: Server) -> None:
    memory_server.limits = Limits.of(BrokerSettings({"listener.name.plaintext.max.connections": "1"}))
    await memory_server.start()
    clients = [memory_server.connect() for _ in range(2)]
    await clients[1].send(clients[1].frame(HeartbeatRequest(generation_id=3)))
    await trio.testing.wait_all_tasks_blocked()
    assert len(memory_server.connections) == 1
    memory_server.connections.settings_changed(BrokerSettings())
    assert (await clients[1].answer()).throttle_time_ms == 3
