"""A request of every API that clients may ask, at every version, about things that are there (or are not).

Each names one topic, one group, one transactional id; a test of rights asks it once with the right and once without.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any
from uuid import UUID

from broker.testing.calls import batch_of, topic_to_create
from kproto.api_keys import ApiKey
from kproto.messages import incremental_alter_configs as incremental
from kproto.messages.alter_configs import AlterableConfig, AlterConfigsRequest, AlterConfigsResource
from kproto.messages.alter_partition_reassignments import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from kproto.messages.alter_replica_log_dirs import (
    AlterReplicaLogDir,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirTopic,
)
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.messages.create_partitions import CreatePartitionsRequest, CreatePartitionsTopic
from kproto.messages.create_topics import CreateTopicsRequest
from kproto.messages.delete_groups import DeleteGroupsRequest
from kproto.messages.delete_records import DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic
from kproto.messages.delete_topics import DeleteTopicsRequest, DeleteTopicState
from kproto.messages.describe_cluster import DescribeClusterRequest
from kproto.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource
from kproto.messages.describe_groups import DescribeGroupsRequest
from kproto.messages.describe_log_dirs import DescribeLogDirsRequest
from kproto.messages.describe_producers import DescribeProducersRequest
from kproto.messages.describe_producers import TopicRequest as ProducersOfTopic
from kproto.messages.describe_topic_partitions import DescribeTopicPartitionsRequest
from kproto.messages.describe_topic_partitions import TopicRequest as PartitionsOfTopic
from kproto.messages.elect_leaders import ElectLeadersRequest
from kproto.messages.elect_leaders import TopicPartitions as ElectedPartitions
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.heartbeat import HeartbeatRequest
from kproto.messages.init_producer_id import InitProducerIdRequest
from kproto.messages.join_group import JoinGroupRequest, JoinGroupRequestProtocol
from kproto.messages.leave_group import LeaveGroupRequest, MemberIdentity
from kproto.messages.list_groups import ListGroupsRequest
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.messages.list_partition_reassignments import ListPartitionReassignmentsRequest
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.messages.offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from kproto.messages.offset_delete import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from kproto.messages.offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopic,
    OffsetFetchRequestTopics,
)
from kproto.messages.offset_for_leader_epoch import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.messages.sync_group import SyncGroupRequest
from kproto.messages.update_features import FeatureUpdateKey, UpdateFeaturesRequest
from kproto.schema import Message

TOPIC_CONFIG, BROKER_CONFIG = 2, 4


@dataclass(frozen=True)
class Named:
    """What a question is about. `topic_id` belongs to `topic`; group and member as the group knows them."""

    topic: str
    topic_id: UUID
    group: str
    member_id: str = "nobody"
    generation: int = 1
    transactional_id: str | None = None


def produce(of: Named, version: int) -> ProduceRequest:
    row = PartitionProduceData(records=batch_of("a"))
    topic = TopicProduceData(name=of.topic, topic_id=of.topic_id, partition_data=[row])
    return ProduceRequest(transactional_id=of.transactional_id, acks=-1, timeout_ms=1_000, topic_data=[topic])


def fetch(of: Named, version: int) -> FetchRequest:
    row = FetchPartition(partition_max_bytes=1 << 20)
    return FetchRequest(topics=[FetchTopic(topic=of.topic, topic_id=of.topic_id, partitions=[row])])


def list_offsets(of: Named, version: int) -> ListOffsetsRequest:
    row = ListOffsetsPartition(timestamp=-1)
    return ListOffsetsRequest(replica_id=-1, topics=[ListOffsetsTopic(name=of.topic, partitions=[row])])


def metadata(of: Named, version: int) -> MetadataRequest:
    topic = MetadataRequestTopic(name=of.topic)
    if version >= 12:
        topic = MetadataRequestTopic(name=None, topic_id=of.topic_id)
    return MetadataRequest(topics=[topic], allow_auto_topic_creation=True)


def offset_commit(of: Named, version: int) -> OffsetCommitRequest:
    row = OffsetCommitRequestPartition(committed_offset=1, committed_metadata="")
    topic = OffsetCommitRequestTopic(name=of.topic, topic_id=of.topic_id, partitions=[row])
    return OffsetCommitRequest(
        group_id=of.group, member_id=of.member_id, generation_id_or_member_epoch=of.generation, topics=[topic]
    )


def offset_fetch(of: Named, version: int) -> OffsetFetchRequest:
    if version < 8:
        old = OffsetFetchRequestTopic(name=of.topic, partition_indexes=[0])
        return OffsetFetchRequest(group_id=of.group, topics=[old])
    topic = OffsetFetchRequestTopics(name=of.topic, topic_id=of.topic_id, partition_indexes=[0])
    return OffsetFetchRequest(groups=[OffsetFetchRequestGroup(group_id=of.group, topics=[topic])])


def find_coordinator(of: Named, version: int) -> FindCoordinatorRequest:
    key = of.group if of.transactional_id is None else of.transactional_id
    return FindCoordinatorRequest(key=key, key_type=int(key != of.group), coordinator_keys=[key])


def join_group(of: Named, version: int) -> JoinGroupRequest:
    return JoinGroupRequest(
        group_id=of.group,
        session_timeout_ms=10_000,
        rebalance_timeout_ms=10_000,
        member_id=of.member_id,
        protocol_type="consumer",
        protocols=[JoinGroupRequestProtocol(name="range", metadata=b"")],
    )


def heartbeat(of: Named, version: int) -> HeartbeatRequest:
    return HeartbeatRequest(group_id=of.group, generation_id=of.generation, member_id=of.member_id)


def leave_group(of: Named, version: int) -> LeaveGroupRequest:
    member = MemberIdentity(member_id=of.member_id)
    return LeaveGroupRequest(group_id=of.group, member_id=of.member_id, members=[member])


def sync_group(of: Named, version: int) -> SyncGroupRequest:
    return SyncGroupRequest(group_id=of.group, generation_id=of.generation, member_id=of.member_id)


def create_topics(of: Named, version: int) -> CreateTopicsRequest:
    return CreateTopicsRequest(topics=[topic_to_create(of.topic)], timeout_ms=1_000)


def delete_topics(of: Named, version: int) -> DeleteTopicsRequest:
    state = DeleteTopicState(topic_id=of.topic_id)
    return DeleteTopicsRequest(topics=[state], topic_names=[of.topic] if version < 6 else [], timeout_ms=1_000)


def offset_for_leader_epoch(of: Named, version: int) -> OffsetForLeaderEpochRequest:
    row = OffsetForLeaderPartition(leader_epoch=0)
    return OffsetForLeaderEpochRequest(topics=[OffsetForLeaderTopic(topic=of.topic, partitions=[row])])


def describe_configs(of: Named, version: int) -> DescribeConfigsRequest:
    topic = DescribeConfigsResource(resource_type=TOPIC_CONFIG, resource_name=of.topic, configuration_keys=None)
    return DescribeConfigsRequest(resources=[topic])


def alter_configs(of: Named, version: int) -> AlterConfigsRequest:
    value = AlterableConfig(name="retention.ms", value="7777")
    topic = AlterConfigsResource(resource_type=TOPIC_CONFIG, resource_name=of.topic, configs=[value])
    return AlterConfigsRequest(resources=[topic])


def incremental_alter_configs(of: Named, version: int) -> incremental.IncrementalAlterConfigsRequest:
    value = incremental.AlterableConfig(name="retention.ms", value="7777")
    topic = incremental.AlterConfigsResource(resource_type=TOPIC_CONFIG, resource_name=of.topic, configs=[value])
    return incremental.IncrementalAlterConfigsRequest(resources=[topic])


def delete_records(of: Named, version: int) -> DeleteRecordsRequest:
    row = DeleteRecordsPartition(offset=0)
    return DeleteRecordsRequest(topics=[DeleteRecordsTopic(name=of.topic, partitions=[row])], timeout_ms=1_000)


def offset_delete(of: Named, version: int) -> OffsetDeleteRequest:
    """Of a topic that the group's member reads, as far as anybody knows: nothing goes."""
    topic = OffsetDeleteRequestTopic(name=of.topic, partitions=[OffsetDeleteRequestPartition()])
    return OffsetDeleteRequest(group_id=of.group, topics=[topic])


