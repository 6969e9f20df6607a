"""Questions of admins and producers that no broker may take as they are: each answered with its code.

Over a real socket, at every version where the API can ask so. The numbers are those of our catalogue of bad inputs;
Produce, Fetch and the groups have files of their own. After each of them the connection goes on.
"""

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from broker.handlers.table import TABLE
from compat_tests.bad_admin_requests import BAD_NAMES
from compat_tests.bad_questions import aged_topic, codes, failures, versions
from compat_tests.broker_process import BrokerProcess
from compat_tests.typed_client import TypedClient
from kproto.api_keys import ApiKey
from kproto.errors import ErrorCode
from kproto.messages.create_partitions import CreatePartitionsRequest, CreatePartitionsTopic
from kproto.messages.create_topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from kproto.messages.delete_topics import DeleteTopicsRequest, DeleteTopicState
from kproto.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource
from kproto.messages.fetch import FetchRequest
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.init_producer_id import InitProducerIdRequest
from kproto.messages.list_offsets import ListOffsetsRequest
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.messages.produce import ProduceRequest
from kproto.schema import Message

CAP = 3
OPTIONS = {
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "group.initial.rebalance.delay.ms": "0",
    "barnabas.autocreate.max.per.request": str(CAP),
}
BAD_NAME_IDS = [repr(name)[:20] for name in BAD_NAMES]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), properties=OPTIONS).start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def aged(client: TypedClient) -> UUID:
    """A topic of three records: its id."""
    return aged_topic(client)[0]


# --- Metadata ---


@versions(ApiKey.METADATA, since=10, until=11)
@pytest.mark.parametrize(
    "topic",
    [
        MetadataRequestTopic(name=None),
        MetadataRequestTopic(name=None, topic_id=UUID(int=1)),
        MetadataRequestTopic(name="aged", topic_id=UUID(int=1)),
    ],
    ids=["no name", "an id", "name and id"],
)
def test_84_metadata_by_id_before_it_can(client: TypedClient, topic: MetadataRequestTopic, version: int) -> None:
    """Versions 10 and 11 have the field, and no meaning for it."""
    assert failures(client.ask(MetadataRequest(topics=[topic]), version)) == {ErrorCode.INVALID_REQUEST}


@versions(ApiKey.METADATA)
def test_85_one_request_makes_only_so_many_topics(client: TypedClient, version: int) -> None:
    names = [f"many-{version}-{number}" for number in range(CAP + 2)]
    request = MetadataRequest(topics=[MetadataRequestTopic(name=name) for name in names])
    rows = {row.name: ErrorCode(row.error_code) for row in client.ask(request, version).topics}
    assert [rows[name] for name in names] == [ErrorCode.NONE] * CAP + [ErrorCode.THROTTLING_QUOTA_EXCEEDED] * 2


def test_85_a_hundred_thousand_unknown_names(broker: BrokerProcess, client: TypedClient, aged: UUID) -> None:
    """Answered in one go; a neighbour is served meanwhile, and only so many topics are there afterwards."""
    names = [f"flood-{number}" for number in range(100_000)]
    with TypedClient(broker.port) as flooding:
        flooding.send(MetadataRequest(topics=[MetadataRequestTopic(name=name) for name in names]), 9)
        began = time.monotonic()
        assert client.end_offset("aged") >= 0
        assert time.monotonic() - began < 5
        rows = [ErrorCode(row.error_code) for row in flooding.answer().topics]
    assert rows.count(ErrorCode.NONE) == CAP
    assert rows.count(ErrorCode.THROTTLING_QUOTA_EXCEEDED) == len(names) - CAP
    assert sum(row.name.startswith("flood-") for row in client.ask(MetadataRequest(topics=None), 9).topics) == CAP


@versions(ApiKey.METADATA)
@pytest.mark.parametrize("name", BAD_NAMES, ids=BAD_NAME_IDS)
def test_86_metadata_for_a_name_that_no_topic_can_have(
    broker: BrokerProcess, client: TypedClient, name: str, version: int
) -> None:
    row = client.ask(MetadataRequest(topics=[MetadataRequestTopic(name=name)]), version).topics[0]
    assert (row.name, ErrorCode(row.error_code)) == (name, ErrorCode.INVALID_TOPIC_EXCEPTION)


# --- topics ---


def create(*topics: CreatableTopic) -> CreateTopicsRequest:
    return CreateTopicsRequest(topics=list(topics), timeout_ms=10_000)


def wanted(name: str, partitions: int = 1, replicas: int = 1, **more: Any) -> CreatableTopic:
    return CreatableTopic(name=name, num_partitions=partitions, replication_factor=replicas, **more)


def assigned(name: str, *replicas: tuple[int, list[int]]) -> CreatableTopic:
    assignments = [CreatableReplicaAssignment(partition_index=at, broker_ids=ids) for at, ids in replicas]
    return wanted(name, -1, -1, assignments=assignments)


