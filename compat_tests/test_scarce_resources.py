"""A broker that runs out of descriptors or memory: some clients wait or are closed, it lives on and serves the rest."""

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from compat_tests.broker_process import BrokerProcess
from compat_tests.wire import SIZE, RawClient, framed, header
from kproto.api_keys import ApiKey
from kproto.codec import decode, encoded
from kproto.errors import ErrorCode
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.messages.produce import (
    PartitionProduceData,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
)
from kproto.records.batch import build_batch
from kproto.records.record import Record
from kproto.schema import Message

MIB = 1024 * 1024
Start = Callable[[str], BrokerProcess]


@pytest.fixture
def start_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], BrokerProcess]]:
    """Starts a broker under a limit of the shell, `-n 64` or `-v 300000`, that it cannot raise itself."""
    started: list[BrokerProcess] = []

    def start(limit: str) -> BrokerProcess:
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nulimit {limit}\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(python))
        started.append(BrokerProcess(tmp_path).start())
        return started[0]

    yield start
    for broker in started:
        broker.stop()


def request(message: Message, version: int) -> bytes:
    assert message.API_KEY is not None
    return framed(header(message.API_KEY, version, tags=False) + encoded(message, version))


PING = framed(header(ApiKey.API_VERSIONS, 0, tags=False))


def produce_one(client: RawClient, topic: str) -> int:
    """The error code of one record, after its topic was created."""
    client.send(request(MetadataRequest(topics=[MetadataRequestTopic(name=topic)]), 4))
    assert client.answer() is not None
    data = build_batch([Record(0, 1_700_000_000_000, b"k", b"v", [])])
    partition = PartitionProduceData(index=0, records=data)
    topics = [TopicProduceData(name=topic, partition_data=[partition])]
    client.send(request(ProduceRequest(acks=1, timeout_ms=5000, topic_data=topics), 8))
    frame = client.answer()
    assert frame is not None
    response = decode(ProduceResponse, 8, memoryview(frame)[SIZE.size :])
    code: int = response.responses[0].partition_responses[0].error_code
    return code


def test_with_few_descriptors_log_files_still_open_and_clients_wait_their_turn(start_with: Start) -> None:
    """Row 60 of the faults: connections are refused first, half of the descriptors is for files."""
    broker = start_with("-n 64")
    first = RawClient(broker.port)
    crowd = [RawClient(broker.port) for _ in range(50)]
    for client in crowd:
        client.send(PING)
    assert crowd[20].answer() is not None
    assert crowd[-1].is_open(0.3)
    for number in range(3):
        assert produce_one(first, f"scarce-{number}") == ErrorCode.NONE
    for client in crowd[:30]:
        client.close()
    assert crowd[-1].answer() is not None
    for client in (first, *crowd):
        client.close()


def test_descriptors_taken_away_are_waited_for(tmp_path: Path) -> None:
    """The limit sinks while the broker runs: accept fails, pauses, and comes back."""
    broker = BrokerProcess(tmp_path).start()
    try:
        before = resource.prlimit(broker.pid, resource.RLIMIT_NOFILE)
        with RawClient(broker.port) as served:
            served.send(PING)
            assert served.answer() is not None
            resource.prlimit(broker.pid, resource.RLIMIT_NOFILE, (psutil.Process(broker.pid).num_fds(), before[1]))
            with RawClient(broker.port) as waiting:
                waiting.send(PING)
                assert waiting.is_open(0.5)
                served.send(PING)
                assert served.answer() is not None
                resource.prlimit(broker.pid, resource.RLIMIT_NOFILE, before)
                assert waiting.answer() is not None
        told = broker.log.read_text()
        assert told.count("cannot accept") == 1
        assert told.count("accepts again") == 1
    finally:
        broker.stop()


def test_with_little_memory_large_requests_close_and_the_broker_lives(start_with: Start) -> None:
    """Row 61 of the faults."""
    broker = start_with(f"-v {300 * 1024}")
    with RawClient(broker.port) as small:
        clients = [RawClient(broker.port) for _ in range(4)]
        closed = sum(not sends(client, 88 * MIB, small) for client in clients)
        assert closed >= 1
        assert produce_one(small, "little-memory") == ErrorCode.NONE
        for client in clients:
            client.close()
    assert "closed by an error of the broker" in broker.log.read_text()


def sends(client: RawClient, size: int, bystander: RawClient) -> bool:
    """Whether the broker took so many bytes of a frame; the bystander is served all the while."""
    with suppress(BrokenPipeError, ConnectionResetError):
        client.send(SIZE.pack(size + 1))
        for _ in range(0, size, MIB):
            client.send(bytes(MIB))
            bystander.send(PING)
            assert bystander.answer() is not None
        return True
    return False
