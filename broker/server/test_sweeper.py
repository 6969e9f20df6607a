"""Who is too slow goes, and nobody else: with a clock that jumps."""

import trio
import trio.testing

from broker.purgatory import Waiter
from broker.requests.context import Context
from broker.server.budget import Budget
from broker.server.conftest import Client, Server
from broker.server.inbox import SMALL_BYTES
from kproto.errors import ApiError
from kproto.messages.heartbeat import HeartbeatRequest
from kproto.messages.sync_group import SyncGroupRequest, SyncGroupResponse

Jumps = trio.testing.MockClock

MIB = 1 << 20


def refuse(_: SyncGroupRequest, error: ApiError) -> SyncGroupResponse:
    return SyncGroupResponse(error_code=error.code)


async def answer_at_once(request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
    return SyncGroupResponse(protocol_name="at once")


def begin(size: int) -> bytes:
    """A frame's size field."""
    return size.to_bytes(4, "big")


async def closed_after(client: Client) -> float:
    """Seconds until the broker hangs up."""
    started = trio.current_time()
    with trio.fail_after(2000):
        assert client.stream.receive_into(memoryview(bytearray(1))) in (None, 0)
        await client.stream.wait_readable()
        assert client.stream.receive_into(memoryview(bytearray(1))) == 0
    return trio.current_time() - started


async def test_an_idle_connection_is_closed_after_its_time(memory_server: Server, autojump_clock: Jumps) -> None:
    """Row 36, half-open clients; row 5: one to three bytes of a size are no frame yet."""
    await memory_server.start()
    silent, three_bytes = memory_server.connect(), memory_server.connect()
    await three_bytes.send(b"\0\0\0")
    assert 600 <= await closed_after(silent) <= 603
    assert await closed_after(three_bytes) <= 3


async def test_a_request_now_and_then_keeps_a_connection(memory_server: Server, autojump_clock: Jumps) -> None:
    await memory_server.start()
    client = memory_server.connect()
    for number in range(5):
        await trio.sleep(590)
        assert (await client.ask(HeartbeatRequest(generation_id=number))).throttle_time_ms == number


async def test_a_frame_begun_must_grow(memory_server: Server, autojump_clock: Jumps) -> None:
    """Row 3: a size, then silence; a trickle is no better."""
    await memory_server.start()
    silent = memory_server.connect()
    await silent.send(begin(MIB))
    assert 30 <= await closed_after(silent) <= 33
    trickle = memory_server.connect()
    await trickle.send(begin(MIB))
    for _ in range(6):
        await trickle.send(bytes(1000))
        await trio.sleep(5)
    assert await closed_after(trickle) <= 3


async def test_a_slow_but_steady_upload_may_take_its_time(memory_server: Server, autojump_clock: Jumps) -> None:
    await memory_server.start()
    client = memory_server.connect()
    frame = client.frame(SyncGroupRequest(group_id="g", member_id="m" * 32_000, protocol_name="p" * 32_000))
    frames = frame * 8
    memory_server.handler("sync_group", answer_at_once, refuse)
    await client.send(begin(len(frames) - 4) + frame[4:])
    for start in range(len(frame), len(frames), 10_000):
        await trio.sleep(5)
        await client.send(frames[start : start + 10_000])
    assert (await client.answer()).protocol_name == "at once"


async def test_a_client_that_stops_reading_is_closed(memory_server: Server, autojump_clock: Jumps) -> None:
    """Row 37."""

    async def sync_group(request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
        return SyncGroupResponse(assignment=bytes(200_000))

    memory_server.handler("sync_group", sync_group, refuse)
    await memory_server.start()
    client = memory_server.connect(window_bytes=50_000)
    await client.send(client.frame(SyncGroupRequest()))
    await trio.sleep(29)
    assert len(memory_server.connections) == 1
    await trio.sleep(4)
    assert len(memory_server.connections) == 0


async def test_a_client_that_reads_slowly_is_not(memory_server: Server, autojump_clock: Jumps) -> None:
    async def sync_group(request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
        return SyncGroupResponse(assignment=bytes(200_000))

    memory_server.handler("sync_group", sync_group, refuse)
    await memory_server.start()
    client = memory_server.connect(window_bytes=10_000)
    await client.send(client.frame(SyncGroupRequest()))
    got = 0
    while got < 200_000:
        await trio.sleep(20)
        got += client.stream.receive_into(memoryview(bytearray(10_000))) or 0


async def test_a_handler_may_wait_as_long_as_it_likes(memory_server: Server, autojump_clock: Jumps) -> None:
    waiter = Waiter()

    async def sync_group(request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
        await ctx.pause(waiter, within_ms=10_000_000)
        return SyncGroupResponse(protocol_name="done")

    memory_server.handler("sync_group", sync_group, refuse)
    await memory_server.start()
    client = memory_server.connect()
    await client.send(client.frame(SyncGroupRequest()))
    await trio.sleep(5000)
    waiter.wake()
    assert (await client.answer()).protocol_name == "done"


async def test_a_spent_budget_closes_the_frame_that_grew_least(memory_server: Server, autojump_clock: Jumps) -> None:
    """Five announce everything and send nothing: a sixth is served within seconds, small requests at once."""
    memory_server.budget = Budget(9 * MIB)
    await memory_server.start()
    growing, stalled = memory_server.connect(), memory_server.connect()
    await growing.send(begin(4 * MIB) + bytes(1000))
    await stalled.send(begin(4 * MIB) + bytes(900_000))
    await trio.sleep(5)
    assert len(memory_server.connections) == 2

    async def grow() -> None:
        while True:
            await growing.send(bytes(1000))
            await trio.sleep(0.1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(grow)
        third, small = memory_server.connect(), memory_server.connect()
        await third.send(begin(3 * MIB) + bytes(10))
        await trio.sleep(0.1)
        assert memory_server.budget.missing_bytes > 0
        await small.send(small.frame(HeartbeatRequest(generation_id=9)))
        assert (await small.answer()).throttle_time_ms == 9
        assert await closed_after(stalled) <= 2.5
        await trio.sleep(5)
        assert memory_server.budget.missing_bytes == 0
        assert len(memory_server.connections) == 3
        nursery.cancel_scope.cancel()


async def test_without_anybody_in_line_a_slow_frame_may_stay(memory_server: Server, autojump_clock: Jumps) -> None:
    memory_server.budget = Budget(8 * MIB)
    await memory_server.start()
    slow = memory_server.connect()
    await slow.send(begin(5 * MIB))
    await trio.sleep(20)
    assert len(memory_server.connections) == 1


async def test_a_budget_spent_lets_small_requests_pass_and_holds_however_many_come_at_once(
    memory_server: Server, autojump_clock: Jumps
) -> None:
    """When the first claims end, not all in line are let in together. The budget is for 24 of their frames."""
    memory_server.budget = Budget(3 * MIB)
    await memory_server.start()
    honest = memory_server.connect()
    for _ in range(3):
        hostile = [memory_server.connect() for _ in range(200)]
        for client in hostile:
            await client.send(begin(128 * 1024) + bytes(60_000))
        for _ in range(4):
            began = trio.current_time()
            await honest.send(honest.frame(HeartbeatRequest(generation_id=4)))
            assert (await honest.answer()).throttle_time_ms == 4
            assert trio.current_time() - began < 0.1
            held = sum(len(c.inbox._buffer or b"") for c in memory_server.connections._all)
            assert held <= 3 * MIB + 256 * 1024 + 600 * SMALL_BYTES
            await trio.sleep(1)
    large = memory_server.connect()
    await large.send(large.frame(HeartbeatRequest(generation_id=5, member_id="m" * 30_000)))
    assert (await large.answer(within_s=60)).throttle_time_ms == 5


async def test_hostile_claims_stay_within_the_budget(memory_server: Server, autojump_clock: Jumps) -> None:
    """Each sends as much as it can of a frame it will never end."""
    memory_server.budget = Budget(8 * MIB)
    await memory_server.start()
    clients = [memory_server.connect() for _ in range(100)]
    for client in clients:
        await client.send(begin(5 * MIB) + bytes(250_000))
    await trio.testing.wait_all_tasks_blocked()
    assert memory_server.budget.claimed_bytes <= 8 * MIB + 256 * 1024 + 100 * SMALL_BYTES
    held = sum(len(c.inbox._buffer or b"") for c in memory_server.connections._all)
    assert held <= 16 * MIB
    honest = memory_server.connect()
    await honest.send(honest.frame(HeartbeatRequest(generation_id=4)))
    assert (await honest.answer(within_s=60)).throttle_time_ms == 4
