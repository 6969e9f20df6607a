"""Apache Kafka's own console clients from before batches: what they write is read by today's, and what they read.

Their exit codes prove nothing: most of them end with 0 although all is lost.
"""

from typing import NamedTuple

import pytest
from kafka import KafkaProducer

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import OLD, run_tool
from compat_tests.test_java_tools import python_reads, stored_batches
from kproto.records.compression import Codec

PRODUCER = "kafka.tools.ConsoleProducer"
BY_PARTITION = ("kafka.tools.SimpleConsumerShell", "--broker-list")
NEW_CONSUMER = ("kafka.tools.ConsoleConsumer", "--new-consumer", "--bootstrap-server")
CONSUMER = ("kafka.tools.ConsoleConsumer", "--bootstrap-server")


class Release(NamedTuple):
    """A release's console producer, how it is told to use gzip, and its consumer that wants no ZooKeeper."""

    name: str
    producer: str
    gzip: tuple[str, ...]
    consumer: tuple[str, ...]


GZIP = ("--compression-codec", "gzip")
IN_SHORT = [Release("0.8.2.2", PRODUCER, GZIP, BY_PARTITION)]
OTHERS = [
    Release("0.10.2.2", PRODUCER, GZIP, NEW_CONSUMER),
    Release("0.8.1.1", "kafka.producer.ConsoleProducer", ("--compress",), BY_PARTITION),
    Release("0.9.0.1", PRODUCER, GZIP, NEW_CONSUMER),
    Release("0.11.0.3", PRODUCER, GZIP, CONSUMER),
    Release(OLD, PRODUCER, GZIP, CONSUMER),
]
each_release = pytest.mark.parametrize(
    "release",
    [*IN_SHORT, *(pytest.param(each, marks=pytest.mark.campaign) for each in OTHERS)],
    ids=lambda release: release.name,
)


def write(broker: BrokerProcess, release: Release, topic: str, lines: list[str], *options: str) -> None:
    where = ("--broker-list", broker.bootstrap, "--topic", topic)
    run_tool(release.name, release.producer, *where, *options, stdin="".join(f"{line}\n" for line in lines))


def read(broker: BrokerProcess, release: Release, topic: str, count: int) -> list[str]:
    main_class, *options = release.consumer
    how: tuple[str, ...]
    if release.consumer == BY_PARTITION:
        how = ("--partition", "0", "--offset", "-2", "--no-wait-at-logend", "--max-messages", str(count))
    else:
        how = ("--from-beginning", "--max-messages", str(count), "--timeout-ms", "20000")
    done = run_tool(release.name, main_class, *options, broker.bootstrap, "--topic", topic, *how)
    return [line for line in done.stdout.splitlines() if not line.startswith(("Terminating", "["))]


@each_release
def test_an_old_console_producer_writes_and_its_consumer_reads(
    broker: BrokerProcess, topic: str, release: Release
) -> None:
    """The topic is made by its first question; plain lines, then gzip; all stored in today's format."""
    plain, packed = [f"plain {n}" for n in range(20)], [f"packed {n}" for n in range(20)]
    write(broker, release, topic, plain)
    write(broker, release, topic, packed, *release.gzip)
    assert [value.decode() for _, value, _ in python_reads(broker, topic, 40)] == plain + packed
    assert {(header.magic, header.codec) for header in stored_batches(broker, topic)} == {
        (2, Codec.NONE),
        (2, Codec.GZIP),
    }
    assert read(broker, release, topic, 40) == plain + packed


@each_release
def test_an_old_console_consumer_reads_what_todays_clients_wrote(
    broker: BrokerProcess, topic: str, release: Release
) -> None:
    codecs = ["none", "gzip", "snappy", "lz4"] if release.name != "0.8.1.1" else ["none", "gzip"]
    for codec in codecs:
        compression = None if codec == "none" else codec
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type=compression)
        for n in range(20):
            producer.send(topic, f"{codec} {n}".encode(), headers=[("h", b"x")])
        producer.close()
    expected = [f"{codec} {n}" for codec in codecs for n in range(20)]
    assert read(broker, release, topic, len(expected)) == expected
