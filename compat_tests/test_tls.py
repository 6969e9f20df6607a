"""Clients that people use, over TLS with certificates on both sides."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from compat_tests.broker_process import BrokerProcess
from compat_tests.certificates import Certificates

COUNT = 200


class TlsBroker(BrokerProcess):
    """A broker with one TLS listener, and the files that its clients need."""

    def __init__(self, folder: Path, **options: str) -> None:
        self.files = Certificates.made_in(folder)
        super().__init__(folder, properties={})
        properties = {
            "listeners": f"SSL://127.0.0.1:{self.port}",
            "security.inter.broker.protocol": "SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.files.keystore),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.files.truststore),
            "ssl.client.auth": "required",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "log.dirs": str(self.data),
            **{name.replace("_", "."): text for name, text in options.items()},
        }
        (folder / "server.properties").write_text("".join(f"{name}={text}\n" for name, text in properties.items()))

    def context(self) -> ssl.SSLContext:
        """Of the client alice."""
        context = ssl.create_default_context(cafile=str(self.files.truststore))
        context.load_cert_chain(self.files.client)
        return context

    def connect(self, context: ssl.SSLContext | None = None, name: str = "localhost") -> ssl.SSLSocket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        return (context or self.context()).wrap_socket(sock, server_hostname=name)


@pytest.fixture(scope="module")
def tls_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsBroker]:
    process = TlsBroker(tmp_path_factory.mktemp("tls"))
    process.start()
    yield process
    process.stop()


def test_kafka_python_produces_and_consumes(tls_broker: TlsBroker, topic: str) -> None:
    from kafka import KafkaConsumer, KafkaProducer

    options = {
        "bootstrap_servers": tls_broker.bootstrap,
        "security_protocol": "SSL",
        "ssl_cafile": str(tls_broker.files.truststore),
        "ssl_certfile": str(tls_broker.files.client),
        "ssl_keyfile": str(tls_broker.files.client),
    }
    producer = KafkaProducer(**options)
    for number in range(COUNT):
        producer.send(topic, b"%d" % number)
    producer.send(topic, bytes(900_000)).get(10)
    producer.close()
    consumer = KafkaConsumer(topic, group_id=topic, auto_offset_reset="earliest", consumer_timeout_ms=10_000, **options)
    found = [len(next(consumer).value) for _ in range(COUNT + 1)]
    consumer.close()
    assert sorted(found)[-1] == 900_000
    assert sum(found) == 900_000 + sum(len(str(number)) for number in range(COUNT))


def test_librdkafka_produces_and_consumes(tls_broker: TlsBroker, topic: str) -> None:
    from confluent_kafka import Consumer, Producer

    options = {
        "bootstrap.servers": tls_broker.bootstrap,
        "security.protocol": "ssl",
        "ssl.ca.location": str(tls_broker.files.truststore),
        "ssl.certificate.location": str(tls_broker.files.client),
        "ssl.key.location": str(tls_broker.files.client),
    }
    producer = Producer({**options, "linger.ms": 5})
    for number in range(COUNT):
        producer.produce(topic, b"%d" % number)
    assert producer.flush(10) == 0
    consumer = Consumer({**options, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    found = [message.value() for message in consumer.consume(COUNT, timeout=10)]
    consumer.close()
    assert found == [b"%d" % number for number in range(COUNT)]


def test_aiokafka_produces_and_consumes(tls_broker: TlsBroker, topic: str) -> None:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    async def both() -> list[bytes]:
        options = {
            "bootstrap_servers": tls_broker.bootstrap,
            "security_protocol": "SSL",
            "ssl_context": tls_broker.context(),
        }
        async with AIOKafkaProducer(**options) as producer:
            for number in range(COUNT):
                await producer.send(topic, b"%d" % number)
        async with AIOKafkaConsumer(topic, group_id=topic, auto_offset_reset="earliest", **options) as consumer:
            return [(await consumer.getone()).value for _ in range(COUNT)]

    assert asyncio.run(asyncio.wait_for(both(), 15)) == [b"%d" % number for number in range(COUNT)]
