"""Requests about topics and groups by names that nobody can have: data for the tests beside it.

Admin requests about topics are in bad_admin_requests.py, CreateTopics and Metadata in test_bad_requests.py.
"""

from collections.abc import Iterator

from compat_tests.bad_admin_requests import BAD_NAMES, TOPIC, Case, case
from compat_tests.bad_batches import sound
from kproto.messages.alter_replica_log_dirs import (
    AlterReplicaLogDir,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirTopic,
)
from kproto.messages.create_partitions import CreatePartitionsRequest, CreatePartitionsTopic
from kproto.messages.delete_groups import DeleteGroupsRequest
from kproto.messages.delete_topics import DeleteTopicsRequest, DeleteTopicState
from kproto.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource
from kproto.messages.describe_groups import DescribeGroupsRequest
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.messages.offset_commit import OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic
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

BY_ID_PRODUCE, BY_ID_FETCH, BY_ID_COMMIT = 13, 13, 10
"""Versions from which the topic has no name any more."""
SINCE_GROUP_ERRORS = 6
"""DescribeGroups tells from then on that a group is not there."""
BAD_PATHS = ("", "/", "relative", "/etc", "/no such directory", "/tmp/../etc", "a\0b", "x" * 4096)
BAD_GROUPS = ("", "g\0", "../../etc/passwd", "a/b", "g" * 32_000, "\ud7ff", "a\nb")


def produce(name: str) -> ProduceRequest:
    row = PartitionProduceData(index=0, records=sound(1))
    return ProduceRequest(acks=-1, timeout_ms=5000, topic_data=[TopicProduceData(name=name, partition_data=[row])])


def fetch(name: str) -> FetchRequest:
    row = FetchPartition(partition_max_bytes=1000)
    return FetchRequest(session_epoch=-1, max_bytes=1000, topics=[FetchTopic(topic=name, partitions=[row])])


def list_offsets(name: str) -> ListOffsetsRequest:
    rows = [ListOffsetsPartition(timestamp=-1)]
    return ListOffsetsRequest(replica_id=-1, topics=[ListOffsetsTopic(name=name, partitions=rows)])


def end_of_epoch(name: str) -> OffsetForLeaderEpochRequest:
    rows = [OffsetForLeaderPartition(current_leader_epoch=-1)]
    return OffsetForLeaderEpochRequest(replica_id=-1, topics=[OffsetForLeaderTopic(topic=name, partitions=rows)])


def grow(name: str) -> CreatePartitionsRequest:
    return CreatePartitionsRequest(topics=[CreatePartitionsTopic(name=name, count=5, assignments=None)])


def delete(name: str) -> DeleteTopicsRequest:
    return DeleteTopicsRequest(topic_names=[name], topics=[DeleteTopicState(name=name)], timeout_ms=5000)


def commit(topic: str, group: str = "g") -> OffsetCommitRequest:
    row = OffsetCommitRequestPartition(committed_offset=1, committed_metadata="")
    return OffsetCommitRequest(group_id=group, topics=[OffsetCommitRequestTopic(name=topic, partitions=[row])])


def committed(topic: str, group: str = "g") -> OffsetFetchRequest:
    old, new = OffsetFetchRequestTopic(name=topic), OffsetFetchRequestTopics(name=topic)
    old.partition_indexes = new.partition_indexes = [0]
    return OffsetFetchRequest(
        group_id=group, topics=[old], groups=[OffsetFetchRequestGroup(group_id=group, topics=[new])]
    )


def options(name: str) -> DescribeConfigsRequest:
    resource = DescribeConfigsResource(resource_type=TOPIC, resource_name=name, configuration_keys=None)
    return DescribeConfigsRequest(resources=[resource])


def move(path: str, topic: str) -> AlterReplicaLogDirsRequest:
    rows = [AlterReplicaLogDirTopic(name=topic, partitions=[0])]
    return AlterReplicaLogDirsRequest(dirs=[AlterReplicaLogDir(path=path, topics=rows)])


def topics() -> Iterator[Case]:
    """Row 86."""
    for name in BAD_NAMES:
        shown = repr(name)[:20]
        yield case(f"86 Produce {shown}", produce(name), 3, until=BY_ID_PRODUCE - 1)
        yield case(f"86 Fetch {shown}", fetch(name), 3, until=BY_ID_FETCH - 1)
        yield case(f"86 ListOffsets {shown}", list_offsets(name), 3)
        yield case(f"86 OffsetForLeaderEpoch {shown}", end_of_epoch(name), 3)
        yield case(f"86 CreatePartitions {shown}", grow(name), 3)
        yield case(f"86 DeleteTopics {shown}", delete(name), 3)
        yield case(f"86 OffsetCommit {shown}", commit(name), 3, until=BY_ID_COMMIT - 1)
        yield case(f"86 OffsetFetch {shown}", committed(name), since=1, until=BY_ID_COMMIT - 1)
        yield case(f"86 DescribeConfigs {shown}", options(name), 17)


def directories() -> Iterator[Case]:
    """What is no data directory of this broker is none to move to."""
    for path in BAD_PATHS:
        yield case(f"AlterReplicaLogDirs to {path!r:.20}", move(path, "aged"), 57)
        yield case(f"AlterReplicaLogDirs to {path!r:.20} of nothing", move(path, "../etc"), 57)


def groups() -> Iterator[Case]:
    """Names of groups are any text; nobody has ever heard of these."""
    for name in BAD_GROUPS:
        shown = repr(name)[:20]
        yield case(f"DescribeGroups {shown}", DescribeGroupsRequest(groups=[name]), until=SINCE_GROUP_ERRORS - 1)
        yield case(f"DescribeGroups {shown}", DescribeGroupsRequest(groups=[name]), 69, since=SINCE_GROUP_ERRORS)
        yield case(f"DeleteGroups {shown}", DeleteGroupsRequest(groups_names=[name]), 69)
        yield case(f"OffsetFetch {shown}", committed("aged", name), since=1, until=BY_ID_COMMIT - 1)


CASES = [*topics(), *directories(), *groups()]
