"""Whole brokers in one process: several at once, a clean stop whatever waits, and a second start on the same files."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import trio
import trio.testing

from broker.testing.calls import batch_of, create, end_offset, fetch_request, fetched, produce, produce_request
from broker.testing.client import WireClient
from broker.testing.gates import Gate, GatedDisk
from broker.testing.questions import Named, join_group, sync_group
from broker.testing.running import Running, running
from broker.testing.storage import storage_on
from broker.transport.contract import ConnectionLost
from broker.world import World
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.metadata import MetadataRequest

AT_ONCE_S = 0.1
"""Far below the 2 s that a stop may take, and below the grace of requests under way."""


async def topics_of(broker: Running) -> list[str]:
    with broker.connect() as client:
        answer = await client.ask(MetadataRequest(topics=None), 9)
    return [topic.name for topic in answer.topics if not topic.is_internal]


async def cluster_of(broker: Running) -> str:
    with broker.connect() as client:
        answer = await client.ask(MetadataRequest(topics=[]), 9)
    return str(answer.cluster_id)


async def test_three_brokers_in_one_process_know_nothing_of_each_other() -> None:
    """Nothing is process-wide: each has its own topics, logs, ids and offsets."""
    async with running() as one, running(seed=2) as two, running(seed=3) as three:
        brokers = {"first": one, "second": two, "third": three}
        for count, (name, broker) in enumerate(brokers.items(), 1):
            with broker.connect() as client:
                await create(client, name, "shared")
                for number in range(count):
                    await produce(client, "shared", f"{name} {number}")
        for count, (name, broker) in enumerate(brokers.items(), 1):
            assert set(await topics_of(broker)) == {name, "shared"}
            with broker.connect() as client:
                assert await fetched(client, "shared") == [f"{name} {number}" for number in range(count)]
        assert len({await cluster_of(broker) for broker in brokers.values()}) == 3


async def test_a_broker_that_stops_leaves_its_neighbour_alone() -> None:
    async with running() as goes, running() as stays:
        with stays.connect() as client:
            await create(client, "orders")
            await goes.stop()
            await produce(client, "orders", "still here")
            assert await fetched(client, "orders") == ["still here"]


async def test_the_same_seed_gives_the_same_ids() -> None:
    """A run can be repeated: chance is the broker's own."""
    async with running(seed=7) as one:
        first = await cluster_of(one)
    async with running(seed=7) as again:
        assert await cluster_of(again) == first


@pytest.mark.parametrize("sockets", [False, True], ids=["memory", "sockets"])
async def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path, sockets: bool) -> None:
    """Start, produce, stop, start again on the same directory: topics, records, offsets and cluster id stay."""
    async with running(data=tmp_path, sockets=sockets) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            assert await produce(client, "orders", "a", "b") == 0
        cluster = await cluster_of(broker)
    async with running(data=tmp_path, sockets=sockets, seed=2) as broker:
        assert await cluster_of(broker) == cluster
        with broker.connect() as client:
            assert await fetched(client, "orders") == ["a", "b"]
            assert await produce(client, "orders", "c") == 2
            assert await end_offset(client, "orders") == 3
    async with running(data=tmp_path, sockets=sockets) as broker:
        with broker.connect() as client:
            assert await fetched(client, "orders") == ["a", "b", "c"]


async def test_a_stop_does_not_wait_for_long_polls(autojump_clock: trio.testing.MockClock) -> None:
    """Clients that wait for records have nothing to lose; they hear the end of the stream."""
    async with running() as broker:
        clients = [broker.connect() for _ in range(3)]
        await create(clients[0], "orders")
        for client in clients:
            await client.send(fetch_request("orders", max_wait_ms=3_600_000), 11)
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        await broker.stop()
        assert trio.current_time() - began < AT_ONCE_S
        for client in clients:
            with pytest.raises(EOFError):
                await client.receive()


