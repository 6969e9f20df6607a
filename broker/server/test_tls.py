"""Connections over TLS: the server serves them as it serves plain ones, and handshakes that never end hurt nobody."""

import logging
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
import trio.testing
import trustme

from broker.requests.context import Context
from broker.server.conftest import Client, Server
from broker.server.handshakes import HURRIED_S, LINES_PER_S, Handshakes
from broker.transport.contract import ANONYMOUS, Address, ConnectionLost, HandshakeFailed
from broker.transport.memory import MemoryListener
from broker.transport.principals import PrincipalRules
from broker.transport.test_streams import AsClient
from broker.transport.tls import CHUNK_BYTES, TlsStream
from broker.transport.tls_contexts import End, Identity
from broker.transport.tls_listener import TlsListener
from kproto.messages.heartbeat import HeartbeatRequest, HeartbeatResponse

EC = trustme.KeyType.ECDSA


class Certified:
    """What a TLS listener asks for the identity of the connections that come now."""

    def __init__(self) -> None:
        self.authority = trustme.CA(key_type=EC)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslobject_class = End
        self.authority.issue_cert("broker.test", key_type=EC).configure_cert(context)
        self.authority.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        self.now = Identity(context, PrincipalRules.parse("RULE:^CN=([a-z]+).*$/$1/"))


