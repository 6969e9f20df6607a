"""Kafka's DumpLogSegments on files of a broker that real clients wrote through, killed once, and recovered."""

import re
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.structs import OffsetAndMetadata

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import LAST_WITH_ZOOKEEPER, NEWEST, run_tool
from compat_tests.test_dump_log_segments import BATCH, FALSE_ALARM, HEADING, INDEX_ENTRY, PRODUCER, RECORD, TOOL
from compat_tests.tools_at_hand import needs
from kproto.records.compression import Codec

TOPIC, GROUP = "lines", "readers"
CODECS = [codec.name.lower() for codec in Codec]
PER_CODEC = 400
SMALL = {"segment.bytes": "16384", "index.interval.bytes": "1024"}
OPTIONS = re.compile(r"baseSequence: (-?\d+) .* producerId: (-?\d+) .* compresscodec: (\w+) ")
KAFKA_FILES = {".log", ".index", ".timeindex", ".snapshot"}


@pytest.fixture(scope="module", autouse=True)
def _java() -> None:
    needs("java")


def values_of(client: str, codec: str) -> list[str]:
    return [f"{client} {codec} {number}" for number in range(PER_CODEC)]


def write_with_kafka_python(broker: BrokerProcess, codec: str) -> None:
    """Idempotent, as it is by default."""
    compression = None if codec == "none" else codec
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type=compression, batch_size=2_000)
    for value in values_of("kafka-python", codec):
        producer.send(TOPIC, value.encode(), key=codec.encode(), headers=[("h", b"v")], partition=0)
    producer.close()


def write_with_librdkafka(broker: BrokerProcess, codec: str) -> None:
    options = {"enable.idempotence": True, "compression.type": codec, "batch.num.messages": 50, "linger.ms": 5}
    producer = Producer({"bootstrap.servers": broker.bootstrap} | options)
    for value in values_of("librdkafka", codec):
        producer.produce(TOPIC, value.encode(), partition=0)
    assert producer.flush(20) == 0


def commit(broker: BrokerProcess) -> None:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, group_id=GROUP)
    consumer.subscribe([TOPIC])
    while not consumer.assignment():
        consumer.poll(timeout_ms=5_000)  # kafka-python 3.0.12 forgets an assignment that comes between two polls
    consumer.commit({TopicPartition(TOPIC, 0): OffsetAndMetadata(7, "by hand", -1)})
    consumer.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the broker leaves: half was written before it was killed, half after; stopped cleanly in the end."""
    broker = BrokerProcess(tmp_path_factory.mktemp("broker")).start()
    try:
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        admin.create_topics([NewTopic(name=TOPIC, num_partitions=1, replication_factor=1, topic_configs=SMALL)])
        admin.close()
        for codec in CODECS:
            write_with_kafka_python(broker, codec)
        broker.kill()
        broker.start()
        for codec in CODECS:
            write_with_librdkafka(broker, codec)
        commit(broker)
    finally:
        assert broker.stop() == 0
    return broker.data


def dumped(release: str, *arguments: str, files: list[Path]) -> list[str]:
    """The lines of the tool, which finds nothing to complain about."""
    done = run_tool(release, TOOL[release], *arguments, "--files", ",".join(map(str, files)))
    complaints = FALSE_ALARM.sub("", done.stderr) if release == NEWEST else done.stderr
    assert (done.returncode, complaints) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("release", [NEWEST, LAST_WITH_ZOOKEEPER])
def test_every_batch_and_every_index_entry_is_valid(data: Path, release: str) -> None:
    """Several segments of all codecs, records in order; the producers' snapshots name those who wrote last."""
    files = sorted(each for each in (data / f"{TOPIC}-0").iterdir() if each.suffix in KAFKA_FILES)
    assert Counter(each.suffix for each in files)[".log"] > 3
    next_offset, payloads, entries, producers = 0, [], 0, set()
    codecs: set[str] = set()
    for line in dumped(release, "--deep-iteration", "--print-data-log", files=files):
        if found := BATCH.fullmatch(line):
            assert int(found[1]) == next_offset
            next_offset = int(found[2]) + 1
            options = OPTIONS.search(line)
            assert options, line
            assert int(options[1]) >= 0
            assert int(options[2]) >= 0
            codecs.add(options[3].lower())
        elif found := RECORD.fullmatch(line):
            payloads.append(found[2])
        elif INDEX_ENTRY.fullmatch(line):
            entries += 1
        elif found := PRODUCER.fullmatch(line):
            producers.add(int(found[1]))
        else:
            assert HEADING.fullmatch(line), f"the tool complains: {line}"
    expected = [
        value for client in ("kafka-python", "librdkafka") for codec in CODECS for value in values_of(client, codec)
    ]
    assert payloads == expected
    assert codecs == set(CODECS)
    assert entries > 20
    assert len(producers) == 2 * len(CODECS)


def test_kafkas_tool_decodes_what_the_group_coordinator_wrote(data: Path) -> None:
    """`__consumer_offsets` is in Kafka's record formats: the member's generation, and its offset."""
    files = [each for each in data.glob("__consumer_offsets-*/*.log") if each.stat().st_size]
    assert files
    said = "\n".join(dumped(NEWEST, "--offsets-decoder", files=files))
    assert "isvalid: false" not in said
    assert re.search(rf'"group":"{GROUP}","topic":"{TOPIC}","partition":0', said)
    assert re.search(r'"offset":7,.*"metadata":"by hand"', said)
    assert re.search(rf'"group":"{GROUP}"}}.*"protocolType":"consumer","generation":1', said)
