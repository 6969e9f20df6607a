"""Apache Kafka's own tools of 4.3: producing, consuming, topics, offsets, versions, and the verifiable clients.

Their exit codes prove little. What one client wrote is read by another one, and the stored batches say how it came.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from broker.handlers.table import TABLE, served
from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import NEWEST, run_tool
from compat_tests.tools_at_hand import needs
from kproto.records.batch import BatchHeader, split
from kproto.records.compression import Codec

TOOLS = "org.apache.kafka.tools"
PRODUCER, CONSUMER = f"{TOOLS}.ConsoleProducer", f"{TOOLS}.consumer.ConsoleConsumer"
TOPICS, OFFSETS, VERSIONS = f"{TOOLS}.TopicCommand", f"{TOOLS}.GetOffsetShell", f"{TOOLS}.BrokerApiVersionsCommand"
VERIFIABLE_PRODUCER, VERIFIABLE_CONSUMER = f"{TOOLS}.VerifiableProducer", f"{TOOLS}.VerifiableConsumer"
CONFIGS, CLUSTER = "kafka.admin.ConfigCommand", f"{TOOLS}.ClusterTool"
UUID = r"[A-Za-z0-9_-]{22}"


@pytest.fixture(scope="module", autouse=True)
def _java() -> None:
    needs("java")


def tool(broker: BrokerProcess, main_class: str, *arguments: str, stdin: str = "", refused: bool = False) -> str:
    """What a tool prints on stdout. It ends as expected, and stderr tells of errors only where it is refused."""
    done = run_tool(NEWEST, main_class, "--bootstrap-server", broker.bootstrap, *arguments, stdin=stdin)
    assert (done.returncode == 1) is refused, done.stdout + done.stderr
    assert ("ERROR" in done.stderr) is refused, done.stderr
    return done.stdout


def java_reads(broker: BrokerProcess, topic: str, count: int, *arguments: str) -> list[str]:
    wanted = ("--topic", topic, "--max-messages", str(count), "--timeout-ms", "15000")
    return tool(broker, CONSUMER, *wanted, *arguments).splitlines()


def python_reads(broker: BrokerProcess, topic: str, count: int, partition: int = 0) -> list[tuple[Any, ...]]:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, consumer_timeout_ms=10_000)
    consumer.assign([TopicPartition(topic, partition)])
    consumer.seek_to_beginning()
    records: list[tuple[Any, ...]] = [
        (each.key, each.value, each.headers) for _, each in zip(range(count), consumer, strict=False)
    ]
    consumer.close()
    return records


def stored_batches(broker: BrokerProcess, topic: str, partition: int = 0) -> list[BatchHeader]:
    segments = sorted((broker.data / f"{topic}-{partition}").glob("*.log"))
    return [header for each in segments for header, _ in split(memoryview(each.read_bytes()))]


IN_SHORT = {Codec.NONE, Codec.ZSTD}
each_codec = pytest.mark.parametrize(
    "codec",
    [pytest.param(codec, marks=[] if codec in IN_SHORT else pytest.mark.campaign) for codec in Codec],
    ids=lambda codec: codec.name.lower(),
)


@each_codec
def test_kafka_python_reads_what_the_console_producer_wrote(broker: BrokerProcess, topic: str, codec: Codec) -> None:
    """The topic is made by the first Metadata; the producer is idempotent by default; batches stay as they came."""
    lines = [f"line {number}" for number in range(100)]
    name = codec.name.lower()
    tool(broker, PRODUCER, "--topic", topic, "--compression-codec", name, stdin="\n".join(lines) + "\n")
    assert python_reads(broker, topic, 100) == [(None, line.encode(), []) for line in lines]
    batches = stored_batches(broker, topic)
    assert {header.codec for header in batches} == {codec}
    assert min(header.producer_id for header in batches) >= 0


def test_the_console_consumer_reads_what_kafka_python_wrote_in_every_codec(broker: BrokerProcess, topic: str) -> None:
    for codec in Codec:
        producer = KafkaProducer(
            bootstrap_servers=broker.bootstrap,
            compression_type=None if codec is Codec.NONE else codec.name.lower(),
        )
        for number in range(50):
            producer.send(topic, f"{codec.name} {number}".encode())
        producer.close()
    expected = [f"{codec.name} {number}" for codec in Codec for number in range(50)]
    assert java_reads(broker, topic, 250, "--partition", "0", "--offset", "earliest") == expected
    assert {header.codec for header in stored_batches(broker, topic)} == set(Codec)


@pytest.mark.campaign
def test_keys_and_headers_go_from_tool_to_tool(broker: BrokerProcess, topic: str) -> None:
    """And kafka-python sees the same, a null value included; the consumer joins a group here."""
    typed = "h1:v1,h2:v2\tk1|one\nNULL\tk2|NULL\n"
    reading = ("parse.key=true", "key.separator=|", "parse.headers=true", "null.marker=NULL")
    tool(broker, PRODUCER, "--topic", topic, *flags("--reader-property", reading), stdin=typed)
    assert python_reads(broker, topic, 2) == [(b"k1", b"one", [("h1", b"v1"), ("h2", b"v2")]), (b"k2", None, [])]
    shown = ("print.key", "print.headers", "print.offset", "print.partition")
    formatting = flags("--formatter-property", [f"{each}=true" for each in shown])
    assert java_reads(broker, topic, 2, "--from-beginning", *formatting) == [
        "Partition:0\tOffset:0\th1:v1,h2:v2\tk1\tone",
        "Partition:0\tOffset:1\tNO_HEADERS\tk2\tnull",
    ]


def flags(name: str, values: tuple[str, ...] | list[str]) -> list[str]:
    return [part for value in values for part in (name, value)]


def test_a_group_of_console_consumers_goes_on_where_it_was(broker: BrokerProcess, topic: str) -> None:
    tool(broker, PRODUCER, "--topic", topic, stdin="a\nb\nc\nd\ne\n")
    group = ("--group", topic, "--from-beginning")
    assert java_reads(broker, topic, 2, *group) == ["a", "b"]
    assert java_reads(broker, topic, 3, *group) == ["c", "d", "e"]


def test_topics_are_made_described_grown_and_deleted(broker: BrokerProcess, topic: str) -> None:
    """The texts of kafka-topics, and the broker's answers that stand in them."""
    made = tool(broker, TOPICS, "--create", "--topic", topic, "--partitions", "2", "--config", "retention.ms=86400000")
    assert made == f"Created topic {topic}.\n"
    head = (
        rf"Topic: {topic}\tTopicId: ({UUID})\tPartitionCount: %d\tReplicationFactor: 1\tConfigs: retention.ms=86400000"
    )
    row = f"\tTopic: {topic}\tPartition: {{}}\tLeader: 0\tReplicas: 0\tIsr: 0\tElr: \tLastKnownElr: "
    before, *rows = tool(broker, TOPICS, "--describe", "--topic", topic).splitlines()
    assert (first := re.fullmatch(head % 2, before)), before
    assert rows == [row.format(0), row.format(1)]

    assert tool(broker, TOPICS, "--alter", "--topic", topic, "--partitions", "3") == ""
    after, *rows = tool(broker, TOPICS, "--describe", "--topic", topic).splitlines()
    assert (second := re.fullmatch(head % 3, after)), after
    assert rows == [row.format(0), row.format(1), row.format(2)]
    assert first[1] == second[1]

    assert topic in tool(broker, TOPICS, "--list").splitlines()
    assert tool(broker, TOPICS, "--delete", "--topic", topic) == ""
    assert topic not in tool(broker, TOPICS, "--list").splitlines()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--describe", "--topic", "nosuch"), "Topic 'nosuch' does not exist as expected"),
        (("--create", "--topic", "there"), "Topic 'there' already exists."),
        (
            ("--create", "--topic", "three", "--replication-factor", "3"),
            "Replication factor: 3 larger than available brokers: 1.",
        ),
        (("--alter", "--topic", "there", "--partitions", "1"), "Topic already has 1 partitions."),
        (("--create", "--topic", "odd", "--config", "retention.ms=soon"), "retention.ms"),
    ],
    ids=["unknown", "there already", "too few brokers", "fewer partitions", "bad config"],
)
def test_kafka_topics_tells_the_brokers_refusal(broker: BrokerProcess, arguments: tuple[str, ...], said: str) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    producer.send("there", b"x").get(10)
    producer.close()
    assert said in tool(broker, TOPICS, *arguments, refused=True)


