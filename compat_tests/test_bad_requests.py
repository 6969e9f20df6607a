"""Questions that no broker may take as they are, of consumers, admins and producers: each answered with its code.

Over a real socket, at every version where the API can ask so. The numbers are those of our catalogue of bad inputs;
Produce and the groups have files of their own. After each of them the connection goes on.
"""

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from broker.handlers.table import TABLE
from broker.testing.questions import codes_in
from compat_tests.bad_batches import sound
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
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic, ReplicaState
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.init_producer_id import InitProducerIdRequest
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.messages.offset_for_leader_epoch import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.records.batch import split
from kproto.records.legacy import read_message_set
from kproto.schema import ZERO_UUID, Message

INT32_MAX = 2**31 - 1
CAP = 3
OPTIONS = {
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "group.initial.rebalance.delay.ms": "0",
    "barnabas.autocreate.max.per.request": str(CAP),
}
BAD_NAMES = ["", ".", "..", "a" * 250, "a/b", "../../etc/passwd", "a b", "a\0b", "a\u00e9", "a\nb", "{a}"]
BAD_NAME_IDS = [repr(name)[:20] for name in BAD_NAMES]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), properties=OPTIONS).start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def client(broker: BrokerProcess) -> Iterator[TypedClient]:
    with TypedClient(broker.port) as client:
        yield client


@pytest.fixture(scope="module")
def aged(client: TypedClient) -> tuple[UUID, int]:
    """A topic of three records: its id, and its leader epoch."""
    client.create("aged")
    row = PartitionProduceData(records=sound(3))
    produced = ProduceRequest(acks=-1, timeout_ms=10_000, topic_data=[TopicProduceData(name="aged")])
    produced.topic_data[0].partition_data.append(row)
    assert codes(client.ask(produced, 9)) == [0]
    answer = client.ask(MetadataRequest(topics=[MetadataRequestTopic(name="aged")]), 12)
    return answer.topics[0].topic_id, answer.topics[0].partitions[0].leader_epoch


def versions(key: ApiKey, since: int = 0, until: int = 99) -> pytest.MarkDecorator:
    """Those served, from one to another."""
    lowest, highest = next(row.versions for row in TABLE if row.key is key)
    return pytest.mark.parametrize("version", range(max(lowest, since), min(highest, until) + 1))


def failures(answer: Any) -> set[ErrorCode]:
    return set(codes(answer)) - {ErrorCode.NONE}


def codes(answer: Any) -> list[ErrorCode]:
    return [ErrorCode(code) for code in codes_in(answer)]


# --- Fetch ---


def fetch(topic_id: UUID, offset: int = 0, *, session_epoch: int = -1, **of_row: Any) -> FetchRequest:
    row = FetchPartition(fetch_offset=offset, **({"partition_max_bytes": 1 << 20} | of_row))
    topic = FetchTopic(topic="aged", topic_id=topic_id, partitions=[row])
    return FetchRequest(min_bytes=1, session_epoch=session_epoch, topics=[topic])


@versions(ApiKey.FETCH)
@pytest.mark.parametrize("offset", [-1, -(2**63), 4, 2**63 - 1])
def test_76_an_offset_out_of_range(client: TypedClient, aged: tuple[UUID, int], offset: int, version: int) -> None:
    """Told at once, however long the consumer would wait; and the client hears where the log begins."""
    request = fetch(aged[0], offset)
    request.max_wait_ms = INT32_MAX
    answer = client.ask(request, version)
    row = answer.responses[0].partitions[0]
    assert ErrorCode(row.error_code) is ErrorCode.OFFSET_OUT_OF_RANGE
    assert not row.records


@versions(ApiKey.FETCH)
def test_the_end_of_the_log_is_no_offset_out_of_range(
    client: TypedClient, aged: tuple[UUID, int], version: int
) -> None:
    row = client.ask(fetch(aged[0], 3), version).responses[0].partitions[0]
    assert (row.error_code, bytes(row.records), row.high_watermark) == (ErrorCode.NONE, b"", 3)


FENCED, UNKNOWN_EPOCH = ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.UNKNOWN_LEADER_EPOCH
each_epoch = pytest.mark.parametrize(("shift", "code"), [(-2, FENCED), (1, UNKNOWN_EPOCH), (0, ErrorCode.NONE)])
"""From the leader's own; -1 would not care."""


