"""ListPartitionReassignments and AlterPartitionReassignments: nothing moves, and every plan gets its reason.

Codes and words are those of Kafka 3.9.2 for the same questions.
"""

from typing import Any
from uuid import UUID

import pytest

from broker.cluster.znodes import BrokerNode, TopicNode, broker_path, topic_path
from broker.testing.calls import create
from broker.testing.cluster_of_one import HERE, LISTENER, ClusterOfOne, cluster_of_one, settled
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.alter_partition_reassignments import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from kproto.messages.list_partition_reassignments import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
)

SECOND = 5
REFUSED = ErrorCode.INVALID_REPLICA_ASSIGNMENT
UNKNOWN = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
NOTHING_TO_STOP = ErrorCode.NO_REASSIGNMENT_IN_PROGRESS


def plan(topic: str, index: int, replicas: list[int] | None, **more: Any) -> AlterPartitionReassignmentsRequest:
    row = ReassignablePartition(partition_index=index, replicas=replicas)
    return AlterPartitionReassignmentsRequest(
        timeout_ms=1_000, topics=[ReassignableTopic(name=topic, partitions=[row])], **more
    )


def only_row(answer: Any) -> tuple[int, str | None]:
    ((row,),) = [topic.partitions for topic in answer.responses]
    assert answer.error_code == 0
    return row.error_code, row.error_message


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(
    ("topic", "index", "replicas", "code", "words"),
    [
        ("t", 0, [0], 0, None),
        ("t", 0, [99], REFUSED, "not alive. Replica list: 99, live broker list: 0"),
        ("t", 0, [0, 99], REFUSED, "not alive"),
        ("t", 0, [0, 0], REFUSED, "Duplicate replica ids"),
        ("t", 0, [], REFUSED, "Empty replica list"),
        ("t", 0, [-1], REFUSED, "Invalid broker id in replica list: -1"),
        ("t", 0, None, NOTHING_TO_STOP, "No partition reassignment is in progress."),
        ("t", 9, [0], UNKNOWN, "The partition does not exist."),
        ("t", -1, [0], UNKNOWN, "The partition does not exist."),
        ("t", 9, None, NOTHING_TO_STOP, None),
        ("nosuch", 0, [0], UNKNOWN, "The partition does not exist."),
        ("nosuch", 0, None, NOTHING_TO_STOP, None),
    ],
)
async def test_a_plan_that_changes_nothing_succeeds_and_others_hear_why_not(
    topic: str, index: int, replicas: list[int] | None, code: int, words: str | None, version: int
) -> None:
    async with running({"broker.id": "0"}) as broker:
        with broker.connect() as client:
            await create(client, "t")
            found, text = only_row(await client.ask(plan(topic, index, replicas), version))
            assert found == code
            assert (words or "") in (text or "")
            assert code or text is None


@pytest.mark.parametrize("version", [0, 1])
async def test_partitions_answer_for_themselves(version: int) -> None:
    async with running({"broker.id": "0"}) as broker:
        with broker.connect() as client:
            await create(client, "t")
            rows = [ReassignablePartition(partition_index=0, replicas=replicas) for replicas in ([0], [7], [0], None)]
            topics = [ReassignableTopic(name="t", partitions=rows), ReassignableTopic(name="nosuch", partitions=[])]
            answer = await client.ask(AlterPartitionReassignmentsRequest(topics=topics), version)
            assert [topic.name for topic in answer.responses] == ["t", "nosuch"]
            codes = [row.error_code for row in answer.responses[0].partitions]
            assert codes == [0, REFUSED, 0, NOTHING_TO_STOP]
            assert (await client.ask(AlterPartitionReassignmentsRequest(), version)).responses == []


async def ask_list(cluster: ClusterOfOne, *topics: tuple[str, list[int]], everything: bool = False) -> list[Any]:
    rows = [ListPartitionReassignmentsTopics(name=name, partition_indexes=indexes) for name, indexes in topics]
    request = ListPartitionReassignmentsRequest(timeout_ms=1_000, topics=None if everything else rows)
    answer = await cluster.ask(request, 0)
    assert answer.error_code == 0
    return [
        (topic.name, row.partition_index, row.replicas, row.adding_replicas, row.removing_replicas)
        for topic in answer.topics
        for row in topic.partitions
    ]


async def with_two_brokers(cluster: ClusterOfOne) -> UUID:
    await cluster.tools.create(broker_path(SECOND), BrokerNode({LISTENER: HERE}).encode(), ephemeral=True)
    await settled()
    await cluster.topics.create_by_default(["u", "t"], timeout_ms=1_000).waiter().wait(1_000)
    return cluster.image.topics["t"].id


async def test_a_move_that_could_be_made_is_refused_as_what_this_version_cannot_do() -> None:
    async with cluster_of_one() as cluster:
        await with_two_brokers(cluster)
        (have,) = cluster.image.topics["t"].partitions[0].replicas
        (other,) = {0, SECOND} - {have}
        for version in (0, 1):
            assert only_row(await cluster.ask(plan("t", 0, [have]), version))[0] == 0
            for replicas in ([other], [have, other]):
                code, text = only_row(await cluster.ask(plan("t", 0, replicas), version))
                assert (code, text) == (
                    ErrorCode.POLICY_VIOLATION,
                    "This version does not move replicas between brokers.",
                )
        fixed = plan("t", 0, [have, other], allow_replication_factor_change=False)
        answer = await cluster.ask(fixed, 1)
        assert only_row(answer)[0] == ErrorCode.INVALID_REPLICATION_FACTOR
        assert answer.allow_replication_factor_change is False
        assert cluster.image.topics["t"].partitions[0].replicas == [have]


async def test_nothing_moves_and_what_a_controller_of_kafka_left_half_done_is_told() -> None:
    async with cluster_of_one() as cluster:
        topic_id = await with_two_brokers(cluster)
        assert await ask_list(cluster, everything=True) == []
        half_done = TopicNode(topic_id, {0: [0, SECOND]}, {0: [SECOND]}, {0: [0]})
        await cluster.tools.set(topic_path("t"), half_done.encode())
        row = ("t", 0, [0, SECOND], [SECOND], [0])
        assert await ask_list(cluster, everything=True) == [row]
        assert await ask_list(cluster, ("u", [0]), ("t", [0, 9]), ("nosuch", [0])) == [row]
        assert await ask_list(cluster, ("t", [9])) == []
        assert await ask_list(cluster) == []
        for replicas in (None, [0]):
            assert only_row(await cluster.ask(plan("t", 0, replicas), 1))[0] == ErrorCode.POLICY_VIOLATION


async def test_only_the_controller_is_asked() -> None:
    async with cluster_of_one() as cluster:
        cluster.image.controller_id = SECOND
        answer = await cluster.ask(ListPartitionReassignmentsRequest(), 0)
        assert answer.error_code == ErrorCode.NOT_CONTROLLER
        answer = await cluster.ask(plan("t", 0, [0]), 1)
        assert (answer.error_code, answer.responses[0].partitions[0].error_code) == (ErrorCode.NOT_CONTROLLER,) * 2
