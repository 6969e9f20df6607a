"""Clients that people use, over TLS with certificates on both sides."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from compat_tests.broker_process import BrokerProcess
from compat_tests.tls_broker import TlsBroker
from compat_tests.wire import RawClient, framed, header
from kproto.api_keys import ApiKey

COUNT = 200


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


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_client_is_told_the_name_that_it_asked_for(tls_broker: TlsBroker, host: str) -> None:
    """By TLS (SNI), so that the certificate fits the next connection too; who asked for no name is told the address."""
    from confluent_kafka.admin import AdminClient

    admin = AdminClient(
        {
            "bootstrap.servers": f"{host}:{tls_broker.port}",
            "broker.address.family": "v4",
            "security.protocol": "ssl",
            "ssl.ca.location": str(tls_broker.files.truststore),
            "ssl.certificate.location": str(tls_broker.files.client),
            "ssl.key.location": str(tls_broker.files.client),
        }
    )
    (told,) = admin.list_topics(timeout=10).brokers.values()
    assert f"{told.host}:{told.port}" == f"{host}:{tls_broker.port}"


def test_a_client_without_certificate_is_told_so(tls_broker: TlsBroker) -> None:
    context = ssl.create_default_context(cafile=str(tls_broker.files.truststore))
    with pytest.raises(ssl.SSLError, match=r"(?i)certificate required"), tls_broker.connect(context) as client:
        client.recv(1)
    until_logged(tls_broker, "peer did not return a certificate")


@pytest.mark.parametrize("pieces", [1, 5])
def test_bytes_of_kafka_at_a_tls_port_are_closed_without_an_answer(tls_broker: TlsBroker, pieces: int) -> None:
    """Row 9 of our catalogue of bad inputs; whoever speaks TLS is served all the while."""
    frame = framed(header(ApiKey.API_VERSIONS, 0, tags=False))
    with tls_broker.connect() as good, RawClient(tls_broker.port) as bad:
        for at in range(0, len(frame), len(frame) // pieces + 1):
            bad.send(frame[at : at + len(frame) // pieces + 1])
        assert bad.answer() is None
        assert api_versions(good)


def test_a_new_certificate_is_shown_after_sighup_and_open_connections_go_on(tls_broker: TlsBroker) -> None:
    with tls_broker.connect() as before:
        tls_broker.files.renew_broker()
        with tls_broker.connect() as still:
            assert still.getpeercert(binary_form=True) == before.getpeercert(binary_form=True)
        os.kill(tls_broker.pid, signal.SIGHUP)
        shown = until_another_certificate(tls_broker, before.getpeercert(binary_form=True))
        assert shown == certificate_in(tls_broker.files.keystore)
        assert api_versions(before)
    good = tls_broker.files.keystore.read_bytes()
    tls_broker.files.keystore.write_bytes(good[:500])
    os.kill(tls_broker.pid, signal.SIGHUP)
    until_logged(tls_broker, "TLS keys and certificates stay as they were")
    with tls_broker.connect() as client:
        assert client.getpeercert(binary_form=True) == shown
    tls_broker.files.keystore.write_bytes(good)


def test_the_same_path_set_again_reads_the_file_again_and_a_bad_one_is_refused(
    tls_broker: TlsBroker, tmp_path: Path
) -> None:
    """As Kafka does it: kafka-configs with the option's value unchanged (KIP-226)."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource

    files = tls_broker.files
    admin = AdminClient(
        {
            "bootstrap.servers": tls_broker.bootstrap,
            "security.protocol": "ssl",
            "ssl.ca.location": str(files.truststore),
            "ssl.certificate.location": str(files.client),
            "ssl.key.location": str(files.client),
        }
    )

    def set_location(path: Path) -> None:
        name = "listener.name.ssl.ssl.keystore.location"
        entry = ConfigEntry(name, str(path), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.BROKER, "0", incremental_configs=[entry])
        for future in admin.incremental_alter_configs([resource]).values():
            future.result(10)

    set_location(files.keystore)
    with tls_broker.connect() as before:
        files.renew_broker()
        set_location(files.keystore)
        with tls_broker.connect() as after:
            assert after.getpeercert(binary_form=True) == certificate_in(files.keystore)
        bad = tmp_path / "bad.pem"
        bad.write_text("no certificate")
        with pytest.raises(KafkaException, match="has no certificate"):
            set_location(bad)
        with pytest.raises(KafkaException, match="No such file"):
            set_location(tmp_path / "nowhere.pem")
        with tls_broker.connect() as still:
            assert still.getpeercert(binary_form=True) == certificate_in(files.keystore)
        assert api_versions(before)


