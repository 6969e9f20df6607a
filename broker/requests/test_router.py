"""From a frame to its answer, with fake handlers and no socket."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from broker.cluster.authorizer import Operation, Resource, ResourceType
from broker.handlers import api_versions
from broker.handlers.table import TABLE
from broker.metrics import Metrics
from broker.purgatory import Waiter, WaitingRoom
from broker.requests.context import ConnectionFacts, Context
from broker.requests.router import Router
from broker.requests.trace import shown
from broker.requests.views import paths_to_records
from broker.transport.contract import Address, ConnectionLost, Piece
from broker.transport.peers import LocalPeer
from broker.transport.pieces import Bytes
from kproto.api_keys import ApiKey, request_class
from kproto.connection import ClientConnection, ServerConnection
from kproto.errors import ApiError, ErrorCode, WireError
from kproto.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from kproto.messages.init_producer_id import InitProducerIdRequest
from kproto.messages.leader_and_isr import LeaderAndIsrRequest, LeaderAndIsrResponse
from kproto.messages.list_groups import ListGroupsRequest
from kproto.messages.produce import PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData
from kproto.schema import Message

CLIENT = Address("10.0.0.1", 5000)
LOCAL_END = Address("192.168.1.5", 9092)


def joined(pieces: list[Piece]) -> bytes:
    return b"".join(bytes(run) if isinstance(run, Bytes) else run.read() for run in pieces)


class Seat:
    """A connection that notes what it is asked."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.lost = False

    async def before_wait(self, *, for_others: bool) -> None:
        self.said.append("for others" if for_others else "before")
        if self.lost:
            raise ConnectionLost

    def after_wait(self) -> None:
        self.said.append("after")


class Deny:
    """Allows all but one kind of resource."""

    def __init__(self, denied: ResourceType | None = None) -> None:
        self.denied = denied
        self.asked: list[tuple[str, str, Operation, Resource]] = []

    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        self.asked.append((principal, host, operation, resource))
        return resource.type is not self.denied


class House:
    """A router, one connection to it, and fake handlers."""

    def __init__(self, *, inter_broker: bool = False) -> None:
        self.authorizer = Deny()
        image = SimpleNamespace(cluster_id="the cluster")
        self.metrics = Metrics()
        rooms: Any = SimpleNamespace(metrics=self.metrics, authorizer=self.authorizer, broker_id=3, image=image)
        self.modules: dict[str, Any] = {}
        self.router = Router(rooms, module_of=self.modules.__getitem__, max_elements=100)
        self.facts = ConnectionFacts(CLIENT, LOCAL_END, "PLAINTEXT", inter_broker=inter_broker)
        self.seat = Seat()
        self.client = ClientConnection("me")

    async def ask(self, message: Message, version: int) -> Any:
        frame = bytearray(b"".join(self.client.request(message, version)))
        request = ServerConnection().next_request(memoryview(frame), 0, len(frame))
        assert request is not None
        pieces = await self.router.answer(request, self.facts, self.seat)
        if pieces is None:
            return None
        answer = joined(pieces)
        found = self.client.next_answer(memoryview(answer), 0, len(answer))
        assert found is not None
        return found.message

    def heartbeat(self, handler: Any) -> None:
        self.modules["heartbeat"] = SimpleNamespace(
            heartbeat=handler, refused=lambda _, error: HeartbeatResponse(error_code=error.code)
        )


async def answer_beat(request: HeartbeatRequest, ctx: Context) -> HeartbeatResponse:
    return HeartbeatResponse(throttle_time_ms=request.generation_id)


@pytest.mark.parametrize("version", range(5))
async def test_a_request_is_answered_in_its_own_version(version: int) -> None:
    house = House()
    house.heartbeat(answer_beat)
    answer = await house.ask(HeartbeatRequest(group_id="g", generation_id=8), version)
    assert answer.throttle_time_ms == (8 if version >= 1 else 0)


async def test_the_right_is_asked_once_before_the_handler() -> None:
    house = House()
    house.heartbeat(answer_beat)
    await house.ask(HeartbeatRequest(group_id="g"), 4)
    assert house.authorizer.asked == [("User:ANONYMOUS", "10.0.0.1", Operation.READ, Resource.group("g"))]
    house.authorizer.denied = ResourceType.GROUP
    assert (await house.ask(HeartbeatRequest(group_id="g"), 4)).error_code == ErrorCode.GROUP_AUTHORIZATION_FAILED


