"""Listens in between clients and a broker: which versions they speak, and in which formats records go by.

The broker advertises the tap's port, so every connection of every client passes here. Nothing is changed on the way.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import trio

from kproto.api_keys import ApiKey
from kproto.codec import decode
from kproto.headers import RequestHeader, read_request_header, read_response_header
from kproto.messages.fetch import FetchResponse
from kproto.messages.produce import ProduceRequest
from kproto.records.compression import Codec

Formats = frozenset[tuple[int, Codec]]
"""Of some records: magic and codec."""

TURNS = 10
"""Of the loop, after which a connection that was made has been accepted."""
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)


class Heard(NamedTuple):
    """A request, with the formats of what it brings (Produce), or later of what it got (Fetch)."""

    api: ApiKey
    version: int
    formats: Formats = frozenset()


class WireTap:
    """Clients may connect to its `port` from the beginning; they are served while it runs.

    `failures`: what was not understood; the clients did not notice.
    """

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.failures: list[Exception] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._connections = 0
        self._all_ended = trio.Event()

    async def run(self, broker_port: int) -> None:
        """Until cancelled."""
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(self._socket))
        await trio.serve_listeners(partial(self._between, broker_port), [listener])

    async def silence(self, within_s: float) -> bool:
        """Whether all connections came to their end in that time. The broker closes one when all it asked is done."""
        for _ in range(TURNS):
            await trio.lowlevel.checkpoint()
        with trio.move_on_after(within_s):
            while self._connections:
                await self._all_ended.wait()
        return self._connections == 0

    async def _between(self, broker_port: int, client: trio.SocketStream) -> None:
        self._connections += 1
        self._all_ended = trio.Event()
        try:
            async with client, await trio.open_tcp_stream("127.0.0.1", broker_port) as broker:
                talk = _Talk(self.heard)
                async with trio.open_nursery() as ways:
                    ways.start_soon(self._pass_on, client, broker, talk.request)
                    ways.start_soon(self._pass_on, broker, client, talk.answer)
        except OSError as failure:
            self.failures.append(failure)
        finally:
            self._connections -= 1
            if self._connections == 0:
                self._all_ended.set()

    async def _pass_on(
        self, source: trio.SocketStream, sink: trio.SocketStream, note: Callable[[memoryview], None]
    ) -> None:
        """To the end of that way; the bytes go on once the frames that end in them are noted."""
        received = bytearray()
        with suppress(*_GONE):
            async for some in source:
                received += some
                for frame in whole_frames(received):
                    try:
                        note(memoryview(frame))
                    except Exception as failure:
                        self.failures.append(failure)
                await sink.send_all(some)
        with suppress(*_GONE):
            await sink.send_eof()


class _Talk:
    """What is said on one connection."""

    def __init__(self, heard: list[Heard]) -> None:
        self._heard = heard
        self._fetches: dict[int, RequestHeader] = {}
        """Not answered yet, by correlation id."""

    def request(self, frame: memoryview) -> None:
        header, body = read_request_header(frame)
        formats: Formats = frozenset()
        if header.api_key is ApiKey.PRODUCE:
            request = decode(ProduceRequest, header.api_version, body)
            rows = [row for topic in request.topic_data for row in topic.partition_data]
            formats = formats.union(*(formats_of(row.records) for row in rows))
        if header.api_key is ApiKey.FETCH:
            self._fetches[header.correlation_id] = header
        else:
            self._heard.append(Heard(header.api_key, header.api_version, formats))

    def answer(self, frame: memoryview) -> None:
        """Of a Fetch; what brought nothing is not noted."""
        header = self._fetches.pop(int.from_bytes(frame[:4], "big"), None)
        if header is not None:
            _, body = read_response_header(header.api_key, header.api_version, frame)
            answer = decode(FetchResponse, header.api_version, body)
            rows = [row for topic in answer.responses for row in topic.partitions]
            formats: Formats = frozenset().union(*(formats_of(row.records) for row in rows))
            if formats:
                self._heard.append(Heard(header.api_key, header.api_version, formats))


def whole_frames(received: bytearray) -> Iterator[bytes]:
    """Take the frames that are there, each without its size, out of what was received."""
    while len(received) >= 4 and len(received) >= (end := 4 + int.from_bytes(received[:4], "big")):
        frame = bytes(received[4:end])
        del received[:end]
        yield frame


def formats_of(records: memoryview | None) -> Formats:
    """Of whole messages or batches; the last one may be cut off, as in old answers to Fetch."""
    found = set()
    position = 0
    while records is not None and position + 23 <= len(records):
        magic = records[position + 16]
        attributes = records[position + 22] if magic == 2 else records[position + 17]
        found.add((magic, Codec(attributes & 7)))
        position += 12 + int.from_bytes(records[position + 8 : position + 12], "big")
    return frozenset(found)
