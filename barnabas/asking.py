"""One question to a broker over a plain socket: importing a client would cost more than a broker's whole start."""

import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import field

from kproto.api_keys import ApiKey
from kproto.codec import decode, encoded
from kproto.errors import ErrorCode
from kproto.messages.create_topics import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
    CreateTopicsResponse,
)
from kproto.values import frozen

TIMEOUT_S = 30.0
_CREATE_TOPICS_VERSION = 4
"""The first that leaves partitions and replicas to the broker, the last without tagged fields."""
_CLIENT_ID = b"barnabas"


@frozen
class NewTopic:
    """A topic to create. `partitions` and `replicas` are -1 where the broker's default counts."""

    name: str
    partitions: int = -1
    replicas: int = -1
    config: Mapping[str, str] = field(default_factory=dict)


@frozen
class Refused:
    """What became of one topic that was not created."""

    name: str
    error: ErrorCode
    message: str


def create_topics(host: str, port: int, topics: Sequence[NewTopic]) -> list[Refused]:
    """Ask for topics; returns those that were not made.

    Raises: OSError: nobody answers there.
    Source: CreateTopics.
    """
    wanted = [
        CreatableTopic(
            name=topic.name,
            num_partitions=topic.partitions,
            replication_factor=topic.replicas,
            configs=[CreatableTopicConfig(name=name, value=value) for name, value in topic.config.items()],
        )
        for topic in topics
    ]
    request = CreateTopicsRequest(topics=wanted, timeout_ms=int(TIMEOUT_S * 1000))
    answer = _answer(host, port, _frame(encoded(request, _CREATE_TOPICS_VERSION)))
    response = decode(CreateTopicsResponse, _CREATE_TOPICS_VERSION, answer)
    return [
        Refused(topic.name, ErrorCode(topic.error_code), topic.error_message or ErrorCode(topic.error_code).name)
        for topic in response.topics
        if topic.error_code != ErrorCode.NONE
    ]


def _frame(body: bytes) -> bytes:
    """Size, header version 1, body."""
    header = struct.pack(">hhih", ApiKey.CREATE_TOPICS, _CREATE_TOPICS_VERSION, 1, len(_CLIENT_ID)) + _CLIENT_ID
    return struct.pack(">i", len(header) + len(body)) + header + body


def _answer(host: str, port: int, frame: bytes) -> memoryview:
    with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
        connection.sendall(frame)
        stream = connection.makefile("rb")
        size = stream.read(4)
        answer = stream.read(int.from_bytes(size, "big"))
    if len(size) < 4 or len(answer) < int.from_bytes(size, "big"):
        raise ConnectionError("the connection was closed before the answer")
    return memoryview(answer)[4:]  # the correlation id: one request, one answer
