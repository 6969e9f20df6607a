"""/metrics: what the rooms count, under the names that dashboards know.

Two families of names: Kafka's own beans as the usual exporter writes them (`kafka_server_…`), and those of
kafka_exporter (`kafka_topic_…`, `kafka_consumergroup_…`). Real histograms stand under `barnabas_…`. Series of single
partitions of the first family only with `barnabas.metrics.partitions`.
"""

import os
import resource
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from broker.cluster.image import PartitionImage
from broker.metrics import ApiCounts, TopicCounts
from broker.partitions.partition import Partition
from broker.registry.contract import SessionState
from broker.requests.rooms import Rooms
from broker.web.exposition import OPENMETRICS_TYPE, PLAIN_TYPE, Family, Sample, in_slices, labels, lines
from broker.web.responder import Answer, WebRequest
from coordinator.groups.classic import ClassicGroup
from kproto.errors import ApiError

QUANTILES = (0.5, 0.75, 0.95, 0.98, 0.99, 0.999)
TOPIC_COUNTERS = {
    "bytesin": ("bytes_in", "Bytes of record batches appended."),
    "bytesout": ("bytes_out", "Bytes of record batches sent to consumers."),
    "failedproducerequests": ("failed_produce_requests", "Appends that failed by an error of the disk."),
    "messagesin": ("messages_in", "Records appended."),
    "totalfetchrequests": ("fetch_requests", "Reads of a partition."),
    "totalproducerequests": ("produce_requests", "Appends to a partition that were asked for."),
}
SHOWN_BUCKETS = 31
"""Up to 18 minutes."""
GROUP_STATES = ("PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Empty")


