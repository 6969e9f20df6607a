"""/metrics as Prometheus reads it."""

from collections.abc import Iterator
from time import thread_time
from typing import Any

import pytest
import trio
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as plain_families

from broker.metrics import TIME_BUCKETS
from broker.testing.calls import batch_of, create, fetch_request, fetched, produce, produce_request, topic_to_create
from broker.testing.client import WireClient
from broker.testing.running import Running, running
from broker.transport.contract import Address
from broker.transport.memory import MemoryListener
from broker.web.exposition import SLICE_S, Family, Sample, in_slices, labels, lines
from broker.web.metrics_page import quantile_ms
from broker.web.test_responder import CLOSE, request, said
from kproto.errors import ErrorCode
from kproto.messages.create_topics import CreateTopicsRequest
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)

SOON = (ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.NOT_COORDINATOR)


class Scraped:
    """Samples of one answer by name and labels."""

    def __init__(self, answer: str, *, openmetrics: bool) -> None:
        head, _, body = answer.partition("\r\n\r\n")
        assert head.startswith("HTTP/1.1 200"), answer
        parse: Any = open_families if openmetrics else plain_families
        self.families = list(parse(dechunked(body)))
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def __call__(self, name: str, **wanted: str) -> float:
        return float(self.samples[name, frozenset(wanted.items())])


def dechunked(body: str) -> str:
    text = ""
    while body:
        size, _, rest = body.partition("\r\n")
        text, body = text + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return text


async def scraped(listener: MemoryListener, *, openmetrics: bool = False) -> Scraped:
    accept = "Accept: application/openmetrics-text" if openmetrics else "Accept: */*"
    return Scraped(await said(listener.connect(), request("GET /metrics", accept, CLOSE)), openmetrics=openmetrics)


@pytest.mark.parametrize("openmetrics", [False, True], ids=["plain", "openmetrics"])
async def test_what_happened_is_told_under_the_names_that_dashboards_know(openmetrics: bool) -> None:
    listener = MemoryListener(Address("127.0.0.1", 9644))
    options = {"barnabas.metrics.partitions": "true"}
    async with running(options, change=lambda world: world.web.append(listener)) as broker:
        await work(broker)
        found = await scraped(listener, openmetrics=openmetrics)
    assert found("kafka_server_brokertopicmetrics_messagesin_total", topic="orders") == 5
    assert found("kafka_server_brokertopicmetrics_messagesin_total") >= 5
    assert found("kafka_server_brokertopicmetrics_bytesout_total", topic="orders") == found(
        "kafka_server_brokertopicmetrics_bytesin_total", topic="orders"
    )
    assert found("kafka_network_requestmetrics_requests_total", request="Produce", version="9") == 1
    assert found("barnabas_request_seconds_count", request="Produce") == found(
        "barnabas_request_seconds_bucket", request="Produce", le="+Inf"
    )
    assert found("kafka_log_log_logendoffset", topic="orders", partition="0") == 5
    assert found("kafka_topic_partition_current_offset", topic="orders", partition="0") == 5
    assert found("kafka_consumergroup_current_offset", consumergroup='g"1', topic="orders", partition="0") == 3
    assert found("kafka_consumergroup_lag", consumergroup='g"1', topic="orders", partition="0") == 2
    assert found("kafka_consumergroup_lag_sum", consumergroup='g"1', topic="orders") == 2
    assert found("kafka_coordinator_group_groupmetadatamanager_numgroups") == 1
    assert found("kafka_controller_kafkacontroller_activecontrollercount") == 1
    assert found("kafka_brokers") == 1
    assert found("process_resident_memory_bytes") > 1 << 20


async def test_what_the_disk_refused_is_counted() -> None:
    listener = MemoryListener(Address("127.0.0.1", 9644))
    async with running(change=lambda world: world.web.append(listener)) as broker:
        client = broker.connect()
        await create(client, "orders")
        await produce(client, "orders", "a")
        (partition,) = [each for each in broker.broker._partitions if each.topic == "orders"]
        await partition.log.close()  # from now on every verb of it fails, as after trouble with its disk
        await client.ask(fetch_request("orders"), 12)
        await client.ask(produce_request("orders", batch_of("b")), 9)
        found = await scraped(listener)
    for kind in ("fetch", "produce"):
        name = f"kafka_server_brokertopicmetrics_failed{kind}requests_total"
        assert (found(name), found(name, topic="orders")) == (1, 1)