class TlsServer(Server):
    """The server of other tests behind TLS; `connect` still gives a client that only speaks plain bytes."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.certified = Certified()
        self.wire = MemoryListener()
        super().__init__(TlsListener(self.wire, self.certified), nursery)  # type: ignore[arg-type]

    async def client(
        self, name: str | None = None, *, window_bytes: int = 1 << 20, slice_bytes: int = 1 << 30
    ) -> Client:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.certified.authority.configure_trust(context)
        if name is not None:
            self.certified.authority.issue_cert(common_name=name, key_type=EC).configure_cert(context)
        wire = self.wire.connect(window_bytes=window_bytes, slice_bytes=slice_bytes)
        stream = TlsStream(wire, AsClient(context), memoryview(bytearray(CHUNK_BYTES)))
        with trio.fail_after(5):
            await stream.open()
        return Client(stream)


@pytest.fixture
async def server(nursery: trio.Nursery) -> AsyncIterator[TlsServer]:
    server = TlsServer(nursery)
    yield server
    await server.settled()


async def told(request: HeartbeatRequest, ctx: Context) -> HeartbeatResponse:
    """Its error code: whether the principal is known."""
    code = {ANONYMOUS: 1, "User:alice": 2, "User:bob": 3}[ctx.connection.principal]
    return HeartbeatResponse(throttle_time_ms=request.generation_id, error_code=code)


async def test_each_connection_has_the_principal_of_its_own_certificate(server: TlsServer) -> None:
    server.handler("heartbeat", told, lambda _, error: HeartbeatResponse(error_code=error.code))
    await server.start()
    clients = [await server.client(name) for name in ("alice", None, "bob")]
    assert [(await client.ask(HeartbeatRequest())).error_code for client in clients] == [2, 1, 3]


@pytest.mark.parametrize("slice_bytes", [1 << 30, 13])
async def test_many_requests_in_one_go_are_answered_in_order(server: TlsServer, slice_bytes: int) -> None:
    await server.start()
    client = await server.client(slice_bytes=slice_bytes)
    frames = [client.frame(HeartbeatRequest(generation_id=number, member_id="x" * 50)) for number in range(300)]
    await client.send(b"".join(frames))
    assert [(await client.answer()).throttle_time_ms for _ in range(300)] == list(range(300))


async def test_a_slow_reader_holds_back_nobody_else(server: TlsServer) -> None:
    """Its answers stop at the wire; another client is served meanwhile; nothing is lost."""
    await server.start()
    slow, fast = await server.client(window_bytes=2000), await server.client()
    asked = [slow.frame(HeartbeatRequest(generation_id=number)) for number in range(2000)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(slow.send, b"".join(asked))
        await trio.testing.wait_all_tasks_blocked(0.01)
        for number in range(20):
            assert (await fast.ask(HeartbeatRequest(generation_id=number))).throttle_time_ms == number
        for number in range(2000):
            assert (await slow.answer()).throttle_time_ms == number


async def test_plain_bytes_at_a_tls_listener_are_told_so_and_closed(
    server: TlsServer, caplog: pytest.LogCaptureFixture
) -> None:
    await server.start()
    plain = Client(server.wire.connect())
    with caplog.at_level(logging.WARNING, "barnabas.server"):
        await plain.send(plain.frame(HeartbeatRequest()))
        assert await plain.answer() is None
    (line,) = caplog.messages
    assert "does not speak TLS" in line


async def test_tls_at_a_plain_listener_is_closed_at_once(memory_server: Server) -> None:
    await memory_server.start()
    context = ssl.create_default_context()
    stream = TlsStream(memory_server.connect().stream, AsClient(context), memoryview(bytearray(CHUNK_BYTES)))
    with trio.fail_after(5), pytest.raises(ConnectionLost):
        await stream.open()


async def test_who_only_looks_whether_somebody_listens_is_not_worth_a_line(
    server: TlsServer, caplog: pytest.LogCaptureFixture
) -> None:
    await server.start()
    server.wire.connect().reset()
    server.wire.connect().close()
    with caplog.at_level(logging.INFO, "barnabas.server"):
        await trio.testing.wait_all_tasks_blocked()
        await server.all_gone()
    assert caplog.messages == []


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"])
async def test_a_handshake_that_never_ends_is_closed(
    server: TlsServer, autojump_clock: trio.testing.MockClock, sent: bytes
) -> None:
    await server.start()
    silent = server.wire.connect()
    await silent.send([sent])
    before = trio.current_time()
    assert await silent.receive() == b""
    assert trio.current_time() - before == pytest.approx(10, abs=0.5)


async def test_a_stopping_broker_does_not_wait_for_handshakes(server: TlsServer) -> None:
    await server.start()
    server.wire.connect()
    await trio.testing.wait_all_tasks_blocked()
    server.connections.close_idle()
    with trio.fail_after(1):
        await server.all_gone()


class Shaking:
    """A stream whose handshake takes so long, or fails."""

    handshakes = True
    peer = Address("10.0.0.1", 1)

    def __init__(self, seconds: float, failure: str = "") -> None:
        self.seconds = seconds
        self.failure = failure
        self.opened = False

    async def wait_readable(self) -> None:
        await trio.lowlevel.checkpoint()

    async def open(self) -> None:
        await trio.sleep(self.seconds)
        if self.failure:
            raise HandshakeFailed(self.failure)
        self.opened = True


async def test_a_storm_of_handshakes_that_never_end_keeps_an_honest_client_out_for_a_second_only(
    autojump_clock: trio.testing.MockClock,
) -> None:
    handshakes = Handshakes(within_s=10, seats=5)
    storm: list[Any] = [Shaking(1e9) for _ in range(5)]
    honest: Any = Shaking(0.1)
    async with trio.open_nursery() as nursery:
        for stream in storm:
            nursery.start_soon(handshakes.open, stream)
        await trio.testing.wait_all_tasks_blocked()
        before = trio.current_time()
        assert await handshakes.open(honest)
        assert trio.current_time() - before <= HURRIED_S + 0.2
    assert honest.opened


async def test_no_more_handshakes_are_under_way_than_there_are_seats(autojump_clock: trio.testing.MockClock) -> None:
    handshakes = Handshakes(within_s=10, seats=3)
    under_way = most = 0

    class Counting(Shaking):
        async def open(self) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            try:
                await super().open()
            finally:
                under_way -= 1

    streams: list[Any] = [Counting(0.5) for _ in range(20)]
    async with trio.open_nursery() as nursery:
        for stream in streams:
            nursery.start_soon(handshakes.open, stream)
    assert most == 3
    assert all(stream.opened for stream in streams)


async def test_without_a_line_a_slow_handshake_has_its_whole_time(autojump_clock: trio.testing.MockClock) -> None:
    slow: Any = Shaking(9)
    assert await Handshakes(within_s=10, seats=1).open(slow)


async def test_failed_handshakes_fill_no_log(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    handshakes = Handshakes()
    bad: Any = Shaking(0, "no common suite")
    with caplog.at_level(logging.WARNING, "barnabas.server"):
        for _ in range(100):
            assert not await handshakes.open(bad)
        assert len(caplog.messages) == LINES_PER_S
        await trio.sleep(2)
        await handshakes.open(bad)
    assert "no common suite (90 more like it were not logged)" in caplog.messages[-1]


async def test_whoever_came_last_is_the_next_and_who_leaves_the_line_takes_no_seat_with_him(
    autojump_clock: trio.testing.MockClock,
) -> None:
    handshakes = Handshakes(within_s=10, seats=1)
    done: list[str] = []

    async def shake(name: str) -> None:
        stream: Any = Shaking(0.3)
        await handshakes.open(stream)
        done.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(shake, "seated")
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(0.1):
            await shake("impatient")
        for name in ("early", "late"):
            nursery.start_soon(shake, name)
            await trio.testing.wait_all_tasks_blocked()
    assert done == ["seated", "late", "early"]
    await shake("afterwards")
