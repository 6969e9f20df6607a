"""One connection: order, slicing, borrowed buffers, waits, and what ends it."""

import struct

import pytest
import trio
import trio.testing

from broker.purgatory import Waiter
from broker.requests.context import Context
from broker.server.conftest import Server
from kproto.errors import ApiError, ErrorCode, WireError
from kproto.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from kproto.messages.produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
    TopicProduceResponse,
)
from kproto.messages.sync_group import SyncGroupRequest, SyncGroupResponse

SLICES = [1, 3, 100, 65536, 1 << 20]


def beat(number: int) -> HeartbeatRequest:
    return HeartbeatRequest(group_id="g", generation_id=number, member_id="m")


def produce_request(records: bytes, acks: int = 1) -> ProduceRequest:
    partition = PartitionProduceData(index=0, records=records)
    return ProduceRequest(
        acks=acks, timeout_ms=1000, topic_data=[TopicProduceData(name="t", partition_data=[partition])]
    )


class Stored:
    """A Produce handler that keeps what it is given; `before` is awaited between two looks at it."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.late: list[str] = []
        self.waiters: list[Waiter] = []
        self.wait_first = False

    async def produce(self, request: ProduceRequest, ctx: Context) -> ProduceResponse | None:
        records = request.topic_data[0].partition_data[0].records
        self.kept.append(bytes(records))
        if self.wait_first:
            waiter = Waiter()
            self.waiters.append(waiter)
            await ctx.pause(waiter, within_ms=60_000)
            try:
                bytes(records)
            except ValueError as error:
                self.late.append(str(error))
        if request.acks == 0:
            return None
        row = PartitionProduceResponse(index=0, base_offset=len(self.kept))
        return ProduceResponse(responses=[TopicProduceResponse(name="t", partition_responses=[row])])

    def refused(self, request: ProduceRequest, error: ApiError) -> ProduceResponse | None:
        return None if request.acks == 0 else ProduceResponse(throttle_time_ms=error.code)


@pytest.fixture
def stored(memory_server: Server) -> Stored:
    stored = Stored()
    memory_server.handler("produce", stored.produce, stored.refused)
    return stored


@pytest.fixture(params=["memory", "tcp"])
async def server(request: pytest.FixtureRequest, memory_server: Server, tcp_server: Server) -> Server:
    await memory_server.start()
    await tcp_server.start()
    return memory_server if request.param == "memory" else tcp_server


async def test_requests_are_answered_in_their_order(server: Server) -> None:
    client = server.connect()
    await client.send(b"".join(client.frame(beat(number)) for number in range(1000)))
    assert [(await client.answer()).throttle_time_ms for _ in range(1000)] == list(range(1000))


async def test_a_thousand_requests_sent_without_reading_are_answered_once_somebody_reads(server: Server) -> None:
    """Row 23: one at a time per connection; what is not yet read stays in the socket."""
    client = server.connect()
    frames = b"".join(client.frame(beat(number)) for number in range(1000))
    got: list[int] = []

    async def read() -> None:
        await trio.sleep(0.05)
        got.extend([(await client.answer()).throttle_time_ms for _ in range(1000)])

    with trio.move_on_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await client.send(frames)
    assert got == list(range(1000))


@pytest.mark.parametrize("slice_bytes", SLICES)
async def test_frames_come_whole_however_the_bytes_are_cut(
    memory_server: Server, stored: Stored, slice_bytes: int
) -> None:
    """Row 35 of the fault table: one byte at a time, or several frames in one segment."""
    await memory_server.start()
    client = memory_server.connect(slice_bytes=slice_bytes)
    sizes = [10, 300, 7_000, 20] if slice_bytes < 100 else [10, 300, 70_000, 300_000, 20, 3_000_000, 65_536, 262_144, 1]
    batches = [bytes([number + 1]) * size for number, size in enumerate(sizes)]

    async def send() -> None:
        await client.send(b"".join(client.frame(produce_request(batch)) for batch in batches))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        for _ in batches:
            assert (await client.answer()).responses
    assert stored.kept == batches


async def test_an_answer_leaves_before_the_next_handler_waits(memory_server: Server) -> None:
    """[Heartbeat, SyncGroup]: the first is answered at once, while the second waits for its leader."""
    waiter = Waiter()

    async def sync_group(request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
        await ctx.pause(waiter, within_ms=60_000)
        return SyncGroupResponse(protocol_type="woken")

    memory_server.handler("sync_group", sync_group, lambda _, error: SyncGroupResponse(error_code=error.code))
    await memory_server.start()
    client = memory_server.connect()
    await client.send(client.frame(beat(1)) + client.frame(SyncGroupRequest(group_id="g")) + client.frame(beat(2)))
    assert (await client.answer()).throttle_time_ms == 1
    await trio.testing.wait_all_tasks_blocked()
    assert memory_server.buffers.out == 0
    waiter.wake()
    assert (await client.answer()).protocol_type == "woken"
    assert (await client.answer()).throttle_time_ms == 2


async def test_a_late_touch_of_records_is_a_value_error(memory_server: Server, stored: Stored) -> None:
    """After a pause the buffer is somebody else's: reading on would give another client's bytes."""
    stored.wait_first = True
    await memory_server.start()
    one, other = memory_server.connect(), memory_server.connect()
    await one.send(one.frame(produce_request(b"mine" * 100)))
    await trio.testing.wait_all_tasks_blocked()
    await other.send(other.frame(produce_request(b"else" * 100)))
    await trio.testing.wait_all_tasks_blocked()
    for waiter in stored.waiters:
        waiter.wake()
    assert (await one.answer()).responses
    assert (await other.answer()).responses
    assert stored.late == ["operation forbidden on released memoryview object"] * 2


async def test_many_unhandled_frames_stay_in_the_buffer_and_count_in_the_budget(
    memory_server: Server, stored: Stored
) -> None:
    stored.wait_first = True
    await memory_server.start()
    client = memory_server.connect()
    await client.send(b"".join(client.frame(produce_request(bytes([n]) * 50_000)) for n in range(4)))
    await trio.testing.wait_all_tasks_blocked()
    assert memory_server.buffers.out == 1
    assert memory_server.budget.claimed_bytes == memory_server.buffers.size_bytes
    stored.wait_first = False
    stored.waiters[0].wake()
    for _ in range(4):
        assert (await client.answer()).responses
    assert stored.kept == [bytes([n]) * 50_000 for n in range(4)]


async def test_no_answer_to_acks_0_and_the_connection_goes_on(memory_server: Server, stored: Stored) -> None:
    await memory_server.start()
    client = memory_server.connect()
    await client.send(client.frame(produce_request(b"x", acks=0), answered=False))
    assert (await client.ask(beat(5))).throttle_time_ms == 5


@pytest.mark.parametrize(
    "problem", [ApiError(ErrorCode.INVALID_REQUEST), RuntimeError("a mistake"), MemoryError(), OSError(5, "disk")]
)
async def test_what_a_handler_raises_is_answered_and_the_connection_goes_on(
    memory_server: Server, problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
        raise problem

    memory_server.handler("sync_group", broken, lambda _, error: SyncGroupResponse(error_code=error.code))
    await memory_server.start()
    client = memory_server.connect()
    answer = await client.ask(SyncGroupRequest(group_id="g", member_id="payload"))
    polite = isinstance(problem, ApiError)
    assert answer.error_code == (ErrorCode.INVALID_REQUEST if polite else ErrorCode.UNKNOWN_SERVER_ERROR)
    assert ("Traceback" in caplog.text) is not polite
    assert "payload" not in caplog.text
    assert (await client.ask(beat(1))).throttle_time_ms == 1


@pytest.mark.parametrize("problem", [ApiError(ErrorCode.MESSAGE_TOO_LARGE), RuntimeError(), WireError("no")])
async def test_a_refusal_of_acks_0_closes(memory_server: Server, stored: Stored, problem: Exception) -> None:
    async def produce(request: ProduceRequest, ctx: Context) -> None:
        raise problem

    memory_server.handler("produce", produce, stored.refused)
    await memory_server.start()
    client = memory_server.connect()
    await client.send(client.frame(beat(7)) + client.frame(produce_request(b"x", acks=0), answered=False))
    assert (await client.answer()).throttle_time_ms == 7
    assert await client.answer() is None


async def test_a_broken_answer_is_our_mistake_not_the_clients(memory_server: Server) -> None:
    async def sync_group(request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
        return SyncGroupResponse(assignment="not bytes")  # type: ignore[arg-type]

    memory_server.handler("sync_group", sync_group, lambda _, error: SyncGroupResponse(error_code=error.code))
    await memory_server.start()
    client = memory_server.connect()
    assert (await client.ask(SyncGroupRequest())).error_code == ErrorCode.UNKNOWN_SERVER_ERROR


async def test_output_beyond_the_limit_is_sent_before_more_is_handled(memory_server: Server) -> None:
    """A pipeline of small questions with large answers must not pile them up."""
    handled = 0

    async def sync_group(request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
        nonlocal handled
        handled += 1
        return SyncGroupResponse(assignment=bytes(600_000))

    memory_server.handler("sync_group", sync_group, lambda _, error: SyncGroupResponse(error_code=error.code))
    await memory_server.start()
    client = memory_server.connect(window_bytes=100_000)
    await client.send(b"".join(client.frame(SyncGroupRequest()) for _ in range(20)))
    await trio.testing.wait_all_tasks_blocked()
    assert handled <= 2
    for _ in range(20):
        assert len((await client.answer()).assignment) == 600_000


async def test_a_reset_amid_a_frame_has_no_effect(memory_server: Server, stored: Stored) -> None:
    """Row 34: a partial request does nothing."""
    await memory_server.start()
    client = memory_server.connect()
    await client.send(client.frame(produce_request(b"x" * 10_000))[:5_000])
    await trio.testing.wait_all_tasks_blocked()
    client.stream.reset()  # type: ignore[attr-defined]
    await trio.testing.wait_all_tasks_blocked()
    assert stored.kept == []
    assert len(memory_server.connections) == 0


async def test_a_client_that_goes_while_its_handler_waits_harms_nobody(memory_server: Server, stored: Stored) -> None:
    stored.wait_first = True
    await memory_server.start()
    client, other = memory_server.connect(), memory_server.connect()
    await client.send(client.frame(produce_request(b"x")))
    await trio.testing.wait_all_tasks_blocked()
    client.stream.reset()  # type: ignore[attr-defined]
    stored.waiters[0].wake()
    assert (await other.ask(beat(1))).throttle_time_ms == 1
    await trio.testing.wait_all_tasks_blocked()
    assert len(memory_server.connections) == 1


async def test_cancellation_at_any_checkpoint_leaves_nothing_behind(memory_server: Server, stored: Stored) -> None:
    """Row 67: the fixture counts buffers and budget afterwards."""
    stored.wait_first = True
    await memory_server.start()
    clients = [memory_server.connect(slice_bytes=999) for _ in range(20)]
    for steps, client in enumerate(clients):
        await client.send(client.frame(beat(1)) + client.frame(produce_request(b"x" * 50_000)) * 6)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
    memory_server.clients.cancel()


async def test_a_turn_ends_after_half_a_millisecond(memory_server: Server) -> None:
    """256 KiB of small requests would keep everybody else waiting for 24 ms."""
    now = 0.0
    other_turns = 0

    async def slow(request: HeartbeatRequest, ctx: Context) -> HeartbeatResponse:
        nonlocal now
        now += 0.0002
        return HeartbeatResponse()

    async def other() -> None:
        nonlocal other_turns
        while True:
            other_turns += 1
            await trio.lowlevel.checkpoint()

    memory_server.stopwatch = lambda: now
    memory_server.handler("heartbeat", slow, lambda _, error: HeartbeatResponse(error_code=error.code))
    await memory_server.start()
    client = memory_server.connect()
    await client.send(b"".join(client.frame(beat(n)) for n in range(300)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(300):
            await client.answer()
        nursery.cancel_scope.cancel()
    assert other_turns >= 300 / 3 - 5


BAD: dict[str, bytes] = {
    "1 negative size": struct.pack(">i", -1),
    "2 size above the limit": struct.pack(">i", (6 << 20) + 1),
    "4 size 0": struct.pack(">i", 0),
    "7 TLS ClientHello": bytes.fromhex("16030100c8010000c40303") + bytes(50),
    "8 GET / HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "10 header only": struct.pack(">ihhi", 8, 12, 4, 1),
    "11 header cut after the version": struct.pack(">ihh", 4, 12, 4),
    "12 api key -1": struct.pack(">ihhih", 10, -1, 0, 1, -1),
    "12 api key 9999": struct.pack(">ihhih", 10, 9999, 0, 1, -1),
    "13 version -1": struct.pack(">ihhih", 10, 12, -1, 1, -1),
    "14 version above the newest": struct.pack(">ihhih", 10, 12, 99, 1, -1),
    "17 inter-broker api": struct.pack(">ihhih", 10, 4, 0, 1, -1),
    "19 client id longer than the frame": struct.pack(">ihhih", 10, 12, 0, 1, 30_000),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
async def test_bad_framing_closes_without_an_answer(
    server: Server, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows of part 4.1; nobody else is disturbed, and the log has one line without payload."""
    bystander, client = server.connect(), server.connect()
    await client.send(client.frame(beat(3)) + data)
    assert (await client.answer()).throttle_time_ms == 3
    assert await client.raw(1) == b""
    assert (await bystander.ask(beat(1))).throttle_time_ms == 1
    assert sum("closed" in record.message for record in caplog.records) == 1
    assert "GET" not in caplog.text


async def test_half_a_frame_and_the_end_closes(server: Server) -> None:
    """Row 6."""
    client = server.connect()
    await client.send(client.frame(beat(3))[:-1])
    client.stream.close()
    await server.all_gone()


async def test_odd_but_legal_headers_are_served(server: Server) -> None:
    """Rows 18, 20 to 22 and 24: null, invalid and long client ids, any correlation id, bytes left over."""
    client = server.connect()
    body = struct.pack(">h1sih1s", 1, b"g", 7, 1, b"m")
    for client_id in (
        struct.pack(">h", -1),
        struct.pack(">h", 2) + b"\xff\xfe",
        struct.pack(">h", 32767) + b"c" * 32767,
    ):
        for correlation_id in (-5, 0, 0, 2**31 - 1):
            content = struct.pack(">hhi", 12, 1, correlation_id) + client_id + body + b"left over"
            await client.send(struct.pack(">i", len(content)) + content)
            assert await client.raw(14) == struct.pack(">iiih", 10, correlation_id, 7, 0)
