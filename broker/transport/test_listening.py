"""Binding: the operator's mistakes are told, and one port serves several addresses."""

import os
import socket
from collections.abc import Callable

import pytest
import trio
import trio.testing

from broker.config.problems import OperatorError
from broker.transport.contract import ConnectionLost, Listener
from broker.transport.listening import SocketOptions, bind, bind_together
from broker.transport.memory import MemoryListener

OPTIONS = SocketOptions()


async def test_a_client_is_accepted_with_both_addresses_known() -> None:
    listener = bind("127.0.0.1", 0, OPTIONS)
    with socket.create_connection(("127.0.0.1", listener.address.port)) as client:
        stream = await listener.accept()
        assert stream.local == listener.address
        assert stream.peer.port == client.getsockname()[1]
        assert stream._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        stream.close()
    listener.close()


def test_a_taken_port_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OperatorError) as told:
            bind("127.0.0.1", port, OPTIONS)
    assert told.value.what == f"Cannot listen on 127.0.0.1:{port}."
    assert f"pid {os.getpid()}" in told.value.why
    assert told.value.do_this.startswith("Stop that process, or choose another port; `barnabas --any-port`")


def test_a_foreign_address_is_an_operators_mistake() -> None:
    with pytest.raises(OperatorError, match="not an address of this machine"):
        bind("192.0.2.1", 0, OPTIONS)
    with pytest.raises(OperatorError, match="not an address of this machine"):
        bind("no-such-host.invalid", 0, OPTIONS)


def test_one_free_port_serves_several_addresses() -> None:
    listeners = bind_together(["127.0.0.1", "127.0.0.2", "192.0.2.1"], 0, OPTIONS)
    assert [listener.address.host for listener in listeners] == ["127.0.0.1", "127.0.0.2"]
    assert len({listener.address.port for listener in listeners}) == 1
    for listener in listeners:
        listener.close()


def test_buffers_and_backlog_are_set_before_listening() -> None:
    listener = bind("127.0.0.1", 0, SocketOptions(send_buffer_bytes=40_000, receive_buffer_bytes=50_000))
    assert listener._sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) >= 40_000
    assert listener._sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 50_000
    listener.close()


@pytest.mark.parametrize("make", [lambda: bind("127.0.0.1", 0, OPTIONS), MemoryListener], ids=["tcp", "memory"])
async def test_closing_a_listener_ends_its_accept(make: Callable[[], Listener]) -> None:
    listener = make()

    async def accept() -> None:
        with pytest.raises(ConnectionLost):
            await listener.accept()

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept)
            await trio.testing.wait_all_tasks_blocked()
            listener.close()


async def test_an_ipv4_client_of_a_listener_on_every_address_is_shown_as_ipv4() -> None:
    listener = bind("", 0, OPTIONS)
    with socket.create_connection(("127.0.0.1", listener.address.port)):
        stream = await listener.accept()
        assert stream.local.host == "127.0.0.1"
        stream.close()
    listener.close()
