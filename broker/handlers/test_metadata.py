"""Metadata over the bytes of each version, on the rooms of one broker with a controller that runs."""

from uuid import UUID

import pytest
import trio
import trio.testing

from broker.cluster.authorizer import Operation, Resource, ResourceType
from broker.cluster.image import BrokerImage, PartitionImage, TopicImage
from broker.testing.cluster_of_one import ClusterOfOne, cluster_of_one, settled
from broker.transport.contract import Address
from kproto.errors import ErrorCode
from kproto.messages.describe_cluster import DescribeClusterRequest, DescribeClusterResponse
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic, MetadataResponse

UNKNOWN_ID = UUID(int=77)


class Denies:
    """Denies these operations on topics of these names; everything else is allowed."""

    def __init__(self, *denied: tuple[Operation, str]) -> None:
        self.denied = set(denied)

    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        return (operation, resource.name) not in self.denied


class DeniesAll:
    """Denies what concerns topics and the cluster; the controller, which is the broker itself, may go on."""

    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        return operation == Operation.CLUSTER_ACTION


def named(*names: str, create: bool = True) -> MetadataRequest:
    return MetadataRequest(topics=[MetadataRequestTopic(name=name) for name in names], allow_auto_topic_creation=create)


async def asked(cluster: ClusterOfOne, request: MetadataRequest, version: int) -> MetadataResponse:
    response: MetadataResponse = await cluster.ask(request, version)
    return response


def codes(response: MetadataResponse) -> dict[str | None, ErrorCode]:
    return {row.name: ErrorCode(row.error_code) for row in response.topics}


@pytest.mark.parametrize("version", range(14))
async def test_an_unknown_topic_is_made_and_answered_with_its_leader(version: int) -> None:
    async with cluster_of_one({"num.partitions": "2"}) as cluster:
        response = await asked(cluster, named("t"), version)
        [topic] = response.topics
        assert (topic.name, topic.error_code) == ("t", 0)
        assert [(row.partition_index, row.leader_id, row.error_code) for row in topic.partitions] == [
            (0, 0, 0),
            (1, 0, 0),
        ]
        assert [(each.node_id, each.host, each.port) for each in response.brokers] == [(0, "localhost", 9092)]
        if version >= 1:
            assert response.controller_id == 0
        if version >= 2:
            assert response.cluster_id == "cluster"
        if version >= 7:
            assert topic.partitions[0].leader_epoch == 0
        if version >= 10:
            assert topic.topic_id == cluster.image.topics["t"].id


@pytest.mark.parametrize(
    ("request_", "version"),
    [(MetadataRequest(topics=[]), 12), (DescribeClusterRequest(), 1)],
    ids=["Metadata", "DescribeCluster"],
)
async def test_a_broker_that_knows_nobody_yet_answers_once_the_controller_has_told_it(
    request_: MetadataRequest | DescribeClusterRequest, version: int
) -> None:
    """librdkafka takes an empty list for the end of all brokers: a member of a group loses its coordinator."""
    async with cluster_of_one() as cluster:
        known, cluster.image.brokers = cluster.image.brokers, {}
        answers: list[MetadataResponse | DescribeClusterResponse] = []

        async def client() -> None:
            answers.append(await cluster.ask(request_, version))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(client)
            await settled()
            assert answers == []
            cluster.image.brokers = known
            cluster.image.changed.wake_all()
        assert len(answers[0].brokers) == 1


async def test_a_broker_that_nobody_tells_says_so_in_the_end(autojump_clock: trio.testing.MockClock) -> None:
    async with cluster_of_one() as cluster:
        cluster.image.brokers = {}
        assert (await asked(cluster, MetadataRequest(topics=[]), 12)).brokers == []
        assert 5 <= trio.current_time() < 6


async def test_clients_that_make_one_topic_at_the_same_moment_all_hear_its_leader() -> None:
    async with cluster_of_one() as cluster:
        leaders: list[int] = []

        async def client() -> None:
            [topic] = (await asked(cluster, named("t"), 8)).topics
            leaders.extend(row.leader_id for row in topic.partitions)

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(client)
        assert leaders == [0] * 5


@pytest.mark.parametrize("version", range(14))
async def test_no_names_mean_all_topics_in_version_0_and_none_later(version: int) -> None:
    async with cluster_of_one() as cluster:
        await asked(cluster, named("a", "b"), 5)
        every = MetadataRequest(topics=[] if version == 0 else None)
        assert set(codes(await asked(cluster, every, version))) == {"a", "b"}
        if version > 0:
            assert (await asked(cluster, MetadataRequest(topics=[]), version)).topics == []


