"""From a frame to its answer: table, version, right, handler; and what becomes of each kind of error.

`ApiError` is a polite no, the handler's module knows how its API says it. `WireError` closes the connection. Anything
else is a mistake of ours: loud in the log, UNKNOWN_SERVER_ERROR to the client, and the connection goes on.
"""

import importlib
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable
from types import ModuleType
from typing import Any, NamedTuple

from broker.handlers.table import TABLE, Row, served
from broker.metrics import ApiCounts
from broker.requests.context import ConnectionFacts, Context, Seat
from broker.requests.rooms import Rooms
from broker.requests.trace import Trace, shown
from broker.requests.views import release_records
from broker.transport.contract import Address, ConnectionLost, Piece
from kproto.api_keys import ApiKey, request_class
from kproto.codec import decode
from kproto.connection import Request, answer
from kproto.errors import ApiError, ErrorCode, WireError
from kproto.headers import RequestHeader
from kproto.schema import Message

log = logging.getLogger("barnabas.requests")

THIS_BROKER = ConnectionFacts(Address("local", 0), Address("local", 0), "", inter_broker=True)
"""Whom the handlers see when the broker asks itself."""


def handler_module(name: str) -> ModuleType:
    return importlib.import_module(f"broker.handlers.{name}")


class Handler(NamedTuple):
    """One API's code, found at its first request."""

    reads: type[Message]
    answers: Callable[[Any, Context], Awaitable[Message | None]]
    refused: Callable[[Any, ApiError], Message | None]
    """A refusal of the whole request; None where nobody listens to an answer, which closes the connection."""
    counts: ApiCounts


class Router:
    """One per broker; every request of it passes here.

    Args:
        rooms: what handlers reach.
        rows: the APIs that this broker has.
        max_elements: array elements of one request (`barnabas.request.max.elements`).
        local: how the broker itself appears to its handlers.
        module_of: the handler module of a row's name.
    """

    def __init__(
        self,
        rooms: Rooms,
        rows: Iterable[Row] = TABLE,
        *,
        max_elements: int = 1_000_000,
        local: ConnectionFacts = THIS_BROKER,
        module_of: Callable[[str], Any] = handler_module,
    ) -> None:
        rows = tuple(rows)
        self._rooms = rooms
        self._for_clients = served(rows, inter_broker=False)
        self._for_brokers = served(rows, inter_broker=True)
        self._max_elements = max_elements
        self._local = local
        self._module_of = module_of
        self._handlers: dict[ApiKey, Handler] = {}
        self._trace = Trace()

    async def answer(self, request: Request, connection: ConnectionFacts, seat: Seat) -> list[Piece] | None:
        """The answer with its size and header; None if there is none (Produce with acks=0).

        Raises: WireError: close; ConnectionLost: the client went while its handler waited.
        """
        header = request.header
        apis = self._for_brokers if connection.inter_broker else self._for_clients
        row = apis.get(header.api_key)
        if row is None:
            raise WireError(f"{header.api_key.kafka_name} is not served to clients")
        if not row.versions[0] <= header.api_version <= row.versions[1]:
            return self._unknown_version(header, row)
        handler = self._handler(row)
        message = decode(handler.reads, header.api_version, request.body, max_elements=self._max_elements)
        ctx = Context(header, row, connection, self._rooms, apis, message, request.body, seat)
        try:
            response = await self._handled(handler, row, message, ctx)
            return None if response is None else self._encoded(handler, message, response, ctx)
        except BaseException:
            ctx.release_views()
            raise

    async def answer_message(self, request: Message) -> Message:
        """The same without bytes, for this broker itself, at the newest version; `LocalPeer` comes here."""
        assert request.API_KEY is not None
        row = self._for_brokers[request.API_KEY]
        header = RequestHeader(row.key, row.versions[1], 0, "")
        ctx = Context(header, row, self._local, self._rooms, self._for_brokers, request)
        response = await self._handled(self._handler(row), row, request, ctx)
        assert response is not None, f"{row.key.kafka_name} gave no answer"
        return response

    def _unknown_version(self, header: RequestHeader, row: Row) -> list[Piece]:
        """Only a client that asks what we serve is told; everybody else should have asked.  Source: KIP-511."""
        if row.key is not ApiKey.API_VERSIONS:
            raise WireError(f"{row.key.kafka_name} version {header.api_version} is not served")
        return answer(header, self._module_of(row.module).unknown_version(row), version=0)

    async def _handled(self, handler: Handler, row: Row, message: Message, ctx: Context) -> Message | None:
        started = self._trace.start()
        try:
            if row.right is not None and (resource := row.right.resource_of(message)) is not None:
                ctx.may(row.right.operation, resource)
            response = await handler.answers(message, ctx)
        except ApiError as error:
            self._trace.end(ctx, handler.counts, started, error.code.name)
            return _refusal(handler, message, error)
        except (WireError, ConnectionLost):
            raise
        except Exception:
            _tell_loudly(ctx)
            self._trace.end(ctx, handler.counts, started, ErrorCode.UNKNOWN_SERVER_ERROR.name)
            return _refusal(handler, message, ApiError(ErrorCode.UNKNOWN_SERVER_ERROR))
        self._trace.end(ctx, handler.counts, started)
        return response

    def _encoded(self, handler: Handler, message: Message, response: Message, ctx: Context) -> list[Piece]:
        try:
            return answer(ctx.header, response)
        except Exception:
            _tell_loudly(ctx)
            release_records(response)
            return answer(ctx.header, _refusal(handler, message, ApiError(ErrorCode.UNKNOWN_SERVER_ERROR)))

    def _handler(self, row: Row) -> Handler:
        handler = self._handlers.get(row.key)
        if handler is None:
            module = self._module_of(row.module)
            counts = self._rooms.metrics.api(row.key, row.versions[1])
            handler = Handler(request_class(row.key), getattr(module, row.module), module.refused, counts)
            self._handlers[row.key] = handler
        return handler


def _refusal(handler: Handler, message: Message, error: ApiError) -> Message:
    """Raises: WireError: the client does not listen to answers, so the only way to say no is to close."""
    response = handler.refused(message, error)
    if response is None:
        raise WireError(f"{type(message).__name__} refused with {error.code.name}, and nobody waits for an answer")
    return response


def _tell_loudly(ctx: Context) -> None:
    """The traceback as text: a log record that kept the exception would keep the request's views too."""
    log.error(
        "%s v%d of %s at %s failed by an error of the broker\n%s",
        ctx.header.api_key.kafka_name,
        ctx.version,
        shown(ctx.client_id),
        ctx.connection.peer,
        traceback.format_exc(),
    )
