"""Topics to create at start: `--topics orders:3,events:1:compact`, or KAFKA_CREATE_TOPICS of wurstmeister's image."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from broker.config.problems import OperatorError

TIMEOUT_S = 30.0
CREATE_TOPICS_VERSION = 4
"""The first that leaves partitions and replicas to the broker, the last without tagged fields."""


@dataclass(frozen=True, slots=True)
class StartupTopic:
    """A topic to create. `partitions` and `replicas` are -1 where the broker's default counts."""

    name: str
    partitions: int = -1
    replicas: int = -1
    policy: str | None = None


def parse_topics(text: str) -> list[StartupTopic]:
    """`name[:partitions[:replicas]][:policy]`, comma separated. Raises OperatorError."""
    return [_topic(item.strip()) for item in text.replace("\n", ",").split(",") if item.strip()]


def _topic(item: str) -> StartupTopic:
    name, *rest = (part.strip() for part in item.split(":"))
    numbers = [int(part) for part in rest if part.isdigit()]
    policies = [part for part in rest if not part.isdigit() and part]
    known = policies in ([], ["compact"], ["delete"])
    if not name or len(numbers) > 2 or not known or 0 in numbers:
        raise OperatorError(
            f"The topic {item!r} cannot be created.",
            "It is written name:partitions, name:partitions:replicas, and :compact or :delete at the end.",
            "Write for example orders:3,events:1:compact.",
        )
    partitions, replicas = [*numbers, -1, -1][:2]
    return StartupTopic(name, partitions, replicas, policies[0] if policies else None)


def create_topics(host: str, port: int, topics: Sequence[StartupTopic]) -> None:
    """Ask the broker at an address for the topics; those that exist are left as they are.

    One request over a plain socket: importing a client would cost more than the whole start.
    Raises: OperatorError: a topic was refused, or the broker did not answer.
    """
    from kproto.errors import ErrorCode

    for name, code, message in _answers(host, port, topics):
        if code not in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
            reason = message or ErrorCode(code).name
            raise OperatorError(
                f"The topic {name} was not created.", reason, "Correct --topics or KAFKA_CREATE_TOPICS."
            )


def _answers(host: str, port: int, topics: Sequence[StartupTopic]) -> list[tuple[str, int, str | None]]:
    from kproto.codec import decode
    from kproto.messages.create_topics import CreateTopicsResponse

    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
            connection.sendall(_request(topics))
            stream = connection.makefile("rb")
            answer = stream.read(int.from_bytes(stream.read(4), "big"))
    except OSError as error:
        raise OperatorError("Topics were not created.", f"The broker did not answer: {error}.", "") from None
    body = memoryview(answer)[4:]  # the correlation id: one request, one answer
    response = decode(CreateTopicsResponse, CREATE_TOPICS_VERSION, body)
    return [(topic.name, topic.error_code, topic.error_message) for topic in response.topics]


def _request(topics: Sequence[StartupTopic]) -> bytes:
    """The whole frame: size, header version 1, body."""
    import struct

    from kproto.api_keys import ApiKey
    from kproto.codec import encoded
    from kproto.messages.create_topics import CreatableTopic, CreatableTopicConfig, CreateTopicsRequest

    wanted = [
        CreatableTopic(
            name=topic.name,
            num_partitions=topic.partitions,
            replication_factor=topic.replicas,
            configs=[CreatableTopicConfig(name="cleanup.policy", value=topic.policy)] if topic.policy else [],
        )
        for topic in topics
    ]
    body = encoded(CreateTopicsRequest(topics=wanted, timeout_ms=int(TIMEOUT_S * 1000)), CREATE_TOPICS_VERSION)
    client_id = b"barnabas"
    header = struct.pack(">hhih", ApiKey.CREATE_TOPICS, CREATE_TOPICS_VERSION, 1, len(client_id)) + client_id
    return struct.pack(">i", len(header) + len(body)) + header + body
