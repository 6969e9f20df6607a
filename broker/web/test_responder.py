"""HTTP as clients speak it, well and badly."""

from collections.abc import AsyncIterator

import pytest
import trio

from broker.testing.running import running
from broker.transport.contract import Address
from broker.transport.memory import MemoryListener, MemoryStream
from broker.web.responder import LARGEST_BODY_BYTES, Answer, Refusal, Responder, WebRequest, json_answer


async def hello(request: WebRequest) -> Answer:
    return Answer(b"hello\n")


async def echo(request: WebRequest) -> Answer:
    return json_answer(request.json())


async def in_pieces(request: WebRequest) -> Answer:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"one ", b"two"):
            await trio.lowlevel.checkpoint()
            yield piece

    return Answer(pieces())


async def broken(request: WebRequest) -> Answer:
    raise ZeroDivisionError


async def refused(request: WebRequest) -> Answer:
    raise Refusal(409, "not now")


PAGES = {
    "GET /hello": hello,
    "POST /echo": echo,
    "GET /pieces": in_pieces,
    "GET /broken": broken,
    "GET /refused": refused,
}


@pytest.fixture
async def listener(nursery: trio.Nursery) -> MemoryListener:
    listener = MemoryListener(Address("127.0.0.1", 9644))
    await nursery.start(Responder(PAGES).accept_forever, listener)
    return listener


async def said(stream: MemoryStream, text: str) -> str:
    """All that comes back until the other side closes."""
    await stream.send([text.encode()])
    return await rest_of(stream)


async def rest_of(stream: MemoryStream) -> str:
    answer = b""
    while data := await stream.receive():
        answer += data
    return answer.decode()


def request(line: str, *headers: str, body: str = "") -> str:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: here", *headers, "", body])


CLOSE = "Connection: close"
JSON = "Content-Type: application/json"
LARGE = "x" * (LARGEST_BODY_BYTES + 1)


async def test_a_page_is_answered_and_the_connection_goes_on(listener: MemoryListener) -> None:
    answer = await said(listener.connect(), request("GET /hello") + request("GET /hello?x=1", CLOSE))
    assert answer.count("HTTP/1.1 200") == 2
    assert answer.endswith("\r\n\r\nhello\n")


async def test_a_page_in_pieces_is_chunked_and_whole(listener: MemoryListener) -> None:
    answer = await said(listener.connect(), request("GET /pieces", CLOSE))
    assert "chunked" in answer
    assert answer.endswith("4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n")


async def test_head_has_no_body(listener: MemoryListener) -> None:
    answer = await said(listener.connect(), request("HEAD /hello", CLOSE))
    assert answer.startswith("HTTP/1.1 200")
    assert answer.endswith("\r\n\r\n")


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        (request("GET /nothing", CLOSE), 404, "no such page"),
        (request("POST /hello", "Content-Length: 0", CLOSE), 405, "use GET"),
        (request("GET /broken", CLOSE), 500, "failed"),
        (request("GET /refused", CLOSE), 409, "not now"),
        (request("POST /echo", "Content-Length: 2", CLOSE, body="{}"), 415, "application/json"),
        (
            request("POST /echo", JSON, "Content-Length: 1", CLOSE, body="{"),
            400,
            "not JSON",
        ),
        (
            request("POST /echo", f"Content-Length: {len(LARGE)}", body=LARGE),
            413,
            "",
        ),
        ("GET /hello HTTP/1.1\r\n\r\n", 400, "Host"),
        ("nonsense\r\n\r\n", 400, ""),
        ("GET /hello HTTP/1.1\r\nHost: here\r\nX: " + "y" * 20_000, 431, ""),
        ("\x00\x00\x00\x10\x00\x12\x00\x00 a Kafka client\r\n\r\n", 400, ""),
    ],
)
async def test_what_is_wrong_is_said_and_the_next_client_is_served(
    listener: MemoryListener, text: str, status: int, reason: str
) -> None:
    answer = await said(listener.connect(), text)
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert reason in answer
    assert (await said(listener.connect(), request("GET /hello", CLOSE))).endswith("hello\n")


async def test_a_client_that_says_nothing_is_let_go(
    listener: MemoryListener, autojump_clock: trio.testing.MockClock
) -> None:
    stream = listener.connect()
    await stream.send([b"GET /hello"])
    assert await rest_of(stream) == ""


async def test_a_broker_tells_that_it_lives_and_serves() -> None:
    listener = MemoryListener(Address("127.0.0.1", 9644))

    async with running(change=lambda world: world.web.append(listener)):
        assert (await said(listener.connect(), request("GET /healthz", CLOSE))).endswith("ok\n")
        assert '{"ready": true, "missing": []}' in await said(listener.connect(), request("GET /readyz", CLOSE))
        off = await said(listener.connect(), request("POST /control/reset", "Content-Length: 0", CLOSE))
        assert "HTTP/1.1 403" in off


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[]", "must be a JSON object"),
        ("{}", "topic is missing"),
        ('{"topic": "t", "offset": "5"}', "offset must be a whole number"),
        ('{"topic": 5, "offset": 5}', "topic must be a string"),
        ('{"topic": "t", "offset": true}', "offset must be a whole number"),
        ('{"topik": "t"}', "topik is not known here"),
    ],
)
async def test_a_question_with_a_mistake_is_refused(body: str, reason: str) -> None:
    listener = MemoryListener(Address("127.0.0.1", 9644))

    async with running({"barnabas.control.api": "true"}, change=lambda world: world.web.append(listener)):
        headers = (JSON, f"Content-Length: {len(body)}", CLOSE)
        answer = await said(listener.connect(), request("POST /control/wait-for-offset", *headers, body=body))
    assert answer.startswith("HTTP/1.1 400")
    assert reason in answer