@pytest.mark.campaign
def test_get_offsets_finds_the_ends_of_the_logs(broker: BrokerProcess, topic: str) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for at_ms in (1_000_000, 3_000_000, 2_000_000):
        producer.send(topic, b"x", timestamp_ms=at_ms).get(10)
    producer.close()
    found = {
        time: tool(broker, OFFSETS, "--topic", topic, "--time", time).strip()
        for time in ("latest", "earliest", "max-timestamp", "1500000")
    }
    places = {"latest": 3, "earliest": 0, "max-timestamp": 1, "1500000": 1}
    assert found == {time: f"{topic}:0:{offset}" for time, offset in places.items()}


@pytest.mark.campaign
def test_kafka_configs_and_kafka_cluster_read_what_the_broker_says_of_itself(broker: BrokerProcess, topic: str) -> None:
    """An override with its synonyms, then every option of the topic; the cluster id of the data directory."""
    tool(broker, TOPICS, "--create", "--topic", topic, "--config", "retention.ms=86400000")
    entity = ("--describe", "--entity-type", "topics", "--entity-name", topic)
    override = "  retention.ms=86400000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=86400000}"
    assert tool(broker, CONFIGS, *entity).splitlines() == [f"Dynamic configs for topic {topic} are:", override]
    everything = tool(broker, CONFIGS, *entity, "--all").splitlines()
    assert everything[0] == f"All configs for topic {topic} are:"
    default = "  cleanup.policy=delete sensitive=false synonyms={DEFAULT_CONFIG:log.cleanup.policy=delete}"
    assert {override, default} <= set(everything)

    said = run_tool(NEWEST, CLUSTER, "cluster-id", "--bootstrap-server", broker.bootstrap).stdout
    assert (
        f"\ncluster.id={said.removeprefix('Cluster ID: ').strip()}\n" in (broker.data / "meta.properties").read_text()
    )


