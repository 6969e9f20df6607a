"""`python -m tools.soak.probe HOST PORT TOPIC`: round trips as seen by a client with nothing else to do.

Ten times a second an ApiVersions request, which needs only the broker's loop, and a Produce of one record with acks=-1.
A line of JSON every ten seconds: both in ms. It ends when its stdin does.
"""

import json
import select
import socket
import sys
import time

from kproto.connection import ClientConnection
from kproto.errors import ErrorCode
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.records.batch import build_batch
from kproto.records.record import Record
from kproto.schema import Message

EVERY_S = 0.1
WINDOW_S = 10.0
_TIMEOUT_S = 30


class Probe:
    """One connection, one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), _TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = ClientConnection("soak-probe")

    def round_trip_ms(self, request: Message, version: int) -> tuple[Message, float]:
        pieces = b"".join(bytes(piece) for piece in self._connection.request(request, version))
        begun = time.perf_counter()
        self._socket.sendall(pieces)
        data = bytearray()
        while (answer := self._connection.next_answer(memoryview(bytes(data)), 0, len(data))) is None:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the broker hung up")
            data += more
        return answer.message, (time.perf_counter() - begun) * 1000


def produce_request(topic: str) -> ProduceRequest:
    batch = build_batch([Record(0, int(time.time() * 1000), None, b"p" * 100)])
    partition = PartitionProduceData(index=0, records=batch)
    return ProduceRequest(
        acks=-1, timeout_ms=_TIMEOUT_S * 1000, topic_data=[TopicProduceData(name=topic, partition_data=[partition])]
    )


def main(host: str, port: int, topic: str) -> None:
    probe = Probe(host, port)
    loop: list[float] = []
    produce: list[float] = []
    window_ends = time.monotonic() + WINDOW_S
    while not select.select([sys.stdin], [], [], EVERY_S)[0]:
        loop.append(round(probe.round_trip_ms(ApiVersionsRequest(), 0)[1], 3))
        answer, took_ms = probe.round_trip_ms(produce_request(topic), 9)
        code = answer.responses[0].partition_responses[0].error_code  # type: ignore[attr-defined]
        assert code == ErrorCode.NONE, f"the probe was refused with {ErrorCode(code).name}"
        produce.append(round(took_ms, 3))
        if time.monotonic() > window_ends:
            print(json.dumps({"loop_ms": loop, "produce_ms": produce}), flush=True)
            loop, produce, window_ends = [], [], time.monotonic() + WINDOW_S


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
