"""What both kinds of stream promise: the in-memory one is only worth something if it behaves like TCP."""

import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import trio
import trio.testing
import trustme

from broker.transport.contract import ANONYMOUS, ConnectionLost, Piece, Stream
from broker.transport.memory import memory_pair
from broker.transport.pieces import runs
from broker.transport.principals import PrincipalRules
from broker.transport.sockets import CHECKPOINT_EVERY_BYTES, SocketStream
from broker.transport.tls import CHUNK_BYTES, TlsStream
from broker.transport.tls_contexts import End, Identity

Pair = tuple[Stream, Stream]


class Range:
    """A file range as storage gives it; counts its releases."""

    def __init__(self, file: int | None, position: int, size: int, data: bytes = b"") -> None:
        self.file = file
        self.position = position
        self.released = 0
        self._size = size
        self._data = data

    def __len__(self) -> int:
        return self._size

    def read(self) -> bytes:
        return self._data if self.file is None else os.pread(self.file, self._size, self.position)

    def release(self) -> None:
        self.released += 1


class AsClient:
    """Who a test's client is over TLS: nobody, and it trusts the authority that made the broker's certificate."""

    def __init__(self, context: ssl.SSLContext, asks_for: str = "broker.test") -> None:
        context.sslobject_class = End
        self._context = context
        self._asks_for = asks_for
        self.session: ssl.SSLSession | None = None
        """To be taken up again."""

    def end(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> End:
        end = self._context.wrap_bio(incoming, outgoing, server_hostname=self._asks_for, session=self.session)
        assert isinstance(end, End)
        return end

    def principal(self, certificate: bytes | None) -> str:
        return ANONYMOUS


def tls_pair(*, slice_bytes: int = 1 << 30) -> Pair:
    client, server = memory_pair(slice_bytes=slice_bytes)
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    ours, theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ours.sslobject_class = End
    authority.issue_cert("broker.test", key_type=trustme.KeyType.ECDSA).configure_cert(ours)
    authority.configure_trust(theirs)
    identity = Identity(ours, PrincipalRules.parse("DEFAULT"))
    return (
        TlsStream(client, AsClient(theirs), memoryview(bytearray(CHUNK_BYTES))),
        TlsStream(server, identity, memoryview(bytearray(CHUNK_BYTES))),
    )


def tls_pair_that_drips() -> Pair:
    return tls_pair(slice_bytes=1000)


def tcp_pair() -> Pair:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    return SocketStream(client), SocketStream(server)


MAKERS = {"tcp": tcp_pair, "memory": memory_pair, "tls": tls_pair, "dripping tls": tls_pair_that_drips}


@pytest.fixture(params=list(MAKERS.values()), ids=list(MAKERS))
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    make: Callable[[], Pair] = request.param
    client, server = make()
    async with trio.open_nursery() as both:
        both.start_soon(client.open)
        both.start_soon(server.open)
    yield client, server
    for stream in (client, server):
        stream.close()


@pytest.fixture
def big_file(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "log").write_bytes(bytes(range(256)) * 4096 * 8)
    descriptor = os.open(tmp_path / "log", os.O_RDWR)
    yield descriptor
    os.close(descriptor)


async def read_exactly(stream: Stream, size: int) -> bytes:
    found = bytearray()
    buffer = bytearray(65536)
    while len(found) < size:
        got = stream.receive_into(memoryview(buffer)[: min(len(buffer), size - len(found))])
        if got is None:
            await stream.wait_readable()
        elif got == 0:
            break
        else:
            found += buffer[:got]
    return bytes(found)


async def test_there_is_nothing_until_the_other_side_sends(pair: Pair) -> None:
    client, server = pair
    assert server.receive_into(memoryview(bytearray(10))) is None
    before = client.sent_bytes
    await client.send([b"ab", memoryview(b"cd"), bytearray(b"ef")])
    assert client.sent_bytes - before >= 6
    assert await read_exactly(server, 6) == b"abcdef"


async def test_the_end_of_the_stream_is_zero_bytes(pair: Pair) -> None:
    client, server = pair
    await client.send([b"last"])
    client.close()
    assert await read_exactly(server, 100) == b"last"
    assert server.receive_into(memoryview(bytearray(10))) == 0


async def test_sending_to_nobody_is_a_lost_connection(pair: Pair) -> None:
    client, server = pair
    server.close()
    with pytest.raises(ConnectionLost), trio.fail_after(5):
        while True:
            await client.send([b"x" * 65536])


async def test_closing_wakes_who_waits_to_read(pair: Pair) -> None:
    client, _ = pair
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:

            async def wait() -> None:
                with pytest.raises(ConnectionLost):
                    while client.receive_into(memoryview(bytearray(10))) is None:  # TLS may have a word of its own
                        await client.wait_readable()

            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            client.close()
            client.close()


async def test_a_slow_reader_holds_the_sender_back_and_loses_nothing(pair: Pair) -> None:
    client, server = pair
    data = os.urandom(8 << 20)
    received = b""

    async def read_late() -> None:
        nonlocal received
        await trio.testing.wait_all_tasks_blocked()
        assert client.sent_bytes < len(data)
        received = await read_exactly(server, len(data))

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read_late)
            await client.send([data[:100], data[100:]])
    assert received == data
    assert client.sent_bytes >= len(data)


