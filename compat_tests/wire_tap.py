"""Listens in between clients and a broker: which versions they speak, and in which formats records go by.

The broker advertises the tap's port, so every connection of every client passes here. Nothing is changed on the way.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

from kproto.api_keys import ApiKey
from kproto.codec import decode
from kproto.headers import RequestHeader, read_request_header, read_response_header
from kproto.messages.fetch import FetchResponse
from kproto.messages.produce import ProduceRequest
from kproto.records.compression import Codec

Formats = frozenset[tuple[int, Codec]]
"""Of some records: magic and codec."""


Note = Callable[[memoryview, dict[int, RequestHeader]], None]


class Heard(NamedTuple):
    """A request, with the formats of what it brings (Produce), or later of what it got (Fetch)."""

    api: ApiKey
    version: int
    formats: Formats = frozenset()


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


class WireTap:
    """As a context manager it takes connections once `connect_to` has said where the broker is."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.failures: list[Exception] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def connect_to(self, broker_port: int) -> None:
        threading.Thread(target=self._accept, args=(broker_port,), daemon=True).start()

    def _accept(self, broker_port: int) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                broker = socket.create_connection(("127.0.0.1", broker_port))
            except OSError:
                return
            self._sockets += [client, broker]
            asked: dict[int, RequestHeader] = {}
            for way in ((client, broker, asked, self._request), (broker, client, asked, self._answer)):
                threading.Thread(target=self._pass_on, args=way, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, asked: dict[int, RequestHeader], note: Note) -> None:
        with suppress(OSError):
            for frame in frames(source):
                try:
                    note(memoryview(frame), asked)
                except Exception as failure:  # told by the test; the client must not suffer
                    self.failures.append(failure)
                sink.sendall(struct.pack(">i", len(frame)) + frame)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _request(self, frame: memoryview, asked: dict[int, RequestHeader]) -> None:
        header, body = read_request_header(frame)
        formats: Formats = frozenset()
        if header.api_key is ApiKey.PRODUCE:
            request = decode(ProduceRequest, header.api_version, body)
            rows = [row for topic in request.topic_data for row in topic.partition_data]
            formats = formats.union(*(formats_of(row.records) for row in rows))
        if header.api_key is ApiKey.FETCH:
            asked[header.correlation_id] = header
        else:
            self.heard.append(Heard(header.api_key, header.api_version, formats))

    def _answer(self, frame: memoryview, asked: dict[int, RequestHeader]) -> None:
        """Of a Fetch; what brought nothing is not noted."""
        header = asked.pop(int.from_bytes(frame[:4], "big"), None)
        if header is not None:
            _, body = read_response_header(header.api_key, header.api_version, frame)
            answer = decode(FetchResponse, header.api_version, body)
            rows = [row for topic in answer.responses for row in topic.partitions]
            formats: Formats = frozenset().union(*(formats_of(row.records) for row in rows))
            if formats:
                self.heard.append(Heard(header.api_key, header.api_version, formats))


def frames(source: socket.socket) -> Iterator[bytes]:
    """Each without its size, up to the end of the stream."""
    with source.makefile("rb") as stream:
        while len(head := stream.read(4)) == 4:
            yield stream.read(struct.unpack(">i", head)[0])
