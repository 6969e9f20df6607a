"""Questions of consumers that no broker may take as they are: Fetch, ListOffsets, and the end of an epoch.

Over a real socket, at every version where the API can ask so, each answered with its code. The numbers are those of our
catalogue of bad inputs. After each of them the connection goes on.
"""

import time
from typing import Any
from uuid import UUID

import pytest

from compat_tests.bad_batches import sound
from compat_tests.bad_questions import INT32_MAX, aged_topic, codes, failures, versions
from compat_tests.broker_process import BrokerProcess
from compat_tests.typed_client import TypedClient
from kproto.api_keys import ApiKey
from kproto.errors import ErrorCode
from kproto.messages.fetch import FetchPartition, FetchRequest, FetchTopic, ReplicaState
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.messages.offset_for_leader_epoch import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.records.batch import split
from kproto.records.legacy import read_message_set
from kproto.schema import ZERO_UUID


@pytest.fixture(scope="module")
def aged(client: TypedClient) -> tuple[UUID, int]:
    """A topic of three records: its id, and its leader epoch."""
    return aged_topic(client)


# --- Fetch ---


def fetch(topic_id: UUID, offset: int = 0, *, session_epoch: int = -1, **of_row: Any) -> FetchRequest:
    row = FetchPartition(fetch_offset=offset, **({"partition_max_bytes": 1 << 20} | of_row))
    topic = FetchTopic(topic="aged", topic_id=topic_id, partitions=[row])
    return FetchRequest(min_bytes=1, session_epoch=session_epoch, topics=[topic])


@versions(ApiKey.FETCH)
@pytest.mark.parametrize("offset", [-1, -(2**63), 4, 2**63 - 1])
def test_76_an_offset_out_of_range(client: TypedClient, aged: tuple[UUID, int], offset: int, version: int) -> None:
    """Told at once, however long the consumer would wait; and the client hears where the log begins."""
    request = fetch(aged[0], offset)
    request.max_wait_ms = INT32_MAX
    answer = client.ask(request, version)
    row = answer.responses[0].partitions[0]
    assert ErrorCode(row.error_code) is ErrorCode.OFFSET_OUT_OF_RANGE
    assert not row.records


@versions(ApiKey.FETCH)
def test_the_end_of_the_log_is_no_offset_out_of_range(
    client: TypedClient, aged: tuple[UUID, int], version: int
) -> None:
    row = client.ask(fetch(aged[0], 3), version).responses[0].partitions[0]
    assert (row.error_code, bytes(row.records), row.high_watermark) == (ErrorCode.NONE, b"", 3)


FENCED, UNKNOWN_EPOCH = ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.UNKNOWN_LEADER_EPOCH
each_epoch = pytest.mark.parametrize(("shift", "code"), [(-2, FENCED), (1, UNKNOWN_EPOCH), (0, ErrorCode.NONE)])
"""From the leader's own; -1 would not care."""


@versions(ApiKey.FETCH, since=9)
@each_epoch
def test_77_a_client_with_another_leader_epoch(
    client: TypedClient, aged: tuple[UUID, int], shift: int, code: ErrorCode, version: int
) -> None:
    topic_id, epoch = aged
    request = fetch(topic_id, current_leader_epoch=epoch + shift)
    assert failures(client.ask(request, version)) == {code} - {ErrorCode.NONE}


@versions(ApiKey.LIST_OFFSETS, since=4)
@each_epoch
def test_77_list_offsets_with_another_leader_epoch(
    client: TypedClient, aged: tuple[UUID, int], shift: int, code: ErrorCode, version: int
) -> None:
    assert codes(client.ask(list_offsets(-1, current_leader_epoch=aged[1] + shift), version)) == [code]


@versions(ApiKey.OFFSET_FOR_LEADER_EPOCH, since=2)
@each_epoch
def test_77_the_end_of_an_epoch_asked_with_another_leader_epoch(
    client: TypedClient, aged: tuple[UUID, int], shift: int, code: ErrorCode, version: int
) -> None:
    row = OffsetForLeaderPartition(leader_epoch=0, current_leader_epoch=aged[1] + shift)
    request = OffsetForLeaderEpochRequest(topics=[OffsetForLeaderTopic(topic="aged", partitions=[row])])
    assert codes(client.ask(request, version)) == [code]


@versions(ApiKey.FETCH, since=7)
@pytest.mark.parametrize("session_id", [1, 2**31 - 1, -1])
def test_78_a_session_that_is_not_there(
    client: TypedClient, aged: tuple[UUID, int], session_id: int, version: int
) -> None:
    """The client begins again with all its partitions."""
    request = fetch(aged[0], session_epoch=5)
    request.session_id = session_id
    answer = client.ask(request, version)
    assert ErrorCode(answer.error_code) is ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    assert all(not row.records for topic in answer.responses for row in topic.partitions)


def session_of(client: TypedClient, aged: tuple[UUID, int], version: int) -> FetchRequest:
    """The second fetch of a session that has just begun."""
    began = client.ask(fetch(aged[0], 3, session_epoch=0), version)
    assert began.session_id > 0
    return FetchRequest(min_bytes=0, session_id=began.session_id, session_epoch=1)


@versions(ApiKey.FETCH, since=7)
@pytest.mark.parametrize("epoch", [2, 5, INT32_MAX])
def test_78_an_epoch_that_is_not_the_next(
    client: TypedClient, aged: tuple[UUID, int], epoch: int, version: int
) -> None:
    """The session stays for the one whose turn it is."""
    request = session_of(client, aged, version)
    request.session_epoch = epoch
    assert failures(client.ask(request, version)) == {ErrorCode.INVALID_FETCH_SESSION_EPOCH}
    request.session_epoch = 1
    assert failures(client.ask(request, version)) == set()