async def test_a_topic_is_found_by_its_id() -> None:
    async with cluster_of_one() as cluster:
        await asked(cluster, named("t"), 9)
        topic_id = cluster.image.topics["t"].id
        topics = [MetadataRequestTopic(name=None, topic_id=each) for each in (topic_id, UNKNOWN_ID, topic_id)]
        rows = (await asked(cluster, MetadataRequest(topics=topics), 12)).topics
        assert [(row.name, row.topic_id, row.error_code) for row in rows] == [
            (None, UNKNOWN_ID, ErrorCode.UNKNOWN_TOPIC_ID),
            ("t", topic_id, 0),
        ]


@pytest.mark.parametrize("version", [10, 11])
async def test_ids_and_missing_names_are_refused_before_version_12(version: int) -> None:
    async with cluster_of_one() as cluster:
        for topic in (MetadataRequestTopic(name=None), MetadataRequestTopic(name="t", topic_id=UNKNOWN_ID)):
            [row] = (await asked(cluster, MetadataRequest(topics=[topic]), version)).topics
            assert row.error_code == ErrorCode.INVALID_REQUEST
        assert cluster.image.topics == {}


@pytest.mark.parametrize(("create", "enabled"), [(False, "true"), (True, "false")])
async def test_creation_may_be_forbidden_by_client_and_broker(create: bool, enabled: str) -> None:
    async with cluster_of_one({"auto.create.topics.enable": enabled}) as cluster:
        rows = codes(await asked(cluster, named("t", "a/b", create=create), 4))
        assert rows == {"t": ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "a/b": ErrorCode.INVALID_TOPIC_EXCEPTION}
        assert cluster.image.topics == {}


async def test_names_that_cannot_be_and_names_that_collide_are_refused() -> None:
    async with cluster_of_one() as cluster:
        rows = codes(await asked(cluster, named("", ".", "..", "x" * 250, "a b", "a\0", "t.t", "t_t"), 8))
        invalid = ErrorCode.INVALID_TOPIC_EXCEPTION
        assert rows.pop("t.t") == ErrorCode.NONE
        assert set(rows.values()) == {invalid}
        assert set(cluster.image.topics) == {"t.t"}


async def test_one_request_creates_only_so_many_topics() -> None:
    async with cluster_of_one({"barnabas.autocreate.max.per.request": "2"}) as cluster:
        rows = codes(await asked(cluster, named("a", "b", "c", "a"), 8))
        assert rows == {"a": ErrorCode.NONE, "b": ErrorCode.NONE, "c": ErrorCode.THROTTLING_QUOTA_EXCEEDED}
        assert set(cluster.image.topics) == {"a", "b"}


async def test_more_replicas_than_brokers_say_so_instead_of_waiting() -> None:
    async with cluster_of_one({"default.replication.factor": "2"}) as cluster:
        assert codes(await asked(cluster, named("t"), 8)) == {"t": ErrorCode.INVALID_REPLICATION_FACTOR}


async def test_internal_topics_say_that_they_are() -> None:
    async with cluster_of_one({"offsets.topic.replication.factor": "1"}) as cluster:
        rows = (await asked(cluster, named("__consumer_offsets", "t"), 8)).topics
        assert [(row.name, row.is_internal, len(row.partitions)) for row in rows] == [
            ("__consumer_offsets", True, 50),
            ("t", False, 1),
        ]


def put(cluster: ClusterOfOne, partition: PartitionImage) -> None:
    cluster.image.topics["t"] = TopicImage(UUID(int=1), "t", [partition])


async def test_a_partition_without_a_leader_says_so() -> None:
    async with cluster_of_one() as cluster:
        put(cluster, PartitionImage(-1, 3, [4], [4], [4]))
        [row] = (await asked(cluster, named("t"), 8)).topics[0].partitions
        assert (row.error_code, row.leader_id, row.leader_epoch) == (ErrorCode.LEADER_NOT_AVAILABLE, -1, 3)
        assert (row.replica_nodes, row.isr_nodes, row.offline_replicas) == ([4], [4], [4])


@pytest.mark.parametrize(("version", "code"), [(5, ErrorCode.LEADER_NOT_AVAILABLE), (6, ErrorCode.LISTENER_NOT_FOUND)])
async def test_a_leader_without_our_listener_is_none(version: int, code: ErrorCode) -> None:
    async with cluster_of_one() as cluster:
        cluster.image.brokers[4] = BrokerImage(4, None, {"OTHER": Address("h", 1)})
        put(cluster, PartitionImage(4, 3, [4], [4]))
        response = await asked(cluster, named("t"), version)
        assert response.topics[0].partitions[0].error_code == code
        assert [each.node_id for each in response.brokers] == [0]


