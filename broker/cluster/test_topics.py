"""Commands on topics, through requests and by foreign hands on the znodes, with a controller that runs."""

import json
from collections.abc import Mapping

import pytest

from broker.clock import SetClock
from broker.cluster.topic_rules import wrong_name
from broker.cluster.znodes import (
    PartitionStateNode,
    TopicNode,
    decode_config,
    delete_topic_path,
    encode_config,
    partition_state_path,
    topic_config_path,
    topic_path,
)
from broker.registry.embedded import EmbeddedTree
from broker.testing.cluster_of_one import ClusterOfOne, cluster_of_one, settled
from kproto.errors import ErrorCode
from kproto.messages.create_partitions import (
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
)
from kproto.messages.create_topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreatableTopicResult,
    CreateTopicsRequest,
)
from kproto.messages.delete_topics import DeleteTopicsRequest, DeleteTopicState


def wanted(
    name: str,
    partitions: int = 1,
    replicas: int = 1,
    *,
    assignment: Mapping[int, list[int]] | None = None,
    configs: Mapping[str, str | None] | None = None,
) -> CreatableTopic:
    return CreatableTopic(
        name=name,
        num_partitions=partitions,
        replication_factor=replicas,
        assignments=[
            CreatableReplicaAssignment(partition_index=index, broker_ids=brokers)
            for index, brokers in (assignment or {}).items()
        ],
        configs=[CreatableTopicConfig(name=key, value=value) for key, value in (configs or {}).items()],
    )


async def create(cluster: ClusterOfOne, *topics: CreatableTopic, version: int = 7) -> list[CreatableTopicResult]:
    response = await cluster.ask(CreateTopicsRequest(topics=list(topics), timeout_ms=1000), version)
    rows: list[CreatableTopicResult] = response.topics
    return rows


async def test_a_created_topic_is_led_here_when_the_answer_comes() -> None:
    async with cluster_of_one() as cluster:
        [row] = await create(cluster, wanted("t", 3, configs={"retention.ms": "5000"}))
        assert (row.error_code, row.num_partitions, row.replication_factor) == (0, 3, 1)
        assert row.topic_id == cluster.image.topics["t"].id
        assert cluster.partitions.led == {("t", 0): 0, ("t", 1): 0, ("t", 2): 0}
        values = {each.name: (each.value, each.config_source) for each in row.configs or ()}
        assert values["retention.ms"] == ("5000", 1)
        assert values["segment.bytes"] == ("1073741824", 5)
        assert cluster.configs.topic("t").retention_ms == 5000


async def test_the_znodes_of_a_created_topic_are_those_of_kafka() -> None:
    async with cluster_of_one() as cluster:
        await create(cluster, wanted("t"))
        data, stat = await cluster.tools.get(topic_path("t"))
        node = json.loads(data or b"")
        assert node == {
            "version": 3,
            "partitions": {"0": [0]},
            "topic_id": node["topic_id"],
            "adding_replicas": {},
            "removing_replicas": {},
        }
        assert (len(node["topic_id"]), stat.version) == (22, 0)
        state, _ = await cluster.tools.get(partition_state_path("t", 0))
        assert json.loads(state or b"") == {
            "controller_epoch": 1,
            "leader": 0,
            "version": 1,
            "leader_epoch": 0,
            "isr": [0],
        }
        assert await cluster.tools.get(topic_config_path("t")) is not None


