"""What a handler is given beside its request: who asks, over which connection, the rooms, and the one way to wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import trio

from broker.cluster.authorizer import Operation, Resource
from broker.purgatory import Waiter
from broker.requests.rooms import Rooms
from broker.requests.views import release_records
from broker.transport.contract import Address
from kproto.errors import ApiError, ErrorCode
from kproto.headers import RequestHeader
from kproto.schema import Message

if TYPE_CHECKING:
    from broker.handlers.table import Row


@dataclass(slots=True)
class ConnectionFacts:
    """What is known of the connection that a request came over; `software_…` is what ApiVersions told."""

    peer: Address
    local: Address
    listener_name: str
    principal: str = "User:ANONYMOUS"
    tells_local_end: bool = False
    """Clients of this listener are told the local end of their own socket as this broker's address (`--host`)."""
    inter_broker: bool = False
    """May ask what only brokers ask of each other."""
    software_name: str = ""
    software_version: str = ""


class Seat(Protocol):
    """The connection's side of a wait."""

    async def before_wait(self, *, for_others: bool) -> None:
        """Send the answers made so far and give the read buffer home. Raises: ConnectionLost."""
        ...

    def after_wait(self) -> None: ...


class BrokerImage(Protocol):
    """A broker of the cluster, as the image has it."""

    @property
    def id(self) -> int: ...
    @property
    def endpoints(self) -> Mapping[str, Address]: ...


class Context:
    """One request under way.

    Args:
        request, body: what is let go of before a wait; `body` lies in the read buffer.
        seat: the connection; None where no bytes are involved (`LocalPeer`).
    """

    __slots__ = (
        "_body",
        "_request",
        "_row",
        "_seat",
        "client_id",
        "connection",
        "header",
        "rooms",
        "served",
        "version",
    )

    def __init__(
        self,
        header: RequestHeader,
        row: "Row",
        connection: ConnectionFacts,
        rooms: Rooms,
        served: "Mapping[int, Row]",
        request: Message,
        body: memoryview = memoryview(b""),  # noqa: B008 - empty for ever
        seat: Seat | None = None,
    ) -> None:
        self.header = header
        self.version = header.api_version
        self.client_id = header.client_id or ""
        self.connection = connection
        self.rooms = rooms
        self.served = served
        """Rows of the table that this connection may ask for, by key."""
        self._row = row
        self._request = request
        self._body = body
        self._seat = seat

    async def pause(self, waiter: Waiter, within_ms: float) -> bool:
        """Wait until woken or the time is up; True if woken. The waiter leaves all its rooms.

        Before that the answers already made are sent and the request's views are released: who touches `records`
        afterwards gets a ValueError, so copy or append them first.
        Raises: ConnectionLost: the client is gone, nobody needs the answer.
        """
        try:
            if self._seat is None:
                return await waiter.wait(within_ms)
            self.release_views()
            await self._seat.before_wait(for_others=self._row.waits_for_others)
            woken = await waiter.wait(within_ms)
            self._seat.after_wait()
            return woken
        finally:
            waiter.leave()

    async def breathe(self) -> None:
        """Let others have their turn amid long work, which must be on copies: the read buffer goes home.

        Raises: ConnectionLost, as `pause`.
        """
        if self._seat is not None:
            self._body.release()
            await self._seat.before_wait(for_others=False)
        await trio.lowlevel.checkpoint()

    def release_views(self) -> None:
        """No view of the read buffer is left; safe to call twice."""
        release_records(self._request)
        self._body.release()

    def allowed(self, operation: Operation, resource: Resource) -> bool:
        """Whether this connection's principal may; with `may` the only places that ask."""
        connection = self.connection
        return self.rooms.authorizer.allows(connection.principal, connection.peer.host, operation, resource)

    def may(self, operation: Operation, resource: Resource) -> None:
        """Raises: ApiError: it may not; the code is that of the resource's kind."""
        if not self.allowed(operation, resource):
            raise ApiError(resource.type.denied)

    def endpoint(self, broker: BrokerImage) -> Address:
        """The address of a broker as this client is told it; no other place tells addresses.

        The broker's advertised address on the listener that the client came in by; under `--host` this broker is the
        local end of the client's own socket, which is right for every network card and tunnel that keeps the port.
        Raises: ApiError: LISTENER_NOT_FOUND: the broker has no listener of that name.
        """
        if self.connection.tells_local_end and broker.id == self.rooms.broker_id:
            return self.connection.local
        try:
            return broker.endpoints[self.connection.listener_name]
        except KeyError:
            raise ApiError(ErrorCode.LISTENER_NOT_FOUND) from None
