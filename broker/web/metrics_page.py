"""/metrics: what the rooms count, under the names that dashboards know.

Two families of names: Kafka's own beans as the usual exporter writes them (`kafka_server_…`), and those of
kafka_exporter (`kafka_topic_…`, `kafka_consumergroup_…`). Real histograms stand under `barnabas_…`. Series of single
partitions of the first family only with `barnabas.metrics.partitions`.

Written in slices: what grows with partitions, groups or connections is looked at one by one, never in one go. A copy of
what is there is taken where others could change it between two slices.
"""

import os
import resource
from collections.abc import Iterator
from itertools import accumulate

from broker.cluster.image import PartitionImage
from broker.metrics import ApiCounts, TopicCounts
from broker.partitions.partition import Partition
from broker.registry.contract import SessionState
from broker.requests.rooms import Rooms
from broker.storage.contract import Log
from broker.web.exposition import (
    OPENMETRICS_TYPE,
    PLAIN_TYPE,
    Family,
    Sample,
    counted,
    gathered,
    in_slices,
    labels,
    lines,
    one,
    total,
)
from broker.web.group_metrics import group_families
from broker.web.responder import Answer, WebRequest

QUANTILES = (0.5, 0.75, 0.95, 0.98, 0.99, 0.999)
TOPIC_COUNTERS = {
    "bytesin": ("bytes_in", "Bytes of record batches appended."),
    "bytesout": ("bytes_out", "Bytes of record batches sent to consumers."),
    "failedfetchrequests": ("failed_fetch_requests", "Reads that failed by an error of the disk."),
    "failedproducerequests": ("failed_produce_requests", "Appends that failed by an error of the disk."),
    "messagesin": ("messages_in", "Records appended."),
    "totalfetchrequests": ("fetch_requests", "Reads of a partition."),
    "totalproducerequests": ("produce_requests", "Appends to a partition that were asked for."),
}
SHOWN_BUCKETS = 31
"""Up to 18 minutes."""


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

    def families(self) -> Iterator[Family | None]:
        yield from self._process()
        yield from self._topic_counters()
        yield from self._requests()
        yield from self._replicas()
        yield from self._controller()
        yield from self._registry_session()
        yield from self._cluster()
        yield from group_families(self._rooms)

    # --- this process ---

    def _process(self) -> Iterator[Family | None]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = used.ru_utime + used.ru_stime
        yield one("process_cpu_seconds", "counter", "CPU time, user and system.", cpu_s)
        yield one("process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes())
        yield Family("process_open_fds", "gauge", "Open files and sockets.", total(1 for _ in descriptors()))

    # --- counters ---

    def _topic_counters(self) -> Iterator[Family | None]:
        metrics, gone = self._rooms.metrics, TopicCounts()
        gone.add(metrics.gone)
        topics = list(metrics.topics.items())
        for name, (attribute, meaning) in TOPIC_COUNTERS.items():
            yield Family(
                f"kafka_server_brokertopicmetrics_{name}", "counter", meaning, by_topic(attribute, gone, topics)
            )

    def _requests(self) -> Iterator[Family | None]:
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

    def _replicas(self) -> Iterator[Family | None]:
        here, led = list(self._rooms.partitions), list[Partition]()
        yield from gathered((each for each in here if each.leads), led)
        bean = "kafka_server_replicamanager"
        yield one(f"{bean}_partitioncount", "gauge", "Partitions with a replica here.", len(here))
        yield one(f"{bean}_leadercount", "gauge", "Partitions led here.", len(led))
        yield counted(f"{bean}_offlinereplicacount", "Replicas on a failed disk.", (p.failed for p in here))
        yield counted(f"{bean}_underreplicatedpartitions", "Led here, with a replica out of sync.", map(is_behind, led))
        yield counted(
            f"{bean}_underminisrpartitioncount", "Led here, with too few replicas in sync.", map(lacks_replicas, led)
        )
        if self._rooms.settings.barnabas_metrics_partitions:
            yield from logs(here)

    def _controller(self) -> Iterator[Family | None]:
        image = self._rooms.image
        active = int(image.controller_id == self._rooms.broker_id)
        topics = list(image.topics.values())
        partitions = [partition for topic in topics for partition in topic.partitions]  # copies of references
        bean = "kafka_controller_kafkacontroller"
        yield one(f"{bean}_activecontrollercount", "gauge", "1 at the broker that is the controller.", active)
        yield one(f"{bean}_activebrokercount", "gauge", "Brokers alive.", len(image.brokers))
        yield one(f"{bean}_globaltopiccount", "gauge", "Topics of the cluster.", len(topics))
        yield one(f"{bean}_globalpartitioncount", "gauge", "Partitions of the cluster.", len(partitions))
        yield counted(
            f"{bean}_offlinepartitionscount", "Partitions without a leader.", (p.leader < 0 for p in partitions)
        )
        yield counted(
            f"{bean}_preferredreplicaimbalancecount",
            "Not led by their preferred replica.",
            (not led_as_preferred(partition) for partition in partitions),
        )

    def _registry_session(self) -> Iterator[Family | None]:
        bean = "kafka_server_sessionexpirelistener"
        yield one(f"{bean}_zookeeperdisconnects", "counter", "Lost connections to the registry.", self._disconnects)
        yield one(f"{bean}_zookeeperexpires", "counter", "Sessions that the registry ended.", self._expiries)

    # --- as kafka_exporter ---

    def _cluster(self) -> Iterator[Family | None]:
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
        led: list[tuple[str, Partition]] = []
        here = list(self._rooms.partitions)
        yield from gathered(((place_of(each), each) for each in here if each.leads), led)
        ends = (Sample(place, partition.high_watermark) for place, partition in led)
        starts = (Sample(place, partition.log.start_offset) for place, partition in led)
        yield Family("kafka_topic_partition_current_offset", "gauge", "Where the next record will be.", ends)
        yield Family("kafka_topic_partition_oldest_offset", "gauge", "The first record that is kept.", starts)


def place_of(partition: Partition) -> str:
    return labels(topic=partition.topic, partition=partition.index)


def is_behind(partition: Partition) -> bool:
    return len(partition.leadership.isr) < len(partition.leadership.replicas)


def lacks_replicas(partition: Partition) -> bool:
    return len(partition.leadership.isr) < partition.settings.min_insync_replicas


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


def by_topic(attribute: str, gone: TopicCounts, topics: list[tuple[str, TopicCounts]]) -> Iterator[Sample | None]:
    """The sum without a label, deleted topics included, so that it never falls; then each topic that exists."""
    yield from total(getattr(each, attribute) for each in (gone, *(counts for _, counts in topics)))
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


def logs(here: list[Partition]) -> Iterator[Family | None]:
    places: list[tuple[str, Log]] = []
    yield from gathered(((place_of(each), each.log) for each in here), places)
    sizes = (Sample(place, log.size_bytes) for place, log in places)
    starts = (Sample(place, log.start_offset) for place, log in places)
    ends = (Sample(place, log.end_offset) for place, log in places)
    yield Family("kafka_log_log_size", "gauge", "Bytes of a log.", sizes)
    yield Family("kafka_log_log_logstartoffset", "gauge", "The first offset of a log.", starts)
    yield Family("kafka_log_log_logendoffset", "gauge", "Where the next batch of a log will be.", ends)


def descriptors() -> Iterator[object]:
    """One for each; ten thousand connections have as many."""
    with os.scandir("/proc/self/fd") as found:
        yield from found


def resident_bytes() -> int:
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()