def test_an_answer_of_a_mebibyte_to_a_slow_reader_comes_whole(tls_broker: TlsBroker, topic: str) -> None:
    """A few KiB at a time, while a second connection is answered at once."""
    from kafka import KafkaProducer

    options = {
        "bootstrap_servers": tls_broker.bootstrap,
        "security_protocol": "SSL",
        "ssl_context": tls_broker.context(),
    }
    producer = KafkaProducer(max_request_size=2_000_000, **options)
    producer.send(topic, bytes(1_000_000)).get(10)
    producer.close()
    with tls_broker.connect() as slow, tls_broker.connect() as fast:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.sendall(fetch_request(topic))
        size = int.from_bytes(slow.recv(4))
        assert size > 1_000_000
        got = 0
        while got < size:
            if got // 100_000 != (got := got + len(slow.recv(8192))) // 100_000:
                assert api_versions(fast)
        assert got == size


@pytest.mark.campaign
def test_handshakes_that_never_end_cost_little_and_keep_nobody_out(tmp_path: Path) -> None:
    """A thousand clients that say nothing, a thousand with half a word, a thousand that stop after their first."""
    broker = TlsBroker(
        tmp_path,
        ssl_client_auth="none",
        barnabas_handshake_timeout_ms="3000",
        socket_listen_backlog_size="1000",
    )
    broker.start()
    hello = first_message(broker.context())
    before = psutil.Process(broker.pid).memory_info().rss
    storm = []
    try:
        for words in (b"", hello[:50], hello):
            storm += [opened(broker, words) for _ in range(1000)]
            began = time.monotonic()
            with broker.connect() as honest:
                assert api_versions(honest)
            assert time.monotonic() - began < 5
        assert psutil.Process(broker.pid).memory_info().rss - before < 64 << 20
        for sock in storm:
            sock.settimeout(5)
            with contextlib.suppress(ConnectionError):
                while sock.recv(65536):
                    pass
    finally:
        for sock in storm:
            sock.close()
        assert broker.stop() == 0
    assert broker.log.read_text().count("the TLS handshake failed") < 200


def first_message(context: ssl.SSLContext) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def opened(broker: BrokerProcess, words: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", broker.port), timeout=5)
    with contextlib.suppress(ConnectionError):
        sock.sendall(words)
    return sock


def fetch_request(topic: str) -> bytes:
    from kproto.connection import ClientConnection
    from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic

    partition = FetchPartition(partition=0, fetch_offset=0, partition_max_bytes=2_000_000)
    request = FetchRequest(max_bytes=2_000_000, topics=[FetchTopic(topic=topic, partitions=[partition])])
    return b"".join(bytes(piece) for piece in ClientConnection("slow").request(request, 11))


def api_versions(client: ssl.SSLSocket) -> bytes:
    """The answer to ApiVersions version 0."""
    client.sendall(bytes.fromhex("0000000d 0012 0000 00000001 0003 746c73".replace(" ", "")))
    size = int.from_bytes(client.recv(4))
    found = b""
    while len(found) < size:
        found += client.recv(size - len(found))
    return found


def certificate_in(file: Path) -> bytes:
    """The first of a PEM file, as DER."""
    text = file.read_text()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(text[text.index(begin) : text.index(end) + len(end)])


def until_another_certificate(broker: TlsBroker, former: bytes | None) -> bytes | None:
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        with broker.connect() as client:
            if (shown := client.getpeercert(binary_form=True)) != former:
                return shown
        time.sleep(0.02)
    return former


def until_logged(broker: BrokerProcess, words: str) -> None:
    ends = time.monotonic() + 5
    while words not in broker.log.read_text():
        assert time.monotonic() < ends, broker.log.read_text()
        time.sleep(0.02)
