"""Encoding and decoding of two messages by three codecs: ours, kio's, kafka-python's. The same bytes for all."""

import importlib
import io
import timeit
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kproto.codec import decode, encoded
from kproto.messages.fetch import FetchableTopicResponse, FetchResponse, PartitionData
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.schema import Message
from tools.bench.results import Results, Row

OURS, KIO, KAFKA_PYTHON = "kproto", "kio", "kafka-python"
TURNS = 300
US = 1_000_000

Work = Callable[[], object]


def produce_request() -> ProduceRequest:
    data = PartitionProduceData(index=0, records=b"r" * 300)
    return ProduceRequest(acks=-1, timeout_ms=500, topic_data=[TopicProduceData(name="topic", partition_data=[data])])


def fetch_response() -> FetchResponse:
    """Ten topics of ten partitions."""
    return FetchResponse(
        responses=[
            FetchableTopicResponse(
                topic=f"topic-{number}",
                partitions=[
                    PartitionData(
                        partition_index=index,
                        high_watermark=9,
                        last_stable_offset=9,
                        log_start_offset=0,
                        records=b"r" * 100,
                    )
                    for index in range(10)
                ],
            )
            for number in range(10)
        ]
    )


MESSAGES: dict[str, tuple[Callable[[], Message], int]] = {
    "Produce v9, 1 batch": (produce_request, 9),
    "Fetch v12, 10x10 answer": (fetch_response, 12),
}


def works(codec: str, message: Message, version: int) -> tuple[Work, Work]:
    """Decode and encode. Raises: ImportError: that codec is not installed."""
    body, cls = encoded(message, version), type(message)
    if codec == OURS:
        view = memoryview(body)
        return (lambda: decode(cls, version, view)), (lambda: encoded(message, version))
    theirs = _kio(cls, version, body) if codec == KIO else _kafka_python(cls, version, body)
    if theirs[1]() != body:
        raise RuntimeError(f"{codec} writes {cls.__name__} {version} otherwise")
    return theirs


def _kio(cls: type[Message], version: int, body: bytes) -> tuple[Work, Work]:
    serial = importlib.import_module("kio.serial")
    api, kind = ("produce", "request") if cls is ProduceRequest else ("fetch", "response")
    schema = getattr(importlib.import_module(f"kio.schema.{api}.v{version}.{kind}"), cls.__name__)
    read, write = serial.entity_reader(schema), serial.entity_writer(schema)
    entity = read(body, 0)[0]

    def encode() -> bytes:
        out = io.BytesIO()
        write(out, entity)
        return out.getvalue()

    return (lambda: read(body, 0)), encode


def _kafka_python(cls: type[Message], version: int, body: bytes) -> tuple[Work, Work]:
    room = "producer" if cls is ProduceRequest else "consumer"
    theirs: Any = getattr(importlib.import_module(f"kafka.protocol.{room}"), cls.__name__)[version]
    entity = theirs.decode(body)
    return (lambda: theirs.decode(body)), (lambda: bytes(entity.encode()))


def rows(title: str) -> tuple[Row, Row]:
    return Row(f"decode {title}", "µs"), Row(f"encode {title}", "µs")


def measure(
    results: Results, rounds: Iterator[int], turns: int = TURNS, codecs: Sequence[str] = (OURS, KIO, KAFKA_PYTHON)
) -> None:
    """A codec that is not installed is told as skipped."""
    jobs: list[tuple[Row, str, Work]] = []
    for codec in codecs:
        try:
            for title, (make, version) in MESSAGES.items():
                jobs += [
                    (row, codec, work) for row, work in zip(rows(title), works(codec, make(), version), strict=True)
                ]
        except ImportError:
            results.skipped.append((f"codec of {codec}", "it is not installed"))
    for _ in rounds:
        for row, codec, work in jobs:
            results.add(row, codec, timeit.timeit(work, number=turns) / turns * US)