async def test_a_stop_does_not_wait_for_joins_and_syncs(autojump_clock: trio.testing.MockClock) -> None:
    """One waits for a member to join again, another for its leader's assignment: both hear the end of the stream."""
    async with running() as broker:
        joins, syncs, leader = (broker.connect() for _ in range(3))
        joining, syncing = (Named("", UUID(int=0), group, member_id="") for group in ("joining", "syncing"))
        await leader.ask(FindCoordinatorRequest(key="joining"), 2)
        await leader.ask(join_group(joining, 3), 3)
        await joins.send(join_group(joining, 3), 3)
        led = await leader.ask(join_group(syncing, 3), 3)
        await syncs.send(join_group(syncing, 3), 3)
        await trio.testing.wait_all_tasks_blocked()
        await leader.ask(join_group(replace(syncing, member_id=led.member_id), 3), 3)
        member = await syncs.receive()
        asks = replace(syncing, member_id=member.member_id, generation=member.generation_id)
        await syncs.send(sync_group(asks, 2), 2)
        await trio.testing.wait_all_tasks_blocked()
        assert joins.is_quiet
        assert syncs.is_quiet
        began = trio.current_time()
        await broker.stop()
        assert trio.current_time() - began < AT_ONCE_S
        for client in (joins, syncs):
            with pytest.raises(EOFError):
                await client.receive()


async def test_a_request_under_way_is_answered_before_a_stop(autojump_clock: trio.testing.MockClock) -> None:
    """A produce that waits for its fsync is not cut off: the client hears what became of it."""
    disk = Gate()

    def change(world: World) -> None:
        world.storage = storage_on(GatedDisk(disk), clock=world.clock)
        world.storage.claim(None)

    async with running(change=change) as broker, trio.open_nursery() as nursery:
        with broker.connect() as client:
            await create(client, "orders", flush_messages="1")
            disk.shut()
            await client.send(produce_request("orders", batch_of("a")), 9)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(broker.stop)
            await trio.testing.wait_all_tasks_blocked()
            disk.open()
            answer = await client.receive()
            assert answer.responses[0].partition_responses[0].error_code == 0


async def test_a_stop_is_over_within_two_seconds_whatever_does_not_end(autojump_clock: trio.testing.MockClock) -> None:
    """A disk that does not come back must not keep the process alive; the client hears the end of the stream."""
    disk = Gate()

    def change(world: World) -> None:
        world.storage = storage_on(GatedDisk(disk), clock=world.clock)
        world.storage.claim(None)

    async with running(change=change) as broker:
        with broker.connect() as client:
            await create(client, "orders", flush_messages="1")
            disk.shut()
            await client.send(produce_request("orders", batch_of("a")), 9)
            await trio.testing.wait_all_tasks_blocked()
            began = trio.current_time()
            await broker.stop()
            assert trio.current_time() - began < 2
            with pytest.raises(EOFError):
                await client.receive()
        disk.open()


@pytest.mark.parametrize("sockets", [False, True], ids=["memory", "sockets"])
async def test_a_stop_does_not_wait_for_a_client_that_floods(tmp_path: Path, sockets: bool) -> None:
    """A connection that always has one more request is closed all the same."""
    async with running(data=tmp_path, sockets=sockets) as broker, trio.open_nursery() as nursery:
        with broker.connect() as client, trio.fail_after(10):
            await create(client, "orders")
            nursery.start_soon(flood, client)
            nursery.start_soon(read_until_lost, client)
            await trio.sleep(0.05)
            began = trio.current_time()
            await broker.stop()
            assert trio.current_time() - began < 2
            nursery.cancel_scope.cancel()


async def flood(client: WireClient) -> None:
    """It always has more, and gives way between: a socket takes thousands at once, and the broker has no other loop."""
    while True:
        try:
            for _ in range(100):
                await client.send(produce_request("orders", batch_of("a")), 9)
        except ConnectionLost:
            return
        await trio.lowlevel.checkpoint()


async def read_until_lost(client: WireClient) -> None:
    try:
        while True:
            for _ in range(100):
                await client.receive()
            await trio.lowlevel.checkpoint()
    except (EOFError, ConnectionLost):
        return