@versions(ApiKey.FETCH, since=9)
@each_epoch
def test_77_a_client_with_another_leader_epoch(
    client: TypedClient, aged: tuple[UUID, int], shift: int, code: ErrorCode, version: int
) -> None:
    topic_id, epoch = aged
    request = fetch(topic_id, current_leader_epoch=epoch + shift)
    assert failures(client.ask(request, version)) == {code} - {ErrorCode.NONE}


@versions(ApiKey.LIST_OFFSETS, since=4)
@each_epoch
def test_77_list_offsets_with_another_leader_epoch(
    client: TypedClient, aged: tuple[UUID, int], shift: int, code: ErrorCode, version: int
) -> None:
    assert codes(client.ask(list_offsets(-1, current_leader_epoch=aged[1] + shift), version)) == [code]


@versions(ApiKey.OFFSET_FOR_LEADER_EPOCH, since=2)
@each_epoch
def test_77_the_end_of_an_epoch_asked_with_another_leader_epoch(
    client: TypedClient, aged: tuple[UUID, int], shift: int, code: ErrorCode, version: int
) -> None:
    row = OffsetForLeaderPartition(leader_epoch=0, current_leader_epoch=aged[1] + shift)
    request = OffsetForLeaderEpochRequest(topics=[OffsetForLeaderTopic(topic="aged", partitions=[row])])
    assert codes(client.ask(request, version)) == [code]


@versions(ApiKey.FETCH, since=7)
@pytest.mark.parametrize("session_id", [1, 2**31 - 1, -1])
def test_78_a_session_that_is_not_there(
    client: TypedClient, aged: tuple[UUID, int], session_id: int, version: int
) -> None:
    """The client begins again with all its partitions."""
    request = fetch(aged[0], session_epoch=5)
    request.session_id = session_id
    answer = client.ask(request, version)
    assert ErrorCode(answer.error_code) is ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    assert all(not row.records for topic in answer.responses for row in topic.partitions)


def session_of(client: TypedClient, aged: tuple[UUID, int], version: int) -> FetchRequest:
    """The second fetch of a session that has just begun."""
    began = client.ask(fetch(aged[0], 3, session_epoch=0), version)
    assert began.session_id > 0
    return FetchRequest(min_bytes=0, session_id=began.session_id, session_epoch=1)


@versions(ApiKey.FETCH, since=7)
@pytest.mark.parametrize("epoch", [2, 5, INT32_MAX])
def test_78_an_epoch_that_is_not_the_next(
    client: TypedClient, aged: tuple[UUID, int], epoch: int, version: int
) -> None:
    """The session stays for the one whose turn it is."""
    request = session_of(client, aged, version)
    request.session_epoch = epoch
    assert failures(client.ask(request, version)) == {ErrorCode.INVALID_FETCH_SESSION_EPOCH}
    request.session_epoch = 1
    assert failures(client.ask(request, version)) == set()


@versions(ApiKey.FETCH, since=7)
def test_78_a_session_of_names_that_goes_on_with_ids(client: TypedClient, aged: tuple[UUID, int], version: int) -> None:
    """And one of ids with names: the client was exchanged for an older or a newer one."""
    request = session_of(client, aged, version)
    other = 13 if version < 13 else 12
    assert failures(client.ask(request, other)) == {ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR}


@versions(ApiKey.FETCH, since=13)
@pytest.mark.parametrize("topic_id", [UUID(int=0xBAD), ZERO_UUID], ids=["made up", "zero"])
def test_79_an_unknown_topic_id(client: TypedClient, topic_id: UUID, version: int) -> None:
    assert failures(client.ask(fetch(topic_id), version)) == {ErrorCode.UNKNOWN_TOPIC_ID}


@versions(ApiKey.FETCH, since=4)
@pytest.mark.parametrize("level", [2, 7, -1])
def test_80_an_isolation_level_that_is_none(
    client: TypedClient, aged: tuple[UUID, int], level: int, version: int
) -> None:
    request = fetch(aged[0])
    request.isolation_level = level
    assert failures(client.ask(request, version)) == {ErrorCode.INVALID_REQUEST}


@versions(ApiKey.FETCH)
@pytest.mark.parametrize("replica", [0, 1, INT32_MAX])
def test_81_a_replica_that_is_none(client: TypedClient, aged: tuple[UUID, int], replica: int, version: int) -> None:
    """Neither the broker itself nor one that has no replica of this partition; the high watermark stays."""
    request = fetch(aged[0])
    if version >= 15:
        request.replica_state = ReplicaState(replica_id=replica)
    else:
        request.replica_id = replica
    answer = client.ask(request, version)
    row = answer.responses[0].partitions[0]
    assert (ErrorCode(row.error_code), bytes(row.records)) == (ErrorCode.NOT_LEADER_OR_FOLLOWER, b"")
    assert client.ask(fetch(aged[0]), version).responses[0].partitions[0].high_watermark == 3


