"""Topics created at start."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from broker.config.problems import OperatorError
from kproto.api_keys import ApiKey
from kproto.codec import decode, encoded
from kproto.errors import ErrorCode
from kproto.headers import read_request_header
from kproto.messages.create_topics import CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse
from tools.startup_topics import StartupTopic, create_topics, parse_topics


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("", []),
        ("orders", [StartupTopic("orders")]),
        ("orders:3,events:1:compact", [StartupTopic("orders", 3), StartupTopic("events", 1, policy="compact")]),
        ("Topic1:1:3, Topic2:1:1:compact\n", [StartupTopic("Topic1", 1, 3), StartupTopic("Topic2", 1, 1, "compact")]),
    ],
)
def test_topics_are_written_as_people_know_it(text: str, topics: list[StartupTopic]) -> None:
    assert parse_topics(text) == topics


@pytest.mark.parametrize("text", [":3", "orders:0", "orders:x", "orders:1:2:3", "orders:1:compact:delete"])
def test_a_topic_that_cannot_be_read_stops_the_start(text: str) -> None:
    with pytest.raises(OperatorError, match="cannot be created"):
        parse_topics(text)


@contextmanager
def broker_that_answers(*codes: ErrorCode) -> Iterator[tuple[int, list[CreateTopicsRequest]]]:
    """One connection, one CreateTopics; the topics get the codes in turn."""
    asked: list[CreateTopicsRequest] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            header, body = read_request_header(memoryview(stream.read(int.from_bytes(stream.read(4), "big"))))
            assert header.api_key is ApiKey.CREATE_TOPICS
            request = decode(CreateTopicsRequest, header.api_version, body)
            asked.append(request)
            rows = [
                CreatableTopicResult(name=topic.name, error_code=code)
                for topic, code in zip(request.topics, codes, strict=True)
            ]
            answer = header.correlation_id.to_bytes(4, "big")
            answer += encoded(CreateTopicsResponse(topics=rows), header.api_version)
            connection.sendall(len(answer).to_bytes(4, "big") + answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        yield listener.getsockname()[1], asked
        server.join()


def test_the_broker_is_asked_once_and_topics_that_exist_are_left_alone() -> None:
    topics = [StartupTopic("orders", 3), StartupTopic("events", policy="compact")]
    with broker_that_answers(ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS) as (port, asked):
        create_topics("127.0.0.1", port, topics)
    orders, events = asked[0].topics
    assert (orders.name, orders.num_partitions, orders.replication_factor, orders.configs) == ("orders", 3, -1, [])
    assert [(config.name, config.value) for config in events.configs] == [("cleanup.policy", "compact")]


def test_a_topic_that_is_refused_is_named() -> None:
    with (
        broker_that_answers(ErrorCode.INVALID_REPLICATION_FACTOR) as (port, _),
        pytest.raises(OperatorError, match="orders was not created") as caught,
    ):
        create_topics("127.0.0.1", port, [StartupTopic("orders", 1, 3)])
    assert caught.value.why == "INVALID_REPLICATION_FACTOR"


def test_a_broker_that_is_gone_is_told() -> None:
    with pytest.raises(OperatorError, match="did not answer"):
        create_topics("127.0.0.1", 1, [StartupTopic("orders")])