async def test_version_0_leaves_out_replicas_that_are_dead() -> None:
    async with cluster_of_one() as cluster:
        put(cluster, PartitionImage(0, 3, [0, 4], [4, 0]))
        [row] = (await asked(cluster, named("t"), 0)).topics[0].partitions
        assert (row.error_code, row.replica_nodes, row.isr_nodes) == (ErrorCode.REPLICA_NOT_AVAILABLE, [0], [0])
        [row] = (await asked(cluster, named("t"), 1)).topics[0].partitions
        assert (row.error_code, row.replica_nodes, row.isr_nodes) == (0, [4, 0], [0, 4])


async def test_partitions_of_which_nothing_is_known_yet_are_left_out() -> None:
    async with cluster_of_one() as cluster:
        cluster.image.topics["t"] = TopicImage(UUID(int=1), "t", [PartitionImage(), PartitionImage(0, 0, [0], [0])])
        assert [row.partition_index for row in (await asked(cluster, named("t"), 8)).topics[0].partitions] == [1]


async def test_operations_are_bits_of_what_one_may() -> None:
    authorizer = Denies((Operation.DELETE, "t"), (Operation.ALTER, "kafka-cluster"))
    async with cluster_of_one(authorizer=authorizer) as cluster:
        request = named("t")
        request.include_topic_authorized_operations = request.include_cluster_authorized_operations = True
        response = await asked(cluster, request, 8)
        topic = sum(1 << each for each in ResourceType.TOPIC.operations) & ~(1 << Operation.DELETE)
        whole = sum(1 << each for each in ResourceType.CLUSTER.operations) & ~(1 << Operation.ALTER)
        assert response.topics[0].topic_authorized_operations == topic
        assert response.cluster_authorized_operations == whole
        assert (await asked(cluster, named("t"), 8)).topics[0].topic_authorized_operations == -(2**31)


async def test_a_topic_one_may_not_see_is_denied_by_name_and_missing_from_all() -> None:
    authorizer = Denies((Operation.DESCRIBE, "secret"))
    async with cluster_of_one(authorizer=authorizer) as cluster:
        cluster.image.topics["secret"] = topic = TopicImage(UUID(int=1), "secret", [PartitionImage(0, 0, [0], [0])])
        cluster.image.topics_by_id[topic.id] = topic
        assert codes(await asked(cluster, named("secret"), 8)) == {"secret": ErrorCode.TOPIC_AUTHORIZATION_FAILED}
        assert (await asked(cluster, MetadataRequest(topics=None), 8)).topics == []
        by_id = MetadataRequest(topics=[MetadataRequestTopic(name=None, topic_id=topic.id)])
        assert codes(await asked(cluster, by_id, 12)) == {None: ErrorCode.TOPIC_AUTHORIZATION_FAILED}


async def test_who_may_not_create_makes_nothing() -> None:
    authorizer = Denies((Operation.CREATE, "kafka-cluster"), (Operation.CREATE, "t"))
    async with cluster_of_one(authorizer=authorizer) as cluster:
        rows = codes(await asked(cluster, named("t", "u"), 8))
        assert rows == {"t": ErrorCode.TOPIC_AUTHORIZATION_FAILED, "u": ErrorCode.NONE}


async def test_who_may_nothing_learns_of_no_topic() -> None:
    async with cluster_of_one(authorizer=DeniesAll()) as cluster:
        cluster.image.topics["t"] = TopicImage(UUID(int=1), "t", [PartitionImage(0, 0, [0], [0])])
        response = await asked(cluster, named("t", "u"), 9)
        assert set(codes(response).values()) == {ErrorCode.TOPIC_AUTHORIZATION_FAILED}
        assert [row.partitions for row in response.topics] == [[], []]
        assert [row.topic_id.int for row in response.topics] == [0, 0]


@pytest.mark.parametrize("version", range(3))
async def test_a_cluster_is_described(version: int) -> None:
    async with cluster_of_one() as cluster:
        response = await cluster.ask(DescribeClusterRequest(include_cluster_authorized_operations=True), version)
        assert (response.error_code, response.cluster_id, response.controller_id) == (0, "cluster", 0)
        assert [(each.broker_id, each.host, each.port) for each in response.brokers] == [(0, "localhost", 9092)]
        expected = sum(1 << each for each in ResourceType.CLUSTER.operations)
        assert response.cluster_authorized_operations == expected


async def test_controllers_are_not_described_by_brokers() -> None:
    async with cluster_of_one() as cluster:
        response = await cluster.ask(DescribeClusterRequest(endpoint_type=2), 1)
        assert response.error_code == ErrorCode.MISMATCHED_ENDPOINT_TYPE
        assert response.brokers == []