@versions(ApiKey.CREATE_TOPICS)
@pytest.mark.parametrize("name", BAD_NAMES, ids=BAD_NAME_IDS)
def test_86_a_topic_with_a_name_that_none_can_have(
    broker: BrokerProcess, client: TypedClient, name: str, version: int
) -> None:
    """Nothing of it reaches a path."""
    before = {path for path in broker.folder.rglob("*") if path.is_dir()}
    [row] = client.ask(create(wanted(name)), version).topics
    assert (row.name, ErrorCode(row.error_code)) == (name, ErrorCode.INVALID_TOPIC_EXCEPTION)
    assert {path for path in broker.folder.rglob("*") if path.is_dir()} == before


@versions(ApiKey.CREATE_TOPICS)
def test_87_names_that_collide_in_metrics(client: TypedClient, version: int) -> None:
    first = client.ask(create(wanted(f"a.b{version}")), version)
    assert ErrorCode(first.topics[0].error_code) is ErrorCode.NONE
    [row] = client.ask(create(wanted(f"a_b{version}")), version).topics
    assert ErrorCode(row.error_code) is ErrorCode.INVALID_TOPIC_EXCEPTION


CREATIONS: dict[str, tuple[CreatableTopic, ErrorCode]] = {
    "no partitions": (wanted("bad", 0), ErrorCode.INVALID_PARTITIONS),
    "-5 partitions": (wanted("bad", -5), ErrorCode.INVALID_PARTITIONS),
    "no replicas": (wanted("bad", 1, 0), ErrorCode.INVALID_REPLICATION_FACTOR),
    "-5 replicas": (wanted("bad", 1, -5), ErrorCode.INVALID_REPLICATION_FACTOR),
    "more replicas than brokers": (wanted("bad", 1, 2), ErrorCode.INVALID_REPLICATION_FACTOR),
    "assignment and counts": (
        wanted("bad", 1, 1, assignments=assigned("", (0, [0])).assignments),
        ErrorCode.INVALID_REQUEST,
    ),
    "holes in the assignment": (assigned("bad", (0, [0]), (2, [0])), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
    "the assignment begins at 1": (assigned("bad", (1, [0])), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
    "a partition assigned twice": (assigned("bad", (0, [0]), (0, [0])), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
    "a replica twice": (assigned("bad", (0, [0, 0])), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
    "a partition without replicas": (assigned("bad", (0, [])), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
    "an unknown broker": (assigned("bad", (0, [77])), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
    "a config that is null": (
        wanted("bad", configs=[CreatableTopicConfig(name="retention.ms", value=None)]),
        ErrorCode.INVALID_CONFIG,
    ),
    "a config that is unknown": (
        wanted("bad", configs=[CreatableTopicConfig(name="no.such.thing", value="1")]),
        ErrorCode.INVALID_CONFIG,
    ),
    "a config that is no number": (
        wanted("bad", configs=[CreatableTopicConfig(name="retention.ms", value="soon")]),
        ErrorCode.INVALID_CONFIG,
    ),
}


@versions(ApiKey.CREATE_TOPICS)
@pytest.mark.parametrize("case", CREATIONS)
def test_102_a_topic_that_cannot_be(client: TypedClient, case: str, version: int) -> None:
    """Its neighbour in the request is made."""
    topic, code = CREATIONS[case]
    beside = f"beside-{list(CREATIONS).index(case)}-{version}"
    rows = client.ask(create(topic, wanted(beside)), version).topics
    assert [(row.name, ErrorCode(row.error_code)) for row in rows] == [("bad", code), (beside, ErrorCode.NONE)]
    if version >= 1:
        assert rows[0].error_message


@versions(ApiKey.CREATE_TOPICS)
def test_102_a_topic_named_twice(client: TypedClient, version: int) -> None:
    [row] = client.ask(create(wanted("twin"), wanted("twin")), version).topics
    assert (row.name, ErrorCode(row.error_code)) == ("twin", ErrorCode.INVALID_REQUEST)
    assert client.end_offset("twin") == -1


@versions(ApiKey.CREATE_PARTITIONS)
@pytest.mark.parametrize("count", [2, 1, 0, -1])
def test_103_as_many_partitions_or_fewer(client: TypedClient, count: int, version: int) -> None:
    name = f"grown-{version}-{count}"
    client.create(name, 2)
    topic = CreatePartitionsTopic(name=name, count=count, assignments=None)
    request = CreatePartitionsRequest(topics=[topic], timeout_ms=10_000)
    assert codes(client.ask(request, version)) == [ErrorCode.INVALID_PARTITIONS]


@versions(ApiKey.DELETE_TOPICS, since=6)
def test_104_deletion_by_name_and_id_at_once(client: TypedClient, aged: UUID, version: int) -> None:
    request = DeleteTopicsRequest(topics=[DeleteTopicState(name="aged", topic_id=aged)], timeout_ms=10_000)
    assert codes(client.ask(request, version)) == [ErrorCode.INVALID_REQUEST]
    assert client.end_offset("aged") == 3


def test_104_deletion_that_is_switched_off(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Older clients do not know the code."""
    folder = tmp_path_factory.mktemp("keeps")
    process = BrokerProcess(folder, properties={**OPTIONS, "delete.topic.enable": "false"}).start()
    try:
        with TypedClient(process.port) as client:
            topic_id = client.create("kept")
            for version in range(7):
                named = DeleteTopicsRequest(topic_names=["kept"], topics=[DeleteTopicState(topic_id=topic_id)])
                code = ErrorCode.TOPIC_DELETION_DISABLED if version >= 3 else ErrorCode.INVALID_REQUEST
                assert codes(client.ask(named, version)) == [code]
            assert client.end_offset("kept") == 0
    finally:
        process.stop()


# --- producer ids, coordinators, options ---

MOST_MS = 900_000
PRODUCERS: dict[str, tuple[InitProducerIdRequest, ErrorCode]] = {
    "empty id": (
        InitProducerIdRequest(transactional_id="", transaction_timeout_ms=1, producer_id=-1, producer_epoch=-1),
        ErrorCode.INVALID_REQUEST,
    ),
    "timeout too long": (
        InitProducerIdRequest(
            transactional_id="t", transaction_timeout_ms=MOST_MS + 1, producer_id=-1, producer_epoch=-1
        ),
        ErrorCode.INVALID_TRANSACTION_TIMEOUT,
    ),
    "timeout 0": (
        InitProducerIdRequest(transactional_id="t", transaction_timeout_ms=0, producer_id=-1, producer_epoch=-1),
        ErrorCode.INVALID_TRANSACTION_TIMEOUT,
    ),
    "timeout -1": (
        InitProducerIdRequest(transactional_id="t", transaction_timeout_ms=-1, producer_id=-1, producer_epoch=-1),
        ErrorCode.INVALID_TRANSACTION_TIMEOUT,
    ),
}


@versions(ApiKey.INIT_PRODUCER_ID)
@pytest.mark.parametrize("case", PRODUCERS)
def test_98_a_producer_that_cannot_be(client: TypedClient, case: str, version: int) -> None:
    request, code = PRODUCERS[case]
    answer = client.ask(request, version)
    assert (ErrorCode(answer.error_code), answer.producer_id, answer.producer_epoch) == (code, -1, -1)


@versions(ApiKey.INIT_PRODUCER_ID, since=3)
@pytest.mark.parametrize(("producer_id", "epoch"), [(5, -1), (-1, 5)])
def test_98_a_producer_id_without_its_epoch(client: TypedClient, producer_id: int, epoch: int, version: int) -> None:
    request = InitProducerIdRequest(transactional_id=None, producer_id=producer_id, producer_epoch=epoch)
    assert codes(client.ask(request, version)) == [ErrorCode.INVALID_REQUEST]


@versions(ApiKey.FIND_COORDINATOR, since=1)
@pytest.mark.parametrize("key_type", [9, -1, 127])
def test_88_a_coordinator_of_nothing(client: TypedClient, key_type: int, version: int) -> None:
    request = FindCoordinatorRequest(key="k", key_type=key_type, coordinator_keys=["k"])
    assert failures(client.ask(request, version)) == {ErrorCode.INVALID_REQUEST}


@versions(ApiKey.DESCRIBE_CONFIGS)
@pytest.mark.parametrize(("kind", "name"), [(3, "aged"), (0, ""), (127, ""), (4, "one"), (4, "99"), (8, ""), (8, "99")])
def test_106_options_of_nobody(client: TypedClient, kind: int, name: str, version: int) -> None:
    """An unknown type, a broker that is no number, another broker."""
    resource = DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=None)
    answer = client.ask(DescribeConfigsRequest(resources=[resource]), version)
    assert codes(answer) == [ErrorCode.INVALID_REQUEST]
    assert not answer.results[0].configs


EMPTY: list[Message] = [
    CreateTopicsRequest(),
    DeleteTopicsRequest(),
    CreatePartitionsRequest(),
    DescribeConfigsRequest(),
    ListOffsetsRequest(),
    ProduceRequest(acks=-1),
    FetchRequest(),
]


@pytest.mark.parametrize("request_", EMPTY, ids=lambda request: type(request).__name__)
def test_a_question_about_nothing_has_an_answer_of_nothing(client: TypedClient, request_: Message) -> None:
    key = request_.API_KEY
    lowest, highest = next(row.versions for row in TABLE if row.key is key)
    for version in range(lowest, highest + 1):
        assert not failures(client.ask(request_, version))
