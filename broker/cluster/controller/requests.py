"""What the controller says to brokers: LeaderAndIsr, UpdateMetadata, StopReplica, built from its picture.

Sources: ControllerChannelManager of Kafka; KIP-516 (topic ids), KIP-570 (leader epochs in StopReplica), KIP-866.
"""

from collections.abc import Iterable

from broker.cluster.controller.events import LiveBroker
from broker.cluster.controller.state import ClusterState, Row, Topic
from kproto.messages.leader_and_isr import (
    LeaderAndIsrLiveLeader,
    LeaderAndIsrPartitionState,
    LeaderAndIsrRequest,
    LeaderAndIsrTopicState,
)
from kproto.messages.stop_replica import StopReplicaPartitionState, StopReplicaRequest, StopReplicaTopicState
from kproto.messages.update_metadata import (
    UpdateMetadataBroker,
    UpdateMetadataEndpoint,
    UpdateMetadataPartitionState,
    UpdateMetadataRequest,
    UpdateMetadataTopicState,
)

INCREMENTAL, FULL = 1, 2
DURING_DELETE = -2
"""Leader in UpdateMetadata, and epoch in StopReplica, of a topic that is being deleted."""

SECURITY_PROTOCOLS = {"PLAINTEXT": 0, "SSL": 1, "SASL_PLAINTEXT": 2, "SASL_SSL": 3}


class Requests:
    """Builds requests in the name of one controller, in the newest version's shape."""

    def __init__(self, cluster: ClusterState, controller_id: int, epoch: int, inter_broker_listener: str) -> None:
        self._cluster = cluster
        self._controller_id = controller_id
        self._epoch = epoch
        self._inter_broker_listener = inter_broker_listener

    def leader_and_isr(
        self, broker: LiveBroker, rows: Iterable[Row], *, new: bool = False, type: int = INCREMENTAL
    ) -> LeaderAndIsrRequest:
        """Lead or follow these partitions, which all have a state. `new`: they had no leader before."""
        grouped: dict[str, LeaderAndIsrTopicState] = {}
        leaders = set()
        for row in rows:
            topic, partition, state = row.topic, row.partition, row.partition.state
            if state is None:
                continue
            leaders.add(state.leader)
            group = grouped.setdefault(topic.name, LeaderAndIsrTopicState(topic_name=topic.name, topic_id=topic.id))
            group.partition_states.append(
                LeaderAndIsrPartitionState(
                    topic_name=topic.name,
                    partition_index=row.index,
                    controller_epoch=state.controller_epoch,
                    leader=state.leader,
                    leader_epoch=state.leader_epoch,
                    isr=list(state.isr),
                    partition_epoch=partition.version,
                    replicas=list(partition.replicas),
                    adding_replicas=list(partition.adding),
                    removing_replicas=list(partition.removing),
                    is_new=new,
                    leader_recovery_state=state.recovery_state,
                )
            )
        return LeaderAndIsrRequest(
            controller_id=self._controller_id,
            controller_epoch=self._epoch,
            broker_epoch=broker.epoch,
            type=type,
            topic_states=list(grouped.values()),
            live_leaders=[self._live_leader(each) for each in sorted(leaders) if each in self._cluster.brokers],
        )

    def _live_leader(self, broker_id: int) -> LeaderAndIsrLiveLeader:
        endpoints = self._cluster.brokers[broker_id].node.endpoints
        address = endpoints.get(self._inter_broker_listener) or next(iter(endpoints.values()))
        return LeaderAndIsrLiveLeader(broker_id=broker_id, host_name=address.host, port=address.port)

    def update_metadata(
        self, broker: LiveBroker, rows: Iterable[Row], *, type: int = INCREMENTAL, deleted: Topic | None = None
    ) -> UpdateMetadataRequest:
        """All brokers alive, and these partitions; one without a state is left out, as nobody could use it."""
        grouped: dict[str, UpdateMetadataTopicState] = {}
        for row in rows:
            topic, partition, state = row.topic, row.partition, row.partition.state
            if state is None:
                continue
            group = grouped.setdefault(topic.name, UpdateMetadataTopicState(topic_name=topic.name, topic_id=topic.id))
            group.partition_states.append(
                UpdateMetadataPartitionState(
                    topic_name=topic.name,
                    partition_index=row.index,
                    controller_epoch=state.controller_epoch,
                    leader=DURING_DELETE if topic is deleted else state.leader,
                    leader_epoch=DURING_DELETE if topic is deleted else state.leader_epoch,
                    isr=list(state.isr),
                    zk_version=partition.version,
                    replicas=list(partition.replicas),
                    offline_replicas=self._cluster.offline(partition),
                )
            )
        return UpdateMetadataRequest(
            controller_id=self._controller_id,
            type=type,
            controller_epoch=self._epoch,
            broker_epoch=broker.epoch,
            topic_states=list(grouped.values()),
            live_brokers=[_live_broker(each) for each in self._cluster.brokers.values()],
        )

    def stop_replica(self, broker: LiveBroker, topic: Topic, *, delete: bool) -> StopReplicaRequest:
        """Let go of this topic's replicas, and of their files if `delete`."""
        states = [
            StopReplicaPartitionState(
                partition_index=index,
                leader_epoch=DURING_DELETE if delete or partition.state is None else partition.state.leader_epoch,
                delete_partition=delete,
            )
            for index, partition in topic.partitions.items()
            if broker.id in partition.replicas
        ]
        return StopReplicaRequest(
            controller_id=self._controller_id,
            controller_epoch=self._epoch,
            broker_epoch=broker.epoch,
            topic_states=[StopReplicaTopicState(topic_name=topic.name, partition_states=states)],
        )


def _live_broker(broker: LiveBroker) -> UpdateMetadataBroker:
    endpoints = [
        UpdateMetadataEndpoint(
            port=address.port,
            host=address.host,
            listener=listener,
            security_protocol=SECURITY_PROTOCOLS[broker.node.protocol(listener)],
        )
        for listener, address in broker.node.endpoints.items()
    ]
    return UpdateMetadataBroker(id=broker.id, endpoints=endpoints, rack=broker.node.rack)
