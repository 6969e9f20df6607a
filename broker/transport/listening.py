"""Where clients come in: listening sockets, bound by plain functions before the first nursery.

An address that cannot be bound is an operator's mistake and is told as one: what, who may hold it, what to do.
"""

import contextlib
import errno
import socket
from collections.abc import Sequence

import trio

from broker.config.problems import OperatorError
from broker.transport.contract import Address, ConnectionLost
from broker.transport.holders import holder_of_port
from broker.transport.sockets import SocketStream, address_of, close_and_wake
from kproto.values import frozen

_NO_SUCH_FAMILY = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)
_TRIES_FOR_A_COMMON_PORT = 20


@frozen
class SocketOptions:
    """`socket.send.buffer.bytes` and `socket.receive.buffer.bytes` (-1: the system's own), and the listen backlog.

    Accepted sockets inherit the buffers; the receive buffer must be set before `listen` to open a wide window.
    """

    send_buffer_bytes: int = -1
    receive_buffer_bytes: int = -1
    backlog: int = 50


class SocketListener:
    """A bound TCP socket; `address` has the port that the system gave if 0 was asked for."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._closed = False
        self.address = address_of(sock.getsockname())

    async def accept(self) -> SocketStream:
        """The next client.

        Raises: OSError: no descriptor is left (the client stays in the backlog); ConnectionLost: closed on our side.
        """
        while True:
            try:
                accepted, _ = self._sock.accept()
            except BlockingIOError:
                await self._wait_readable()
            except ConnectionError:
                await trio.lowlevel.checkpoint()  # gone while it stood in the backlog: the next one
            else:
                with contextlib.suppress(ConnectionLost):
                    return SocketStream(accepted)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            close_and_wake(self._sock)

    async def _wait_readable(self) -> None:
        try:
            await trio.lowlevel.wait_readable(self._sock)
        except (trio.ClosedResourceError, ValueError) as error:
            raise ConnectionLost(str(error)) from None


def bind(host: str, port: int, options: SocketOptions) -> SocketListener:
    """A listener on one address; the empty host is every address of the machine.

    Raises: OperatorError: the port is taken, or the address is not ours.
    """
    try:
        return SocketListener(_bound(host, port, options))
    except OSError as error:
        raise _told(host, port, error) from None


def bind_together(hosts: Sequence[str], port: int, options: SocketOptions) -> list[SocketListener]:
    """One port on several addresses (127.0.0.1 and ::1); port 0 becomes the same free port on all of them.

    The first address must be there; a further one that this machine does not have is left out.
    Raises: OperatorError, as `bind`.
    """
    for _ in range(_TRIES_FOR_A_COMMON_PORT):
        listeners = [bind(hosts[0], port, options)]
        common = listeners[0].address.port
        try:
            for host in hosts[1:]:
                try:
                    listeners.append(SocketListener(_bound(host, common, options)))
                except OSError as error:
                    if error.errno in _NO_SUCH_FAMILY:
                        continue
                    raise
        except OSError as error:
            for listener in listeners:
                listener.close()
            if port != 0:
                raise _told(host, port, error) from None
        else:
            return listeners
    raise _told(hosts[0], port, OSError(errno.EADDRINUSE, "no port was free on all addresses"))


def _bound(host: str, port: int, options: SocketOptions) -> socket.socket:
    every = host in ("", "::")
    dual = every and socket.has_dualstack_ipv6()
    wanted = "::" if dual else (host or "0.0.0.0")
    family, kind, protocol, _, name = socket.getaddrinfo(
        wanted, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        if options.send_buffer_bytes > 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, options.send_buffer_bytes)
        if options.receive_buffer_bytes > 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options.receive_buffer_bytes)
        sock.bind(name)
        sock.listen(options.backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def _told(host: str, port: int, error: OSError) -> OperatorError:
    address = Address(host or "every address", port)
    what = f"Cannot listen on {address}."
    if error.errno == errno.EADDRINUSE:
        holder = holder_of_port(port)
        why = f"The port is taken by {holder}." if holder else "The port is taken by another process."
        do_this = "Stop that process, or choose another port; `barnabas --any-port` takes a free one."
        return OperatorError(what, why, do_this)
    if error.errno == errno.EACCES:
        return OperatorError(what, "Ports below 1024 need special rights.", "Choose a port from 1024 on.")
    if isinstance(error, socket.gaierror) or error.errno in _NO_SUCH_FAMILY:
        why = f"{host} is not an address of this machine ({error.strerror})."
        return OperatorError(what, why, "Name an address of this machine, or leave the host empty for all.")
    return OperatorError(what, f"The system says: {error.strerror or error}.", "Choose another address or port.")
