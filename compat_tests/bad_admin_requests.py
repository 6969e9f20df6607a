"""Admin requests that no broker may take as they are: data for the tests beside it, and for a real Kafka as judge.

Topic `aged` has one partition of three records, `compacted` one that is compacted; group `readers` does not exist,
but the topic of group offsets does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kproto.api_keys import ApiKey
from kproto.messages import alter_configs as whole
from kproto.messages import alter_partition_reassignments as moving
from kproto.messages import incremental_alter_configs as single
from kproto.messages.delete_records import DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic
from kproto.messages.describe_log_dirs import DescribableLogDirTopic, DescribeLogDirsRequest
from kproto.messages.describe_producers import DescribeProducersRequest
from kproto.messages.describe_producers import TopicRequest as ProducersOfTopic
from kproto.messages.describe_topic_partitions import Cursor, DescribeTopicPartitionsRequest
from kproto.messages.describe_topic_partitions import TopicRequest as PartitionsOfTopic
from kproto.messages.elect_leaders import ElectLeadersRequest
from kproto.messages.elect_leaders import TopicPartitions as Elected
from kproto.messages.list_partition_reassignments import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
)
from kproto.messages.offset_delete import OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic
from kproto.messages.update_features import FeatureUpdateKey, UpdateFeaturesRequest
from kproto.schema import Message

TOPIC, BROKER, LOGGER = 2, 4, 8
INT32_MAX, INT64_MAX = 2**31 - 1, 2**63 - 1
BAD_NAMES = ["", ".", "..", "a" * 250, "a/b", "../../etc/passwd", "a b", "a\0b", "a\u00e9", "a\nb", "{a}"]
MANY = 20_000


@dataclass(frozen=True)
class Case:
    """A request; `codes`: those of the answer, the usual 0 left out. `since`: of the versions that can say it."""

    name: str
    request: Message
    codes: frozenset[int]
    since: int = 0
    until: int = 99

    @property
    def key(self) -> ApiKey:
        key = self.request.API_KEY
        assert key is not None
        return key


def case(name: str, request: Message, *codes: int, since: int = 0, until: int = 99) -> Case:
    return Case(name, request, frozenset(codes), since, until)


def delete(topic: str, *rows: tuple[int, int], timeout_ms: int = 10_000) -> DeleteRecordsRequest:
    partitions = [DeleteRecordsPartition(partition_index=index, offset=offset) for index, offset in rows]
    return DeleteRecordsRequest(topics=[DeleteRecordsTopic(name=topic, partitions=partitions)], timeout_ms=timeout_ms)


def producers(topic: str, *indexes: int) -> DescribeProducersRequest:
    return DescribeProducersRequest(topics=[ProducersOfTopic(name=topic, partition_indexes=list(indexes))])


def pages(*topics: str, limit: int = 2000, cursor: Cursor | None = None) -> DescribeTopicPartitionsRequest:
    rows = [PartitionsOfTopic(name=name) for name in topics]
    return DescribeTopicPartitionsRequest(topics=rows, response_partition_limit=limit, cursor=cursor)


def offsets(group: str, topic: str, *indexes: int) -> OffsetDeleteRequest:
    rows = [OffsetDeleteRequestPartition(partition_index=index) for index in indexes]
    return OffsetDeleteRequest(group_id=group, topics=[OffsetDeleteRequestTopic(name=topic, partitions=rows)])


def elect(topic: str, *indexes: int, kind: int = 0, timeout_ms: int = 10_000) -> ElectLeadersRequest:
    rows = [Elected(topic=topic, partitions=list(indexes))]
    return ElectLeadersRequest(election_type=kind, topic_partitions=rows, timeout_ms=timeout_ms)


def move(topic: str, index: int, replicas: Sequence[int] | None) -> moving.AlterPartitionReassignmentsRequest:
    row = moving.ReassignablePartition(partition_index=index, replicas=None if replicas is None else list(replicas))
    rows = [moving.ReassignableTopic(name=topic, partitions=[row])]
    return moving.AlterPartitionReassignmentsRequest(timeout_ms=10_000, topics=rows)


def moves(topic: str, *indexes: int) -> ListPartitionReassignmentsRequest:
    row = ListPartitionReassignmentsTopics(name=topic, partition_indexes=list(indexes))
    return ListPartitionReassignmentsRequest(timeout_ms=10_000, topics=[row])


def directories(topic: str, *indexes: int) -> DescribeLogDirsRequest:
    return DescribeLogDirsRequest(topics=[DescribableLogDirTopic(topic=topic, partitions=list(indexes))])


def replace(kind: int, name: str, *configs: tuple[str, str | None]) -> whole.AlterConfigsRequest:
    rows = [whole.AlterableConfig(name=each, value=value) for each, value in configs]
    resource = whole.AlterConfigsResource(resource_type=kind, resource_name=name, configs=rows)
    return whole.AlterConfigsRequest(resources=[resource])


def edit(kind: int, name: str, *edits: tuple[str, int, str | None]) -> single.IncrementalAlterConfigsRequest:
    rows = [single.AlterableConfig(name=each, config_operation=how, value=value) for each, how, value in edits]
    resource = single.AlterConfigsResource(resource_type=kind, resource_name=name, configs=rows)
    return single.IncrementalAlterConfigsRequest(resources=[resource])


def features(*updates: tuple[str, int], kind: int = 1) -> UpdateFeaturesRequest:
    rows = [FeatureUpdateKey(feature=name, max_version_level=level, upgrade_type=kind) for name, level in updates]
    return UpdateFeaturesRequest(feature_updates=rows)


def bad_names() -> Iterator[Case]:
    """Row 86: a name that no topic can have."""
    for name in BAD_NAMES:
        shown = repr(name)[:20]
        yield case(f"86 DeleteRecords {shown}", delete(name, (0, 0)), 3)
        yield case(f"86 DescribeProducers {shown}", producers(name, 0), 17)
        yield case(f"86 DescribeTopicPartitions {shown}", pages(name), 17)
        yield case(f"86 OffsetDelete {shown}", offsets("readers", name, 0), 69)
        yield case(f"86 ElectLeaders {shown}", elect(name, 0), 3)
        yield case(f"86 AlterPartitionReassignments {shown}", move(name, 0, [0]), 3)
        yield case(f"86 ListPartitionReassignments {shown}", moves(name, 0))
        yield case(f"86 DescribeLogDirs {shown}", directories(name, 0))
        yield case(f"86 AlterConfigs {shown}", replace(TOPIC, name, ("retention.ms", "1")), 3 if name else 42)
        yield case(
            f"86 IncrementalAlterConfigs {shown}", edit(TOPIC, name, ("retention.ms", 0, "1")), 3 if name else 42
        )


def partitions() -> Iterator[Case]:
    """A partition that is not there, or cannot be."""
    for index in (1, -1, -(2**31), INT32_MAX):
        yield case(f"DeleteRecords of partition {index}", delete("aged", (index, 0)), 3)
        yield case(f"DescribeProducers of partition {index}", producers("aged", index), 3)
        yield case(f"OffsetDelete of partition {index}", offsets("readers", "aged", index), 69)
        yield case(f"ElectLeaders of partition {index}", elect("aged", index), 3)
        yield case(f"AlterPartitionReassignments of partition {index}", move("aged", index, [0]), 3)
        yield case(f"ListPartitionReassignments of partition {index}", moves("aged", index))
        yield case(f"DescribeLogDirs of partition {index}", directories("aged", index))


def records() -> Iterator[Case]:
    """Row 105, and what is like it."""
    for offset in (4, INT64_MAX, -2, -(2**63)):
        yield case(f"105 DeleteRecords to {offset}", delete("aged", (0, offset)), 1)
    yield case("105 DeleteRecords of a compacted topic", delete("compacted", (0, 0)), 44)
    yield case("DeleteRecords of an internal topic", delete("__consumer_offsets", (0, 0)), 17)
    yield case("DeleteRecords of a partition named twice", delete("aged", (0, 0), (0, 9)), 1)
    for timeout_ms in (-1, 0, INT32_MAX):
        yield case(f"DeleteRecords within {timeout_ms} ms", delete("aged", (0, 0), timeout_ms=timeout_ms))


def offset_deletes() -> Iterator[Case]:
    yield case("89 OffsetDelete of the group ''", offsets("", "aged", 0), 24)
    yield case("OffsetDelete of a group that is not there", offsets("readers", "aged", 0), 69)
    yield case("OffsetDelete of nothing", OffsetDeleteRequest(group_id="readers"), 69)


def elections() -> Iterator[Case]:
    for kind in (2, 9, -1, -128):
        yield case(f"ElectLeaders of type {kind}", elect("aged", 0, kind=kind), 42, since=1)
    for timeout_ms in (-1, INT32_MAX):
        yield case(f"ElectLeaders within {timeout_ms} ms", elect("aged", 0, timeout_ms=timeout_ms), 84)
    yield case("ElectLeaders of a partition named twice", elect("aged", 0, 0), 84)


def reassignments() -> Iterator[Case]:
    for name, replicas in (
        ("no replicas", []),
        ("a broker twice", [0, 0]),
        ("a broker that is not there", [0, 7]),
        ("a negative broker", [-1]),
        ("brokers that are not there", [INT32_MAX, 5]),
    ):
        yield case(f"AlterPartitionReassignments to {name}", move("aged", 0, replicas), 39)
    yield case("AlterPartitionReassignments back where nothing moves", move("aged", 0, None), 85)


def options() -> Iterator[Case]:
    """Row 106, and what is like it."""
    for kind, name in (
        (0, "x"),
        (1, "x"),
        (3, "x"),
        (99, "0"),
        (-1, "0"),
        (BROKER, "x"),
        (BROKER, "1"),
        (BROKER, "-1"),
        (BROKER, "0x0"),
    ):
        yield case(f"106 AlterConfigs {kind} {name!r}", replace(kind, name, ("log.retention.ms", "1")), 42)
        yield case(f"106 IncrementalAlterConfigs {kind} {name!r}", edit(kind, name, ("log.retention.ms", 0, "1")), 42)
    for name in ("", "1", "x"):
        yield case(f"106 loggers of {name!r}", edit(LOGGER, name, ("root", 0, "INFO")), 42)
    yield case("AlterConfigs of loggers", replace(LOGGER, "0", ("root", "INFO")), 42)
    for name in ("", "no.such", "retention\0ms", "a" * 30_000):
        shown = repr(name)[:20]
        yield case(f"AlterConfigs of {shown}", replace(TOPIC, "aged", (name, "1")), 40)
        yield case(f"IncrementalAlterConfigs of {shown}", edit(TOPIC, "aged", (name, 0, "1")), 40)
    for operation in (4, -1, 127):
        yield case(
            f"IncrementalAlterConfigs with operation {operation}",
            edit(TOPIC, "aged", ("retention.ms", operation, "1")),
            42,
        )
    yield case(
        "AlterConfigs of one option twice", replace(TOPIC, "aged", ("retention.ms", "1"), ("retention.ms", "2")), 42
    )
    twice = edit(TOPIC, "aged", ("retention.ms", 0, "1"), ("retention.ms", 1, None))
    yield case("IncrementalAlterConfigs of one option twice", twice, 42)
    yield case("AlterConfigs to null", replace(TOPIC, "aged", ("retention.ms", None)), 42)
    yield case("IncrementalAlterConfigs to null", edit(TOPIC, "aged", ("retention.ms", 0, None)), 42)
    yield case("IncrementalAlterConfigs appends to a number", edit(TOPIC, "aged", ("retention.ms", 2, "1")), 40)
    resources = replace(TOPIC, "aged", ("retention.ms", "1")).resources * 2
    yield case("AlterConfigs of one resource twice", whole.AlterConfigsRequest(resources=resources), 42)
    again = edit(TOPIC, "aged", ("retention.ms", 0, "1")).resources * 2
    yield case(
        "IncrementalAlterConfigs of one resource twice", single.IncrementalAlterConfigsRequest(resources=again), 42
    )
    yield case("AlterConfigs to a text of 30 KB", replace(TOPIC, "aged", ("retention.ms", "9" * 30_000)), 40)


def topic_pages() -> Iterator[Case]:
    for limit in (0, -1, -(2**31)):
        yield case(f"DescribeTopicPartitions of {limit} rows", pages("aged", limit=limit))
    yield case(
        "DescribeTopicPartitions of a negative cursor",
        pages("aged", cursor=Cursor(topic_name="aged", partition_index=-1)),
        42,
    )
    yield case("DescribeTopicPartitions of a topic that is not there", pages("missing"), 3)


def upgrades() -> Iterator[Case]:
    yield case("UpdateFeatures of nobody's", features(("no.such", 1)), 42)
    yield case("UpdateFeatures of ''", features(("", 1)), 42)
    yield case("UpdateFeatures to a negative level", features(("metadata.version", -1)), 42)
    yield case("UpdateFeatures of one twice", features(("metadata.version", 1), ("metadata.version", 2)), 42)
    for kind in (0, 4, -1):
        yield case(f"UpdateFeatures of type {kind}", features(("metadata.version", 1), kind=kind), 42, since=1)


def many() -> Iterator[Case]:
    """Rows by the ten thousand: one answer, in order, without harm to others."""
    yield case("DeleteRecords of many", delete("aged", *((index, 0) for index in range(1, MANY))), 3)
    yield case("DescribeProducers of many", producers("aged", *range(1, MANY)), 3)
    yield case("ElectLeaders of many", elect("aged", *range(1, MANY)), 3)
    yield case("ListPartitionReassignments of many", moves("aged", *range(MANY)))
    yield case("DescribeLogDirs of many", directories("aged", *range(1, MANY)))
    yield case(
        "IncrementalAlterConfigs of many", edit(TOPIC, "aged", *((f"no.such.{n}", 0, "1") for n in range(MANY))), 40
    )
    yield case("UpdateFeatures of many", features(*((f"no.such.{n}", 1) for n in range(MANY))), 42)


CASES = [
    found
    for group in (
        bad_names,
        partitions,
        records,
        offset_deletes,
        elections,
        reassignments,
        options,
        topic_pages,
        upgrades,
        many,
    )
    for found in group()
]
