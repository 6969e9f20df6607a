"""Whole conversations with a broker in a process of its own: its port is all that this one knows of it.

Several connections at once, each with requests of any API and version, some spoiled, cut at any byte and mixed with
one another; some clients read, some do not, some leave amid a frame. Afterwards the log blames nothing on the broker,
its memory is where it was, and it serves a good client.
"""

import contextlib
import select
import shutil
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import barnabas
from kproto.errors import ErrorCode
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.records.batch import build_batch
from kproto.records.record import Record
from kproto.values import frozen
from tools.bench.processes import resident_bytes
from tools.bench.wire import WireClient
from tools.fuzz import requests, wire
from tools.fuzz.requests import OUR_MISTAKE
from tools.fuzz.runner import Target
from tools.fuzz.spoiling import number, some_bytes, spoiled

INPUTS_OF_A_LIFE = 500
"""To one broker; then it must stop cleanly, and a new one with empty directories comes."""
MOST_GROWTH_BYTES = 128 << 20
"""Of one life: ten thousand topics may be asked for, and they are kept."""
ANSWERS_WITHIN_S = 0.005
"""Time for answers before a client that reads leaves; nobody knows how many will come."""
OPTIONS = {
    "num.partitions": "2",
    "offsets.topic.num.partitions": "2",
    "group.initial.rebalance.delay.ms": "0",
    "log.segment.bytes": "20000",
    "file.delete.delay.ms": "1000",
    "socket.request.max.bytes": str(8 << 20),
    "queued.max.request.bytes": str(32 << 20),
}
RESET = struct.pack("ii", 1, 0)


@frozen
class Conversation:
    """`steps`: which connection sends which bytes next. `readers` of them take what they are told."""

    steps: list[tuple[int, bytes]]
    readers: frozenset[int]
    resets: frozenset[int]


def targets(work: Path, alive: ExitStack) -> list[Target]:
    """Args: work: an empty folder for the broker's data. alive: holds the broker."""
    life = Life(work)
    alive.callback(life.end)
    return [Target("sockets", conversation, life.hold, ())]


# --- what is sent


def conversation(chance: Random) -> Conversation:
    streams = [list(pieces(chance, stream(chance))) for _ in range(chance.choice((1, 1, 2, 3)))]
    steps = []
    while any(streams):
        place = chance.choice([place for place, left in enumerate(streams) if left])
        steps.append((place, streams[place].pop(0)))
    readers = frozenset(place for place in range(3) if chance.random() < 0.8)
    resets = frozenset(place for place in range(3) if chance.random() < 0.2)
    return Conversation(steps, readers, resets)


def stream(chance: Random) -> bytes:
    """Requests behind one another; in one of ten something wrong anywhere, sizes and headers included."""
    whole = b"".join(sized(chance, requests.frame(chance)) for _ in range(chance.choice((1, 1, 2, 5))))
    if chance.random() < 0.05:
        whole += wire.frame(chance)
    return spoiled(chance, whole) if chance.random() < 0.1 else whole


def sized(chance: Random, content: bytes) -> bytes:
    """A frame; now and then its size is wrong, or it has something left over."""
    if chance.random() < 0.03:
        return number(chance, 32).to_bytes(4, "big", signed=True) + content
    if chance.random() < 0.03:
        content += some_bytes(chance, 100)
    return len(content).to_bytes(4, "big") + content


def pieces(chance: Random, data: bytes) -> Iterator[bytes]:
    """As the network may cut it: not at all, anywhere, or at every byte."""
    kind = chance.randrange(4)
    if kind == 0:
        yield data
        return
    cuts = range(1, min(len(data), 60)) if kind == 1 else (chance.randrange(len(data) + 1) for _ in range(3))
    start = 0
    for end in [*sorted(cuts), len(data)]:
        if end > start:
            yield data[start:end]
            start = end


# --- and what becomes of it


class Life:
    """A broker, for some hundred conversations; then the next one."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self.broker: barnabas.Broker | None = None
        self._inputs = self._read = self._at_first = 0

    def hold(self, talk: Conversation) -> None:
        """Raises: AssertionError: the broker was hurt, and the next input has a new one."""
        broker = self.broker or self._begin()
        try:
            say(talk, broker.port)
            self._look(broker)
            self._inputs += 1
            if self._inputs >= INPUTS_OF_A_LIFE:
                self.broker = None
                assert broker.stop(30) == 0, f"it did not stop cleanly\n{broker.log}"
        except BaseException:
            self.broker = None
            broker.kill()
            raise

    def end(self) -> None:
        if self.broker is not None:
            self.broker.stop()

    def _begin(self) -> barnabas.Broker:
        shutil.rmtree(self._work, ignore_errors=True)
        self.broker = broker = barnabas.Broker(data=self._work, topics="a:2,good:1", options=OPTIONS).start()
        self._inputs = self._read = 0
        serves(broker.port)
        with WireClient(broker.port) as client:
            client.ask(FindCoordinatorRequest(key="a"), 0)  # the first one makes the topic of group offsets
        self._at_first = resident_bytes(broker.pid)
        return broker

    def _look(self, broker: barnabas.Broker) -> None:
        try:
            serves(broker.port)
        except Exception as error:
            raise AssertionError(f"a good client is not served: {error!r}\n{broker.log[-4000:]}") from error
        said = broker.log
        assert not OUR_MISTAKE.search(said, self._read), f"{said[self._read :]}\nthe broker blames itself"
        self._read = len(said)
        grown = resident_bytes(broker.pid) - self._at_first
        assert grown <= MOST_GROWTH_BYTES, f"the broker grew by {grown >> 20} MiB in {self._inputs} inputs"


def serves(port: int) -> None:
    """A record is stored, and a topic made that others have deleted. Raises: Refused, OSError, AssertionError."""
    row = PartitionProduceData(index=0, records=build_batch([Record(0, 0, b"k", b"v")]))
    question = ProduceRequest(
        acks=-1, timeout_ms=5000, topic_data=[TopicProduceData(name="good", partition_data=[row])]
    )
    with WireClient(port) as client:
        answer = client.ask(question, 8)
        client.ask(MetadataRequest(topics=[MetadataRequestTopic(name="a")], allow_auto_topic_creation=True), 9)
    code = ErrorCode(answer.responses[0].partition_responses[0].error_code)
    assert code is ErrorCode.NONE, f"a good record is refused with {code.name}"


def say(talk: Conversation, port: int) -> None:
    """All of it; the broker may hang up whenever it likes."""
    open_: dict[int, socket.socket] = {}
    with ExitStack() as stack:
        for place, data in talk.steps:
            if place not in open_:
                open_[place] = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
                open_[place].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(ConnectionError):
                open_[place].sendall(data)
        read([sock for place, sock in open_.items() if place in talk.readers])
        for place in talk.resets & open_.keys():
            open_[place].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def read(clients: list[socket.socket]) -> None:
    """Until nothing comes any more for a moment."""
    while clients and (ready := select.select(clients, [], [], ANSWERS_WITHIN_S)[0]):
        for client in ready:
            with contextlib.suppress(ConnectionError):
                if client.recv(1 << 16):
                    continue
            clients.remove(client)