class MetricsPage:
    """Counts the session's losses itself; everything else is looked up when somebody asks."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._disconnects = self._expiries = 0
        rooms.registry.on_session(self._session_moved)

    def _session_moved(self, state: SessionState) -> None:
        self._disconnects += state is SessionState.SUSPENDED
        self._expiries += state is SessionState.EXPIRED

    async def page(self, request: WebRequest) -> Answer:
        openmetrics = "application/openmetrics-text" in request.headers.get("accept", "")
        text = lines(self.families(), openmetrics=openmetrics)
        return Answer(in_slices(text), content_type=OPENMETRICS_TYPE if openmetrics else PLAIN_TYPE)

    def families(self) -> Iterator[Family]:
        yield from self._process()
        yield from self._topic_counters()
        yield from self._requests()
        yield from self._replicas()
        yield from self._controller()
        yield from self._registry_session()
        yield from self._cluster()
        yield from self._groups()

    # --- this process ---

    def _process(self) -> Iterator[Family]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = used.ru_utime + used.ru_stime
        yield one("process_cpu_seconds", "counter", "CPU time, user and system.", cpu_s)
        yield one("process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes())
        yield one("process_open_fds", "gauge", "Open files and sockets.", len(os.listdir("/proc/self/fd")))

    # --- counters ---

    def _topic_counters(self) -> Iterator[Family]:
        metrics = self._rooms.metrics
        total, topics = metrics.all_topics(), list(metrics.topics.items())
        for name, (attribute, meaning) in TOPIC_COUNTERS.items():
            yield Family(
                f"kafka_server_brokertopicmetrics_{name}", "counter", meaning, by_topic(attribute, total, topics)
            )

    def _requests(self) -> Iterator[Family]:
        apis = [(key.kafka_name, counts) for key, counts in self._rooms.metrics.apis.items()]
        bean = "kafka_network_requestmetrics"
        yield Family(f"{bean}_requests", "counter", "Requests, by API and version.", by_version(apis))
        yield Family(f"{bean}_errors", "counter", "Whole requests refused, by API and error.", by_error(apis))
        yield Family(f"{bean}_totaltimems", "gauge", "Milliseconds a request took, quantiles.", by_quantile(apis))
        yield Family(
            f"{bean}_totaltimems_count",
            "gauge",
            "Requests measured.",
            (Sample(labels(request=name), sum(counts.buckets)) for name, counts in apis),
        )
        yield Family("barnabas_request_seconds", "histogram", "Time a request took, waiting included.", buckets(apis))

    # --- partitions ---

    def _replicas(self) -> Iterator[Family]:
        here = list(self._rooms.partitions)
        led = [partition for partition in here if partition.leads]
        bean = "kafka_server_replicamanager"
        behind = sum(len(each.leadership.isr) < len(each.leadership.replicas) for each in led)
        too_few = sum(len(each.leadership.isr) < each.settings.min_insync_replicas for each in led)
        yield one(f"{bean}_partitioncount", "gauge", "Partitions with a replica here.", len(here))
        yield one(f"{bean}_leadercount", "gauge", "Partitions led here.", len(led))
        yield one(f"{bean}_offlinereplicacount", "gauge", "Replicas on a failed disk.", sum(p.failed for p in here))
        yield one(f"{bean}_underreplicatedpartitions", "gauge", "Led here, with a replica out of sync.", behind)
        yield one(f"{bean}_underminisrpartitioncount", "gauge", "Led here, with too few replicas in sync.", too_few)
        if self._rooms.settings.barnabas_metrics_partitions:
            yield from logs(here)

    def _controller(self) -> Iterator[Family]:
        image = self._rooms.image
        active = int(image.controller_id == self._rooms.broker_id)
        topics = list(image.topics.values())
        partitions = [partition for topic in topics for partition in topic.partitions]
        bean = "kafka_controller_kafkacontroller"
        yield one(f"{bean}_activecontrollercount", "gauge", "1 at the broker that is the controller.", active)
        yield one(f"{bean}_activebrokercount", "gauge", "Brokers alive.", len(image.brokers))
        yield one(f"{bean}_globaltopiccount", "gauge", "Topics of the cluster.", len(topics))
        yield one(f"{bean}_globalpartitioncount", "gauge", "Partitions of the cluster.", len(partitions))
        yield one(
            f"{bean}_offlinepartitionscount",
            "gauge",
            "Partitions without a leader.",
            sum(p.leader < 0 for p in partitions),
        )
        moved = sum(not led_as_preferred(partition) for partition in partitions)
        yield one(f"{bean}_preferredreplicaimbalancecount", "gauge", "Not led by their preferred replica.", moved)

    def _registry_session(self) -> Iterator[Family]:
        bean = "kafka_server_sessionexpirelistener"
        yield one(f"{bean}_zookeeperdisconnects", "counter", "Lost connections to the registry.", self._disconnects)
        yield one(f"{bean}_zookeeperexpires", "counter", "Sessions that the registry ended.", self._expiries)

    # --- as kafka_exporter ---

    def _cluster(self) -> Iterator[Family]:
        image = self._rooms.image
        yield one("kafka_brokers", "gauge", "Brokers alive.", len(image.brokers))
        addresses = [(each.id, address) for each in image.brokers.values() for address in each.endpoints.values()]
        yield Family(
            "kafka_broker_info",
            "gauge",
            "Brokers and their addresses.",
            (Sample(labels(id=number, address=address), 1) for number, address in addresses),
        )
        topics = list(image.topics.values())
        counts = (Sample(labels(topic=topic.name), len(topic.partitions)) for topic in topics)
        yield Family("kafka_topic_partitions", "gauge", "Partitions of a topic.", counts)
        for name, meaning, value in PARTITION_GAUGES:
            samples = (
                Sample(labels(topic=topic.name, partition=index), value(partition))
                for topic in topics
                for index, partition in enumerate(topic.partitions)
            )
            yield Family(f"kafka_topic_partition_{name}", "gauge", meaning, samples)
        led = [(labels(topic=each.topic, partition=each.index), each) for each in self._rooms.partitions if each.leads]
        ends = (Sample(place, partition.high_watermark) for place, partition in led)
        starts = (Sample(place, partition.log.start_offset) for place, partition in led)
        yield Family("kafka_topic_partition_current_offset", "gauge", "Where the next record will be.", ends)
        yield Family("kafka_topic_partition_oldest_offset", "gauge", "The first record that is kept.", starts)

    def _groups(self) -> Iterator[Family]:
        try:
            groups: list[ClassicGroup] = self._rooms.groups.every()
        except ApiError:
            return  # they are being loaded
        bean = "kafka_coordinator_group_groupmetadatamanager"
        states = Counter(group.state.value for group in groups)
        yield one(f"{bean}_numgroups", "gauge", "Groups coordinated here.", len(groups))
        yield one(f"{bean}_numoffsets", "gauge", "Offsets committed here.", sum(len(each.offsets) for each in groups))
        for state in GROUP_STATES:
            yield one(f"{bean}_numgroups{state.lower()}", "gauge", f"Groups that are {state}.", states[state])
        members = (Sample(labels(consumergroup=group.group_id), len(group.members)) for group in groups)
        yield Family("kafka_consumergroup_members", "gauge", "Members of a group.", members)
        committed = [
            (group.group_id, topic, partition, value.offset)
            for group in groups
            for (topic, partition), value in group.offsets.of(None).items()
        ]
        offsets = (
            Sample(labels(consumergroup=group, topic=topic, partition=partition), offset)
            for group, topic, partition, offset in committed
        )
        yield Family("kafka_consumergroup_current_offset", "gauge", "Committed offset.", offsets)
        yield from self._lags(committed)

    def _lags(self, committed: list[tuple[str, str, int, int]]) -> Iterator[Family]:
        ends = {(each.topic, each.index): each.high_watermark for each in self._rooms.partitions if each.leads}
        behind = [
            (group, topic, partition, max(ends[topic, partition] - offset, 0))
            for group, topic, partition, offset in committed
            if (topic, partition) in ends
        ]
        lags = (
            Sample(labels(consumergroup=group, topic=topic, partition=partition), lag)
            for group, topic, partition, lag in behind
        )
        yield Family("kafka_consumergroup_lag", "gauge", "Records behind the committed offset.", lags)
        sums: Counter[tuple[str, str]] = Counter()
        for group, topic, _, lag in behind:
            sums[group, topic] += lag
        by_topic = (Sample(labels(consumergroup=group, topic=topic), lag) for (group, topic), lag in sums.items())
        yield Family("kafka_consumergroup_lag_sum", "gauge", "Records behind, over all partitions.", by_topic)


def one(name: str, kind: str, meaning: str, value: float) -> Family:
    return Family(name, kind, meaning, [Sample("", value)])


def led_as_preferred(partition: PartitionImage) -> bool:
    return not partition.replicas or partition.leader == partition.replicas[0]


PARTITION_GAUGES = (
    ("leader", "The broker that leads; -1: none.", lambda partition: partition.leader),
    ("leader_is_preferred", "1 where the first replica leads.", lambda partition: int(led_as_preferred(partition))),
    ("replicas", "Replicas assigned.", lambda partition: len(partition.replicas)),
    ("in_sync_replica", "Replicas in sync.", lambda partition: len(partition.isr)),
    (
        "under_replicated_partition",
        "1 where a replica is out of sync.",
        lambda partition: int(len(partition.isr) < len(partition.replicas)),
    ),
)


def by_topic(attribute: str, total: TopicCounts, topics: list[tuple[str, TopicCounts]]) -> Iterator[Sample]:
    """The sum without a label, then each topic that exists."""
    yield Sample("", getattr(total, attribute))
    for topic, counts in topics:
        yield Sample(labels(topic=topic), getattr(counts, attribute))


def by_version(apis: list[tuple[str, ApiCounts]]) -> Iterator[Sample]:
    for name, counts in apis:
        for version, count in enumerate(counts.versions):
            if count:
                yield Sample(labels(request=name, version=version), count)


def by_error(apis: list[tuple[str, ApiCounts]]) -> Iterator[Sample]:
    for name, counts in apis:
        for error, count in counts.errors.items():
            yield Sample(labels(request=name, error=error), count)


def by_quantile(apis: list[tuple[str, ApiCounts]]) -> Iterator[Sample]:
    for name, counts in apis:
        for quantile in QUANTILES:
            yield Sample(labels(request=name, quantile=quantile), quantile_ms(counts.buckets, quantile))


def quantile_ms(counts: list[int], quantile: float) -> float:
    """As far as buckets tell: spread evenly between the two ends of its bucket."""
    wanted, seen = quantile * sum(counts), 0
    for number, count in enumerate(counts):
        if count and seen + count >= wanted:
            low, high = (0.0, 1.0) if number == 0 else (2.0 ** (number - 1), 2.0**number)
            return round((low + (high - low) * (wanted - seen) / count) / 1000, 6)
        seen += count
    return 0.0


def buckets(apis: list[tuple[str, ApiCounts]]) -> Iterator[Sample]:
    for name, counts in apis:
        for number, below in enumerate(accumulate(counts.buckets[:SHOWN_BUCKETS])):
            yield Sample(labels(request=name, le=2**number / 1_000_000), below, "_bucket")
        total = sum(counts.buckets)
        yield Sample(labels(request=name, le="+Inf"), total, "_bucket")
        yield Sample(labels(request=name), round(counts.seconds, 6), "_sum")
        yield Sample(labels(request=name), total, "_count")


def logs(here: list[Partition]) -> Iterator[Family]:
    places = [(labels(topic=each.topic, partition=each.index), each.log) for each in here]
    sizes = (Sample(place, log.size_bytes) for place, log in places)
    starts = (Sample(place, log.start_offset) for place, log in places)
    ends = (Sample(place, log.end_offset) for place, log in places)
    yield Family("kafka_log_log_size", "gauge", "Bytes of a log.", sizes)
    yield Family("kafka_log_log_logstartoffset", "gauge", "The first offset of a log.", starts)
    yield Family("kafka_log_log_logendoffset", "gauge", "Where the next batch of a log will be.", ends)


def resident_bytes() -> int:
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()
