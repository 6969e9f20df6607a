"""The texts are those that Kafka's releases write; the project's table of znodes is the judge."""

import json
from uuid import UUID

import pytest

from broker.cluster import znodes
from broker.cluster.topic_ids import uuid_from_text, uuid_text
from broker.cluster.znodes import (
    BrokerNode,
    ControllerNode,
    FeatureNode,
    MalformedNode,
    PartitionStateNode,
    ProducerIdBlock,
    TopicNode,
)
from broker.transport.contract import Address

SOME_ID = UUID("8c4bd9c5-2a55-4ea0-9b4f-6d1f4a6e0f11")


def test_a_registration_is_the_json_of_kafka_3_9() -> None:
    node = BrokerNode({"PLAINTEXT": Address("localhost", 9092)}, rack="r1", timestamp_ms=1_700_000_000_000)
    assert json.loads(node.encode()) == {
        "version": 5,
        "host": "localhost",
        "port": 9092,
        "jmx_port": -1,
        "timestamp": "1700000000000",
        "endpoints": ["PLAINTEXT://localhost:9092"],
        "rack": "r1",
        "listener_security_protocol_map": {"PLAINTEXT": "PLAINTEXT"},
        "features": {},
    }
    assert b" " not in node.encode()


@pytest.mark.parametrize("version", [4, 5])
def test_a_registration_survives_the_way_there_and_back(version: int) -> None:
    node = BrokerNode(
        {"INSIDE": Address("::1", 9092), "OUTSIDE": Address("b.example.org", 443)},
        {"INSIDE": "PLAINTEXT", "OUTSIDE": "SASL_SSL"},
        rack="r1",
        jmx_port=9999,
        timestamp_ms=5,
        features={"f": (1, 3)} if version == 5 else {},
    )
    assert BrokerNode.decode(node.encode(version)) == node


def test_a_registration_without_plaintext_has_no_host_for_old_consumers() -> None:
    fields = json.loads(BrokerNode({"SSL": Address("b", 1)}).encode())
    assert (fields["host"], fields["port"]) == (None, -1)


def test_listener_names_become_protocols_in_version_2() -> None:
    node = BrokerNode({"INSIDE": Address("b", 1)}, {"INSIDE": "PLAINTEXT"})
    fields = json.loads(node.encode(2))
    assert fields["endpoints"] == ["PLAINTEXT://b:1"]
    assert "listener_security_protocol_map" not in fields
    assert "features" not in fields


def test_version_1_is_one_plaintext_endpoint() -> None:
    data = b'{"jmx_port":-1,"timestamp":"1","host":"h","version":1,"port":9092}'
    assert BrokerNode.decode(data) == BrokerNode({"PLAINTEXT": Address("h", 9092)}, timestamp_ms=1)


def test_version_2_takes_the_standard_names_as_protocols() -> None:
    data = (
        b'{"version":2,"host":"h","port":1,"jmx_port":-1,"timestamp":"1","endpoints":["SSL://h:2","PLAINTEXT://h:1"]}'
    )
    node = BrokerNode.decode(data)
    assert node.protocol("SSL") == "SSL"
    assert node.plaintext == Address("h", 1)


def test_unknown_fields_and_later_versions_are_borne() -> None:
    data = b'{"version":6,"host":"h","port":1,"jmx_port":-1,"timestamp":"1","endpoints":["SSL://h:2"],"new":{"a":1}}'
    assert BrokerNode.decode(data).endpoints == {"SSL": Address("h", 2)}


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"7",
        b"{}",
        b'{"version":0}',
        b'{"version":true,"endpoints":[]}',
        b'{"version":2,"endpoints":["no endpoint"]}',
        b'{"version":2,"endpoints":[5]}',
        b'{"version":2,"endpoints":["MINE://h:1"]}',
        b'{"version":5,"endpoints":["SSL://h:1"],"features":{"f":{}}}',
        b"[" * 100_000,
    ],
)
def test_a_registration_that_no_kafka_wrote_is_malformed(data: bytes | None) -> None:
    with pytest.raises(MalformedNode):
        BrokerNode.decode(data)


