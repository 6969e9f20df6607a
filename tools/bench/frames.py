"""The requests that raw loads send: Produce of one record, Fetch, over partitions of one topic."""

from collections.abc import Sequence

from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.records.batch import build_batch
from kproto.records.record import Record
from tools.bench.wire import frame

PRODUCE_VERSION, FETCH_VERSION = 9, 12
VALUE = b"x" * 100


def produce(topic: str, partition: int = 0, *, values: int = 1, value: bytes = VALUE) -> ProduceRequest:
    """One batch of so many records, acks=1."""
    records = [Record(offset, 0, None, value, []) for offset in range(values)]
    data = PartitionProduceData(index=partition, records=build_batch(records))
    return ProduceRequest(acks=1, timeout_ms=30_000, topic_data=[TopicProduceData(name=topic, partition_data=[data])])


def produce_frame(topic: str, partition: int = 0) -> bytes:
    return frame(produce(topic, partition), PRODUCE_VERSION)


def fetch(
    topic: str,
    partitions: Sequence[int] = (0,),
    *,
    offset: int = 0,
    wait_ms: int = 0,
    max_bytes: int = 1 << 20,
    session: tuple[int, int] = (0, -1),
) -> FetchRequest:
    """`session`: id and epoch; without one the whole list is asked for each time. No partitions: nothing changed."""
    rows = [FetchPartition(partition=each, fetch_offset=offset, partition_max_bytes=max_bytes) for each in partitions]
    return FetchRequest(
        max_wait_ms=wait_ms,
        min_bytes=1 if wait_ms else 0,
        max_bytes=max_bytes,
        session_id=session[0],
        session_epoch=session[1],
        topics=[FetchTopic(topic=topic, partitions=rows)] if rows else [],
    )
