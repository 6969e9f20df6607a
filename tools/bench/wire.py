"""One raw connection to any broker: typed messages by kproto, and ready frames for loads."""

import socket
import struct
import time
from types import TracebackType
from typing import Any, Self

from kproto.connection import ClientConnection
from kproto.errors import ErrorCode
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.messages.create_topics import CreatableTopic, CreateTopicsRequest
from kproto.messages.delete_topics import DeleteTopicsRequest
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.schema import Message

ANSWER_WITHIN_S = 60
_EARLY = (
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode.LEADER_NOT_AVAILABLE,
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.NOT_CONTROLLER,
)
"""Of a topic, or a broker, that is just being made."""


class Refused(Exception):
    """A broker said no, or nothing; the text tells to what."""


class WireClient:
    """Asks and waits, one question after the other."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.sock = connected(host, port)
        self._end = ClientConnection("barnabas-bench")
        self._received = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.sock.close()

    def ask(self, question: Message, version: int) -> Any:
        """The answer. Raises: Refused: the broker hung up; TimeoutError."""
        self.send(question, version)
        return self.answer()

    def send(self, question: Message, version: int) -> None:
        self.sock.sendall(joined(self._end.request(question, version)))

    def answer(self) -> Any:
        """The next one. Raises: as `ask`."""
        while (found := self.answer_at_hand()) is None:
            self.receive()
        return found

    def receive(self) -> None:
        """Wait for some bytes. Raises: as `ask`."""
        some = self.sock.recv(1 << 20)
        if not some:
            raise Refused("the broker hung up")
        self._received += some

    def answer_at_hand(self) -> Any:
        """The next answer if all of it has come, else None."""
        found = self._end.next_answer(memoryview(bytes(self._received)), 0, len(self._received))
        if found is None:
            return None
        del self._received[: found.size]
        return found.message

    def create(self, topic: str, partitions: int = 1) -> None:
        """And wait until it has leaders."""
        deadline = time.monotonic() + ANSWER_WITHIN_S
        wanted = CreatableTopic(name=topic, num_partitions=partitions, replication_factor=1)
        while (error := self._create(wanted)) in _EARLY and time.monotonic() < deadline:
            time.sleep(0.05)
        if error:
            raise Refused(f"topic {topic}: error {error}")
        while not self._has_leaders(topic, partitions):
            if time.monotonic() > deadline:
                raise Refused(f"topic {topic} has no leaders")
            time.sleep(0.01)

    def _create(self, wanted: CreatableTopic) -> int:
        """The error code."""
        [row] = self.ask(CreateTopicsRequest(topics=[wanted], timeout_ms=30_000), 5).topics
        return int(row.error_code)

    def _has_leaders(self, topic: str, partitions: int) -> bool:
        asked = MetadataRequest(topics=[MetadataRequestTopic(name=topic)], allow_auto_topic_creation=False)
        [row] = self.ask(asked, 9).topics
        led = [each for each in row.partitions if each.error_code == 0 and each.leader_id >= 0]
        return row.error_code == 0 and len(led) == partitions and self.end_offset(topic, patient=True) is not None

    def delete(self, topic: str) -> None:
        [row] = self.ask(DeleteTopicsRequest(topic_names=[topic], timeout_ms=30_000), 4).responses
        if row.error_code:
            raise Refused(f"deletion of topic {topic}: error {row.error_code}")

    def end_offset(self, topic: str, *, patient: bool = False) -> int | None:
        """Where partition 0 ends. None: not served yet, and the caller is patient."""
        row = ListOffsetsPartition(partition_index=0, timestamp=-1)
        asked = ListOffsetsRequest(replica_id=-1, topics=[ListOffsetsTopic(name=topic, partitions=[row])])
        found = self.ask(asked, 5).topics[0].partitions[0]
        if found.error_code in _EARLY and patient:
            return None
        if found.error_code:
            raise Refused(f"end of topic {topic}: error {found.error_code}")
        return int(found.offset)


def connected(host: str, port: int) -> socket.socket:
    """A socket that blocks, for a minute at most: Python's own timeout would give up `MSG_WAITALL`."""
    sock = socket.create_connection((host, port), timeout=ANSWER_WITHIN_S)
    sock.settimeout(None)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", ANSWER_WITHIN_S, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def frame(question: Message, version: int) -> bytes:
    """A request ready to be sent again and again; its correlation id stays."""
    return joined(ClientConnection("barnabas-bench").request(question, version))


def joined(pieces: list[Any]) -> bytes:
    return b"".join(bytes(piece) for piece in pieces)


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a broker tells what it serves."""
    try:
        with WireClient(port, host) as client:
            client.ask(ApiVersionsRequest(), 0)
    except (OSError, Refused):
        return False
    return True
