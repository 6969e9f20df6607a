"""A clean stop: inside two seconds on the first signal, whatever clients do meanwhile; at once on the second."""

import os
import signal
import threading
import time
from contextlib import suppress

from compat_tests.broker_process import BrokerProcess
from compat_tests.wire import SIZE, RawClient, framed, header
from kproto.api_keys import ApiKey
from kproto.codec import encoded
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.schema import Message

PING = framed(header(ApiKey.API_VERSIONS, 0, tags=False))
WITHIN_S = 2.0


def request(message: Message, version: int) -> bytes:
    assert message.API_KEY is not None
    return framed(header(message.API_KEY, version, tags=False) + encoded(message, version))


class Flood:
    """A client that never pauses: it sends from one thread and reads from another."""

    def __init__(self, port: int) -> None:
        self.client = RawClient(port)
        self.answers = 0
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._send, self._read)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(5)
        self.client.close()

    def _send(self) -> None:
        with suppress(OSError):
            while True:
                self.client.send(PING * 500)

    def _read(self) -> None:
        with suppress(OSError):
            while self.client.answer() is not None:
                self.answers += 1


def seconds_to_stop(broker: BrokerProcess) -> float:
    started = time.monotonic()
    assert broker.stop() == 0
    return time.monotonic() - started


def test_a_flooding_client_does_not_hold_up_a_stop(own_broker: BrokerProcess) -> None:
    flood = Flood(own_broker.port)
    time.sleep(0.3)
    assert seconds_to_stop(own_broker) < WITHIN_S
    flood.join()
    assert flood.answers > 0


def test_clients_that_wait_or_sleep_do_not_hold_up_a_stop(own_broker: BrokerProcess) -> None:
    """One in a long poll of five minutes, one amid a frame, one idle, one that reads no answers."""
    waiting, half, idle, deaf = (RawClient(own_broker.port) for _ in range(4))
    waiting.send(request(MetadataRequest(topics=[MetadataRequestTopic(name="t")]), 4))
    assert waiting.answer() is not None
    topics = [FetchTopic(topic="t", partitions=[FetchPartition(partition_max_bytes=1000)])]
    waiting.send(request(FetchRequest(max_wait_ms=300_000, min_bytes=1, max_bytes=1000, topics=topics), 4))
    half.send(PING[:-1])
    deaf.send_some(PING * 100_000)
    assert waiting.is_open(0.3)
    assert seconds_to_stop(own_broker) < WITHIN_S
    for client in (waiting, half, idle):
        assert client.answer() is None
    for client in (waiting, half, idle, deaf):
        client.close()


def test_a_second_signal_ends_the_broker_at_once(own_broker: BrokerProcess) -> None:
    flood = Flood(own_broker.port)
    time.sleep(0.2)
    started = time.monotonic()
    os.kill(own_broker.pid, signal.SIGTERM)
    os.kill(own_broker.pid, signal.SIGTERM)
    own_broker.stop()
    assert time.monotonic() - started < WITHIN_S
    flood.join()


def test_what_was_asked_before_the_signal_is_answered(own_broker: BrokerProcess) -> None:
    """The request at work ends with its answer, not with a cut-off connection amid it."""
    with RawClient(own_broker.port) as client:
        client.send(PING * 50)
        frames = [client.answer()]
        os.kill(own_broker.pid, signal.SIGTERM)
        while (frame := client.answer()) is not None:
            frames.append(frame)
    assert all(frame is not None and SIZE.unpack_from(frame)[0] == 7 for frame in frames)
    assert len(set(frames)) == 1
    own_broker.stop()
