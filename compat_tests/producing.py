"""The same lines into a topic by either client, idempotent and with acks=all; a broker that is killed meanwhile."""

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

from compat_tests.broker_process import BrokerProcess
from compat_tests.real_text import Line

Gate = Callable[[int], None]
UP_S = 1.0
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def produce(client: str, bootstrap: str, topic: str, lines: list[Line], codec: str, gate: Gate = lambda n: None) -> int:
    """Send every line and wait for its ack. Args: gate: called before the n-th line is sent.

    Returns: how many were acknowledged. Raises: AssertionError with the first error of a line that was not.
    """
    way = {"kafka-python": _by_kafka_python, "confluent-kafka": _by_confluent_kafka}[client]
    acked, errors = way(bootstrap, topic, lines, codec, gate)
    assert not errors, f"{len(errors)} of {len(lines)} lines were refused: {errors[0]}"
    return acked


def _by_kafka_python(
    bootstrap: str, topic: str, lines: list[Line], codec: str, gate: Gate
) -> tuple[int, list[BaseException]]:
    from kafka import KafkaProducer

    compression = None if codec == "none" else codec
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, compression_type=compression, linger_ms=5
    )
    sent = []
    for n, (key, value) in enumerate(lines):
        gate(n)
        sent.append(producer.send(topic, key=key, value=value))
    producer.flush()
    producer.close()
    errors = [future.exception for future in sent if not future.succeeded()]
    return len(sent) - len(errors), errors


def _by_confluent_kafka(
    bootstrap: str, topic: str, lines: list[Line], codec: str, gate: Gate
) -> tuple[int, list[BaseException]]:
    from confluent_kafka import KafkaException, Producer

    acked = 0
    errors: list[BaseException] = []

    def note(error: Any, message: Any) -> None:
        nonlocal acked
        acked += error is None
        if error is not None:
            errors.append(KafkaException(error))

    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "compression.codec": codec,
            "linger.ms": 5,
            "reconnect.backoff.max.ms": 1000,
        }
    )
    for n, (key, value) in enumerate(lines):
        gate(n)
        while True:
            try:
                producer.produce(topic, key=key, value=value, on_delivery=note)
                break
            except BufferError:
                producer.poll(0.05)
        producer.poll(0)
    assert producer.flush(120) == 0
    return acked, errors


class Killer:
    """A gate that kills the broker with SIGKILL so many times, evenly over the lines, and starts it again at once.

    Lines queue up meanwhile, up to the next kill. That one comes when the broker has been back for a second: a client
    that is to stay in its group must get a heartbeat through.
    """

    def __init__(self, broker: BrokerProcess, lines: int, kills: int) -> None:
        self.ready_s: list[float] = []
        self._broker = broker
        self._kill_at = {lines * (n + 1) // (kills + 1) for n in range(kills)}
        self._restart: Thread | None = None
        self._failure: AssertionError | None = None

    def after(self, earlier: int, n: int) -> None:
        """A gate for the second of several topics: `earlier` lines were sent to others."""
        self.at(earlier + n)

    def at(self, n: int) -> None:
        """The n-th line is about to be sent."""
        if n in self._kill_at:
            self.wait()
            self._restart = Thread(target=self._kill_and_start)
            self._restart.start()

    def wait(self) -> None:
        """Until the broker is there again, and was for a second. Raises: AssertionError if it did not start."""
        if self._restart is not None:
            self._restart.join()
        if self._failure is not None:
            raise self._failure

    def _kill_and_start(self) -> None:
        self._broker.kill()
        began = time.monotonic()
        try:
            self._broker.start()
        except AssertionError as failure:
            self._failure = failure
            return
        self.ready_s.append(time.monotonic() - began)
        time.sleep(UP_S)