@pytest.mark.parametrize(
    ("inter_broker_protocol", "version"),
    [
        ("0.8.2", 2),
        ("0.9.0", 2),
        ("0.10.0-IV0", 2),
        ("0.10.0-IV1", 4),
        ("0.10.0", 4),
        ("0.10.1-IV0", 4),
        ("2.6-IV0", 4),
        ("2.7-IV0", 5),
        ("3.9-IV0", 5),
        ("3.9", 5),
    ],
)
def test_the_registration_version_follows_the_inter_broker_protocol(inter_broker_protocol: str, version: int) -> None:
    assert znodes.registration_version(inter_broker_protocol) == version


def test_a_topic_is_written_as_version_3() -> None:
    node = TopicNode(SOME_ID, {0: [1, 2], 1: [2, 3]}, adding={0: [2]})
    fields = json.loads(node.encode())
    assert fields == {
        "version": 3,
        "topic_id": uuid_text(SOME_ID),
        "partitions": {"0": [1, 2], "1": [2, 3]},
        "adding_replicas": {"0": [2]},
        "removing_replicas": {},
    }
    assert TopicNode.decode(node.encode()) == node


def test_topics_of_versions_1_and_2_have_no_id() -> None:
    assert TopicNode.decode(b'{"version":1,"partitions":{"10":[1],"2":[2]}}') == TopicNode(None, {2: [2], 10: [1]})
    second = b'{"version":2,"partitions":{"0":[1,2]},"adding_replicas":{"0":[2]},"removing_replicas":{}}'
    assert TopicNode.decode(second) == TopicNode(None, {0: [1, 2]}, adding={0: [2]})
    assert "topic_id" not in json.loads(TopicNode(None, {0: [1]}).encode())


def test_partitions_of_a_topic_come_in_numeric_order() -> None:
    data = b'{"version":1,"partitions":{"10":[1],"2":[2],"0":[3]}}'
    assert list(TopicNode.decode(data).partitions) == [0, 2, 10]


@pytest.mark.parametrize(
    "data",
    [b'{"version":1}', b'{"partitions":{"x":[1]}}', b'{"partitions":{"0":1}}', b'{"partitions":{},"topic_id":"short"}'],
)
def test_a_topic_of_a_wrong_shape_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedNode):
        TopicNode.decode(data)


def test_partition_state_is_written_as_since_0_8() -> None:
    node = PartitionStateNode(controller_epoch=3, leader=1, leader_epoch=5, isr=[1, 2])
    assert node.encode() == b'{"controller_epoch":3,"leader":1,"version":1,"leader_epoch":5,"isr":[1,2]}'
    assert PartitionStateNode.decode(node.encode()) == node


def test_a_leader_that_recovers_says_so() -> None:
    node = PartitionStateNode(3, 1, 5, [1], recovery_state=1)
    assert json.loads(node.encode())["leader_recovery_state"] == 1
    assert PartitionStateNode.decode(node.encode()) == node


def test_the_controller_is_read_in_its_three_forms() -> None:
    assert ControllerNode.decode(b"7") == ControllerNode(7)
    assert ControllerNode.decode(b'{"version":1,"brokerid":0,"timestamp":"17"}') == ControllerNode(0, 17)
    written = ControllerNode(0, 1_700_000_000_000).encode()
    assert written == b'{"version":2,"brokerid":0,"timestamp":"1700000000000","kraftControllerEpoch":-1}'
    assert ControllerNode.decode(written) == ControllerNode(0, 1_700_000_000_000)


def test_controller_epochs_and_old_offsets_are_plain_numbers() -> None:
    assert znodes.encode_number(12) == b"12"
    assert znodes.decode_number(b"12", "epoch") == 12
    with pytest.raises(MalformedNode):
        znodes.decode_number(b"", "epoch")


def test_configs_are_strings_whatever_a_tool_wrote() -> None:
    assert znodes.encode_config({"retention.ms": "1000"}) == b'{"version":1,"config":{"retention.ms":"1000"}}'
    data = b'{"version":1,"config":{"a":1,"b":true,"c":"x"}}'
    assert znodes.decode_config(data) == {"a": "1", "b": "true", "c": "x"}
    assert znodes.decode_config(None) == {}
    with pytest.raises(MalformedNode):
        znodes.decode_config(b'{"version":2,"config":{}}')


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b'"t"', "topics/t"),
        (b'{"version":1,"entity_type":"topics","entity_name":"t"}', "topics/t"),
        (b'{"version":1,"entity_type":"clients","entity_name":"c"}', "clients/c"),
        (b'{"version":2,"entity_path":"users/u/clients/c"}', "users/u/clients/c"),
        (b'{"version":2,"entity_path":"brokers/<default>"}', "brokers/<default>"),
    ],
)
def test_a_change_notice_is_read_in_all_its_forms(data: bytes, path: str) -> None:
    assert znodes.decode_config_change(data) == path