def describe_producers(of: Named, version: int) -> DescribeProducersRequest:
    return DescribeProducersRequest(topics=[ProducersOfTopic(name=of.topic, partition_indexes=[0])])


def describe_topic_partitions(of: Named, version: int) -> DescribeTopicPartitionsRequest:
    return DescribeTopicPartitionsRequest(topics=[PartitionsOfTopic(name=of.topic)])


def alter_partition_reassignments(of: Named, version: int) -> AlterPartitionReassignmentsRequest:
    """Nothing is under way, so nothing can be stopped."""
    topic = ReassignableTopic(name=of.topic, partitions=[ReassignablePartition(replicas=None)])
    return AlterPartitionReassignmentsRequest(topics=[topic], timeout_ms=1_000)


def create_partitions(of: Named, version: int) -> CreatePartitionsRequest:
    topic = CreatePartitionsTopic(name=of.topic, count=5, assignments=None)
    return CreatePartitionsRequest(topics=[topic], timeout_ms=1_000)


QUESTIONS: dict[ApiKey, Callable[[Named, int], Message]] = {
    ApiKey.PRODUCE: produce,
    ApiKey.FETCH: fetch,
    ApiKey.LIST_OFFSETS: list_offsets,
    ApiKey.METADATA: metadata,
    ApiKey.OFFSET_COMMIT: offset_commit,
    ApiKey.OFFSET_FETCH: offset_fetch,
    ApiKey.FIND_COORDINATOR: find_coordinator,
    ApiKey.JOIN_GROUP: join_group,
    ApiKey.HEARTBEAT: heartbeat,
    ApiKey.LEAVE_GROUP: leave_group,
    ApiKey.SYNC_GROUP: sync_group,
    ApiKey.DESCRIBE_GROUPS: lambda of, version: DescribeGroupsRequest(groups=[of.group]),
    ApiKey.LIST_GROUPS: lambda of, version: ListGroupsRequest(),
    ApiKey.API_VERSIONS: lambda of, version: ApiVersionsRequest(
        client_software_name="test", client_software_version="1"
    ),
    ApiKey.CREATE_TOPICS: create_topics,
    ApiKey.DELETE_TOPICS: delete_topics,
    ApiKey.INIT_PRODUCER_ID: lambda of, version: InitProducerIdRequest(
        transactional_id=of.transactional_id, transaction_timeout_ms=1_000, producer_id=-1, producer_epoch=-1
    ),
    ApiKey.OFFSET_FOR_LEADER_EPOCH: offset_for_leader_epoch,
    ApiKey.DESCRIBE_CONFIGS: describe_configs,
    ApiKey.DELETE_RECORDS: delete_records,
    ApiKey.OFFSET_DELETE: offset_delete,
    ApiKey.ALTER_CONFIGS: alter_configs,
    ApiKey.INCREMENTAL_ALTER_CONFIGS: incremental_alter_configs,
    ApiKey.ALTER_REPLICA_LOG_DIRS: lambda of, version: AlterReplicaLogDirsRequest(
        dirs=[AlterReplicaLogDir(path="memory", topics=[AlterReplicaLogDirTopic(name=of.topic, partitions=[0])])]
    ),
    ApiKey.DESCRIBE_LOG_DIRS: lambda of, version: DescribeLogDirsRequest(topics=None),
    ApiKey.DESCRIBE_PRODUCERS: describe_producers,
    ApiKey.DESCRIBE_TOPIC_PARTITIONS: describe_topic_partitions,
    ApiKey.ELECT_LEADERS: lambda of, version: ElectLeadersRequest(
        topic_partitions=[ElectedPartitions(topic=of.topic, partitions=[0])], timeout_ms=1_000
    ),
    ApiKey.ALTER_PARTITION_REASSIGNMENTS: alter_partition_reassignments,
    ApiKey.LIST_PARTITION_REASSIGNMENTS: lambda of, version: ListPartitionReassignmentsRequest(timeout_ms=1_000),
    ApiKey.UPDATE_FEATURES: lambda of, version: UpdateFeaturesRequest(
        feature_updates=[FeatureUpdateKey(feature="metadata.version", max_version_level=7)], timeout_ms=1_000
    ),
    ApiKey.CREATE_PARTITIONS: create_partitions,
    ApiKey.DELETE_GROUPS: lambda of, version: DeleteGroupsRequest(groups_names=[of.group]),
    ApiKey.DESCRIBE_CLUSTER: lambda of, version: DescribeClusterRequest(),
}


def codes_in(answer: Any) -> Iterator[int]:
    """Every error code of an answer, top and rows."""
    if is_dataclass(answer):
        for field in fields(answer):
            value = getattr(answer, field.name)
            if field.name.endswith("error_code"):
                yield value
            else:
                yield from codes_in(value)
    elif isinstance(answer, list):
        for each in answer:
            yield from codes_in(each)