def count_in(records: memoryview, version: int) -> int:
    """Records of whole batches, or before version 4 whole messages."""
    if version < 4:
        return len(list(read_message_set(records)))
    return sum(header.count for header, _ in split(records))


@versions(ApiKey.FETCH)
@pytest.mark.parametrize("limit", [0, 1, INT32_MAX, -1])
def test_82_strange_limits_give_one_batch_at_least(
    client: TypedClient, aged: tuple[UUID, int], limit: int, version: int
) -> None:
    """A consumer that asks for nothing would never get on."""
    request = fetch(aged[0], partition_max_bytes=limit)
    request.max_bytes, request.max_wait_ms = limit, INT32_MAX
    row = client.ask(request, version).responses[0].partitions[0]
    assert row.error_code == ErrorCode.NONE
    assert count_in(row.records, version) == 3


@versions(ApiKey.FETCH)
def test_82_the_longest_wait_ends_when_something_comes(
    broker: BrokerProcess, client: TypedClient, version: int
) -> None:
    """2^31-1 ms are 24 days; the connection holds nothing meanwhile."""
    name = f"waited-for-{version}"
    request = fetch(client.create(name))
    request.topics[0].topic, request.max_wait_ms = name, INT32_MAX
    with TypedClient(broker.port) as waiting:
        waiting.send(request, version)
        with pytest.raises(TimeoutError):
            waiting.answer(within_s=0.05)
        row = PartitionProduceData(records=sound(1))
        produced = ProduceRequest(acks=1, topic_data=[TopicProduceData(name=name, partition_data=[row])])
        client.ask(produced, 9)
        assert waiting.answer().responses[0].partitions[0].high_watermark == 1


@versions(ApiKey.FETCH)
def test_82_a_negative_wait_is_none(client: TypedClient, aged: tuple[UUID, int], version: int) -> None:
    request = fetch(aged[0], 3)
    request.max_wait_ms = -1
    began = time.monotonic()
    assert client.ask(request, version).responses[0].partitions[0].error_code == ErrorCode.NONE
    assert time.monotonic() - began < 5


# --- ListOffsets ---


def list_offsets(timestamp: int, *, times: int = 1, **of_row: Any) -> ListOffsetsRequest:
    rows = [ListOffsetsPartition(timestamp=timestamp, **of_row) for _ in range(times)]
    return ListOffsetsRequest(replica_id=-1, topics=[ListOffsetsTopic(name="aged", partitions=rows)])


@versions(ApiKey.LIST_OFFSETS)
def test_83_a_partition_asked_for_twice(client: TypedClient, aged: tuple[UUID, int], version: int) -> None:
    assert codes(client.ask(list_offsets(-1, times=2), version)) == [ErrorCode.INVALID_REQUEST] * 2


@versions(ApiKey.LIST_OFFSETS)
@pytest.mark.parametrize("timestamp", [-7, -100, -(2**63)])
def test_83_a_time_that_means_nothing(
    client: TypedClient, aged: tuple[UUID, int], timestamp: int, version: int
) -> None:
    assert codes(client.ask(list_offsets(timestamp), version)) == [ErrorCode.UNSUPPORTED_VERSION]


@pytest.mark.parametrize(("timestamp", "since"), [(-3, 7), (-4, 8), (-5, 9), (-6, 11)])
def test_83_a_time_of_a_later_version(client: TypedClient, aged: tuple[UUID, int], timestamp: int, since: int) -> None:
    for version in range(since):
        assert codes(client.ask(list_offsets(timestamp), version)) == [ErrorCode.UNSUPPORTED_VERSION]
    assert codes(client.ask(list_offsets(timestamp), since)) == [ErrorCode.NONE]


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


def test_85_a_hundred_thousand_unknown_names(broker: BrokerProcess, client: TypedClient) -> None:
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
def test_104_deletion_by_name_and_id_at_once(client: TypedClient, aged: tuple[UUID, int], version: int) -> None:
    request = DeleteTopicsRequest(topics=[DeleteTopicState(name="aged", topic_id=aged[0])], timeout_ms=10_000)
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