def test_broker_api_versions_lists_exactly_the_table(broker: BrokerProcess) -> None:
    lines = tool(broker, VERSIONS).splitlines()
    assert re.fullmatch(r"(localhost|127\.0\.0\.1):\d+ \(id: 0 rack: null isFenced: false\) -> \(", lines[0])
    listed = {}
    for line in lines[1:-1]:
        found = re.fullmatch(r"\t\w+\((\d+)\): (?:UNSUPPORTED|(\d+)(?: to (\d+))? \[usable: \d+\]),?", line)
        assert found, line
        if found[2] is not None:
            listed[int(found[1])] = (int(found[2]), int(found[3] or found[2]))
    assert listed == {key: row.versions for key, row in served(TABLE, inter_broker=False).items()}


@pytest.mark.campaign
def test_the_verifiable_clients_agree_on_every_record(broker: BrokerProcess, topic: str, tmp_path: Path) -> None:
    """An idempotent producer with acks=all in small batches; a consumer in a group that commits."""
    tool(broker, TOPICS, "--create", "--topic", topic, "--partitions", "3")
    options = tmp_path / "producer.properties"
    options.write_text(
        "enable.idempotence=true\nretries=2147483647\nmax.in.flight.requests.per.connection=5\nbatch.size=512\n"
    )
    limit = ("--topic", topic, "--max-messages", "2000")
    sent = tool(broker, VERIFIABLE_PRODUCER, *limit, "--acks", "-1", "--command-config", str(options))
    acked = {
        (event["partition"], event["offset"]): event["value"]
        for event in events(sent)
        if event["name"] == "producer_send_success"
    }
    assert sorted(acked.values(), key=int) == [str(number) for number in range(2000)]
    batches = [header for partition in range(3) for header in stored_batches(broker, topic, partition)]
    assert min(header.producer_id for header in batches) >= 0
    assert len(batches) > 20

    consumed = events(tool(broker, VERIFIABLE_CONSUMER, *limit, "--group-id", topic, "--verbose"))
    read = {
        (event["partition"], event["offset"]): event["value"] for event in consumed if event["name"] == "record_data"
    }
    assert read == acked
    committed = [event for event in consumed if event["name"] == "offsets_committed"]
    assert all(event["success"] for event in committed)
    reached = {each["partition"]: each["offset"] for event in committed for each in event["offsets"]}
    assert reached == Counter(partition for partition, _ in acked)


def events(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]
