"""A wire between clients and a broker that cuts what passes into small pieces, and resets connections amid a frame."""

import random
import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

RESET = struct.pack("ii", 1, 0)


class RoughWire:
    """As a context manager it takes connections once `connect_to` has said where the broker is.

    Args:
        piece_bytes: what goes towards the broker at once.
        reset_after: a connection ends with a reset, on both sides, after about so many bytes from the client; None
            for never. The handshakes of clients pass.
    """

    def __init__(self, piece_bytes: int, reset_after: int | None = None) -> None:
        self.resets = 0
        self._piece_bytes = piece_bytes
        self._reset_after = reset_after
        self._chance = random.Random(1)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.heal()
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def heal(self) -> None:
        """No more resets."""
        self._reset_after = None

    def connect_to(self, broker_port: int) -> None:
        threading.Thread(target=self._accept, args=(broker_port,), daemon=True).start()

    def _accept(self, broker_port: int) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                broker = socket.create_connection(("127.0.0.1", broker_port))
            except OSError:
                return
            broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [client, broker]
            threading.Thread(target=self._up, args=(client, broker), daemon=True).start()
            threading.Thread(target=self._down, args=(broker, client), daemon=True).start()

    def _up(self, client: socket.socket, broker: socket.socket) -> None:
        passed, limit = 0, self._chance.uniform(0.5, 1.5)
        with suppress(OSError):
            while data := client.recv(65536):
                for start in range(0, len(data), self._piece_bytes):
                    broker.sendall(data[start : start + self._piece_bytes])
                    passed += self._piece_bytes
                    if self._reset_after is not None and passed > self._reset_after * limit:
                        time.sleep(0.01)
                        self._reset(broker, client)
                        return
            broker.shutdown(socket.SHUT_WR)

    def _down(self, broker: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := broker.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)

    def _reset(self, *ends: socket.socket) -> None:
        self.resets += 1
        for end in ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            with suppress(OSError):
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads it; until then nothing is closed
            end.close()