@versions(ApiKey.FETCH, since=7)
def test_78_a_session_of_names_that_goes_on_with_ids(client: TypedClient, aged: tuple[UUID, int], version: int) -> None:
    """And one of ids with names: the client was exchanged for an older or a newer one."""
    request = session_of(client, aged, version)
    other = 13 if version < 13 else 12
    assert failures(client.ask(request, other)) == {ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR}


@versions(ApiKey.FETCH, since=13)
@pytest.mark.parametrize("topic_id", [UUID(int=0xBAD), ZERO_UUID], ids=["made up", "zero"])
def test_79_an_unknown_topic_id(client: TypedClient, topic_id: UUID, version: int) -> None:
    assert failures(client.ask(fetch(topic_id), version)) == {ErrorCode.UNKNOWN_TOPIC_ID}


@versions(ApiKey.FETCH, since=4)
@pytest.mark.parametrize("level", [2, 7, -1])
def test_80_an_isolation_level_that_is_none(
    client: TypedClient, aged: tuple[UUID, int], level: int, version: int
) -> None:
    request = fetch(aged[0])
    request.isolation_level = level
    assert failures(client.ask(request, version)) == {ErrorCode.INVALID_REQUEST}


@versions(ApiKey.FETCH)
@pytest.mark.parametrize("replica", [0, 1, INT32_MAX])
def test_81_a_replica_that_is_none(client: TypedClient, aged: tuple[UUID, int], replica: int, version: int) -> None:
    """Neither the broker itself nor one that has no replica of this partition; the high watermark stays."""
    request = fetch(aged[0])
    if version >= 15:
        request.replica_state = ReplicaState(replica_id=replica)
    else:
        request.replica_id = replica
    answer = client.ask(request, version)
    row = answer.responses[0].partitions[0]
    assert (ErrorCode(row.error_code), bytes(row.records)) == (ErrorCode.NOT_LEADER_OR_FOLLOWER, b"")
    assert client.ask(fetch(aged[0]), version).responses[0].partitions[0].high_watermark == 3


def count_in(records: memoryview, version: int) -> int:
    """Records of whole batches, or before version 4 whole messages."""
    if version < 4:
        return len(list(read_message_set(records)))
    return sum(header.count for header, _ in split(records))


@versions(ApiKey.FETCH)
@pytest.mark.parametrize("limit", [0, 1, INT32_MAX, -1])
def test_82_strange_limits_give_one_batch_at_least(
    client: TypedClient, aged: tuple[UUID, int], limit: int, version: int
) -> None:
    """A consumer that asks for nothing would never get on."""
    request = fetch(aged[0], partition_max_bytes=limit)
    request.max_bytes, request.max_wait_ms = limit, INT32_MAX
    row = client.ask(request, version).responses[0].partitions[0]
    assert row.error_code == ErrorCode.NONE
    assert count_in(row.records, version) == 3


@versions(ApiKey.FETCH)
def test_82_the_longest_wait_ends_when_something_comes(
    broker: BrokerProcess, client: TypedClient, version: int
) -> None:
    """2^31-1 ms are 24 days; the connection holds nothing meanwhile."""
    name = f"waited-for-{version}"
    request = fetch(client.create(name))
    request.topics[0].topic, request.max_wait_ms = name, INT32_MAX
    with TypedClient(broker.port) as waiting:
        waiting.send(request, version)
        with pytest.raises(TimeoutError):
            waiting.answer(within_s=0.05)
        row = PartitionProduceData(records=sound(1))
        produced = ProduceRequest(acks=1, topic_data=[TopicProduceData(name=name, partition_data=[row])])
        client.ask(produced, 9)
        assert waiting.answer().responses[0].partitions[0].high_watermark == 1


@versions(ApiKey.FETCH)
def test_82_a_negative_wait_is_none(client: TypedClient, aged: tuple[UUID, int], version: int) -> None:
    request = fetch(aged[0], 3)
    request.max_wait_ms = -1
    began = time.monotonic()
    assert client.ask(request, version).responses[0].partitions[0].error_code == ErrorCode.NONE
    assert time.monotonic() - began < 5


# --- ListOffsets ---


def list_offsets(timestamp: int, *, times: int = 1, **of_row: Any) -> ListOffsetsRequest:
    rows = [ListOffsetsPartition(timestamp=timestamp, **of_row) for _ in range(times)]
    return ListOffsetsRequest(replica_id=-1, topics=[ListOffsetsTopic(name="aged", partitions=rows)])


@versions(ApiKey.LIST_OFFSETS)
def test_83_a_partition_asked_for_twice(client: TypedClient, aged: tuple[UUID, int], version: int) -> None:
    assert codes(client.ask(list_offsets(-1, times=2), version)) == [ErrorCode.INVALID_REQUEST] * 2


@versions(ApiKey.LIST_OFFSETS)
@pytest.mark.parametrize("timestamp", [-7, -100, -(2**63)])
def test_83_a_time_that_means_nothing(
    client: TypedClient, aged: tuple[UUID, int], timestamp: int, version: int
) -> None:
    assert codes(client.ask(list_offsets(timestamp), version)) == [ErrorCode.UNSUPPORTED_VERSION]


@pytest.mark.parametrize(("timestamp", "since"), [(-3, 7), (-4, 8), (-5, 9), (-6, 11)])
def test_83_a_time_of_a_later_version(client: TypedClient, aged: tuple[UUID, int], timestamp: int, since: int) -> None:
    for version in range(since):
        assert codes(client.ask(list_offsets(timestamp), version)) == [ErrorCode.UNSUPPORTED_VERSION]
    assert codes(client.ask(list_offsets(timestamp), since)) == [ErrorCode.NONE]
