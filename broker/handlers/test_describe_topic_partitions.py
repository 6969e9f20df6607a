"""DescribeTopicPartitions: all topics, some, page by page, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from trio.testing import MockClock

from broker.testing.client import WireClient
from broker.testing.running import Running, running
from kproto.errors import ErrorCode
from kproto.messages.create_topics import CreatableTopic, CreateTopicsRequest
from kproto.messages.describe_topic_partitions import Cursor, DescribeTopicPartitionsRequest, TopicRequest
from kproto.messages.metadata import MetadataRequest
from kproto.schema import ZERO_UUID

Page = list[tuple[str, list[int]]]


@pytest.fixture
async def broker(autojump_clock: MockClock) -> AsyncIterator[Running]:
    """Topics a, b and c of 3, 2 and 1 partitions; one answer has at most 4."""
    async with running({"max.request.partition.size.limit": "4"}) as here:
        with here.connect() as client:
            topics = [
                CreatableTopic(name=name, num_partitions=count, replication_factor=1)
                for name, count in (("c", 1), ("a", 3), ("b", 2))
            ]
            answer = await client.ask(CreateTopicsRequest(topics=topics, timeout_ms=10_000), 5)
            assert {row.error_code for row in answer.topics} == {0}
        yield here


async def ask(client: WireClient, *names: str, limit: int = 2000, cursor: tuple[str, int] | None = None) -> Any:
    request = DescribeTopicPartitionsRequest(
        topics=[TopicRequest(name=name) for name in names], response_partition_limit=limit
    )
    if cursor is not None:
        request.cursor = Cursor(topic_name=cursor[0], partition_index=cursor[1])
    return await client.ask(request, 0)


def rows(answer: Any) -> Page:
    return [(topic.name, [row.partition_index for row in topic.partitions]) for topic in answer.topics]


def next_of(answer: Any) -> tuple[str, int] | None:
    cursor = answer.next_cursor
    return None if cursor is None else (cursor.topic_name, cursor.partition_index)


async def test_it_tells_what_metadata_tells(broker: Running) -> None:
    with broker.connect() as client:
        known = {topic.name: topic for topic in (await client.ask(MetadataRequest(topics=None), 13)).topics}
        (topic,) = (await ask(client, "b")).topics
        assert (topic.error_code, topic.topic_id, topic.is_internal) == (0, known["b"].topic_id, False)
        assert topic.topic_authorized_operations > 0
        for row, twin in zip(topic.partitions, known["b"].partitions, strict=True):
            assert (row.leader_id, row.leader_epoch, row.replica_nodes, row.isr_nodes, row.offline_replicas) == (
                twin.leader_id,
                twin.leader_epoch,
                twin.replica_nodes,
                twin.isr_nodes,
                twin.offline_replicas,
            )
            assert (row.error_code, row.eligible_leader_replicas, row.last_known_elr) == (0, [], [])


async def test_topics_come_by_name_and_the_broker_has_a_limit_of_its_own(broker: Running) -> None:
    with broker.connect() as client:
        first = await ask(client)
        assert (rows(first), next_of(first)) == ([("a", [0, 1, 2]), ("b", [0])], ("b", 1))
        second = await ask(client, cursor=("b", 1))
        assert (rows(second), next_of(second)) == ([("b", [1]), ("c", [0])], None)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 0, -5])
async def test_page_after_page_has_every_partition_once(broker: Running, limit: int) -> None:
    """A limit below one is one."""
    with broker.connect() as client:
        found: list[tuple[str, int]] = []
        cursor: tuple[str, int] | None = None
        for _ in range(20):
            answer = await ask(client, "c", "a", "b", limit=limit, cursor=cursor)
            page = [(name, index) for name, indexes in rows(answer) for index in indexes]
            assert len(page) <= max(limit, 1)
            found += page
            cursor = next_of(answer)
            if cursor is None:
                break
        assert found == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1), ("c", 0)]


async def test_names_that_are_not_there_are_told_in_their_place(broker: Running) -> None:
    """And nothing is created."""
    with broker.connect() as client:
        answer = await ask(client, "zz", "c", "no/topic", "c")
        codes = [(topic.name, topic.error_code, topic.topic_id == ZERO_UUID) for topic in answer.topics]
        assert codes == [
            ("c", 0, False),
            ("no/topic", ErrorCode.INVALID_TOPIC_EXCEPTION, True),
            ("zz", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, True),
        ]
        assert len((await client.ask(MetadataRequest(topics=None), 13)).topics) == 3


async def test_a_cursor_behind_the_last_partition_goes_on_with_the_next_topic(broker: Running) -> None:
    with broker.connect() as client:
        answer = await ask(client, cursor=("b", 99))
        assert (rows(answer), next_of(answer)) == ([("b", []), ("c", [0])], None)
        answer = await ask(client, cursor=("bb", 0))
        assert rows(answer) == [("c", [0])]


@pytest.mark.parametrize("cursor", [("b", 0), ("a", -1)])
async def test_a_cursor_that_cannot_be_is_refused(broker: Running, cursor: tuple[str, int]) -> None:
    with broker.connect() as client:
        answer = await ask(client, "a", "c", cursor=cursor)
        assert {topic.error_code for topic in answer.topics} == {ErrorCode.INVALID_REQUEST}
        assert rows(answer) == [("a", []), ("c", [])]
