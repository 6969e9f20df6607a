"""Connections that come and go: silent, idle, half a request, bytes that are no Kafka at all."""

import contextlib
import socket
from collections import deque

from tools.soak.workers import Workers

_IDLE = 40
"""So many stay open at a time; the broker closes them after `connections.max.idle.ms`."""
_HALF_A_REQUEST = b"\0\0\1\0" + b"\0\x12\0\0"
_NO_KAFKA = b"GET / HTTP/1.1\r\nHost: somewhere\r\n\r\n"


def start(workers: Workers, host: str, port: int) -> None:
    idle: deque[socket.socket] = deque()

    def once() -> None:
        for said in (b"", _HALF_A_REQUEST, _NO_KAFKA, workers.chance.randbytes(64)):
            with socket.create_connection((host, port), 5) as stranger, contextlib.suppress(ConnectionError):
                stranger.sendall(said)
        idle.append(socket.create_connection((host, port), 5))
        if len(idle) > _IDLE:
            idle.popleft().close()
        workers.tally.count("connections of strangers", 5)

    def at_end() -> None:
        for each in idle:
            each.close()

    workers.again("strangers", 1, once, at_end)