async def test_what_the_table_does_not_have_closes() -> None:
    house = House()
    with pytest.raises(WireError, match="LeaderAndIsr is not served"):
        await house.ask(LeaderAndIsrRequest(), 0)
    with pytest.raises(WireError, match="InitProducerId version 6 is not served"):
        await house.ask(InitProducerIdRequest(), 6)


async def test_brokers_may_ask_what_clients_may_not() -> None:
    house = House(inter_broker=True)

    async def leader_and_isr(request: LeaderAndIsrRequest, ctx: Context) -> LeaderAndIsrResponse:
        return LeaderAndIsrResponse(error_code=ctx.version)

    house.modules["leader_and_isr"] = SimpleNamespace(leader_and_isr=leader_and_isr, refused=None)
    assert (await house.ask(LeaderAndIsrRequest(), 5)).error_code == 5
    assert house.authorizer.asked[-1][2:] == (Operation.CLUSTER_ACTION, Resource.cluster())


async def test_the_broker_asks_itself_by_the_same_way_without_bytes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "barnabas.requests")
    house = House()
    waiter = Waiter()
    waiter.wake()

    async def leader_and_isr(request: LeaderAndIsrRequest, ctx: Context) -> LeaderAndIsrResponse:
        await ctx.pause(waiter, within_ms=1000)
        await ctx.breathe()
        return LeaderAndIsrResponse(error_code=ctx.version)

    house.modules["leader_and_isr"] = SimpleNamespace(
        leader_and_isr=leader_and_isr, refused=lambda _, error: LeaderAndIsrResponse(error_code=error.code)
    )
    peer = LocalPeer(house.router)
    assert (await peer.ask(LeaderAndIsrRequest())).error_code == LeaderAndIsrRequest.VERSIONS[1]
    assert "LeaderAndIsr v7 of '' at local:0" in caplog.text
    house.authorizer.denied = ResourceType.CLUSTER
    assert (await peer.ask(LeaderAndIsrRequest())).error_code == ErrorCode.CLUSTER_AUTHORIZATION_FAILED


async def test_a_pause_releases_the_request_and_leaves_the_rooms() -> None:
    house = House()
    room = WaitingRoom()

    async def produce(request: ProduceRequest, ctx: Context) -> ProduceResponse:
        records: Any = request.topic_data[0].partition_data[0].records
        waiter = Waiter()
        waiter.watch([room])
        woken = await ctx.pause(waiter, within_ms=0)
        assert not woken
        with pytest.raises(ValueError, match="released"):
            bytes(records)
        return ProduceResponse(throttle_time_ms=9)

    house.modules["produce"] = SimpleNamespace(produce=produce, refused=lambda _, error: None)
    rows = [TopicProduceData(name="t", partition_data=[PartitionProduceData(records=b"batch")])]
    assert (await house.ask(ProduceRequest(acks=1, topic_data=rows), 9)).throttle_time_ms == 9
    assert house.seat.said == ["before", "after"]
    assert not room.waiters
    house.seat.lost = True
    with pytest.raises(ConnectionLost):
        await house.ask(ProduceRequest(acks=1, topic_data=rows), 9)
    assert not room.waiters


async def test_a_breath_keeps_the_copies_that_stand_in_the_place_of_records() -> None:
    house = House()

    async def produce(request: ProduceRequest, ctx: Context) -> ProduceResponse:
        row = request.topic_data[0].partition_data[0]
        row.records = memoryview(bytearray(row.records or b""))
        await ctx.breathe()
        assert bytes(row.records) == b"batch"
        assert house.seat.said == ["before"]
        return ProduceResponse()

    house.modules["produce"] = SimpleNamespace(produce=produce, refused=None)
    rows = [TopicProduceData(name="t", partition_data=[PartitionProduceData(records=b"batch")])]
    assert (await house.ask(ProduceRequest(acks=1, topic_data=rows), 9)).responses == []


async def test_too_many_elements_close() -> None:
    house = House()
    house.modules["list_groups"] = SimpleNamespace(list_groups=None, refused=None)
    with pytest.raises(WireError):
        await house.ask(ListGroupsRequest(states_filter=["s"] * 101), 4)