@pytest.mark.parametrize("version", range(8))
async def test_every_version_of_create_topics_creates(version: int) -> None:
    async with cluster_of_one() as cluster:
        assert [row.error_code for row in await create(cluster, wanted("t"), version=version)] == [0]
        assert "t" in cluster.image.topics


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        (wanted(""), ErrorCode.INVALID_TOPIC_EXCEPTION),
        (wanted("."), ErrorCode.INVALID_TOPIC_EXCEPTION),
        (wanted(".."), ErrorCode.INVALID_TOPIC_EXCEPTION),
        (wanted("x" * 250), ErrorCode.INVALID_TOPIC_EXCEPTION),
        (wanted("a/b"), ErrorCode.INVALID_TOPIC_EXCEPTION),
        (wanted("a b"), ErrorCode.INVALID_TOPIC_EXCEPTION),
        (wanted("a\0"), ErrorCode.INVALID_TOPIC_EXCEPTION),
        (wanted("a\n"), ErrorCode.INVALID_TOPIC_EXCEPTION),
        (wanted("th_ere"), ErrorCode.INVALID_TOPIC_EXCEPTION),
        (wanted("th.ere"), ErrorCode.TOPIC_ALREADY_EXISTS),
        (wanted("t", 0), ErrorCode.INVALID_PARTITIONS),
        (wanted("t", -2), ErrorCode.INVALID_PARTITIONS),
        (wanted("t", 2**31 - 1), ErrorCode.POLICY_VIOLATION),
        (wanted("t", 1, 0), ErrorCode.INVALID_REPLICATION_FACTOR),
        (wanted("t", 1, 2), ErrorCode.INVALID_REPLICATION_FACTOR),
        (wanted("t", 1, 1, assignment={0: [0]}), ErrorCode.INVALID_REQUEST),
        (wanted("t", -1, -1, assignment={1: [0]}), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (wanted("t", -1, -1, assignment={0: [0], 2: [0]}), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (wanted("t", -1, -1, assignment={0: [0, 0]}), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (wanted("t", -1, -1, assignment={0: []}), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (wanted("t", -1, -1, assignment={0: [9]}), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (wanted("t", configs={"retention.ms": None}), ErrorCode.INVALID_CONFIG),
        (wanted("t", configs={"no.such.option": "1"}), ErrorCode.INVALID_CONFIG),
        (wanted("t", configs={"retention.ms": "soon"}), ErrorCode.INVALID_CONFIG),
    ],
)
async def test_a_topic_that_cannot_be_is_refused_and_its_neighbour_is_made(
    topic: CreatableTopic, code: ErrorCode
) -> None:
    async with cluster_of_one() as cluster:
        await create(cluster, wanted("th.ere"))
        refused, made = await create(cluster, topic, wanted("neighbour"))
        assert (ErrorCode(refused.error_code), made.error_code) == (code, 0)
        assert refused.error_message
        assert set(cluster.image.topics) == {"th.ere", "neighbour"}


async def test_a_topic_named_twice_is_refused_once() -> None:
    async with cluster_of_one() as cluster:
        rows = await create(cluster, wanted("t"), wanted("u"), wanted("t"))
        assert [(row.name, row.error_code) for row in rows] == [("t", ErrorCode.INVALID_REQUEST), ("u", 0)]


async def test_validate_only_leaves_no_trace() -> None:
    async with cluster_of_one() as cluster:
        request = CreateTopicsRequest(topics=[wanted("t", 2), wanted("t.t"), wanted("t_t")], validate_only=True)
        rows = (await cluster.ask(request, 7)).topics
        assert [row.error_code for row in rows] == [0, 0, ErrorCode.INVALID_TOPIC_EXCEPTION]
        assert (rows[0].num_partitions, rows[0].topic_id.int) == (2, 0)
        assert await cluster.tools.children("/brokers/topics") == []


async def test_counts_of_minus_one_are_the_brokers_defaults() -> None:
    async with cluster_of_one({"num.partitions": "4"}) as cluster:
        await create(cluster, wanted("t", -1, -1))
        assert len(cluster.image.topics["t"].partitions) == 4


async def test_a_client_that_will_not_wait_is_told_so_and_the_topic_comes(autojump_clock: object) -> None:
    async with cluster_of_one() as cluster:
        response = await cluster.ask(CreateTopicsRequest(topics=[wanted("t")], timeout_ms=0), 7)
        assert response.topics[0].error_code == ErrorCode.REQUEST_TIMED_OUT
        await settled()
        assert "t" in cluster.image.topics


async def test_without_a_controller_here_admin_clients_are_sent_away() -> None:
    async with cluster_of_one() as cluster:
        cluster.image.controller_id = 5
        assert (await create(cluster, wanted("t")))[0].error_code == ErrorCode.NOT_CONTROLLER


@pytest.mark.parametrize("version", range(7))
async def test_a_deleted_topic_is_gone_when_the_answer_comes_and_may_be_made_anew(version: int) -> None:
    async with cluster_of_one() as cluster:
        await create(cluster, wanted("t", 2))
        first = cluster.image.topics["t"].id
        named = DeleteTopicsRequest(topic_names=["t"], topics=[DeleteTopicState(name="t")], timeout_ms=1000)
        if version == 6:
            named.topic_names = []
        else:
            named.topics = []
        [row] = (await cluster.ask(named, version)).responses
        assert (row.name, row.error_code) == ("t", 0)
        assert cluster.image.topics == {}
        assert cluster.partitions.deleted == [("t", 0), ("t", 1)]
        for path in (topic_path("t"), topic_config_path("t"), delete_topic_path("t")):
            assert await cluster.tools.exists(path) is None
        await create(cluster, wanted("t"))
        assert cluster.image.topics["t"].id != first
        assert cluster.image.topics_by_id.keys() == {cluster.image.topics["t"].id}


async def test_a_topic_is_deleted_by_its_id() -> None:
    async with cluster_of_one() as cluster:
        await create(cluster, wanted("t"))
        topic_id = cluster.image.topics["t"].id
        request = DeleteTopicsRequest(topics=[DeleteTopicState(topic_id=topic_id)], timeout_ms=1000)
        [row] = (await cluster.ask(request, 6)).responses
        assert (row.name, row.topic_id, row.error_code) == ("t", topic_id, 0)
        [row] = (await cluster.ask(request, 6)).responses
        assert (row.name, row.topic_id, row.error_code) == (None, topic_id, ErrorCode.UNKNOWN_TOPIC_ID)


async def test_topics_that_come_and_go_leave_no_watch_behind() -> None:
    """One that waited for the return of each deleted topic's request made a broker grow by 0.6 KiB a topic."""
    async with cluster_of_one() as cluster:
        counts = []
        for number in range(4):
            await create(cluster, wanted(f"t{number}"))
            request = DeleteTopicsRequest(topics=[DeleteTopicState(name=f"t{number}")], timeout_ms=1000)
            [row] = (await cluster.ask(request, 6)).responses
            assert row.error_code == 0
            await settled()
            counts.append(len(cluster.registry.watches))
        assert counts == [counts[0]] * 4


async def test_deleting_by_name_and_id_at_once_is_refused() -> None:
    async with cluster_of_one() as cluster:
        await create(cluster, wanted("t"))
        topic_id = cluster.image.topics["t"].id
        request = DeleteTopicsRequest(topics=[DeleteTopicState(name="t", topic_id=topic_id)])
        assert (await cluster.ask(request, 6)).responses[0].error_code == ErrorCode.INVALID_REQUEST
        assert "t" in cluster.image.topics


async def test_an_unknown_topic_cannot_be_deleted() -> None:
    async with cluster_of_one() as cluster:
        [row] = (await cluster.ask(DeleteTopicsRequest(topic_names=["t"], timeout_ms=9), 5)).responses
        assert row.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


async def test_with_deletion_switched_off_nothing_is_deleted_by_anybody() -> None:
    async with cluster_of_one({"delete.topic.enable": "false"}) as cluster:
        await create(cluster, wanted("t"))
        request = DeleteTopicsRequest(topic_names=["t"], timeout_ms=1000)
        assert (await cluster.ask(request, 5)).responses[0].error_code == ErrorCode.TOPIC_DELETION_DISABLED
        assert (await cluster.ask(request, 1)).responses[0].error_code == ErrorCode.INVALID_REQUEST
        await cluster.tools.create(delete_topic_path("t"))
        await settled()
        assert await cluster.tools.exists(delete_topic_path("t")) is None
        assert "t" in cluster.image.topics


async def grow(cluster: ClusterOfOne, *topics: CreatePartitionsTopic, validate_only: bool = False) -> list[ErrorCode]:
    request = CreatePartitionsRequest(topics=list(topics), timeout_ms=1000, validate_only=validate_only)
    return [ErrorCode(row.error_code) for row in (await cluster.ask(request, 3)).results]


async def test_a_grown_topic_is_led_here_when_the_answer_comes() -> None:
    async with cluster_of_one() as cluster:
        await create(cluster, wanted("t"))
        assert await grow(cluster, CreatePartitionsTopic(name="t", count=3, assignments=None)) == [ErrorCode.NONE]
        assert [each.leader for each in cluster.image.topics["t"].partitions] == [0, 0, 0]
        assert set(cluster.partitions.led) == {("t", 0), ("t", 1), ("t", 2)}


async def test_growing_that_cannot_be_is_refused() -> None:
    async with cluster_of_one() as cluster:
        await create(cluster, wanted("t", 2), wanted("u", 1))

        def to(count: int, name: str = "t", replicas: list[list[int]] | None = None) -> CreatePartitionsTopic:
            given = None if replicas is None else [CreatePartitionsAssignment(broker_ids=each) for each in replicas]
            return CreatePartitionsTopic(name=name, count=count, assignments=given)

        assert await grow(cluster, to(2)) == [ErrorCode.INVALID_PARTITIONS]
        assert await grow(cluster, to(1)) == [ErrorCode.INVALID_PARTITIONS]
        assert await grow(cluster, to(3, "x")) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
        assert await grow(cluster, to(4, replicas=[[0]])) == [ErrorCode.INVALID_REPLICA_ASSIGNMENT]
        assert await grow(cluster, to(3, replicas=[[7]])) == [ErrorCode.INVALID_REPLICA_ASSIGNMENT]
        assert await grow(cluster, to(3, replicas=[[0, 0]])) == [ErrorCode.INVALID_REPLICA_ASSIGNMENT]
        assert await grow(cluster, to(2**31 - 1)) == [ErrorCode.POLICY_VIOLATION]
        assert await grow(cluster, to(3), to(3)) == [ErrorCode.INVALID_REQUEST]
        assert await grow(cluster, to(5), validate_only=True) == [ErrorCode.NONE]
        assert await grow(cluster, to(3, replicas=[[0]]), to(1, "u")) == [ErrorCode.NONE, ErrorCode.INVALID_PARTITIONS]
        assert len(cluster.image.topics["t"].partitions) == 3


async def test_a_topic_of_an_old_tool_gets_leaders_and_an_id() -> None:
    """kafka-topics 1.0.0 --zookeeper writes the config, then version 1 without an id."""
    async with cluster_of_one() as cluster:
        await cluster.tools.create(topic_config_path("old"), encode_config({"retention.ms": "60000"}))
        await cluster.tools.create(topic_path("old"), b'{"version":1,"partitions":{"1":[0],"0":[0]}}')
        await settled()
        topic = cluster.image.topics["old"]
        assert [each.leader for each in topic.partitions] == [0, 0]
        data, stat = await cluster.tools.get(topic_path("old"))
        assert TopicNode.decode(data).topic_id == topic.id
        assert stat.version == 1
        assert cluster.configs.topic("old").retention_ms == 60000


async def test_an_old_tool_that_adds_partitions_does_not_change_the_topics_id() -> None:
    async with cluster_of_one() as cluster:
        await create(cluster, wanted("t"))
        topic_id = cluster.image.topics["t"].id
        await cluster.tools.set(topic_path("t"), b'{"version":1,"partitions":{"1":[0],"0":[0]}}')
        await settled()
        topic = cluster.image.topics["t"]
        assert (topic.id, [each.leader for each in topic.partitions]) == (topic_id, [0, 0])
        data, _ = await cluster.tools.get(topic_path("t"))
        assert TopicNode.decode(data) == TopicNode(topic_id, {0: [0], 1: [0]})


async def test_an_old_tool_deletes_by_leaving_a_request() -> None:
    async with cluster_of_one() as cluster:
        await create(cluster, wanted("t"))
        await cluster.tools.create(delete_topic_path("t"))
        await settled()
        assert cluster.image.topics == {}
        assert await cluster.tools.exists(topic_path("t")) is None
        assert await cluster.tools.exists(delete_topic_path("t")) is None


async def test_a_topic_created_and_deleted_in_one_breath_is_gone() -> None:
    async with cluster_of_one() as cluster:
        await cluster.tools.create(topic_path("t"), TopicNode(None, {0: [0]}).encode())
        await cluster.tools.create(delete_topic_path("t"))
        await settled()
        assert await cluster.tools.exists(topic_path("t")) is None
        assert await cluster.tools.children("/admin/delete_topics") == []


async def test_a_topic_node_removed_by_hand_takes_the_topic_from_the_image_and_leaves_files() -> None:
    async with cluster_of_one() as cluster:
        await create(cluster, wanted("t"))
        for path in ("/partitions/0/state", "/partitions/0", "/partitions", ""):
            await cluster.tools.delete(topic_path("t") + path)
        await settled()
        assert cluster.image.topics == {}
        assert cluster.partitions.deleted == []


async def test_nonsense_in_a_topic_node_harms_no_other_topic() -> None:
    async with cluster_of_one() as cluster:
        for number, data in enumerate((b"", b"[]", b'{"partitions":{"5000000":[0]}}', b'{"partitions":{"0":[]}}')):
            await cluster.tools.create(topic_path(f"bad{number}"), data)
        await settled()
        await create(cluster, wanted("good"))
        assert set(cluster.image.topics) == {"good"}


async def test_an_internal_topic_has_counts_and_configs_of_its_own() -> None:
    options = {"offsets.topic.num.partitions": "5", "offsets.topic.replication.factor": "1"}
    async with cluster_of_one(options) as cluster:
        first = cluster.topics.ensure_internal("__consumer_offsets")
        assert cluster.topics.ensure_internal("__consumer_offsets") is first
        await first.waiter().wait(1000)
        assert len(first.row("__consumer_offsets").assignment) == 5
        assert len(cluster.image.topics["__consumer_offsets"].partitions) == 5
        data, _ = await cluster.tools.get(topic_config_path("__consumer_offsets"))
        assert decode_config(data) == {
            "compression.type": "producer",
            "cleanup.policy": "compact",
            "segment.bytes": "104857600",
        }


async def test_an_internal_topic_with_more_replicas_than_brokers_is_refused() -> None:
    async with cluster_of_one({"offsets.topic.replication.factor": "3"}) as cluster:
        job = cluster.topics.ensure_internal("__consumer_offsets")
        await job.waiter().wait(1000)
        with pytest.raises(Exception, match="larger than available brokers: 1"):
            job.row("__consumer_offsets")


async def test_after_a_restart_everything_is_led_again_and_the_controller_epoch_has_grown() -> None:
    tree = EmbeddedTree(None, SetClock())
    async with cluster_of_one(tree=tree) as cluster:
        await create(cluster, wanted("t"))
        topic_id = cluster.image.topics["t"].id
    async with cluster_of_one(tree=tree) as cluster:
        assert cluster.image.topics["t"].id == topic_id
        assert cluster.partitions.led == {("t", 0): 0}
        assert cluster.image.controller_epoch == 2


async def test_a_deletion_asked_for_while_nobody_was_controller_is_done_at_the_start() -> None:
    tree = EmbeddedTree(None, SetClock())
    async with cluster_of_one(tree=tree) as cluster:
        await create(cluster, wanted("t"))
    foreign = tree.session()
    await foreign.create(delete_topic_path("t"))
    async with cluster_of_one(tree=tree) as cluster:
        assert await foreign.exists(topic_path("t")) is None
        assert cluster.partitions.deleted == [("t", 0)]


async def test_a_partition_without_a_leader_gets_one_at_the_start_in_the_next_epoch() -> None:
    tree = EmbeddedTree(None, SetClock())
    async with cluster_of_one(tree=tree) as cluster:
        await create(cluster, wanted("t"))
    foreign = tree.session()
    await foreign.set(partition_state_path("t", 0), PartitionStateNode(1, -1, 4, [0]).encode())
    async with cluster_of_one(tree=tree) as cluster:
        assert cluster.partitions.led == {("t", 0): 5}


@pytest.mark.parametrize("name", ["a", "A-b_c.9", "x" * 249, "..."])
def test_legal_names_are_legal(name: str) -> None:
    assert wrong_name(name) is None