async def work(broker: Running) -> None:
    """Five records, of which a group of strange name has read three; and a member that nobody knows."""
    client = broker.connect()
    await create(client, "orders")
    await produce(client, "orders", "a", "b", "c", "d", "e")
    assert await fetched(client, "orders") == ["a", "b", "c", "d", "e"]
    offset = OffsetCommitRequestPartition(committed_offset=3, committed_metadata="")
    commit = OffsetCommitRequest(
        group_id='g"1',
        generation_id_or_member_epoch=-1,
        topics=[OffsetCommitRequestTopic(name="orders", partitions=[offset])],
    )
    await committed(client, commit)


async def committed(client: WireClient, commit: OffsetCommitRequest) -> None:
    await client.ask(FindCoordinatorRequest(key=commit.group_id), 2)
    while (answer := await client.ask(commit, 8)).topics[0].partitions[0].error_code:
        assert answer.topics[0].partitions[0].error_code in SOON, answer
        await trio.lowlevel.checkpoint()


def test_a_quantile_lies_in_its_bucket() -> None:
    buckets = [0] * TIME_BUCKETS
    buckets[10], buckets[20] = 99, 1  # 0.5 to 1 ms, and one of half a second and more
    assert 0.512 < quantile_ms(buckets, 0.5) < 1.024
    assert 0.512 < quantile_ms(buckets, 0.99) <= 1.024
    assert 524 < quantile_ms(buckets, 0.999) <= 1049
    assert quantile_ms([0] * TIME_BUCKETS, 0.5) == 0


def test_a_label_is_escaped() -> None:
    assert labels(group='a"b\\c\nd') == '{group="a\\"b\\\\c\\nd"}'


async def test_ten_thousand_series_let_others_have_their_turn() -> None:
    """By a clock that the text itself moves: each line takes 20 microseconds."""
    now = 0.0

    def series() -> Iterator[Sample]:
        nonlocal now
        for number in range(10_000):
            now += 0.000_02
            yield Sample(labels(number=number), number)

    longest, turns = 0.0, 0
    last = 0.0

    async def neighbour() -> None:
        nonlocal longest, turns, last
        while True:
            longest, last, turns = max(longest, now - last), now, turns + 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(neighbour)
        text = lines([Family("x", "gauge", "Many.", series())], openmetrics=False)
        size = 0
        async for piece in in_slices(text, lambda: now):
            size += piece.count(b"\n")
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert size == 10_002
    assert turns > 200
    assert longest < 4 * SLICE_S  # two slices where its turn came first and then last


class LongestStep(trio.abc.Instrument):
    """CPU time of the longest step that a page took."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._began_s = 0.0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._began_s = thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if "Responder" in task.name:
            self.longest_s = max(self.longest_s, thread_time() - self._began_s)


@pytest.mark.campaign
async def test_ten_thousand_series_of_a_broker_never_hold_the_loop_for_a_millisecond() -> None:
    """A thousand partitions, each with a group's offset. The best of ten: a machine has other things to do as well."""
    listener = MemoryListener(Address("127.0.0.1", 9644))
    options = {"barnabas.metrics.partitions": "true"}
    async with running(options, change=lambda world: world.web.append(listener)) as broker:
        client = broker.connect()
        names = [f"orders-{number}" for number in range(10)]
        wanted = [topic_to_create(name, 100) for name in names]
        await client.ask(CreateTopicsRequest(topics=wanted, timeout_ms=30_000), 5)
        rows = [OffsetCommitRequestPartition(partition_index=index, committed_metadata="") for index in range(100)]
        topics = [OffsetCommitRequestTopic(name=name, partitions=rows) for name in names]
        await committed(client, OffsetCommitRequest(group_id="g", generation_id_or_member_epoch=-1, topics=topics))
        longest_s = []
        for _ in range(10):
            watch = LongestStep()
            trio.lowlevel.add_instrument(watch)
            page = await scraped(listener)
            trio.lowlevel.remove_instrument(watch)
            longest_s.append(watch.longest_s)
    assert len(page.samples) > 10_000
    assert 0 < min(longest_s) < 0.001, longest_s