async def test_file_ranges_go_out_between_bytes_in_order_and_are_released(pair: Pair, big_file: int) -> None:
    client, server = pair
    large, small = Range(big_file, 3, 3 << 20), Range(big_file, 1, 100)
    in_memory = Range(None, 0, 5, b"hello")
    pieces: list[Piece] = [b"head", large, b"middle", small, in_memory, b"tail"]
    expected = b"".join(bytes(p) if isinstance(p, bytes) else p.read() for p in pieces)  # type: ignore[union-attr]
    received = b""

    async def read() -> None:
        nonlocal received
        received = await read_exactly(server, len(expected))

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await client.send(pieces)
    assert received == expected
    assert [large.released, small.released, in_memory.released] == [1, 1, 1]


@pytest.mark.parametrize("size", [100, 1 << 20])
async def test_a_file_cut_shorter_meanwhile_hangs_up(pair: Pair, big_file: int, size: int) -> None:
    """The client was promised a size that no longer exists; there is no honest way on."""
    client, _ = pair
    cut = Range(big_file, os.fstat(big_file).st_size - 50, size)
    with pytest.raises(ConnectionLost):
        await client.send([b"head", cut])
    assert cut.released == 1


async def test_files_are_released_when_the_sender_is_cancelled(pair: Pair, big_file: int) -> None:
    client, _ = pair
    ranges = [Range(big_file, 0, 8 << 20) for _ in range(3)]
    with trio.move_on_after(0.05):
        await client.send([*ranges])
    assert [r.released for r in ranges] == [1, 1, 1]


async def test_a_long_answer_lets_others_run_every_mebibyte() -> None:
    """Nobody waits for a reader that keeps up: without the checkpoint it would own the loop."""
    client, server = stream_whose_kernel_takes_everything()
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await trio.lowlevel.checkpoint()
        before = turns
        await client.send([b"x" * (4 * CHECKPOINT_EVERY_BYTES)])
        nursery.cancel_scope.cancel()
    assert turns - before >= 3
    server.close()


def stream_whose_kernel_takes_everything() -> tuple[SocketStream, socket.socket]:
    class Swallows(socket.socket):
        def send(self, data: object, flags: int = 0) -> int:
            return min(len(memoryview(data)), CHECKPOINT_EVERY_BYTES)  # type: ignore[arg-type]

    ours, theirs = socket.socketpair()
    return SocketStream(Swallows(fileno=ours.detach())), theirs


def test_small_neighbours_are_joined_and_large_ones_stand_alone() -> None:
    large = b"L" * 65536
    assert list(runs([b"a", b"b", large, b"c"])) == [(b"ab", True), (large, True), (b"c", False)]
    assert list(runs([large])) == [(large, False)]
    assert list(runs([])) == []
