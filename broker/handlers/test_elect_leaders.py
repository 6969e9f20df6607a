"""ElectLeaders: every version, elections that are needed and that are not, and every refusal."""

from typing import Any

import pytest

from broker.cluster.topic_plans import NewTopic
from broker.cluster.znodes import (
    ISR_CHANGE_PREFIX,
    PREFERRED_ELECTION,
    BrokerNode,
    PartitionStateNode,
    broker_path,
    encode_partitions,
    partition_state_path,
)
from broker.testing.calls import create
from broker.testing.cluster_of_one import HERE, LISTENER, ClusterOfOne, cluster_of_one, settled
from broker.testing.running import running
from kproto.errors import ErrorCode
from kproto.messages.elect_leaders import ElectLeadersRequest, TopicPartitions

PREFERRED, UNCLEAN = 0, 1
UNKNOWN, NOT_NEEDED = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.ELECTION_NOT_NEEDED
SECOND = 5

Rows = dict[tuple[str, int], int]


def question(*places: tuple[str, int], kind: int = PREFERRED, everything: bool = False) -> ElectLeadersRequest:
    topics = [TopicPartitions(topic=name, partitions=[index]) for name, index in places]
    return ElectLeadersRequest(election_type=kind, topic_partitions=None if everything else topics, timeout_ms=1_000)


def codes(answer: Any) -> Rows:
    return {
        (topic.topic, row.partition_id): row.error_code
        for topic in answer.replica_election_results
        for row in topic.partition_result
    }


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("kind", [PREFERRED, UNCLEAN])
async def test_where_the_right_one_leads_there_is_nothing_to_do(version: int, kind: int) -> None:
    """The codes of Kafka 3.9.2; the type is there since version 1."""
    async with running() as broker:
        with broker.connect() as client:
            await create(client, "t")
            asked = question(("t", 0), ("t", 9), ("nosuch", 0), ("t", 0), kind=kind if version else PREFERRED)
            answer = await client.ask(asked, version)
            assert answer.error_code == 0
            assert codes(answer) == {("t", 0): NOT_NEEDED, ("t", 9): UNKNOWN, ("nosuch", 0): UNKNOWN}
            assert codes(await client.ask(question(everything=True), version)) == {}
            assert codes(await client.ask(question(), version)) == {}


@pytest.mark.parametrize("version", [1, 2])
async def test_an_election_of_no_known_type_is_refused(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            answer = await client.ask(question(("t", 0), kind=5), version)
            assert answer.error_code == ErrorCode.INVALID_REQUEST
            assert codes(answer) == {("t", 0): ErrorCode.INVALID_REQUEST}


async def with_second_broker(cluster: ClusterOfOne) -> None:
    """A broker 5 that does whatever it is told, and a topic `t` that prefers it."""
    await cluster.tools.create(broker_path(SECOND), BrokerNode({LISTENER: HERE}).encode(), ephemeral=True)
    await settled()
    topic = NewTopic("t", assignment={0: [SECOND, cluster.broker_id]})
    await cluster.topics.create([topic], timeout_ms=1_000).waiter().wait(1_000)
    assert leader(cluster) == SECOND


def leader(cluster: ClusterOfOne) -> int:
    return cluster.image.topics["t"].partitions[0].leader


async def led_by_the_other(cluster: ClusterOfOne, isr: list[int]) -> None:
    """As after the preferred replica was away for a while."""
    state = PartitionStateNode(1, cluster.broker_id, 3, isr)
    await cluster.tools.set(partition_state_path("t", 0), state.encode())
    await cluster.tools.create(ISR_CHANGE_PREFIX, encode_partitions([("t", 0)]), sequential=True)
    await settled()
    assert leader(cluster) == cluster.broker_id


@pytest.mark.parametrize("version", [0, 1, 2])
async def test_the_preferred_replica_leads_again(version: int) -> None:
    async with cluster_of_one() as cluster:
        await with_second_broker(cluster)
        await led_by_the_other(cluster, [0, SECOND])
        assert codes(await cluster.ask(question(everything=True), version)) == {("t", 0): 0}
        assert leader(cluster) == SECOND
        assert await cluster.tools.exists(PREFERRED_ELECTION) is None
        assert codes(await cluster.ask(question(("t", 0)), version)) == {("t", 0): NOT_NEEDED}


async def test_a_preferred_replica_that_is_not_in_sync_or_not_there_does_not_lead() -> None:
    async with cluster_of_one() as cluster:
        await with_second_broker(cluster)
        await led_by_the_other(cluster, [0])
        refusal = {("t", 0): ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE}
        assert codes(await cluster.ask(question(("t", 0)), 2)) == refusal
        await cluster.tools.delete(broker_path(SECOND))
        await settled()
        assert codes(await cluster.ask(question(("t", 0)), 2)) == refusal
        assert leader(cluster) == cluster.broker_id


async def test_nobody_out_of_sync_is_ever_made_leader() -> None:
    """An unclean election loses records; this version has none."""
    async with cluster_of_one() as cluster:
        await with_second_broker(cluster)
        state = PartitionStateNode(1, SECOND, 3, [SECOND])
        await cluster.tools.set(partition_state_path("t", 0), state.encode())
        await cluster.tools.create(ISR_CHANGE_PREFIX, encode_partitions([("t", 0)]), sequential=True)
        await settled()
        await cluster.tools.delete(broker_path(SECOND))
        await settled()
        assert leader(cluster) == -1
        answer = await cluster.ask(question(("t", 0), kind=UNCLEAN), 2)
        assert codes(answer) == {("t", 0): ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE}


async def test_an_election_waits_for_the_one_before(autojump_clock: object) -> None:
    """A tool's request lies there until the controller has carried it out."""
    async with cluster_of_one() as cluster:
        await with_second_broker(cluster)
        await led_by_the_other(cluster, [0, SECOND])
        await cluster.tools.create(PREFERRED_ELECTION, encode_partitions([("nothing", 0)]))
        assert codes(await cluster.ask(question(("t", 0)), 2)) == {("t", 0): 0}


async def test_only_the_controller_is_asked() -> None:
    async with cluster_of_one() as cluster:
        cluster.image.controller_id = SECOND
        answer = await cluster.ask(question(("t", 0)), 2)
        assert answer.error_code == ErrorCode.NOT_CONTROLLER
        assert codes(await cluster.ask(question(("t", 0)), 0)) == {("t", 0): ErrorCode.NOT_CONTROLLER}
