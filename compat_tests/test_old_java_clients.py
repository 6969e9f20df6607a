"""Console clients of Kafka 0.8.2, from before batches: what they write is read by today's clients, and what they read.

Their exit codes prove nothing: they end with 0 although all is lost. Other releases: test_client_table.py.
"""

from kafka import KafkaProducer

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import run_tool
from compat_tests.test_java_tools import python_reads, stored_batches
from kproto.records.compression import Codec

RELEASE = "0.8.2.2"


def write(broker: BrokerProcess, topic: str, lines: list[str], *options: str) -> None:
    where = ("--broker-list", broker.bootstrap, "--topic", topic)
    run_tool(RELEASE, "kafka.tools.ConsoleProducer", *where, *options, stdin="".join(f"{line}\n" for line in lines))


def read(broker: BrokerProcess, topic: str, count: int) -> list[str]:
    """Of the first partition, without ZooKeeper."""
    where = ("--broker-list", broker.bootstrap, "--topic", topic, "--partition", "0")
    how = ("--offset", "-2", "--no-wait-at-logend", "--max-messages", str(count))
    done = run_tool(RELEASE, "kafka.tools.SimpleConsumerShell", *where, *how)
    return [line for line in done.stdout.splitlines() if not line.startswith(("Terminating", "["))]


def test_an_old_console_producer_writes_and_its_consumer_reads(broker: BrokerProcess, topic: str) -> None:
    """The topic is made by its first question; plain lines, then gzip; all stored in today's format."""
    plain, packed = [f"plain {n}" for n in range(20)], [f"packed {n}" for n in range(20)]
    write(broker, topic, plain)
    write(broker, topic, packed, "--compression-codec", "gzip")
    assert [value.decode() for _, value, _ in python_reads(broker, topic, 40)] == plain + packed
    assert {(header.magic, header.codec) for header in stored_batches(broker, topic)} == {
        (2, Codec.NONE),
        (2, Codec.GZIP),
    }
    assert read(broker, topic, 40) == plain + packed


def test_an_old_console_consumer_reads_what_todays_clients_wrote(broker: BrokerProcess, topic: str) -> None:
    codecs = ["none", "gzip", "snappy", "lz4"]
    for codec in codecs:
        compression = None if codec == "none" else codec
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type=compression)
        for n in range(20):
            producer.send(topic, f"{codec} {n}".encode(), headers=[("h", b"x")])
        producer.close()
    expected = [f"{codec} {n}" for codec in codecs for n in range(20)]
    assert read(broker, topic, len(expected)) == expected
