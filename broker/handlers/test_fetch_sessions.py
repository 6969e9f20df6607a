"""Incremental fetches from the outside: what they tell, what they keep quiet, and how a session ends."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
import trio

from broker.cluster.authorizer import Operation, Resource
from broker.partitions.fetch_session import FetchSession
from broker.partitions.partition import Leadership
from broker.requests.rooms import Rooms
from broker.storage.contract import LogId
from broker.testing.calls import batch_of, produce_request, topic_to_create
from broker.testing.client import WireClient
from broker.testing.running import Running, running
from kproto.errors import ErrorCode
from kproto.messages.create_partitions import CreatePartitionsRequest, CreatePartitionsTopic
from kproto.messages.create_topics import CreateTopicsRequest
from kproto.messages.delete_topics import DeleteTopicsRequest
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic, ForgottenTopic
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic

VERSIONS = tuple(range(7, 19))
BY_NAME, BY_ID = 12, 18
BOTH = pytest.mark.parametrize("version", [BY_NAME, BY_ID], ids=["by name", "by id"])
EVERY = pytest.mark.parametrize("version", VERSIONS)
AT_ONCE, FOR_LONG = 0, 600_000
Told = dict[int, tuple[int, int, int]]
"""By partition: error, high watermark, size of the records."""


class Reader:
    """Keeps a session with partitions of one topic, as a client does: id and epoch from answer to answer."""

    def __init__(self, client: WireClient, version: int, topic: str, topic_id: UUID) -> None:
        self.client = client
        self.version = version
        self.topic = topic if version < 13 else ""
        self.topic_id = topic_id
        self.id = self.epoch = 0

    def request(
        self,
        ask: dict[int, int] | None = None,
        forget: Iterable[int] = (),
        *,
        max_wait_ms: int = AT_ONCE,
        min_bytes: int = 1,
        max_bytes: int = 1 << 20,
        current_leader_epoch: int = -1,
        last_fetched_epoch: int = -1,
    ) -> FetchRequest:
        """`ask`: offset by partition."""
        rows = [
            FetchPartition(
                partition=index,
                fetch_offset=offset,
                partition_max_bytes=1 << 20,
                current_leader_epoch=current_leader_epoch,
                last_fetched_epoch=last_fetched_epoch,
            )
            for index, offset in (ask or {}).items()
        ]
        gone = ForgottenTopic(topic=self.topic, topic_id=self.topic_id, partitions=list(forget))
        return FetchRequest(
            max_wait_ms=max_wait_ms,
            min_bytes=min_bytes,
            max_bytes=max_bytes,
            session_id=self.id,
            session_epoch=self.epoch,
            topics=[FetchTopic(topic=self.topic, topic_id=self.topic_id, partitions=rows)] if rows else [],
            forgotten_topics_data=[gone] if gone.partitions else [],
        )

    async def fetch(self, ask: dict[int, int] | None = None, forget: Iterable[int] = (), **options: Any) -> Told:
        await self.client.send(self.request(ask, forget, **options), self.version)
        return await self.told()

    async def told(self) -> Told:
        """What the next answer tells; it must be of the session."""
        with trio.fail_after(20):
            answer = await self.client.receive()
        assert answer.error_code == ErrorCode.NONE, ErrorCode(answer.error_code)
        if self.epoch:
            assert answer.session_id == self.id
        self.id = answer.session_id
        self.epoch += 1
        return told_by(answer)

    async def refused(self) -> ErrorCode:
        answer = await self.client.ask(self.request(), self.version)
        assert answer.session_id == 0
        return ErrorCode(answer.error_code)


def told_by(answer: Any) -> Told:
    return {
        row.partition_index: (row.error_code, row.high_watermark, len(row.records or b""))
        for topic in answer.responses
        for row in topic.partitions
    }


async def make(client: WireClient, name: str, partitions: int) -> UUID:
    """A topic's id."""
    answer = await client.ask(CreateTopicsRequest(topics=[topic_to_create(name, partitions)], timeout_ms=30_000), 7)
    assert answer.topics[0].error_code == ErrorCode.NONE
    metadata = await client.ask(MetadataRequest(topics=[MetadataRequestTopic(name=name)]), 12)
    topic_id: UUID = metadata.topics[0].topic_id
    return topic_id


