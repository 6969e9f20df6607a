"""Every row of the table is denied: no data comes back, the code is the right one, and names do not leak.

Then each API is asked with nothing but the rights it needs, and with everything but one of them.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from broker.cluster.authorizer import Operation, Resource, ResourceType
from broker.handlers.table import TABLE, Row
from broker.testing.calls import create, produce
from broker.testing.client import WireClient
from broker.testing.cluster_of_one import cluster_of_one
from broker.testing.questions import BROKER_CONFIG, QUESTIONS, Named, codes_in
from broker.testing.running import Running, running
from kproto.api_keys import ApiKey
from kproto.codec import encoded
from kproto.errors import ErrorCode
from kproto.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource
from kproto.messages.describe_topic_partitions import DescribeTopicPartitionsRequest
from kproto.messages.fetch import FetchRequest, ReplicaState
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.join_group import JoinGroupRequest, JoinGroupRequestProtocol
from kproto.messages.leader_and_isr import LeaderAndIsrRequest
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.messages.offset_commit import OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic
from kproto.messages.produce import ProduceRequest
from kproto.messages.stop_replica import StopReplicaRequest
from kproto.messages.sync_group import SyncGroupRequest, SyncGroupRequestAssignment
from kproto.messages.update_metadata import UpdateMetadataRequest
from kproto.schema import Message

TOPIC = ErrorCode.TOPIC_AUTHORIZATION_FAILED
GROUP = ErrorCode.GROUP_AUTHORIZATION_FAILED
CLUSTER = ErrorCode.CLUSTER_AUTHORIZATION_FAILED
TRANSACTION = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
DENIALS = {TOPIC, GROUP, CLUSTER, TRANSACTION}

SECRET = "s3cret"
"""In every record, every member's metadata and every offset's metadata of this file."""

Right = tuple[Operation, ResourceType]
WRITE_TOPIC = (Operation.WRITE, ResourceType.TOPIC)
READ_TOPIC = (Operation.READ, ResourceType.TOPIC)
DESCRIBE_TOPIC = (Operation.DESCRIBE, ResourceType.TOPIC)
ALTER_CONFIGS_TOPIC = (Operation.ALTER_CONFIGS, ResourceType.TOPIC)
DESCRIBE_CLUSTER = (Operation.DESCRIBE, ResourceType.CLUSTER)
ALTER_CLUSTER = (Operation.ALTER, ResourceType.CLUSTER)
READ_GROUP = (Operation.READ, ResourceType.GROUP)
DESCRIBE_GROUP = (Operation.DESCRIBE, ResourceType.GROUP)


class Needs(NamedTuple):
    """What an API asks for, and what it says without. `instead`: a right that does as well as all of `rights`."""

    rights: tuple[Right, ...]
    denied: ErrorCode
    instead: Right | None = None


NEEDS: dict[ApiKey, Needs] = {
    ApiKey.PRODUCE: Needs((WRITE_TOPIC,), TOPIC),
    ApiKey.FETCH: Needs((READ_TOPIC,), TOPIC),
    ApiKey.LIST_OFFSETS: Needs((DESCRIBE_TOPIC,), TOPIC),
    ApiKey.METADATA: Needs((DESCRIBE_TOPIC,), TOPIC),
    ApiKey.OFFSET_COMMIT: Needs((READ_GROUP, READ_TOPIC), GROUP),
    ApiKey.OFFSET_FETCH: Needs((DESCRIBE_GROUP, DESCRIBE_TOPIC), GROUP),
    ApiKey.FIND_COORDINATOR: Needs((DESCRIBE_GROUP,), GROUP),
    ApiKey.JOIN_GROUP: Needs((READ_GROUP,), GROUP),
    ApiKey.HEARTBEAT: Needs((READ_GROUP,), GROUP),
    ApiKey.LEAVE_GROUP: Needs((READ_GROUP,), GROUP),
    ApiKey.SYNC_GROUP: Needs((READ_GROUP,), GROUP),
    ApiKey.DESCRIBE_GROUPS: Needs((DESCRIBE_GROUP,), GROUP),
    ApiKey.CREATE_TOPICS: Needs(
        ((Operation.CREATE, ResourceType.TOPIC),), TOPIC, instead=(Operation.CREATE, ResourceType.CLUSTER)
    ),
    ApiKey.DELETE_TOPICS: Needs(((Operation.DELETE, ResourceType.TOPIC),), TOPIC),
    ApiKey.INIT_PRODUCER_ID: Needs(((Operation.IDEMPOTENT_WRITE, ResourceType.CLUSTER),), CLUSTER, instead=WRITE_TOPIC),
    ApiKey.OFFSET_FOR_LEADER_EPOCH: Needs(
        (DESCRIBE_TOPIC,), TOPIC, instead=(Operation.CLUSTER_ACTION, ResourceType.CLUSTER)
    ),
    ApiKey.DESCRIBE_CONFIGS: Needs(((Operation.DESCRIBE_CONFIGS, ResourceType.TOPIC),), TOPIC),
    ApiKey.DELETE_RECORDS: Needs(((Operation.DELETE, ResourceType.TOPIC),), TOPIC),
    ApiKey.OFFSET_DELETE: Needs(((Operation.DELETE, ResourceType.GROUP), READ_TOPIC), GROUP),
    ApiKey.ALTER_CONFIGS: Needs((ALTER_CONFIGS_TOPIC,), TOPIC),
    ApiKey.INCREMENTAL_ALTER_CONFIGS: Needs((ALTER_CONFIGS_TOPIC,), TOPIC),
    ApiKey.ALTER_REPLICA_LOG_DIRS: Needs((ALTER_CLUSTER,), CLUSTER),
    ApiKey.DESCRIBE_LOG_DIRS: Needs((DESCRIBE_CLUSTER,), CLUSTER),
    ApiKey.DESCRIBE_PRODUCERS: Needs((READ_TOPIC,), TOPIC),
    ApiKey.DESCRIBE_TOPIC_PARTITIONS: Needs((DESCRIBE_TOPIC,), TOPIC),
    ApiKey.ELECT_LEADERS: Needs((ALTER_CLUSTER,), CLUSTER),
    ApiKey.ALTER_PARTITION_REASSIGNMENTS: Needs((ALTER_CLUSTER,), CLUSTER),
    ApiKey.LIST_PARTITION_REASSIGNMENTS: Needs((DESCRIBE_CLUSTER,), CLUSTER),
    ApiKey.UPDATE_FEATURES: Needs((ALTER_CLUSTER,), CLUSTER),
    ApiKey.CREATE_PARTITIONS: Needs(((Operation.ALTER, ResourceType.TOPIC),), TOPIC),
    ApiKey.DELETE_GROUPS: Needs(((Operation.DELETE, ResourceType.GROUP),), GROUP),
}
NO_CODE = {(ApiKey.DESCRIBE_LOG_DIRS, version) for version in range(3)}
"""Versions whose answers have no field for a denial: it is an empty answer."""
OPEN = {ApiKey.API_VERSIONS, ApiKey.DESCRIBE_CLUSTER, ApiKey.LIST_GROUPS}
"""These deny nothing: the first two need no right, the last leaves out what must not be seen."""

CLIENT_ROWS = [row for row in TABLE if not row.inter_broker]
BROKER_ROWS = [row for row in TABLE if row.inter_broker]


def each_version(rows: list[Row]) -> pytest.MarkDecorator:
    """Of every row."""
    every = [(row.key, version) for row in rows for version in range(row.versions[0], row.versions[1] + 1)]
    return pytest.mark.parametrize(("key", "version"), every, ids=lambda value: getattr(value, "name", str(value)))


def each_row(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("key", [row.key for row in rows], ids=lambda key: key.name)


class Rights:
    """Everybody may do everything until `only` is set; the broker itself always may."""

    def __init__(self) -> None:
        self.only: Callable[[Operation, ResourceType], bool] = lambda operation, kind: True

    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        return host == "local" or self.only(operation, resource.type)

    def deny_all(self) -> None:
        self.only = lambda operation, kind: False


class Site(NamedTuple):
    """A broker with a topic, a group with one member and a committed offset; all of them full of secrets."""

    broker: Running
    rights: Rights
    here: Named
    client: WireClient


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    rights = Rights()
    async with running(authorizer=rights) as broker:
        with broker.connect() as client:
            await create(client, "orders-here")
            await produce(client, "orders-here", SECRET)
            topic = MetadataRequestTopic(name="orders-here")
            metadata = await client.ask(MetadataRequest(topics=[topic]), 12)
            here = Named("orders-here", metadata.topics[0].topic_id, "group-here")
            yield Site(broker, rights, await with_member(client, here), client)


async def with_member(client: WireClient, of: Named) -> Named:
    """Join, be the leader, commit: the group and the offset that others must not see."""
    await client.ask(FindCoordinatorRequest(key=of.group), 0)
    protocol = JoinGroupRequestProtocol(name="range", metadata=SECRET.encode())
    join = JoinGroupRequest(
        group_id=of.group, session_timeout_ms=30_000, protocol_type="consumer", protocols=[protocol]
    )
    joined = await client.ask(join, 0)
    assert joined.error_code == 0, joined
    of = replace(of, member_id=joined.member_id, generation=joined.generation_id)
    part = SyncGroupRequestAssignment(member_id=of.member_id, assignment=SECRET.encode())
    sync = SyncGroupRequest(group_id=of.group, generation_id=of.generation, member_id=of.member_id, assignments=[part])
    assert (await client.ask(sync, 0)).error_code == 0
    row = OffsetCommitRequestPartition(committed_offset=1, committed_metadata=SECRET)
    for version in (0, 2):
        commit = OffsetCommitRequest(
            group_id=of.group,
            member_id=of.member_id,
            generation_id_or_member_epoch=of.generation,
            topics=[OffsetCommitRequestTopic(name=of.topic, partitions=[row])],
        )
        assert list(codes_in(await client.ask(commit, version))) == [0]
    return of


def question(key: ApiKey, of: Named, version: int) -> Message:
    """CreateTopics asks for a topic that is not there, when it is to succeed."""
    return QUESTIONS[key](of, version)


def failures(answer: Message) -> set[int]:
    return {code for code in codes_in(answer) if code}


def test_every_row_of_the_table_has_its_question_and_its_rights() -> None:
    """Who adds an API adds it here too."""
    keys = {row.key for row in CLIENT_ROWS}
    assert keys == set(QUESTIONS) == set(NEEDS) | OPEN


@each_version(CLIENT_ROWS)
async def test_who_may_nothing_gets_nothing(key: ApiKey, version: int) -> None:
    """No record, offset, member, config or name of a topic comes back, and nothing is changed."""
    async with site() as (_, rights, here, client):
        before = (await client.ask(MetadataRequest(topics=None), 12)).topics
        rights.deny_all()
        answer = await client.ask(question(key, here, version), version)
        if key in NEEDS:
            assert failures(answer) == ({NEEDS[key].denied} if (key, version) not in NO_CODE else set()), answer
        assert SECRET.encode() not in encoded(answer, version)
        check_empty(answer)
        rights.only = lambda operation, kind: True
        assert (await client.ask(MetadataRequest(topics=None), 12)).topics == before
        assert (await client.ask(QUESTIONS[ApiKey.HEARTBEAT](here, 0), 0)).error_code == 0
        assert (await client.ask(QUESTIONS[ApiKey.FETCH](here, 18), 18)).responses[0].partitions[0].high_watermark == 1


def check_empty(answer: Any) -> None:
    """Fields that would be data where a code stands in their place."""
    match type(answer).__name__:
        case "FetchResponse":
            rows = [row for topic in answer.responses for row in topic.partitions]
            assert all(not row.records and row.high_watermark == -1 and row.log_start_offset == -1 for row in rows)
        case "ProduceResponse":
            assert all(row.base_offset == -1 for topic in answer.responses for row in topic.partition_responses)
        case "ListOffsetsResponse":
            rows = [row for topic in answer.topics for row in topic.partitions]
            assert all(row.offset == -1 and not row.old_style_offsets for row in rows)
        case "DeleteRecordsResponse":
            assert all(row.low_watermark == -1 for topic in answer.topics for row in topic.partitions)
        case "OffsetForLeaderEpochResponse":
            assert all(row.end_offset == -1 for topic in answer.topics for row in topic.partitions)
        case "MetadataResponse":
            assert all(not topic.partitions for topic in answer.topics)
        case "OffsetFetchResponse":
            rows = [row for topic in answer.topics for row in topic.partitions]
            assert all(row.committed_offset == -1 for row in rows)
            assert all(not group.topics for group in answer.groups)
        case "DescribeGroupsResponse":
            assert all(not group.members and not group.group_state for group in answer.groups)
        case "ListGroupsResponse":
            assert not answer.groups
        case "DescribeConfigsResponse":
            assert all(not result.configs for result in answer.results)
        case "DescribeTopicPartitionsResponse":
            assert all(not topic.partitions and topic.topic_id == UUID(int=0) for topic in answer.topics)
        case "DescribeProducersResponse":
            assert all(not row.active_producers for topic in answer.topics for row in topic.partitions)
        case "DescribeLogDirsResponse":
            assert not answer.results
        case "ListPartitionReassignmentsResponse":
            assert not answer.topics
        case "FindCoordinatorResponse":
            assert answer.node_id in (0, -1)
            assert not answer.host
            assert all(not row.host for row in answer.coordinators)
        case "InitProducerIdResponse":
            assert answer.producer_id == -1


@each_version(CLIENT_ROWS)
async def test_a_topic_or_group_that_is_there_is_denied_as_one_that_is_not(key: ApiKey, version: int) -> None:
    """Names do not leak. An id does not tell its name either, though it may be told from a made-up one (KIP-516)."""
    async with site() as (_, rights, here, client):
        gone = replace(here, topic="orders-gone", group="group-gone")
        rights.deny_all()
        there = await client.ask(question(key, here, version), version)
        missing = await client.ask(question(key, gone, version), version)
        assert encoded(missing, version).replace(b"-gone", b"-here") == encoded(there, version)


@pytest.mark.parametrize("version", range(4, 12))
async def test_metadata_that_creates_nothing_leaks_no_name_either(version: int) -> None:
    """A consumer asks so: what is not there would be unknown, what is there is denied, and both must sound alike."""
    async with site() as (_, rights, here, client):
        rights.deny_all()
        topics = [MetadataRequestTopic(name=name) for name in (here.topic, "orders-gone")]
        answer = await client.ask(MetadataRequest(topics=topics, allow_auto_topic_creation=False), version)
        assert [(row.name, row.error_code) for row in answer.topics] == [(here.topic, TOPIC), ("orders-gone", TOPIC)]


@pytest.mark.parametrize("transactional_id", [None, "transfers"])
async def test_a_denied_produce_without_an_answer_closes(transactional_id: str | None) -> None:
    """With acks=0 the only way to say no."""
    async with site() as (broker, rights, here, client):
        rights.deny_all()
        request = QUESTIONS[ApiKey.PRODUCE](replace(here, transactional_id=transactional_id), 9)
        assert isinstance(request, ProduceRequest)
        request.acks = 0
        with broker.connect() as other:
            await other.send(request, 9, answered=False)
            with pytest.raises(EOFError):
                await other.receive()
        rights.only = lambda operation, kind: True
        assert (await client.ask(QUESTIONS[ApiKey.FETCH](here, 18), 18)).responses[0].partitions[0].high_watermark == 1


BY_ID = [(ApiKey.PRODUCE, 13), (ApiKey.FETCH, 13), (ApiKey.METADATA, 12), (ApiKey.OFFSET_COMMIT, 10)]
BY_ID += [(ApiKey.OFFSET_FETCH, 10), (ApiKey.DELETE_TOPICS, 6)]


@pytest.mark.parametrize(("key", "version"), BY_ID, ids=lambda value: getattr(value, "name", str(value)))
async def test_an_id_does_not_tell_its_name(key: ApiKey, version: int) -> None:
    """Not of a denied topic; and an id that was made up is unknown."""
    async with site() as (_, rights, here, client):
        rights.only = lambda operation, kind: kind is ResourceType.GROUP
        answer = await client.ask(question(key, here, version), version)
        assert failures(answer) == {TOPIC}
        assert here.topic.encode() not in encoded(answer, version)
        made_up = replace(here, topic_id=UUID(int=0xBAD))
        answer = await client.ask(question(key, made_up, version), version)
        assert failures(answer) == {ErrorCode.UNKNOWN_TOPIC_ID}


@each_version([row for row in CLIENT_ROWS if row.key in NEEDS])
async def test_with_the_rights_it_needs_an_api_answers(key: ApiKey, version: int) -> None:
    """And with everything but one of them it does not."""
    needs = NEEDS[key]
    async with site() as (_, rights, here, client):
        asked = replace(here, topic="orders-new") if key is ApiKey.CREATE_TOPICS else here
        for missing in needs.rights:
            rights.only = all_but(missing, needs.instead)
            answer = await client.ask(question(key, asked, version), version)
            if (key, version) not in NO_CODE:
                assert failures(answer) & DENIALS == {DENIED_BY[missing[1]]}, (missing, answer)
        for granted in [needs.rights] + ([(needs.instead,)] if needs.instead else []):
            rights.only = none_but(granted)
            answer = await client.ask(question(key, asked, version), version)
            assert not own_failures(answer) & DENIALS, (granted, answer)


def all_but(*missing: Right | None) -> Callable[[Operation, ResourceType], bool]:
    return lambda operation, kind: (operation, kind) not in missing


def none_but(granted: tuple[Right, ...]) -> Callable[[Operation, ResourceType], bool]:
    return lambda operation, kind: (operation, kind) in granted


DENIED_BY = {ResourceType.TOPIC: TOPIC, ResourceType.GROUP: GROUP, ResourceType.CLUSTER: CLUSTER}


def own_failures(answer: Any) -> set[int]:
    """All but the code beside the configs of CreateTopics: seeing them is a right of its own."""
    for topic in getattr(answer, "topics", ()):
        if hasattr(topic, "topic_config_error_code"):
            topic.topic_config_error_code = 0
    return failures(answer)


@pytest.mark.parametrize("version", range(4, 19))
async def test_who_fetches_as_a_replica_must_be_a_broker(version: int) -> None:
    """Else anybody could move the high watermark (CVE-2018-1288); a broker needs no right on the topic."""
    async with site() as (_, rights, here, client):
        request = QUESTIONS[ApiKey.FETCH](here, version)
        assert isinstance(request, FetchRequest)
        if version >= 15:
            request.replica_state = ReplicaState(replica_id=1)
        else:
            request.replica_id = 1
        rights.only = all_but((Operation.CLUSTER_ACTION, ResourceType.CLUSTER))
        answer = await client.ask(request, version)
        assert failures(answer) == {TOPIC}
        check_empty(answer)
        rights.only = none_but(((Operation.CLUSTER_ACTION, ResourceType.CLUSTER),))
        assert failures(await client.ask(request, version)) == {ErrorCode.NOT_LEADER_OR_FOLLOWER}


@pytest.mark.parametrize("version", [3, 9, 13])
async def test_a_transactional_id_has_rights_of_its_own(version: int) -> None:
    """Produce, InitProducerId and FindCoordinator refuse the whole request when they are missing."""
    async with site() as (_, rights, here, client):
        here = replace(here, transactional_id="transfers")
        rights.only = lambda operation, kind: kind is not ResourceType.TRANSACTIONAL_ID
        assert failures(await client.ask(QUESTIONS[ApiKey.PRODUCE](here, version), version)) == {TRANSACTION}
        for key in (ApiKey.INIT_PRODUCER_ID, ApiKey.FIND_COORDINATOR):
            assert failures(await client.ask(QUESTIONS[key](here, 4), 4)) == {TRANSACTION}


@pytest.mark.parametrize("version", range(5))
async def test_options_of_the_broker_are_the_clusters(version: int) -> None:
    async with site() as (broker, rights, _, client):
        rights.only = lambda operation, kind: kind is not ResourceType.CLUSTER
        name = str(broker.ready.broker_id)
        resource = DescribeConfigsResource(resource_type=BROKER_CONFIG, resource_name=name, configuration_keys=None)
        answer = await client.ask(DescribeConfigsRequest(resources=[resource]), version)
        assert failures(answer) == {CLUSTER}
        assert not answer.results[0].configs


@pytest.mark.parametrize(("key", "version"), [(ApiKey.ALTER_CONFIGS, 2), (ApiKey.INCREMENTAL_ALTER_CONFIGS, 1)])
@pytest.mark.parametrize(("kind", "name"), [(BROKER_CONFIG, "0"), (BROKER_CONFIG, ""), (8, "0"), (3, "x")])
async def test_who_changes_the_brokers_options_needs_the_right_on_the_cluster(
    key: ApiKey, version: int, kind: int, name: str
) -> None:
    async with site() as (_, rights, here, client):
        rights.only = lambda operation, kind: kind is not ResourceType.CLUSTER
        request: Any = QUESTIONS[key](here, version)
        request.resources[0].resource_type, request.resources[0].resource_name = kind, name
        assert failures(await client.ask(request, version)) == {CLUSTER}


async def test_all_topics_and_all_groups_are_those_one_may_describe() -> None:
    """Left out, not refused."""
    async with site() as (_, rights, _, client):
        rights.deny_all()
        answer = await client.ask(MetadataRequest(topics=None), 12)
        assert (answer.topics, answer.error_code) == ([], 0)
        assert (await client.ask(DescribeTopicPartitionsRequest(), 0)).topics == []
        answer = await client.ask(QUESTIONS[ApiKey.LIST_GROUPS](Named("", UUID(int=0), ""), 4), 4)
        assert (answer.groups, answer.error_code) == ([], 0)
        rights.only = lambda operation, kind: (operation, kind) == DESCRIBE_GROUP
        answer = await client.ask(QUESTIONS[ApiKey.LIST_GROUPS](Named("", UUID(int=0), ""), 4), 4)
        assert [group.group_id for group in answer.groups] == ["group-here"]


async def test_a_topic_is_not_made_by_asking_for_it_without_the_right() -> None:
    """Metadata may describe everything here, and create nothing."""
    async with site() as (_, rights, _, client):
        rights.only = lambda operation, kind: operation is not Operation.CREATE
        answer = await client.ask(MetadataRequest(topics=[MetadataRequestTopic(name="orders-new")]), 9)
        assert failures(answer) == {TOPIC}
        rights.only = lambda operation, kind: True
        every = await client.ask(MetadataRequest(topics=None), 9)
        assert "orders-new" not in [topic.name for topic in every.topics]


FROM_CONTROLLERS: dict[ApiKey, Message] = {
    ApiKey.LEADER_AND_ISR: LeaderAndIsrRequest(controller_epoch=1 << 20),
    ApiKey.STOP_REPLICA: StopReplicaRequest(controller_epoch=1 << 20),
    ApiKey.UPDATE_METADATA: UpdateMetadataRequest(controller_epoch=1 << 20),
}


@each_version(BROKER_ROWS)
async def test_what_brokers_ask_of_each_other_closes_a_clients_connection(key: ApiKey, version: int) -> None:
    """Whatever the client may."""
    async with running() as broker:
        with broker.connect() as client, pytest.raises(EOFError):
            await client.ask(FROM_CONTROLLERS[key], version)


@each_version(BROKER_ROWS)
async def test_a_broker_needs_the_right_to_act_for_the_cluster(key: ApiKey, version: int) -> None:
    rights = Rights()
    async with cluster_of_one(authorizer=rights) as cluster:
        rights.only = lambda operation, kind: operation is not Operation.CLUSTER_ACTION
        assert failures(await cluster.ask(FROM_CONTROLLERS[key], version)) == {CLUSTER}
