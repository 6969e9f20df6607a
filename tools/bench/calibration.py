"""A loop of fixed work, to tell a slower machine from a slower broker.

It does what a small request costs a broker in Python: a message over loopback, a header unpacked, a few objects made.
"""

import socket
import struct
import time

from tools.bench.results import Row

CALIBRATION = Row("calibration loop: CPU of one turn", "CPU µs")
HERE = "this process"
TURNS = 10_000
_HEAD = struct.Struct(">ihhiqqi")
_MESSAGE = _HEAD.pack(300, 0, 9, 1, 2, 3, 4).ljust(300, b"x")


def turn_us(turns: int = TURNS) -> float:
    """CPU time of one turn, of this process alone."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as near:
        far, _ = listener.accept()
        with far:
            began = time.process_time()
            for _ in range(turns):
                _turn(near, far)
            return (time.process_time() - began) / turns * 1e6


def _turn(near: socket.socket, far: socket.socket) -> None:
    near.send(_MESSAGE)
    received = memoryview(far.recv(4096))
    fields = _HEAD.unpack_from(received)
    rows = [{"index": each, "parts": (each, str(each)), "body": received[_HEAD.size :]} for each in fields]
    far.send(_HEAD.pack(*(row["index"] for row in rows)))
    near.recv(4096)
