"""Elections, terms and fences, on an embedded registry with two sessions or more."""

import json

import pytest

from broker.clock import SetClock
from broker.cluster.other_brokers import refuse_other_brokers
from broker.cluster.znodes import (
    CONTROLLER,
    CONTROLLER_EPOCH,
    FEATURE,
    ISR_CHANGE_PREFIX,
    ISR_CHANGES,
    LOG_DIR_EVENT_PREFIX,
    LOG_DIR_EVENTS,
    PREFERRED_ELECTION,
    ControllerNode,
    PartitionStateNode,
    broker_path,
    encode_log_dir_event,
    encode_partitions,
    partition_state_path,
    topic_path,
)
from broker.config.problems import OperatorError
from broker.registry.embedded import EmbeddedTree
from broker.testing.cluster_of_one import ClusterOfOne, cluster_of_one, settled
from kproto.errors import ErrorCode
from kproto.messages.leader_and_isr import LeaderAndIsrRequest
from kproto.messages.stop_replica import StopReplicaRequest
from kproto.messages.update_metadata import UpdateMetadataRequest


async def epoch_of(cluster: ClusterOfOne) -> tuple[bytes | None, int]:
    data, stat = await cluster.tools.get(CONTROLLER_EPOCH)
    return data, stat.version


async def make(cluster: ClusterOfOne, name: str) -> None:
    job = cluster.topics.create_by_default([name], timeout_ms=1000)
    await job.waiter().wait(1000)
    job.row(name)


async def test_the_first_broker_becomes_the_controller_of_epoch_1() -> None:
    async with cluster_of_one(broker_id=3) as cluster:
        data, stat = await cluster.tools.get(CONTROLLER)
        assert json.loads(data or b"")["brokerid"] == 3
        assert stat.ephemeral_owner == cluster.registry.session_id
        assert await epoch_of(cluster) == (b"1", 1)
        assert cluster.image.controller_id == 3
        assert cluster.controller.active


async def test_the_controller_says_that_no_feature_is_finalized() -> None:
    """As Kafka's controllers since 2.7; a node that somebody else wrote stays as it is."""
    async with cluster_of_one() as cluster:
        data, _ = await cluster.tools.get(FEATURE)
        assert json.loads(data or b"") == {"version": 2, "status": 1, "features": {}}
        await cluster.tools.set(FEATURE, b"theirs")
        await cluster.tools.delete(CONTROLLER)
        await settled()
        assert (await cluster.tools.get(FEATURE))[0] == b"theirs"


async def test_a_broker_that_is_not_registered_does_not_stand() -> None:
    async with cluster_of_one(started=False) as cluster:
        await cluster.nursery.start(cluster.controller.run)
        await settled()
        assert await cluster.tools.exists(CONTROLLER) is None


async def test_while_another_is_controller_this_broker_waits_and_then_takes_over() -> None:
    tree = EmbeddedTree(None, SetClock())
    other = tree.session()
    await other.create(CONTROLLER, ControllerNode(7).encode(), ephemeral=True)
    await other.create(CONTROLLER_EPOCH, b"4")
    async with cluster_of_one(tree=tree) as cluster:
        assert not cluster.controller.active
        await other.close()
        await settled()
        assert cluster.controller.active
        assert cluster.image.controller_epoch == 5


async def test_with_the_session_ends_the_term_and_a_new_one_begins_after_registration() -> None:
    async with cluster_of_one() as cluster:
        await make(cluster, "t")
        await cluster.registry.expire()
        await settled()
        assert not cluster.controller.active
        await cluster.register()
        await settled()
        assert cluster.controller.active
        assert cluster.image.controller_epoch == 2
        await make(cluster, "u")


async def test_who_removes_the_controllers_node_forces_an_election() -> None:
    async with cluster_of_one() as cluster:
        await cluster.tools.delete(CONTROLLER)
        await settled()
        assert cluster.controller.active
        assert cluster.image.controller_epoch == 2


