"""A disk that failed, as clients of every version are told of it."""

import pytest

from broker.testing.calls import batch_of, create, fetch_request, produce, produce_request
from broker.testing.running import running
from kproto.errors import ErrorCode


@pytest.mark.parametrize(
    ("version", "code"),
    [
        *((version, ErrorCode.NOT_LEADER_OR_FOLLOWER) for version in range(4)),
        *((version, ErrorCode.KAFKA_STORAGE_ERROR) for version in range(4, 13)),
    ],
)
async def test_a_producer_is_told_what_it_knows(version: int, code: ErrorCode) -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            (partition,) = [each for each in broker.broker._partitions if each.topic == "t"]
            partition.fail()
            answer = await client.ask(produce_request("t", batch_of("a")), version)
            assert answer.responses[0].partition_responses[0].error_code == code


@pytest.mark.parametrize(
    ("version", "code"),
    [
        *((version, ErrorCode.NOT_LEADER_OR_FOLLOWER) for version in range(6)),
        *((version, ErrorCode.KAFKA_STORAGE_ERROR) for version in range(6, 13)),
    ],
)
async def test_a_consumer_is_told_what_it_knows(version: int, code: ErrorCode) -> None:
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            await produce(client, "t", "a")
            (partition,) = [each for each in broker.broker._partitions if each.topic == "t"]
            partition.fail()
            answer = await client.ask(fetch_request("t"), version)
            assert answer.responses[0].partitions[0].error_code == code