async def test_addresses_are_told_in_one_place() -> None:
    """By the name of the listener; under --host this broker is the local end of the client's own socket."""
    house = House()
    told: list[Any] = []

    def broker(broker_id: int) -> Any:
        return SimpleNamespace(id=broker_id, endpoints={"PLAINTEXT": Address("localhost", 9092)})

    async def look(request: HeartbeatRequest, ctx: Context) -> HeartbeatResponse:
        told[:] = [ctx.endpoint(broker(3)), ctx.endpoint(broker(4))]
        return HeartbeatResponse()

    house.heartbeat(look)
    await house.ask(HeartbeatRequest(), 4)
    assert told == [Address("localhost", 9092)] * 2
    house.facts.tells_local_end = True
    await house.ask(HeartbeatRequest(), 4)
    assert told == [LOCAL_END, Address("localhost", 9092)]
    house.facts.listener_name = "OTHER"
    assert (await house.ask(HeartbeatRequest(), 4)).error_code == ErrorCode.LISTENER_NOT_FOUND


async def test_a_client_id_never_reaches_the_log_unescaped(caplog: pytest.LogCaptureFixture) -> None:
    """Rows 20 and 21."""
    caplog.set_level(logging.DEBUG, "barnabas.requests")
    house = House()
    house.heartbeat(answer_beat)
    house.client.client_id = "evil\nFATAL: all is lost\x1b[2J" + "x" * 32_000
    await house.ask(HeartbeatRequest(), 4)
    (record,) = caplog.records
    assert "\n" not in record.message
    assert "\x1b" not in record.message
    assert len(record.message) < 200
    assert shown("é") == r"'\xe9'"


def test_only_produce_has_views_of_the_read_buffer_among_what_is_served() -> None:
    """A request with other `records` would need a look at how it is released."""
    assert [row.key for row in TABLE if paths_to_records(cls_of(row.key))] == [ApiKey.PRODUCE]
    assert paths_to_records(cls_of(ApiKey.PRODUCE)) == (("topic_data", "partition_data", "records"),)


def cls_of(key: ApiKey) -> Any:
    return request_class(key)


async def test_an_unknown_version_of_api_versions_is_told_our_range() -> None:
    """Row 15: answered in version 0, so that the oldest client can read it."""
    house = House()
    house.modules["api_versions"] = api_versions
    for version in (6, 99, -1):
        answer = await ask_unknown(house, version)
        assert answer.hex() == "00000010" + "00000007" + "0023" + "00000001" + "0012" + "0000" + "0005"


async def ask_unknown(house: House, version: int) -> bytes:
    header = b"\0\x12" + version.to_bytes(2, "big", signed=True) + b"\0\0\0\7" + b"\xff\xff" + b"\0"
    frame = bytearray(len(header).to_bytes(4, "big") + header)
    request = ServerConnection().next_request(memoryview(frame), 0, len(frame))
    assert request is not None
    pieces = await house.router.answer(request, house.facts, house.seat)
    assert pieces is not None
    return joined(pieces)


async def test_a_handler_that_says_no_is_refused_by_its_own_module() -> None:
    house = House()

    async def no(request: HeartbeatRequest, ctx: Context) -> HeartbeatResponse:
        raise ApiError(ErrorCode.REBALANCE_IN_PROGRESS)

    house.heartbeat(no)
    assert (await house.ask(HeartbeatRequest(), 0)).error_code == ErrorCode.REBALANCE_IN_PROGRESS


async def test_requests_and_refusals_are_counted() -> None:
    house = House()

    async def heartbeat(request: HeartbeatRequest, ctx: Context) -> HeartbeatResponse:
        if request.group_id == "strange":
            raise ApiError(ErrorCode.INVALID_GROUP_ID)
        return HeartbeatResponse()

    house.modules["heartbeat"] = SimpleNamespace(
        heartbeat=heartbeat, refused=lambda _, error: HeartbeatResponse(error_code=error.code)
    )
    for group_id, version in (("a", 0), ("b", 3), ("strange", 3)):
        await house.ask(HeartbeatRequest(group_id=group_id), version)
    counts = house.metrics.apis[ApiKey.HEARTBEAT]
    assert {version: count for version, count in enumerate(counts.versions) if count} == {0: 1, 3: 2}
    assert counts.errors == {"INVALID_GROUP_ID": 1}
    assert sum(counts.buckets) == 3
