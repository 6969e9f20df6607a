"""What the tests of questions that no broker may take as they are have in common."""

from typing import Any
from uuid import UUID

import pytest

from broker.handlers.table import TABLE
from broker.testing.questions import codes_in
from compat_tests.bad_batches import sound
from compat_tests.typed_client import TypedClient
from kproto.api_keys import ApiKey
from kproto.errors import ErrorCode
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData

INT32_MAX = 2**31 - 1


def versions(key: ApiKey, since: int = 0, until: int = 99) -> pytest.MarkDecorator:
    """Those served, from one to another."""
    lowest, highest = next(row.versions for row in TABLE if row.key is key)
    return pytest.mark.parametrize("version", range(max(lowest, since), min(highest, until) + 1))


def failures(answer: Any) -> set[ErrorCode]:
    return set(codes(answer)) - {ErrorCode.NONE}


def codes(answer: Any) -> list[ErrorCode]:
    return [ErrorCode(code) for code in codes_in(answer)]


def aged_topic(client: TypedClient) -> tuple[UUID, int]:
    """The topic `aged` of three records, which is made: its id, and its leader epoch."""
    client.create("aged")
    row = PartitionProduceData(records=sound(3))
    produced = ProduceRequest(acks=-1, timeout_ms=10_000, topic_data=[TopicProduceData(name="aged")])
    produced.topic_data[0].partition_data.append(row)
    assert codes(client.ask(produced, 9)) == [0]
    answer = client.ask(MetadataRequest(topics=[MetadataRequestTopic(name="aged")]), 12)
    return answer.topics[0].topic_id, answer.topics[0].partitions[0].leader_epoch