async def put(client: WireClient, topic: str, partition: int, *values: str) -> int:
    """Their size as stored."""
    batch = batch_of(*values)
    answer = await client.ask(produce_request(topic, batch, partition=partition), 9)
    assert answer.responses[0].partition_responses[0].error_code == ErrorCode.NONE
    return len(batch)


async def delete(client: WireClient, topic: str) -> None:
    answer = await client.ask(DeleteTopicsRequest(topic_names=[topic], timeout_ms=30_000), 5)
    assert answer.responses[0].error_code == ErrorCode.NONE


async def quiet_reader(broker: Running, client: WireClient, version: int, partitions: int) -> Reader:
    """Of topic `t`, all partitions from 0 on; all was told, and nothing is dirty."""
    reader = Reader(client, version, "t", await make(client, "t", partitions))
    empty = (ErrorCode.NONE, 0, 0)
    assert await reader.fetch(dict.fromkeys(range(partitions), 0)) == dict.fromkeys(range(partitions), empty)
    assert await reader.fetch() == {}
    assert len(session_of(broker, reader)) == partitions
    assert session_of(broker, reader).to_look_at() == []
    return reader


def rooms_of(broker: Running) -> Rooms:
    """What no client sees."""
    return broker.broker._rooms


def session_of(broker: Running, reader: Reader) -> FetchSession:
    by_id = reader.version >= 13
    return rooms_of(broker).fetch_sessions.find(reader.id, reader.epoch, by_id=by_id)


# --- what is told ---


@EVERY
async def test_only_what_changed_is_told(version: int) -> None:
    """And it is told again until the reader asks for what comes after it."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 3)
            size = await put(client, "t", 1, "a")
            assert await reader.fetch() == {1: (0, 1, size)}
            assert await reader.fetch() == {1: (0, 1, size)}
            assert await reader.fetch({1: 1}) == {}
            assert await reader.fetch() == {}
            size = await put(client, "t", 1, "b", "c")
            assert await reader.fetch() == {1: (0, 3, size)}


@BOTH
async def test_a_fetch_looks_at_nothing_that_has_not_changed(version: int) -> None:
    """However many partitions the session has, one that grew is one to look at."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 40)
            await put(client, "t", 17, "a")
            assert [watch.asked.partition for watch in session_of(broker, reader).to_look_at()] == [17]


@BOTH
async def test_partitions_are_added_asked_anew_and_forgotten(version: int) -> None:
    """What is added is told even if it is empty; what is forgotten says nothing more."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 2)
            size = await put(client, "t", 0, "a")
            await put(client, "t", 1, "b")
            assert await reader.fetch(forget=[1]) == {0: (0, 1, size)}
            assert await reader.fetch({0: 1}) == {}
            assert await reader.fetch({1: 1}) == {1: (0, 1, 0)}
            await put(client, "t", 1, "c")
            assert await reader.fetch(forget=[1, 7]) == {}


@BOTH
async def test_a_partition_that_was_answered_with_data_waits_for_the_others(version: int) -> None:
    """With room for one batch in each answer, none starves; the high watermarks of all are told at once."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 3)
            size = 0
            for index in (2, 0, 1):
                size = await put(client, "t", index, "a")
            assert await reader.fetch(max_bytes=1) == {0: (0, 1, size), 1: (0, 1, 0), 2: (0, 1, 0)}
            assert await reader.fetch(max_bytes=1) == {1: (0, 1, size)}
            assert await reader.fetch(max_bytes=1) == {2: (0, 1, size)}
            assert await reader.fetch(max_bytes=1) == {0: (0, 1, size)}


@BOTH
async def test_a_log_start_that_moved_is_told(version: int) -> None:
    """Retention moved it: no request did."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 2)
            await put(client, "t", 1, "a", "b")
            await reader.fetch({1: 2})
            assert await reader.fetch() == {}
            log = broker.world.storage.get(LogId(reader.topic_id, 1))
            assert log is not None
            log.advance_start(1)
            answer = await client.ask(reader.request(), version)
            row = answer.responses[0].partitions[0]
            assert (row.partition_index, row.error_code, row.log_start_offset) == (1, 0, 1)


@BOTH
async def test_an_error_is_told_until_it_is_gone_and_then_that_it_is_gone(version: int) -> None:
    """A reader that lost its place, and finds it."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 2)
            lost = {1: (ErrorCode.OFFSET_OUT_OF_RANGE, -1, 0)}
            assert await reader.fetch({1: 5}) == lost
            assert await reader.fetch(max_wait_ms=FOR_LONG) == lost
            assert await reader.fetch({1: 0}) == {1: (0, 0, 0)}
            assert await reader.fetch() == {}