def test_a_change_notice_is_written_as_version_2() -> None:
    assert znodes.encode_config_change("topics/t") == b'{"version":2,"entity_path":"topics/t"}'


@pytest.mark.parametrize(
    "data", [b"", b"7", b"[]", b'{"version":3}', b'{"version":1,"entity_type":"x","entity_name":"y"}']
)
def test_a_change_notice_of_no_release_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedNode):
        znodes.decode_config_change(data)


def test_plans_elections_and_isr_changes_name_their_partitions() -> None:
    plan = {("t", 0): [2, 3], ("u", 1): [1]}
    assert znodes.encode_reassignment({("t", 0): [2, 3]}) == (
        b'{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[2,3]}]}'
    )
    assert znodes.decode_reassignment(znodes.encode_reassignment(plan)) == plan
    assert znodes.encode_partitions([("t", 0)]) == b'{"version":1,"partitions":[{"topic":"t","partition":0}]}'
    assert znodes.decode_partitions(znodes.encode_partitions(plan)) == [("t", 0), ("u", 1)]
    with pytest.raises(MalformedNode):
        znodes.decode_partitions(b'{"version":1,"partitions":7}')


def test_a_failed_log_directory_is_event_1() -> None:
    assert znodes.encode_log_dir_event(4) == b'{"version":1,"broker":4,"event":1}'
    assert znodes.decode_log_dir_event(znodes.encode_log_dir_event(4)) == 4


def test_producer_id_blocks_follow_one_another_without_a_gap() -> None:
    first = ProducerIdBlock.first_for(0)
    assert first.encode() == b'{"version":1,"broker":0,"block_start":"0","block_end":"999"}'
    assert first.next_for(2) == ProducerIdBlock(2, 1000, 1999)
    assert ProducerIdBlock.decode(first.encode()) == first
    assert ProducerIdBlock.decode(None) is None


def test_the_version_of_the_cluster_id_is_a_string() -> None:
    assert znodes.encode_cluster_id("abc") == b'{"version":"1","id":"abc"}'
    assert znodes.decode_cluster_id(b'{"version":"1","id":"abc"}') == "abc"


def test_features_are_read_in_both_versions() -> None:
    data = b'{"version":1,"status":1,"features":{"f":{"min_version_level":1,"max_version_level":3}}}'
    assert FeatureNode.decode(data) == FeatureNode(True, {"f": 3})
    assert FeatureNode(True, {"f": 3}).encode() == b'{"version":2,"status":1,"features":{"f":{"max_version_level":3}}}'


def test_names_of_users_are_escaped_as_java_does() -> None:
    assert znodes.escaped("a b*c~d/e+é") == "a%20b%2Ac%7Ed%2Fe%2B%C3%A9"
    assert znodes.unescaped(znodes.escaped("a b*c~d/e+é")) == "a b*c~d/e+é"


def test_paths_are_those_of_every_release() -> None:
    assert znodes.partition_state_path("t", 3) == "/brokers/topics/t/partitions/3/state"
    assert znodes.offset_path("g", "t", 3) == "/consumers/g/offsets/t/3"
    assert znodes.broker_config_path(None) == "/config/brokers/<default>"
    assert znodes.sequence_number("config_change_0000000012") == 12


def test_ids_in_text_are_22_characters_of_url_safe_base64() -> None:
    assert uuid_text(UUID(int=0)) == "AAAAAAAAAAAAAAAAAAAAAA"
    assert uuid_from_text(uuid_text(SOME_ID)) == SOME_ID
    for wrong in ("", "AAAA", "+" * 22, "A" * 23, "é" * 22):
        with pytest.raises(ValueError, match="id"):
            uuid_from_text(wrong)
