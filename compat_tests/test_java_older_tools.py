"""Console clients of Kafka 1.0 and of its last release with ZooKeeper: other versions of every request on the way."""

import pytest

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import LAST_WITH_ZOOKEEPER, OLD, run_tool
from compat_tests.tools_at_hand import needs
from kproto.records.batch import split

PRODUCER = "kafka.tools.ConsoleProducer"
CONSUMER = {
    OLD: "kafka.tools.ConsoleConsumer",
    LAST_WITH_ZOOKEEPER: "org.apache.kafka.tools.consumer.ConsoleConsumer",
}
OFFSETS = {OLD: "kafka.tools.GetOffsetShell", LAST_WITH_ZOOKEEPER: "org.apache.kafka.tools.GetOffsetShell"}
CODECS = ["gzip", "lz4"]


@pytest.fixture(scope="module", autouse=True)
def _java() -> None:
    needs("java")


@pytest.mark.parametrize("release", [OLD, pytest.param(LAST_WITH_ZOOKEEPER, marks=pytest.mark.campaign)])
def test_an_older_group_reads_what_older_producers_wrote(broker: BrokerProcess, topic: str, release: str) -> None:
    """1.0 sends Produce 5 without idempotence, Fetch 6, JoinGroup 2; the second consumer goes on after the first."""
    to = ("--broker-list", broker.bootstrap, "--topic", topic)
    reading = ("--bootstrap-server", broker.bootstrap, "--topic", topic, "--from-beginning", "--timeout-ms", "15000")
    group = ("--consumer-property", f"group.id={topic}", "--max-messages", "2")
    for codec in CODECS:
        run_tool(release, PRODUCER, *to, "--compression-codec", codec, stdin=f"{codec} 1\n{codec} 2\n")
        read = run_tool(release, CONSUMER[release], *reading, *group).stdout.splitlines()
        assert read == [f"{codec} 1", f"{codec} 2"]
    assert run_tool(release, OFFSETS[release], *to, "--time", "-1").stdout == f"{topic}:0:4\n"
    stored = (broker.data / f"{topic}-0" / f"{0:020}.log").read_bytes()
    assert [header.codec.name.lower() for header, _ in split(memoryview(stored))] == CODECS