@BOTH
async def test_a_reader_of_an_older_epoch_is_fenced_when_the_epoch_changes(version: int) -> None:
    """A change of leadership is news for a partition that lay still, also for a fetch that waits."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 2)
            assert await reader.fetch({0: 0}, current_leader_epoch=0) == {}
            await client.send(reader.request(max_wait_ms=FOR_LONG), version)
            await trio.sleep(0.01)
            partition = rooms_of(broker).partitions.find(reader.topic_id, 0)
            assert partition is not None
            partition.lead(Leadership(broker.ready.broker_id, 1, [0], [0], 1, 1))
            assert await reader.told() == {0: (ErrorCode.FENCED_LEADER_EPOCH, -1, 0)}
            assert await reader.fetch({0: 0}, current_leader_epoch=1) == {0: (0, 0, 0)}


@BOTH
async def test_a_diverging_reader_is_told_until_it_is_not(version: int) -> None:
    """KIP-595: it is neither data nor an error."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 2)
            await put(client, "t", 0, "a")
            for _ in range(2):
                assert await reader.fetch({0: 1}, last_fetched_epoch=7) == {0: (0, 1, 0)}
            assert await reader.fetch(max_wait_ms=FOR_LONG) == {0: (0, 1, 0)}
            assert await reader.fetch({0: 1}) == {}


class AllowAllBut:
    """Reading of the topics in `denied`, which may change."""

    def __init__(self) -> None:
        self.denied: set[str] = set()

    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        return not (operation is Operation.READ and resource.name in self.denied)


@BOTH
async def test_nothing_is_told_to_whom_it_is_denied(version: int) -> None:
    """Rights are asked for whatever is told, not once when the session begins."""
    rights = AllowAllBut()
    async with running(authorizer=rights) as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 2)
            rights.denied.add("t")
            await put(client, "t", 0, "a")
            for _ in range(2):
                assert await reader.fetch() == {0: (ErrorCode.TOPIC_AUTHORIZATION_FAILED, -1, 0)}
            rights.denied.clear()
            assert (await reader.fetch())[0][:2] == (ErrorCode.NONE, 1)


# --- topics that go and come ---


async def test_a_topic_made_anew_is_another_one_to_a_session_of_ids() -> None:
    """Its old id stays unknown, whatever lies under the name now."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, BY_ID, 1)
            await put(client, "t", 0, "a", "b")
            await reader.fetch({0: 2})
            await delete(client, "t")
            fresh = await make(client, "t", 1)
            size = await put(client, "t", 0, "c")
            gone = {0: (ErrorCode.UNKNOWN_TOPIC_ID, -1, 0)}
            assert await reader.fetch() == gone
            assert await reader.fetch() == gone
            old, reader.topic_id = reader.topic_id, fresh
            request = reader.request({0: 0})
            request.forgotten_topics_data = [ForgottenTopic(topic_id=old, partitions=[0])]
            await client.send(request, BY_ID)
            assert await reader.told() == {0: (0, 1, size)}


async def test_a_session_of_names_finds_the_topic_made_anew() -> None:
    """As a fetch without a session would: old clients know no ids."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, BY_NAME, 1)
            await delete(client, "t")
            assert await reader.fetch() == {0: (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1, 0)}
            await make(client, "t", 1)
            size = await put(client, "t", 0, "c")
            assert await reader.fetch() == {0: (0, 1, size)}
            await reader.fetch({0: 1})
            assert await reader.fetch() == {}
            size = await put(client, "t", 0, "d")
            assert await reader.fetch() == {0: (0, 2, size)}


