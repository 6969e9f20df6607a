"""One question put to a broker over a socket, in whatever version: for what no client of today still sends."""

import socket

from kproto.connection import ClientConnection
from kproto.schema import Message


def ask(port: int, question: Message, version: int) -> Message:
    """The answer. Raises: EOFError: the broker hung up; TimeoutError: it says nothing."""
    end = ClientConnection("asking")
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"".join(bytes(piece) for piece in end.request(question, version)))
        while (answer := end.next_answer(memoryview(bytes(received)), 0, len(received))) is None:
            some = connection.recv(65536)
            if not some:
                raise EOFError("the broker hung up")
            received += some
    return answer.message
