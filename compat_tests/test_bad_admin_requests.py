"""Admin requests that no broker may take as they are: each answered with its code at every version, nothing changed.

Over a real socket. In the default dose the last version of each API; the others, and Apache Kafka 3.9.2 as judge of the
codes, are the campaign's.
"""

import time
from collections.abc import Iterator

import pytest

from broker.handlers.table import TABLE
from broker.testing.questions import codes_in
from compat_tests import bad_names
from compat_tests.apache_kafka import ApacheKafka
from compat_tests.bad_admin_requests import CASES, Case
from compat_tests.bad_batches import sound
from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import ZooKeeper
from compat_tests.typed_client import TypedClient
from kproto.api_keys import ApiKey
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData

OPTIONS = {
    "broker.id": "0",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
}
PATHS = ("'.'", "'..'", "'../../etc/passwd'", "'a\\x00b'", "'a\\nb'")
KAFKAS = {
    **{
        f"86 IncrementalAlterConfigs {name}": ({40}, "It asks ZooKeeper for the name, as a path, before all else.")
        for name in PATHS
    },
    **{
        f"86 CreatePartitions {name}": ({-1}, "The same, and it knows no better than to blame itself.")
        for name in ("''", *PATHS)
    },
    **{
        f"ElectLeaders of type {kind}": ({-1}, "It does not expect such a type; we tell the client that it is wrong.")
        for kind in (2, 9, -1, -128)
    },
    **{
        f"IncrementalAlterConfigs with operation {operation}": ({-1}, "It does not expect such an operation.")
        for operation in (4, -1, 127)
    },
}
"""Where Kafka 3.9.2 answers with other codes than we do, and why."""
NEVER_ANSWERED = {"AlterConfigs of one resource twice"}
"""Kafka 3.9.2 keeps the client waiting."""


def served() -> dict[ApiKey, tuple[int, int]]:
    return {row.key: row.versions for row in TABLE}


def versions_of(case: Case, versions: dict[ApiKey, tuple[int, int]]) -> range:
    lowest, highest = versions[case.key]
    return range(max(lowest, case.since), min(highest, case.until) + 1)


def prepare(port: int) -> None:
    """Topics `aged` and `compacted`, and that of group offsets."""
    with TypedClient(port) as client:
        deadline = time.monotonic() + 30
        while True:  # a controller that has just started knows of no broker yet
            try:
                client.create("aged")
                break
            except AssertionError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        client.create("compacted", cleanup_policy="compact")
        while client.ask(FindCoordinatorRequest(key="readers"), 1).error_code:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        produce = ProduceRequest(acks=-1, timeout_ms=10_000, topic_data=[TopicProduceData(name="aged")])
        produce.topic_data[0].partition_data.append(PartitionProduceData(records=sound(3)))
        assert list(codes_in(client.ask(produce, 9))) == [0]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), properties=OPTIONS).start()
    prepare(process.port)
    yield process
    process.stop()


def codes(client: TypedClient, case: Case, version: int) -> set[int]:
    """Of the answer, without those that say that all is well."""
    return {int(code) for code in codes_in(client.ask(case.request, version))} - {0}


def check(client: TypedClient, case: Case, version: int) -> None:
    assert codes(client, case, version) == case.codes, f"{case.name} at version {version}"


def test_each_is_answered_with_its_code_on_a_connection_that_goes_on(client: TypedClient) -> None:
    for case in CASES:
        check(client, case, versions_of(case, served())[-1])


def test_afterwards_everything_is_as_it_was(client: TypedClient) -> None:
    assert client.end_offset("aged") == 3
    resource = DescribeConfigsResource(resource_type=2, resource_name="aged", configuration_keys=None)
    (told,) = client.ask(DescribeConfigsRequest(resources=[resource]), 4).results
    assert [row.name for row in told.configs if row.config_source == 1] == []


@pytest.mark.campaign
def test_each_is_answered_with_its_code_at_every_version(client: TypedClient) -> None:
    for case in CASES:
        for version in versions_of(case, served()):
            check(client, case, version)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TypedClient]:
    folder = tmp_path_factory.mktemp("kafka")
    with ZooKeeper(folder) as zookeeper, ApacheKafka(folder, zookeeper.address, OPTIONS) as original:
        prepare(original.port)
        with TypedClient(original.port) as client:
            yield client


@pytest.mark.campaign
def test_kafka_answers_with_the_same_codes_but_for_the_differences_named_here(kafka: TypedClient) -> None:
    rows = kafka.ask(ApiVersionsRequest(), 0).api_keys
    theirs = {row.api_key: (row.min_version, row.max_version) for row in rows}
    both = {
        key: (max(lowest, theirs[key][0]), min(highest, theirs[key][1]))
        for key, (lowest, highest) in served().items()
        if key in theirs
    }
    asked = [case for case in [*CASES, *bad_names.CASES] if case.key in both and case.name not in NEVER_ANSWERED]
    for case in asked:
        for version in versions_of(case, both):
            expected, _ = KAFKAS.get(case.name, (case.codes, ""))
            assert codes(kafka, case, version) == expected, f"{case.name} at version {version}"
    assert KAFKAS.keys() <= {case.name for case in asked}