async def test_a_term_whose_fence_is_broken_writes_nothing_more(autojump_clock: object) -> None:
    """Somebody counted the epoch up: whatever we decided under the old one must not reach the registry."""
    async with cluster_of_one() as cluster:
        await cluster.tools.set(CONTROLLER_EPOCH, b"9")
        await make(cluster, "t")
        state, _ = await cluster.tools.get(partition_state_path("t", 0))
        assert PartitionStateNode.decode(state).controller_epoch == 10
        assert cluster.image.controller_epoch == 10


async def test_notices_of_isr_changes_and_failed_disks_are_read_and_removed() -> None:
    async with cluster_of_one() as cluster:
        await make(cluster, "t")
        changed = PartitionStateNode(1, 0, 3, [0])
        await cluster.tools.set(partition_state_path("t", 0), changed.encode())
        await cluster.tools.create(ISR_CHANGE_PREFIX, encode_partitions([("t", 0)]), sequential=True)
        await cluster.tools.create(LOG_DIR_EVENT_PREFIX, encode_log_dir_event(0), sequential=True)
        await cluster.tools.create(LOG_DIR_EVENT_PREFIX, b"nonsense", sequential=True)
        await settled()
        assert cluster.image.topics["t"].partitions[0].leader_epoch == 3
        assert await cluster.tools.children(ISR_CHANGES) == []
        assert await cluster.tools.children(LOG_DIR_EVENTS) == []


async def test_a_preferred_election_without_anything_to_do_is_taken_away() -> None:
    async with cluster_of_one() as cluster:
        await make(cluster, "t")
        for data in (encode_partitions([("t", 0)]), b"nonsense"):
            await cluster.tools.create(PREFERRED_ELECTION, data)
            await settled()
            assert await cluster.tools.exists(PREFERRED_ELECTION) is None


@pytest.mark.parametrize("message", [LeaderAndIsrRequest, UpdateMetadataRequest, StopReplicaRequest])
async def test_an_older_controller_and_a_request_for_our_last_life_are_refused(
    message: type[LeaderAndIsrRequest] | type[UpdateMetadataRequest] | type[StopReplicaRequest],
) -> None:
    async with cluster_of_one() as cluster:
        version = message.VERSIONS[1]
        old = await cluster.ask(message(controller_epoch=0, broker_epoch=-1), version)
        assert old.error_code == ErrorCode.STALE_CONTROLLER_EPOCH
        dead = message(controller_epoch=1, broker_epoch=cluster.image.broker_epoch - 1)
        assert (await cluster.ask(dead, version)).error_code == ErrorCode.STALE_BROKER_EPOCH
        right = message(controller_epoch=1, broker_epoch=cluster.image.broker_epoch)
        assert (await cluster.ask(right, version)).error_code == 0


async def test_a_second_broker_is_refused_with_what_why_and_what_to_do() -> None:
    async with cluster_of_one() as cluster:
        await refuse_other_brokers(cluster.registry, 0)
        await cluster.tools.create(broker_path(5), b"{}", ephemeral=True)
        with pytest.raises(OperatorError, match="other brokers alive: 5"):
            await refuse_other_brokers(cluster.registry, 0)


async def test_a_malformed_topic_is_complained_of_once_and_again_only_when_it_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The list of topics is read at each change of any of them; one bad node must not fill the log."""
    complaint = "Topic bad is left alone"
    async with cluster_of_one() as cluster:
        await cluster.tools.create(topic_path("bad"), b"{")
        await make(cluster, "one")
        await make(cluster, "two")
        assert caplog.text.count(complaint) == 1
        await cluster.tools.set(topic_path("bad"), b"[")
        await make(cluster, "three")
        assert caplog.text.count(complaint) == 2
        await cluster.tools.set(topic_path("bad"), b'{"version":1,"partitions":{"0":[0]}}')
        await settled()
        assert "bad" in cluster.image.topics
