"""What tests of whole brokers ask again and again: create, produce, fetch, where a log ends."""

from typing import Any

from broker.testing.client import WireClient
from kproto.errors import ErrorCode
from kproto.messages.create_topics import CreatableTopic, CreatableTopicConfig, CreateTopicsRequest
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.records.batch import build_batch, read_records, split
from kproto.records.record import Record

NOW_MS = 1_700_000_000_000
"""What `SetClock` says before it is moved."""


def topic_to_create(name: str, partitions: int = 1, **configs: str) -> CreatableTopic:
    """Configs with underscores for dots."""
    return CreatableTopic(
        name=name,
        num_partitions=partitions,
        replication_factor=1,
        configs=[CreatableTopicConfig(name=key.replace("_", "."), value=value) for key, value in configs.items()],
    )


async def create(client: WireClient, *names: str, **configs: str) -> None:
    """Topics of one partition."""
    request = CreateTopicsRequest(topics=[topic_to_create(name, 1, **configs) for name in names], timeout_ms=30_000)
    answer = await client.ask(request, 5)
    assert [row.error_code for row in answer.topics] == [ErrorCode.NONE] * len(names), answer


def batch_of(*values: str, **of_batch: Any) -> bytes:
    """`of_batch`: what `build_batch` takes."""
    return build_batch([Record(timestamp_ms=NOW_MS, value=value.encode()) for value in values], **of_batch)


def produce_request(topic: str, batch: bytes, *, acks: int = -1, partition: int = 0) -> ProduceRequest:
    """By name: versions up to 12."""
    row = PartitionProduceData(index=partition, records=batch)
    return ProduceRequest(acks=acks, timeout_ms=30_000, topic_data=[TopicProduceData(name=topic, partition_data=[row])])


async def produce(client: WireClient, topic: str, *values: str) -> int:
    """The base offset."""
    answer = await client.ask(produce_request(topic, batch_of(*values)), 9)
    row = answer.responses[0].partition_responses[0]
    assert row.error_code == ErrorCode.NONE, ErrorCode(row.error_code)
    return int(row.base_offset)


def fetch_request(topic: str, offset: int = 0, *, max_wait_ms: int = 0, min_bytes: int = 1) -> FetchRequest:
    """By name: versions up to 12."""
    row = FetchPartition(partition=0, fetch_offset=offset, partition_max_bytes=1 << 20)
    return FetchRequest(
        max_wait_ms=max_wait_ms, min_bytes=min_bytes, topics=[FetchTopic(topic=topic, partitions=[row])]
    )


def values_in(answer: Any) -> list[str]:
    """Of the first partition of a FetchResponse."""
    row = answer.responses[0].partitions[0]
    assert row.error_code == ErrorCode.NONE, ErrorCode(row.error_code)
    batches = split(memoryview(row.records or b""))
    return [(record.value or b"").decode() for _, batch in batches for record in read_records(batch)]


async def fetched(client: WireClient, topic: str, offset: int = 0) -> list[str]:
    """The values in one answer of at most 1 MiB."""
    return values_in(await client.ask(fetch_request(topic, offset), 11))


async def end_offset(client: WireClient, topic: str) -> int:
    row = ListOffsetsPartition(timestamp=-1)
    answer = await client.ask(
        ListOffsetsRequest(replica_id=-2, topics=[ListOffsetsTopic(name=topic, partitions=[row])]), 5
    )
    return int(answer.topics[0].partitions[0].offset)
