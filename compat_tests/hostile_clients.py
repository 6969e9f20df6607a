"""Many bad clients in one process: `python -m compat_tests.hostile_clients PORT COUNT KIND…`.

Each has a connection of its own, sends at most 64 KiB and keeps the connection for as long as it may. A line of JSON on
stdout once all have connected and sent what they wanted; another one, when stdin ends, says how many are still there.
"""

import json
import random
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator

from compat_tests.wire import SIZE, framed, header
from kproto.api_keys import ApiKey
from kproto.codec import encoded
from kproto.messages.metadata import MetadataRequest

MOST_BYTES = 64 * 1024
PING = framed(header(ApiKey.API_VERSIONS, 0, tags=False))
AT_ONCE = 100
"""Connects under way: more would overflow a backlog, and the kernel would make us wait."""


def silent(chance: random.Random) -> list[bytes]:
    return []


def half_a_size(chance: random.Random) -> list[bytes]:
    return [b"\0\0"]


def huge_frame(chance: random.Random) -> list[bytes]:
    """Announces 90 MiB."""
    return [SIZE.pack(90 << 20) + bytes(1000)]


def frame_without_end(chance: random.Random) -> list[bytes]:
    """All of 64 KiB, of a frame of twice that."""
    return [SIZE.pack(2 * MOST_BYTES) + bytes(MOST_BYTES - SIZE.size)]


def byte_by_byte(chance: random.Random) -> list[bytes]:
    return [bytes([byte]) for byte in PING * 3]


def deaf(chance: random.Random) -> list[bytes]:
    """Asks and never reads."""
    return [PING * 200]


def huge_count(chance: random.Random) -> list[bytes]:
    head = header(ApiKey.METADATA, chance.randrange(9), tags=False)
    return [framed(head + struct.pack(">i", 2**31 - 1) + bytes(100))]


def noise(chance: random.Random) -> list[bytes]:
    return [chance.randbytes(chance.randrange(1, 2000))]


def spoiled_requests(chance: random.Random) -> list[bytes]:
    """A frame whose size is right, and whose body is not."""
    body = bytearray(encoded(MetadataRequest(), 9) + bytes(20))
    for _ in range(3):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return [framed(header(ApiKey.METADATA, 9, tags=True) + bytes(body))] * 5


def other_protocols(chance: random.Random) -> list[bytes]:
    return [chance.choice((b"GET / HTTP/1.1\r\n\r\n", bytes.fromhex("16030100c8010000c40303") + bytes(193)))]


KINDS: dict[str, Callable[[random.Random], list[bytes]]] = {
    each.__name__: each
    for each in (
        silent,
        half_a_size,
        huge_frame,
        frame_without_end,
        byte_by_byte,
        deaf,
        huge_count,
        noise,
        spoiled_requests,
        other_protocols,
    )
}


class Crowd:
    """All clients of this process."""

    def __init__(self, port: int, kinds: list[str]) -> None:
        self.sent_bytes = 0
        self._port = port
        self._kinds = kinds
        self._chance = random.Random(port)
        self._ready = selectors.DefaultSelector()
        self._open: dict[socket.socket, Iterator[bytes]] = {}

    def come(self, count: int) -> None:
        for number in range(count):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", self._port))
            sock.setblocking(False)
            pieces = KINDS[self._kinds[number % len(self._kinds)]](self._chance)
            self._open[sock] = iter(pieces)
            self._ready.register(sock, selectors.EVENT_READ)
            if number % AT_ONCE == 0:
                self.go_on()

    def go_on(self) -> bool:
        """One piece of each that has more to send; whether there was any."""
        more = False
        for sock, pieces in list(self._open.items()):
            piece = next(pieces, None)
            if piece is None:
                continue
            more = True
            try:
                self.sent_bytes += sock.send(piece)
            except BlockingIOError:
                continue
            except OSError:
                self._gone(sock)
        return more

    def still_open(self) -> int:
        """How many the broker has not closed. What deaf clients were sent stays unread."""
        for key, _ in self._ready.select(0):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            try:
                ended = not sock.recv(1, socket.MSG_PEEK)
            except OSError:
                ended = True
            if ended:
                self._gone(sock)
        return len(self._open)

    def _gone(self, sock: socket.socket) -> None:
        self._ready.unregister(sock)
        self._open.pop(sock)
        sock.close()


def main() -> None:
    port, count, *kinds = sys.argv[1:]
    crowd = Crowd(int(port), kinds or list(KINDS))
    began = time.monotonic()
    crowd.come(int(count))
    while crowd.go_on():
        time.sleep(0.02)
    print(json.dumps({"sent_bytes": crowd.sent_bytes, "took_s": time.monotonic() - began}), flush=True)
    sys.stdin.read()
    print(json.dumps({"open": crowd.still_open()}), flush=True)


if __name__ == "__main__":
    main()
