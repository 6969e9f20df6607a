"""HTTP/1.1 for a few pages: h11 finds the requests, a table of pages answers them.

Small on purpose: short requests, few connections, a deadline for every step. h11 is imported at the first connection,
in a thread, since importing it would hold the loop.
"""

import importlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import trio

from broker.transport.contract import ConnectionLost, Listener, Stream
from kproto.values import frozen

log = logging.getLogger("barnabas.web")

CONNECTIONS_AT_ONCE = 64
LARGEST_HEAD_BYTES = 16 * 1024
LARGEST_BODY_BYTES = 64 * 1024
REQUEST_WITHIN_S = 10.0
SEND_WITHIN_S = 10.0
"""For each piece of an answer."""
_READ_BYTES = 16 * 1024
_RETRY_S = 0.1

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@dataclass(slots=True)
class WebRequest:
    """A whole request. Header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    def json(self) -> Any:
        """The body. Raises: Refusal: it is not JSON, or not said to be (which no web page of others may send)."""
        if self.headers.get("content-type", "").partition(";")[0].strip() != JSON:
            raise Refusal(415, f"send Content-Type: {JSON}")
        try:
            return json.loads(self.body or b"{}")
        except ValueError as error:
            raise Refusal(400, f"the body is not JSON: {error}") from None


@frozen
class Answer:
    """A body at once, or in pieces between which others have their turn."""

    body: bytes | AsyncIterator[bytes]
    status: int = 200
    content_type: str = TEXT
    headers: list[tuple[str, str]] = field(default_factory=list)


class Refusal(Exception):
    """A page says no: status and a line for whoever asked."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


Page = Callable[[WebRequest], Awaitable[Answer]]


def json_answer(value: object, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode() + b"\n", status, JSON)


class Responder:
    """Serves pages by `"GET /path"`. HEAD is GET without the body."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self._pages = pages
        self._room = trio.CapacityLimiter(CONNECTIONS_AT_ONCE)

    async def accept_forever(
        self, accepting: Listener, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve whoever comes in there until cancelled; then the socket is closed."""
        try:
            async with trio.open_nursery() as connections:
                task_status.started()
                while True:
                    try:
                        stream = await accepting.accept()
                    except OSError:  # no descriptor is left
                        await trio.sleep(_RETRY_S)
                        continue
                    connections.start_soon(self._serve, stream)
        except* ConnectionLost:
            log.info("the web listener at %s is closed", accepting.address)
        finally:
            accepting.close()

    async def _serve(self, stream: Stream) -> None:
        try:
            self._room.acquire_on_behalf_of_nowait(stream)
        except trio.WouldBlock:
            stream.close()
            return
        try:
            h11 = await trio.to_thread.run_sync(importlib.import_module, "h11")
            await WebConnection(stream, h11, self._answer).run()
        except (ConnectionLost, trio.TooSlowError):
            pass
        finally:
            self._room.release_on_behalf_of(stream)
            stream.close()

    async def _answer(self, request: WebRequest) -> Answer:
        method = "GET" if request.method == "HEAD" else request.method
        page = self._pages.get(f"{method} {request.path}")
        try:
            if page is None:
                known = sorted(where.partition(" ")[0] for where in self._pages if where.endswith(f" {request.path}"))
                raise Refusal(405, f"use {', '.join(known)}") if known else Refusal(404, "there is no such page")
            return await page(request)
        except Refusal as no:
            return Answer(f"{no.reason}\n".encode(), no.status)
        except ConnectionLost:
            raise
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return Answer(b"the page failed; the log of the broker tells more\n", 500)


class WebConnection:
    """One client: request, answer, request, answer, until one of both has enough."""

    def __init__(self, stream: Stream, h11: Any, answer: Page) -> None:
        self._stream = stream
        self._h11 = h11
        self._answer = answer
        self._machine = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD_BYTES)
        self._buffer = bytearray(_READ_BYTES)

    async def run(self) -> None:
        """Raises: ConnectionLost, TooSlowError."""
        h11, machine = self._h11, self._machine
        while True:
            try:
                with trio.fail_after(REQUEST_WITHIN_S):
                    request = await self._next_request()
            except h11.RemoteProtocolError as error:
                await self._refuse(error.error_status_hint, str(error))
                return
            except Refusal as no:
                await self._refuse(no.status, no.reason)
                return
            if request is None:
                return
            await self._send(request, await self._answer(request))
            if machine.our_state is h11.MUST_CLOSE:
                return
            machine.start_next_cycle()

    async def _next_request(self) -> WebRequest | None:
        """None: the client has gone. Raises: RemoteProtocolError, Refusal: the body is too large."""
        h11, request, body = self._h11, None, b""
        while True:
            event = self._machine.next_event()
            if event is h11.NEED_DATA:
                await self._read()
            elif isinstance(event, h11.Request):
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
                path = event.target.decode("latin-1").partition("?")[0]
                request = WebRequest(event.method.decode("latin-1"), path, headers)
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
                if len(body) > LARGEST_BODY_BYTES:
                    raise Refusal(413, f"a body has at most {LARGEST_BODY_BYTES} bytes")
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                request.body = body
                return request
            else:
                return None

    async def _read(self) -> None:
        if self._machine.they_are_waiting_for_100_continue:
            go_on = self._h11.InformationalResponse(status_code=100, headers=[])
            await self._stream.send([self._machine.send(go_on)])
        view = memoryview(self._buffer)
        while (size := self._stream.receive_into(view)) is None:
            await self._stream.wait_readable()
        self._machine.receive_data(bytes(view[:size]))

    async def _send(self, request: WebRequest, answer: Answer) -> None:
        h11, body = self._h11, answer.body
        headers = [("Content-Type", answer.content_type), ("Cache-Control", "no-store"), *answer.headers]
        if isinstance(body, bytes):
            headers.append(("Content-Length", str(len(body))))
        else:
            headers.append(("Transfer-Encoding", "chunked"))
        await self._write(h11.Response(status_code=answer.status, headers=headers))
        if request.method != "HEAD":
            if isinstance(body, bytes):
                await self._write(h11.Data(data=body))
            else:
                async for piece in body:
                    await self._write(h11.Data(data=piece))
        await self._write(h11.EndOfMessage())

    async def _write(self, event: Any) -> None:
        data = self._machine.send(event)
        if data:
            with trio.fail_after(SEND_WITHIN_S):
                await self._stream.send([data])

    async def _refuse(self, status: int, reason: str) -> None:
        """The last answer of a connection that cannot go on."""
        h11 = self._h11
        if self._machine.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answer = Answer(f"{reason}\n".encode(), status, headers=[("Connection", "close")])
            await self._send(WebRequest("GET", "", {}), answer)