@BOTH
async def test_a_topic_that_is_deleted_wakes_a_session_that_waits_for_it(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client, broker.connect() as admin:
            reader = await quiet_reader(broker, client, version, 2)
            await client.send(reader.request(max_wait_ms=FOR_LONG), version)
            await trio.sleep(0.01)
            await delete(admin, "t")
            told = await reader.told()
            assert told
            gone = (
                ErrorCode.UNKNOWN_TOPIC_ID,
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                ErrorCode.NOT_LEADER_OR_FOLLOWER,
            )
            assert all(error in gone for error, _, _ in told.values())


@BOTH
async def test_a_partition_that_does_not_exist_yet_is_found_once_it_does(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 1)
            assert await reader.fetch({1: 0}) == {1: (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1, 0)}
            more = CreatePartitionsTopic(name="t", count=2, assignments=None)
            await client.ask(CreatePartitionsRequest(topics=[more], timeout_ms=30_000), 3)
            assert await reader.fetch() == {1: (0, 0, 0)}


# --- waiting ---


@BOTH
async def test_a_long_poll_ends_when_a_quiet_partition_grows(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client, broker.connect() as writer:
            reader = await quiet_reader(broker, client, version, 5)
            await client.send(reader.request(max_wait_ms=FOR_LONG), version)
            await trio.sleep(0.01)
            assert client.is_quiet
            size = await put(writer, "t", 3, "a")
            assert await reader.told() == {3: (0, 1, size)}


@BOTH
async def test_a_long_poll_counts_the_bytes_of_all_its_partitions(version: int) -> None:
    """Of those that were quiet and of those that it looked at; the first bytes alone do not end it."""
    async with running() as broker:
        with broker.connect() as client, broker.connect() as writer:
            reader = await quiet_reader(broker, client, version, 3)
            one = len(batch_of("a"))
            await client.send(reader.request({0: 0}, max_wait_ms=FOR_LONG, min_bytes=4 * one), version)
            for index in (0, 1, 1):
                await put(writer, "t", index, "a")
                await trio.sleep(0.01)
                assert client.is_quiet
            await put(writer, "t", 2, "a")
            assert await reader.told() == {0: (0, 1, one), 1: (0, 2, 2 * one), 2: (0, 1, one)}


@BOTH
async def test_a_long_poll_that_nothing_ends_tells_nothing(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 3)
            began = trio.current_time()
            assert await reader.fetch(max_wait_ms=30) == {}
            assert trio.current_time() - began >= 0.03


@BOTH
async def test_a_fetch_that_is_overtaken_ends_at_once(version: int) -> None:
    """The reader came back over another connection: the first must not keep what the second is to hear."""
    async with running() as broker:
        with broker.connect() as client, broker.connect() as second:
            reader = await quiet_reader(broker, client, version, 2)
            await client.send(reader.request(max_wait_ms=FOR_LONG), version)
            await trio.sleep(0.01)
            reader.client, reader.epoch = second, reader.epoch + 1
            assert await reader.fetch() == {}
            with trio.fail_after(20):
                answer = await client.receive()
            assert answer.error_code == ErrorCode.INVALID_FETCH_SESSION_EPOCH
            size = await put(second, "t", 1, "a")
            assert await reader.fetch() == {1: (0, 1, size)}


@BOTH
async def test_a_fetch_whose_session_is_closed_ends_at_once(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client, broker.connect() as second:
            reader = await quiet_reader(broker, client, version, 2)
            await client.send(reader.request(max_wait_ms=FOR_LONG), version)
            await trio.sleep(0.01)
            reader.epoch = -1
            await second.ask(reader.request(), version)
            with trio.fail_after(20):
                answer = await client.receive()
            assert answer.error_code == ErrorCode.FETCH_SESSION_ID_NOT_FOUND


@BOTH
async def test_a_session_goes_on_over_another_connection(version: int) -> None:
    """Its reader was cut off while it waited; nothing of that fetch is left behind."""
    async with running() as broker:
        with broker.connect() as client, broker.connect() as second:
            reader = await quiet_reader(broker, client, version, 2)
            await client.send(reader.request(max_wait_ms=FOR_LONG), version)
            await trio.sleep(0.01)
            client.stream.close()
            reader.client, reader.epoch = second, reader.epoch + 1
            size = await put(second, "t", 0, "a")
            assert await reader.fetch() == {0: (0, 1, size)}
            await trio.sleep(0.01)
            assert session_of(broker, reader).waiter is None


# --- how sessions begin and end, and row 78 of the bad inputs ---


@EVERY
async def test_an_unknown_session_is_refused(version: int) -> None:
    """Also id 0, which is none; the client begins again in full."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 1)
            known = reader.id
            for wrong in (0, known + 1, -known):
                reader.id = wrong
                assert await reader.refused() == ErrorCode.FETCH_SESSION_ID_NOT_FOUND
            reader.id = known
            assert await reader.fetch() == {}


@EVERY
async def test_a_wrong_epoch_is_refused_and_the_session_stays(version: int) -> None:
    """A repeated request, one that was lost, and nonsense."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 1)
            right = reader.epoch
            for wrong in (right - 1, right + 1, -2):
                reader.epoch = wrong
                assert await reader.refused() == ErrorCode.INVALID_FETCH_SESSION_EPOCH
            reader.epoch = right
            assert await reader.fetch() == {}


@EVERY
async def test_names_and_ids_do_not_mix_in_a_session(version: int) -> None:
    """The client was upgraded or downgraded between two fetches."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 1)
            reader.version = BY_ID if version < 13 else BY_NAME
            assert await reader.refused() == ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
            reader.version = version
            assert await reader.fetch() == {}


@EVERY
async def test_the_final_epoch_closes_a_session_and_reads_in_full(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 2)
            was, reader.epoch = reader.epoch, -1
            answer = await client.ask(reader.request({0: 0, 1: 0}), version)
            assert (answer.session_id, told_by(answer)) == (0, {0: (0, 0, 0), 1: (0, 0, 0)})
            reader.epoch = was
            assert await reader.refused() == ErrorCode.FETCH_SESSION_ID_NOT_FOUND
            assert len(rooms_of(broker).fetch_sessions) == 0


@EVERY
async def test_epoch_0_ends_a_session_and_begins_another(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 2)
            was, reader.epoch = reader.id, 0
            answer = await client.ask(reader.request({1: 0}), version)
            assert answer.session_id not in (0, was)
            assert told_by(answer) == {1: (0, 0, 0)}
            assert len(rooms_of(broker).fetch_sessions) == 1
            reader.id, reader.epoch = answer.session_id, 1
            assert await reader.fetch() == {}


@BOTH
async def test_a_fetch_of_no_session_leaves_none(version: int) -> None:
    """Id 0 and epoch -1: what clients without sessions send."""
    async with running() as broker:
        with broker.connect() as client:
            reader = Reader(client, version, "t", await make(client, "t", 1))
            reader.epoch = -1
            answer = await client.ask(reader.request({0: 0}), version)
            assert (answer.session_id, told_by(answer)) == (0, {0: (0, 0, 0)})
            assert len(rooms_of(broker).fetch_sessions) == 0


@BOTH
async def test_a_session_that_asks_for_nothing_more_is_closed(version: int) -> None:
    """The answer says so with session id 0."""
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 2)
            answer = await client.ask(reader.request(forget=[0, 1]), version)
            assert (answer.error_code, answer.session_id, answer.responses) == (0, 0, [])
            reader.epoch += 1
            assert await reader.refused() == ErrorCode.FETCH_SESSION_ID_NOT_FOUND


@BOTH
async def test_without_slots_every_answer_is_full(version: int) -> None:
    """max.incremental.fetch.session.cache.slots=0, or all slots taken."""
    async with running({"max.incremental.fetch.session.cache.slots": "0"}) as broker:
        with broker.connect() as client:
            reader = Reader(client, version, "t", await make(client, "t", 2))
            for _ in range(2):
                reader.epoch = 0
                assert await reader.fetch({0: 0, 1: 0}) == {0: (0, 0, 0), 1: (0, 0, 0)}
                assert reader.id == 0


@BOTH
async def test_a_refused_isolation_level_does_not_cost_the_session_an_epoch(version: int) -> None:
    async with running() as broker:
        with broker.connect() as client:
            reader = await quiet_reader(broker, client, version, 1)
            request = reader.request({0: 0})
            request.isolation_level = 7
            assert (await client.ask(request, version)).error_code == ErrorCode.INVALID_REQUEST
            assert await reader.fetch() == {}


@BOTH
async def test_a_partition_that_is_named_twice_is_one_in_the_session(version: int) -> None:
    """The last one counts."""
    async with running() as broker:
        with broker.connect() as client:
            reader = Reader(client, version, "t", await make(client, "t", 1))
            await put(client, "t", 0, "a")
            request = reader.request({0: 0})
            request.topics = reader.request({0: 0}).topics + reader.request({0: 1}).topics
            answer = await client.ask(request, version)
            assert answer.error_code == ErrorCode.NONE
            reader.id, reader.epoch = answer.session_id, 1
            assert await reader.fetch() == {}
            size = await put(client, "t", 0, "b")
            assert await reader.fetch() == {0: (0, 2, size)}
