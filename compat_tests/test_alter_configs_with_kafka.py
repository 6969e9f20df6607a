"""Bad values of options beside Apache Kafka 3.9.2 (ZooKeeper mode): refused by both, with the same code.

Every value of `broker.testing.bad_options` of an option that Kafka 3.9 has, for a topic, for a broker and for all
brokers, by AlterConfigs and IncrementalAlterConfigs; and values that just pass, of which both take the same. Nothing is
written: both are only asked to validate.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from broker.testing.bad_options import bad_texts, may_change, ranges
from compat_tests.apache_kafka import ApacheKafka
from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import ZooKeeper
from compat_tests.typed_client import TypedClient
from kproto.messages import alter_configs as whole
from kproto.messages import incremental_alter_configs as single
from kproto.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource

pytestmark = pytest.mark.campaign

TOPIC, BROKER = 2, 4
RESOURCES = [(TOPIC, "t"), (BROKER, "0"), (BROKER, "")]
OPTIONS = {
    "broker.id": "0",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
}
Question = tuple[int, str, str, str]
"""Resource type and name, option, value."""

POOLS = "Kafka lets a pool of threads grow to its double and shrink to its half; here it is no pool."
REFUSED_BY_KAFKA = {"background.threads": POOLS, "num.io.threads": POOLS}
"""Options of which Kafka refuses a value that we take, and why."""


class Asked:
    """What one broker says to all questions: the codes of AlterConfigs and of IncrementalAlterConfigs."""

    def __init__(self, port: int) -> None:
        self._client = TypedClient(port)
        deadline = time.monotonic() + 30
        while True:  # a controller that has just started knows of no broker yet
            try:
                self._client.create("t")
                break
            except AssertionError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        self.names = {kind: self._names(kind, name) for kind, name in ((TOPIC, "t"), (BROKER, "0"))}

    def _names(self, kind: int, name: str) -> set[str]:
        asked = DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=None)
        (result,) = self._client.ask(DescribeConfigsRequest(resources=[asked]), 4).results
        return {row.name for row in result.configs}

    def codes(self, kind: int, name: str, option: str, text: str) -> tuple[int, int]:
        one = single.AlterConfigsResource(resource_type=kind, resource_name=name)
        one.configs.append(single.AlterableConfig(name=option, config_operation=0, value=text))
        all_ = whole.AlterConfigsResource(resource_type=kind, resource_name=name)
        all_.configs.append(whole.AlterableConfig(name=option, value=text))
        questions: list[tuple[Any, int]] = [
            (whole.AlterConfigsRequest(resources=[all_], validate_only=True), 2),
            (single.IncrementalAlterConfigsRequest(resources=[one], validate_only=True), 1),
        ]
        first, second = [self._client.ask(question, version).responses[0].error_code for question, version in questions]
        return first, second


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), properties=OPTIONS).start()
    try:
        yield Asked(process.port)
    finally:
        process.stop()


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("kafka")
    with ZooKeeper(folder) as zookeeper, ApacheKafka(folder, zookeeper.address, OPTIONS) as original:
        yield Asked(original.port)


def asked_of(pairs: list[tuple[str, str, str]], known: dict[int, set[str]]) -> Iterator[Question]:
    """Args: pairs: group, option, value. Each for the resources that could have it, if Kafka knows it."""
    for kind, name in RESOURCES:
        for group, option, text in pairs:
            asked = group == ("topic" if kind == TOPIC else "broker") and option in known[kind]
            if asked and (kind == TOPIC or may_change(option, whole_cluster=not name)):
                yield kind, name, option, text


def test_bad_values_are_refused_by_both_with_the_same_code(kafka: Asked, ours: Asked) -> None:
    pairs = [(group, option, text) for group in ("topic", "broker") for option, text in bad_texts(group)]
    questions = list(asked_of(pairs, kafka.names))
    assert len(questions) > 400
    different = []
    for question in questions:
        theirs, mine = kafka.codes(*question), ours.codes(*question)
        assert 0 not in mine
        if theirs != mine:
            different.append((question, theirs, mine))
    assert different == []


def test_values_that_just_pass_are_taken_by_both_but_for_those_named_here(kafka: Asked, ours: Asked) -> None:
    pairs = [(row.group, row.name, edge) for row in ranges() for edge in row.edges()]
    questions = list(asked_of(pairs, kafka.names))
    assert len(questions) > 100
    different = []
    for question in questions:
        theirs, mine = kafka.codes(*question), ours.codes(*question)
        if theirs != mine and question[2] not in REFUSED_BY_KAFKA:
            different.append((question, theirs, mine))
    assert different == []
