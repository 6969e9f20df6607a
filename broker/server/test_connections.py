"""Many connections: who may come in, and how they all end."""

import errno
import logging
import socket
import tracemalloc

import pytest
import trio
import trio.testing

from broker.purgatory import Waiter
from broker.requests.context import Context
from broker.server.conftest import Client, Server
from broker.server.limits import Limits, per_ip
from broker.transport.listening import SocketListener
from broker.transport.memory import MemoryStream
from kproto.messages.heartbeat import HeartbeatRequest
from kproto.messages.leave_group import LeaveGroupRequest, LeaveGroupResponse
from kproto.messages.sync_group import SyncGroupRequest, SyncGroupResponse

Jumps = trio.testing.MockClock


class Waiting:
    """SyncGroup waits for others, LeaveGroup for its own work to be done."""

    def __init__(self, server: Server) -> None:
        self.waiter = Waiter()
        server.handler("sync_group", self.sync_group, lambda _, error: SyncGroupResponse(error_code=error.code))
        server.handler("leave_group", self.leave_group, lambda _, error: LeaveGroupResponse(error_code=error.code))

    async def sync_group(self, request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
        await ctx.pause(Waiter(), within_ms=1e9)
        return SyncGroupResponse()

    async def leave_group(self, request: LeaveGroupRequest, ctx: Context) -> LeaveGroupResponse:
        await ctx.pause(self.waiter, within_ms=1e9)
        return LeaveGroupResponse(throttle_time_ms=7)


async def test_a_stop_ends_the_idle_and_the_waiting_at_once_and_lets_the_busy_finish(memory_server: Server) -> None:
    waiting = Waiting(memory_server)
    await memory_server.start()
    idle, half, waits, busy = (memory_server.connect() for _ in range(4))
    await half.send(half.frame(HeartbeatRequest())[:9])
    await waits.send(waits.frame(SyncGroupRequest()))
    await busy.send(busy.frame(LeaveGroupRequest()) + busy.frame(HeartbeatRequest(generation_id=1)))
    await trio.testing.wait_all_tasks_blocked()
    memory_server.connections.close_idle()
    for client in (idle, half, waits):
        assert await client.raw(1) == b""
    await trio.testing.wait_all_tasks_blocked()
    assert len(memory_server.connections) == 1
    waiting.waiter.wake()
    assert (await busy.answer()).throttle_time_ms == 7
    assert await busy.answer() is None


async def test_a_client_that_reads_no_answer_does_not_hold_up_a_stop(
    memory_server: Server, autojump_clock: Jumps
) -> None:
    async def sync_group(request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
        return SyncGroupResponse(assignment=bytes(200_000))

    memory_server.handler("sync_group", sync_group, lambda _, error: SyncGroupResponse(error_code=error.code))
    await memory_server.start()
    client = memory_server.connect(window_bytes=50_000)
    await client.send(client.frame(SyncGroupRequest()))
    await trio.testing.wait_all_tasks_blocked()
    memory_server.connections.close_idle()
    await trio.sleep(0.4)
    assert len(memory_server.connections) == 1
    await trio.sleep(0.2)
    assert len(memory_server.connections) == 0


async def test_nobody_comes_in_once_the_broker_stops(memory_server: Server) -> None:
    await memory_server.start()
    memory_server.connections.close_idle()
    assert await memory_server.connect().raw(1) == b""


async def test_a_flooding_client_does_not_outlive_a_stop(tcp_server: Server) -> None:
    """It is never idle: every look at its socket finds more."""
    await tcp_server.start()
    client = tcp_server.connect()
    frames = client.frame(HeartbeatRequest()) * 1000

    async def flood() -> None:
        with pytest.raises(Exception):  # noqa: B017 - reset or broken pipe, as it happens
            while True:
                await client.send(frames)

    async def swallow() -> None:
        while await client.raw(65536):
            pass

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood)
            nursery.start_soon(swallow)
            await trio.sleep(0.1)
            tcp_server.connections.close_idle()
            with trio.fail_after(1):
                await tcp_server.all_gone()


async def test_one_host_may_have_only_so_many(memory_server: Server) -> None:
    memory_server.limits = Limits(max_per_ip=2, max_per_ip_overrides={"10.0.0.7": 3})
    await memory_server.start()
    usual = [memory_server.connect() for _ in range(3)]
    special = [Client(memory_server.listening.connect(host="10.0.0.7")) for _ in range(4)]  # type: ignore[union-attr]
    await trio.testing.wait_all_tasks_blocked()
    assert len(memory_server.connections) == 5
    assert await usual[2].raw(1) == b""
    assert await special[3].raw(1) == b""
    usual[0].stream.close()
    await trio.testing.wait_all_tasks_blocked()
    assert (await memory_server.connect().ask(HeartbeatRequest(generation_id=3))).throttle_time_ms == 3


async def test_beyond_max_connections_clients_wait_in_the_backlog(memory_server: Server) -> None:
    memory_server.limits = Limits(max_connections=2)
    await memory_server.start()
    clients = [memory_server.connect() for _ in range(3)]
    for client in clients:
        await client.send(client.frame(HeartbeatRequest(generation_id=3)))
    await trio.testing.wait_all_tasks_blocked()
    assert len(memory_server.connections) == 2
    clients[0].stream.close()
    assert (await clients[2].answer()).throttle_time_ms == 3


async def test_connections_are_made_at_most_so_many_a_second(memory_server: Server, autojump_clock: Jumps) -> None:
    memory_server.limits = Limits(creations_per_s=10)
    await memory_server.start()
    started = trio.current_time()
    clients = [memory_server.connect() for _ in range(40)]
    await clients[-1].send(clients[-1].frame(HeartbeatRequest(generation_id=3)))
    assert (await clients[-1].answer()).throttle_time_ms == 3
    assert 2.5 <= trio.current_time() - started <= 4.5


async def test_accepting_survives_a_lack_of_descriptors_and_says_so_once(
    memory_server: Server, autojump_clock: Jumps, caplog: pytest.LogCaptureFixture
) -> None:
    """Row 60: accept pauses and comes back."""
    caplog.set_level(logging.INFO)
    accept = memory_server.listening.accept
    failures = 30

    async def short_of_descriptors() -> MemoryStream:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept()  # type: ignore[return-value]

    memory_server.listening.accept = short_of_descriptors  # type: ignore[method-assign]
    await memory_server.start()
    assert (await memory_server.connect().ask(HeartbeatRequest(generation_id=3))).throttle_time_ms == 3
    assert [record.levelname for record in caplog.records if "accept" in record.message] == ["ERROR", "WARNING"]


async def test_who_waits_in_the_backlog_meanwhile_is_served_afterwards(tcp_server: Server) -> None:
    listening = tcp_server.listening
    assert isinstance(listening, SocketListener)
    listening._sock = ShortOfDescriptors(listening._sock)
    await tcp_server.start()
    client = tcp_server.connect()
    await client.send(client.frame(HeartbeatRequest(generation_id=3)))
    assert (await client.answer()).throttle_time_ms == 3


class ShortOfDescriptors(socket.socket):
    """A listening socket whose first accepts fail as the kernel's do."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(fileno=sock.detach())
        self.setblocking(False)
        self.failures = 3

    def accept(self) -> tuple[socket.socket, object]:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


async def test_trouble_inside_one_connection_never_reaches_the_others(
    memory_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Row 67: memory or the system fails where no handler stands between."""
    await memory_server.start()
    bystander = memory_server.connect()
    for problem in (MemoryError(), OSError(5, "Input/output error"), RuntimeError("ours")):
        client = memory_server.connect()
        await trio.testing.wait_all_tasks_blocked()
        newest = max(memory_server.connections._all, key=lambda each: each.facts.peer.port)

        def fail(buffer: memoryview, problem: Exception = problem) -> int:
            raise problem

        newest.stream.receive_into = fail  # type: ignore[method-assign]
        await client.send(b"x")
        assert await client.raw(1) == b""
    assert caplog.text.count("closed by an error of the broker") == 3
    assert (await bystander.ask(HeartbeatRequest(generation_id=1))).throttle_time_ms == 1


async def test_an_idle_connection_costs_a_few_kibibytes(memory_server: Server) -> None:
    """A read buffer of its own would be 256 KiB."""
    await memory_server.start()
    count = 300
    warm = [memory_server.connect() for _ in range(20)]
    for client in warm:
        assert await client.ask(HeartbeatRequest())
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        clients = [memory_server.connect() for _ in range(count)]
        for client in clients:
            await client.send(client.frame(HeartbeatRequest()))
        await trio.testing.wait_all_tasks_blocked()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert memory_server.buffers.out == 0
    assert (after - before) / count < 12_000  # both ends, the wire and the answer between them included


def test_kafkas_way_to_write_limits_per_address() -> None:
    assert per_ip("") == {}
    assert per_ip("10.0.0.1:100, 10.0.0.2:200,[::1]:3") == {"10.0.0.1": 100, "10.0.0.2": 200, "::1": 3}
