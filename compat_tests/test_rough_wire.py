"""Unmodified clients over a wire that delivers a byte at a time, or resets connections amid their frames.

Rows 34 and 35 of the fault catalogue. What was acknowledged is there once, and nothing half.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from compat_tests.broker_process import BrokerProcess
from compat_tests.rough_wire import RoughWire
from compat_tests.test_kafka_python import produce_lines, read_lines


@contextmanager
def broker_behind(wire: RoughWire, folder: Path) -> Iterator[BrokerProcess]:
    """Clients are told the port of the wire."""
    properties = {
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{wire.port}",
        "barnabas.http.listener": "",
        "offsets.topic.replication.factor": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
    process = BrokerProcess(folder, properties=properties).start()
    wire.connect_to(process.port)
    process.port = wire.port
    try:
        yield process
    finally:
        process.stop()


@pytest.mark.campaign
def test_a_byte_at_a_time(tmp_path: Path) -> None:
    with RoughWire(1) as wire, broker_behind(wire, tmp_path) as broker:
        produce_lines(broker, "sliced", 200, compression_type="gzip")
        produce_lines(broker, "sliced", 50, first=200)
        assert read_lines(broker, "sliced", 250, group_id="g") == [f"line {n}" for n in range(250)]


@pytest.mark.campaign
def test_resets_amid_frames_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """An idempotent producer tries again; the broker knows what it has."""
    from confluent_kafka import Producer

    acked: list[bytes] = []

    def note(error: Any, message: Any) -> None:
        if error is None:
            acked.append(bytes(message.value()))

    with RoughWire(1000, reset_after=20_000) as wire, broker_behind(wire, tmp_path) as broker:
        options = {"bootstrap.servers": broker.bootstrap, "enable.idempotence": True, "batch.num.messages": 20}
        producer = Producer({**options, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 50})
        sent = [f"{number:05} {'x' * 200}".encode() for number in range(3_000)]
        for value in sent:
            producer.produce("reset", value, on_delivery=note)
            producer.poll(0)
        assert producer.flush(60) == 0
        wire.heal()
        assert wire.resets >= 10, wire.resets
        assert acked == sent
        assert read_lines(broker, "reset", len(sent)) == [value.decode() for value in sent]
        print(f"\n{wire.resets} resets, {len(acked)} acknowledged, each there once")
        assert "closed by an error of the broker" not in broker.log.read_text()
