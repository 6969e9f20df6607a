"""Apache Kafka's own tools of 4.3 for operators: configs, deleted records and offsets, log directories, elections."""

import json
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.structs import OffsetAndMetadata

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import NEWEST, run_tool

TOOLS = "org.apache.kafka.tools"
CONFIGS = "kafka.admin.ConfigCommand"


def tool(broker: BrokerProcess, main_class: str, *arguments: str, fails: bool = False) -> str:
    """What a tool prints, on both streams."""
    done = run_tool(NEWEST, main_class, "--bootstrap-server", broker.bootstrap, *arguments)
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def full(broker: BrokerProcess, topic: str) -> str:
    """A topic of one partition with ten records by an idempotent producer, and a group that committed 5."""
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1)])
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True)
    for number in range(10):
        producer.send(topic, b"%d" % number)
    producer.flush()
    producer.close()
    admin.alter_group_offsets(topic, {TopicPartition(topic, 0): OffsetAndMetadata(5, "", -1)})
    admin.close()
    return topic


@pytest.mark.campaign
def test_kafka_configs_alters_and_describes_a_topic(broker: BrokerProcess, full: str) -> None:
    entity = ("--entity-type", "topics", "--entity-name", full)
    added = "retention.ms=777000000,cleanup.policy=[compact,delete]"
    assert f"Completed updating config for topic {full}." in tool(
        broker, CONFIGS, "--alter", *entity, "--add-config", added
    )
    assert tool(broker, CONFIGS, "--describe", *entity).splitlines()[1:] == [
        "  cleanup.policy=compact,delete sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact,delete, "
        "DEFAULT_CONFIG:log.cleanup.policy=delete}",
        "  retention.ms=777000000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=777000000}",
    ]
    tool(broker, CONFIGS, "--alter", *entity, "--delete-config", "retention.ms,cleanup.policy")
    assert tool(broker, CONFIGS, "--describe", *entity).splitlines() == [f"Dynamic configs for topic {full} are:"]
    refused = tool(broker, CONFIGS, "--alter", *entity, "--add-config", "retention.ms=soon", fails=True)
    assert "retention.ms is 'soon'; it must be" in refused


@pytest.mark.campaign
def test_kafka_configs_alters_this_broker_all_brokers_and_log_levels(broker: BrokerProcess) -> None:
    one, every = ("--entity-type", "brokers", "--entity-name", "0"), ("--entity-type", "brokers", "--entity-default")
    tool(broker, CONFIGS, "--alter", *one, "--add-config", "log.retention.ms=555500000")
    tool(broker, CONFIGS, "--alter", *every, "--add-config", "log.retention.ms=666600000")
    assert tool(broker, CONFIGS, "--describe", *one).splitlines() == [
        "Dynamic configs for broker 0 are:",
        "  log.retention.ms=555500000 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.retention.ms=555500000, "
        "DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=666600000, DEFAULT_CONFIG:log.retention.hours=168}",
    ]
    assert "DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=666600000" in tool(broker, CONFIGS, "--describe", *every)
    refused = tool(broker, CONFIGS, "--alter", *one, "--add-config", "log.dirs=/x", fails=True)
    assert "Cannot update these configs dynamically: log.dirs" in refused
    levels = ("--entity-type", "broker-loggers", "--entity-name", "0")
    tool(broker, CONFIGS, "--alter", *levels, "--add-config", "barnabas.server=DEBUG")
    assert "barnabas.server=DEBUG" in tool(broker, CONFIGS, "--describe", *levels)


def test_kafka_delete_records_and_kafka_log_dirs(broker: BrokerProcess, full: str, tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    file.write_text(json.dumps({"version": 1, "partitions": [{"topic": full, "partition": 0, "offset": 7}]}))
    deleted = tool(broker, f"{TOOLS}.DeleteRecordsCommand", "--offset-json-file", str(file))
    assert f"partition: {full}-0\tlow_watermark: 7" in deleted
    *_, line = tool(broker, f"{TOOLS}.LogDirsCommand", "--describe", "--topic-list", full).strip().splitlines()
    ((directory,),) = [each["logDirs"] for each in json.loads(line)["brokers"]]
    assert (directory["logDir"], directory["error"]) == (str(broker.data), None)
    (partition,) = directory["partitions"]
    assert (partition["partition"], partition["offsetLag"], partition["isFuture"]) == (f"{full}-0", 0, False)
    assert partition["size"] > 0


@pytest.mark.campaign
def test_elections_and_reassignments_that_change_nothing(broker: BrokerProcess, full: str, tmp_path: Path) -> None:
    election = ("--election-type", "preferred", "--topic", full, "--partition", "0")
    said = tool(broker, f"{TOOLS}.LeaderElectionCommand", *election)
    assert f"Valid replica already elected for partitions {full}-0" in said
    moving, file = f"{TOOLS}.reassign.ReassignPartitionsCommand", tmp_path / "plan.json"
    file.write_text(json.dumps({"version": 1, "partitions": [{"topic": full, "partition": 0, "replicas": [0]}]}))
    said = tool(broker, moving, "--execute", "--reassignment-json-file", str(file))
    assert f"Successfully started partition reassignment for {full}-0" in said
    assert tool(broker, moving, "--list") == "No partition reassignments found.\n"


@pytest.mark.campaign
def test_producers_offsets_and_features(broker: BrokerProcess, full: str) -> None:
    said = tool(broker, f"{TOOLS}.TransactionsCommand", "describe-producers", "--topic", full, "--partition", "0")
    _, row = said.splitlines()
    assert row.split("\t")[1:4] == [each.ljust(width) for each, width in (("0", 13), ("-1", 22), ("9", 12))]
    group = ("--delete-offsets", "--group", full, "--topic", f"{full}:0")
    said = tool(broker, f"{TOOLS}.consumer.group.ConsumerGroupCommand", *group)
    assert f"Request succeeded for deleting offsets from group {full}." in said
    assert [line.split()[-1] for line in said.splitlines() if line.startswith(full)] == ["Successful"]
    said = tool(broker, f"{TOOLS}.FeatureCommand", "upgrade", "--feature", "metadata.version=7", fails=True)
    assert "the provided feature is not supported" in said
