"""What a controller of any release says, over the bytes of each version."""

from uuid import UUID

import pytest

from broker.testing.cluster_of_one import cluster_of_one
from broker.transport.contract import Address
from kproto.errors import ErrorCode
from kproto.messages.leader_and_isr import LeaderAndIsrPartitionState, LeaderAndIsrRequest, LeaderAndIsrTopicState
from kproto.messages.stop_replica import (
    StopReplicaPartitionState,
    StopReplicaPartitionV0,
    StopReplicaRequest,
    StopReplicaTopicState,
    StopReplicaTopicV1,
)
from kproto.messages.update_metadata import (
    UpdateMetadataBroker,
    UpdateMetadataEndpoint,
    UpdateMetadataPartitionState,
    UpdateMetadataRequest,
    UpdateMetadataTopicState,
)

EPOCH = 5
ID = UUID(int=9)


@pytest.mark.parametrize("version", range(8))
async def test_leader_and_isr_of_every_version_is_obeyed(version: int) -> None:
    async with cluster_of_one() as cluster:
        row = LeaderAndIsrPartitionState(partition_index=1, leader_epoch=4)
        request = LeaderAndIsrRequest(controller_epoch=EPOCH)
        if version <= 1:
            row.topic_name = "t"
            request.ungrouped_partition_states = [row]
        else:
            request.topic_states = [LeaderAndIsrTopicState(topic_name="t", topic_id=ID, partition_states=[row])]
        assert (await cluster.ask(request, version)).error_code == 0
        assert cluster.partitions.led == {("t", 1): 4}


@pytest.mark.parametrize("version", range(5))
async def test_stop_replica_of_every_version_is_obeyed(version: int) -> None:
    async with cluster_of_one() as cluster:
        request = StopReplicaRequest(controller_epoch=EPOCH, delete_partitions=version <= 2)
        if version == 0:
            request.ungrouped_partitions = [StopReplicaPartitionV0(topic_name="t", partition_index=1)]
        elif version <= 2:
            request.topics = [StopReplicaTopicV1(name="t", partition_indexes=[1])]
        else:
            state = StopReplicaPartitionState(partition_index=1, delete_partition=True)
            request.topic_states = [StopReplicaTopicState(topic_name="t", partition_states=[state])]
        assert (await cluster.ask(request, version)).error_code == 0
        assert cluster.partitions.deleted == [("t", 1)]


@pytest.mark.parametrize("version", range(9))
async def test_update_metadata_of_every_version_is_believed(version: int) -> None:
    async with cluster_of_one() as cluster:
        row = UpdateMetadataPartitionState(partition_index=0, leader=6, replicas=[6])
        endpoint = UpdateMetadataEndpoint(host="h", port=1, listener="PLAINTEXT" if version >= 3 else "")
        broker = UpdateMetadataBroker(id=6, endpoints=[endpoint])
        request = UpdateMetadataRequest(controller_id=6, controller_epoch=EPOCH, live_brokers=[broker])
        if version == 0:
            broker.endpoints, broker.v0_host, broker.v0_port = [], "h", 1
        if version <= 4:
            row.topic_name = "t"
            request.ungrouped_partition_states = [row]
        else:
            request.topic_states = [UpdateMetadataTopicState(topic_name="t", topic_id=ID, partition_states=[row])]
        assert (await cluster.ask(request, version)).error_code == ErrorCode.NONE
        image = cluster.image
        assert (image.controller_id, image.controller_epoch) == (6, EPOCH)
        assert image.brokers[6].endpoints == {"PLAINTEXT": Address("h", 1)}
        assert [each.leader for each in image.topics["t"].partitions] == [6]
