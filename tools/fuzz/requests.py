"""Requests to a whole broker in this process: any API, any version, any values; some are spoiled as well.

Each is answered or its connection closed, without an error of the broker in the log; afterwards the broker serves.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import trio
import trio.testing

from broker.handlers.table import TABLE
from broker.testing.calls import create, produce
from broker.testing.client import WireClient
from broker.testing.groups import find
from broker.testing.running import running
from broker.transport.contract import ConnectionLost
from kproto.api_keys import ApiKey, request_class
from kproto.errors import WireError
from kproto.headers import RequestHeader, request_header_bytes
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.testing.twin import slow_encode
from tools.fuzz.plausible import plausible
from tools.fuzz.runner import Target
from tools.fuzz.spoiling import spoiled
from tools.fuzz.wire import any_message

ROWS = [row for row in TABLE if not row.inter_broker]
BUSY = (ApiKey.PRODUCE, ApiKey.FETCH, ApiKey.METADATA, ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP, ApiKey.OFFSET_COMMIT)
WEIGHTS = [5 if row.key in BUSY else 1 for row in ROWS]
OUR_MISTAKE = re.compile(r"Traceback|an error of the broker|a bug of the broker")
"""In a log."""
REQUESTS = 12
"""To one broker."""
PATIENCE_S = 100
"""Of the jumping clock: who waits longer is left."""


def targets() -> list[Target]:
    return [Target("requests", frames, ask_all, ())]


def frames(chance: Random) -> list[bytes]:
    return [frame(chance) for _ in range(REQUESTS)]


def frame(chance: Random) -> bytes:
    """Without its size."""
    [row] = chance.choices(ROWS, WEIGHTS)
    version = chance.randint(*row.versions)
    body, _ = slow_encode(plausible(chance, any_message(chance, request_class(row.key), version), version), version)
    if chance.random() < 0.2:
        body = spoiled(chance, body, most=2)
    return request_header_bytes(RequestHeader(row.key, version, 7, "fuzz")) + body


class Told(logging.Handler):
    """Errors that the broker blames on itself."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if OUR_MISTAKE.search(text):
            self.errors.append(text)


@contextmanager
def listening() -> Iterator[Told]:
    told, logger, disabled = Told(), logging.getLogger("barnabas"), logging.root.manager.disable
    propagates, logger.propagate = logger.propagate, False
    logging.disable(logging.NOTSET)
    logger.addHandler(told)
    try:
        yield told
    finally:
        logger.removeHandler(told)
        logger.propagate = propagates
        logging.disable(disabled)


def ask_all(made: list[bytes]) -> None:
    with listening() as told:
        trio.run(_ask_all, made, told, clock=trio.testing.MockClock(autojump_threshold=0))


async def _ask_all(made: list[bytes], told: Told) -> None:
    async with running() as broker:
        with broker.connect() as good:
            await create(good, "a")
            await produce(good, "a", "one", "two")
            await find(good, "a")
            for content in made:
                with broker.connect() as bad:
                    await _ask(bad, content)
                assert not told.errors, f"{content!r}\n{told.errors[0]}"
            assert (await good.ask(ApiVersionsRequest(), 0)).error_code == 0


async def _ask(bad: WireClient, content: bytes) -> None:
    """Until there is an answer, whatever it says, or the end."""
    await bad.stream.send([len(content).to_bytes(4, "big") + content])
    with trio.move_on_after(PATIENCE_S):
        try:
            await bad.receive()
        except (EOFError, ConnectionLost, WireError):
            return
