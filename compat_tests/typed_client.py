"""A client of messages over a real socket, in any version; it tells an answer from a closed connection."""

import socket
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from kproto.connection import ClientConnection
from kproto.messages.create_topics import CreatableTopic, CreatableTopicConfig, CreateTopicsRequest
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.schema import Message


class Closed(Exception):
    """The broker hung up instead of answering."""


class TypedClient:
    """One connection; answers come in the order of the questions."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._sock = socket.create_connection((host, port), timeout=20)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._end = ClientConnection("typed")
        self._received = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._sock.close()

    def ask(self, question: Message, version: int) -> Any:
        """The answer. Raises: Closed."""
        self.send(question, version)
        return self.answer()

    def send(self, question: Message, version: int, *, answered: bool = True) -> None:
        pieces = self._end.request(question, version, answered=answered)
        self._sock.sendall(b"".join(bytes(piece) for piece in pieces))

    def answer(self, within_s: float = 20) -> Any:
        """The next answer. Raises: Closed; TimeoutError: neither an answer nor the end came in time."""
        self._sock.settimeout(within_s)
        while (found := self._end.next_answer(memoryview(bytes(self._received)), 0, len(self._received))) is None:
            try:
                some = self._sock.recv(1 << 20)
            except ConnectionResetError:
                raise Closed from None
            if not some:
                raise Closed
            self._received += some
        del self._received[: found.size]
        return found.message

    # --- what tests ask on the way ---

    def create(self, name: str, partitions: int = 1, **configs: str) -> UUID:
        """A topic; configs with underscores for dots. Its id."""
        texts = [CreatableTopicConfig(name=key.replace("_", "."), value=text) for key, text in configs.items()]
        wanted = CreatableTopic(name=name, num_partitions=partitions, replication_factor=1, configs=texts)
        [row] = self.ask(CreateTopicsRequest(topics=[wanted], timeout_ms=10_000), 7).topics
        assert row.error_code == 0, row
        found: UUID = row.topic_id
        return found

    def topic_id(self, name: str) -> UUID:
        asked = MetadataRequest(topics=[MetadataRequestTopic(name=name)], allow_auto_topic_creation=False)
        [row] = self.ask(asked, 12).topics
        assert row.error_code == 0, row
        found: UUID = row.topic_id
        return found

    def end_offset(self, name: str, partition: int = 0) -> int:
        """Where the log ends, seen or not yet; what is not there ends at -1."""
        row = ListOffsetsPartition(partition_index=partition, timestamp=-1)
        asked = ListOffsetsRequest(replica_id=-2, topics=[ListOffsetsTopic(name=name, partitions=[row])])
        return int(self.ask(asked, 5).topics[0].partitions[0].offset)
