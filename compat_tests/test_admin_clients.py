"""What operators do with client libraries: options, deleted records and offsets, log directories, elections."""

from typing import Any

import pytest
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as ConfluentPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource  # .admin does not tell mypy
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.admin._resource import ResourceType
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource as Resource
from kafka.admin import NewTopic
from kafka.errors import InvalidReplicationAssignmentError, InvalidRequestError, NoError
from kafka.structs import OffsetAndMetadata

from compat_tests.broker_process import BrokerProcess


@pytest.fixture
def admin(broker: BrokerProcess) -> Any:
    client = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    yield client
    client.close()


@pytest.fixture
def full(broker: BrokerProcess, admin: Any, topic: str) -> str:
    """A topic of two partitions, ten records in the first, by an idempotent producer."""
    admin.create_topics([NewTopic(topic, 2, 1)])
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True)
    for number in range(10):
        producer.send(topic, b"%d" % number, partition=0)
    producer.flush()
    producer.close()
    return topic


def modified(admin: Any, topic: str) -> dict[str, str]:
    found = admin.describe_configs([Resource("TOPIC", topic)], config_filter="modified")["topic"][topic]
    return {
        name: option["value"] for name, option in found.items() if option["config_source"] == "DYNAMIC_TOPIC_CONFIG"
    }


def test_kafka_python_changes_options_one_by_one_and_takes_them_back(admin: Any, full: str) -> None:
    edits = {"retention.ms": "100000000", "cleanup.policy": ("APPEND", "compact")}
    assert admin.alter_configs([Resource("TOPIC", full, edits)]) == {"topic": {full: "OK"}}
    assert modified(admin, full) == {"retention.ms": "100000000", "cleanup.policy": "delete,compact"}
    admin.alter_configs([Resource("TOPIC", full, {"cleanup.policy": ("SUBTRACT", "compact")})])
    admin.reset_configs([Resource("TOPIC", full, ["retention.ms"])])
    assert modified(admin, full) == {"cleanup.policy": "delete"}


def test_kafka_python_as_an_older_client_replaces_them_all(admin: Any, full: str) -> None:
    """AlterConfigs; the client itself names again what shall stay."""
    for edits in ({"retention.ms": "100000000"}, {"segment.bytes": "2000000"}):
        assert admin.alter_configs([Resource("TOPIC", full, edits)], incremental=False) == {"topic": {full: "OK"}}
    assert modified(admin, full) == {"retention.ms": "100000000", "segment.bytes": "2000000"}
    refused = admin.alter_configs([Resource("TOPIC", full, {"nosuch": "1"})], raise_on_unknown=False)
    assert "Unknown topic config name: nosuch" in refused["topic"][full]


def test_records_deleted_by_kafka_python_are_not_read_again(broker: BrokerProcess, admin: Any, full: str) -> None:
    place = TopicPartition(full, 0)
    assert admin.delete_records({place: 4})[place]["low_watermark"] == 4
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, consumer_timeout_ms=10_000)
    consumer.assign([place])
    consumer.seek_to_beginning()
    read = [record.value for _, record in zip(range(6), consumer, strict=False)]
    consumer.close()
    assert read == [b"%d" % number for number in range(4, 10)]
    assert admin.delete_records({place: -1})[place]["low_watermark"] == 10


def test_offsets_deleted_by_kafka_python_are_gone(admin: Any, full: str) -> None:
    one, two = TopicPartition(full, 0), TopicPartition(full, 1)
    committed = {one: OffsetAndMetadata(5, "", -1), two: OffsetAndMetadata(0, "", -1)}
    assert set(admin.alter_group_offsets(full, committed).values()) == {NoError}
    assert admin.delete_group_offsets(full, [one]) == {one: NoError}
    assert list(admin.list_group_offsets(full)[full]) == [two]


def test_kafka_python_sees_sizes_producers_and_pages(broker: BrokerProcess, admin: Any, full: str) -> None:
    ((directory,),) = [each["log_dirs"] for each in admin.describe_log_dirs({full: [0, 1]})]
    assert (directory["error_code"], directory["log_dir"]) == (0, str(broker.data))
    assert directory["total_bytes"] >= directory["usable_bytes"] > 0
    stored = sum(each.stat().st_size for each in (broker.data / f"{full}-0").glob("*.log"))
    (told,) = directory["topics"]
    assert [row["partition_size"] for row in told["partitions"]] == [stored, 0]
    place = TopicPartition(full, 0)
    (producer,) = admin.describe_producers([place])[place].active_producers
    assert (producer.producer_epoch, producer.last_sequence) == (0, 9)
    page = admin.describe_topic_partitions([full], response_partition_limit=1)
    assert [row["partition_index"] for row in page["topics"][0]["partitions"]] == [0]
    assert page["next_cursor"] == {"topic_name": full, "partition_index": 1}


def test_kafka_python_hears_that_nothing_moves_and_nothing_is_to_be_elected(admin: Any, full: str) -> None:
    answer = admin.elect_leaders(0, {full: [0]}, raise_errors=False)
    assert answer.replica_election_results[0].partition_result[0].error_code == 84
    assert admin.list_partition_reassignments() == {}
    one, two = TopicPartition(full, 0), TopicPartition(full, 1)
    moved = admin.alter_partition_reassignments({one: [0], two: [9]})
    assert moved == {one: None, two: InvalidReplicationAssignmentError}
    with pytest.raises(InvalidRequestError, match="feature is not supported"):
        admin.update_features({"metadata.version": 7})


def test_confluent_kafka_changes_options_deletes_records_and_elects(broker: BrokerProcess, full: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    entry = ConfigEntry("retention.ms", "100000000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, full, incremental_configs=[entry])
    for done in admin.incremental_alter_configs([resource]).values():
        assert done.result(10) is None
    (found,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, full)]).values()
    option = found.result(10)["retention.ms"]
    assert (option.value, option.source, option.is_read_only) == ("100000000", 1, False)

    place = ConfluentPartition(full, 0, 4)
    (deleted,) = admin.delete_records([place]).values()
    assert deleted.result(10).low_watermark == 4
    (earliest,) = admin.list_offsets({ConfluentPartition(full, 0): OffsetSpec.earliest()}).values()  # type: ignore[no-untyped-call]
    assert earliest.result(10).offset == 4
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": full})
    assert consumer.get_watermark_offsets(ConfluentPartition(full, 0), timeout=10) == (4, 10)
    consumer.close()


def test_options_set_by_a_client_hold_after_kill_9(own_broker: BrokerProcess, topic: str) -> None:
    """The answer comes when they are in the registry."""
    admin = KafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1)])
    admin.alter_configs([Resource("TOPIC", topic, {"retention.ms": "100000000"})])
    admin.alter_configs([Resource("BROKER", "0", {"message.max.bytes": "2000"})])
    admin.close()
    own_broker.kill()
    own_broker.start()
    admin = KafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
    assert modified(admin, topic) == {"retention.ms": "100000000"}
    found = admin.describe_configs([Resource("BROKER", "0")], config_filter="modified")["broker"]["0"]
    assert found["message.max.bytes"]["config_source"] == "DYNAMIC_BROKER_CONFIG"
    admin.close()
