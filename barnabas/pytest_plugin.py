"""Fixtures for tests that want a Kafka: `kafka`, one broker for all tests, and `kafka_broker`, one for this test alone.

Found by pytest by itself once Barnabas is installed. Nothing starts before a test asks for it; under pytest-xdist each
worker has a broker of its own.
"""

import re
from collections.abc import Iterator, Mapping
from uuid import uuid4

import pytest

from barnabas.handle import Broker

_NAME_LENGTH = 80


class Kafka:
    """A broker that this test shares with others, and names that it shares with nobody."""

    def __init__(self, broker: Broker, test_name: str) -> None:
        self._broker = broker
        self.prefix = f"{re.sub('[^a-zA-Z0-9._-]', '_', test_name)[:_NAME_LENGTH]}-{uuid4().hex[:8]}-"
        """Of this test's names."""

    @property
    def bootstrap(self) -> str:
        """`localhost:41234`, for `bootstrap_servers`."""
        return self._broker.bootstrap

    def topic(self, name: str = "topic", partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """Make a topic of this test's own; returns its whole name. Raises: TopicRefused."""
        whole = self.prefix + name
        self._broker.create_topic(whole, partitions, config)
        return whole

    def wait_for_group(self, group: str, members: int = 1, *, within_s: float = 10.0) -> None:
        """See `barnabas.Broker.wait_for_group`."""
        self._broker.wait_for_group(group, members, within_s=within_s)

    def wait_for_offset(
        self, topic: str, offset: int, *, partition: int = 0, group: str | None = None, within_s: float = 10.0
    ) -> None:
        """See `barnabas.Broker.wait_for_offset`."""
        self._broker.wait_for_offset(topic, offset, partition=partition, group=group, within_s=within_s)

    def group(self, name: str = "group") -> str:
        """The whole name of a consumer group, or of whatever else must not be shared."""
        return self.prefix + name


@pytest.fixture(scope="session")
def kafka_session_broker() -> Iterator[Broker]:
    """The broker behind `kafka`. Tests that stop it, kill it or count its topics want `kafka_broker` instead."""
    with Broker() as broker:
        yield broker


@pytest.fixture
def kafka(kafka_session_broker: Broker, request: pytest.FixtureRequest) -> Kafka:
    """A broker at `kafka.bootstrap`, shared by all tests; `kafka.topic("orders", partitions=3)` is yours alone."""
    return Kafka(kafka_session_broker, request.node.name)


@pytest.fixture
def kafka_broker() -> Iterator[Broker]:
    """A `barnabas.Broker` for this test alone: stop it, kill it, start it again."""
    with Broker() as broker:
        yield broker
