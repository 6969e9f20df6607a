"""What the tap hears, and that its silence means that the broker has done all that a client asked before it went."""

import trio

from compat_tests.wire_tap import Heard, WireTap
from kproto.api_keys import ApiKey
from kproto.connection import ClientConnection
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.records.batch import build_batch
from kproto.records.compression import Codec
from kproto.records.record import Record


def produce(codec: Codec) -> bytes:
    """With acks=0, so nobody waits for an answer."""
    batch = build_batch([Record(0, 0, None, b"value", [])], codec=codec)
    rows = [TopicProduceData(name="t", partition_data=[PartitionProduceData(records=memoryview(batch))])]
    return b"".join(map(bytes, ClientConnection().request(ProduceRequest(topic_data=rows), 3, answered=False)))


class Broker:
    """Reads to the end of what a client sends, but not before it `may_read`; then it closes."""

    def __init__(self) -> None:
        self.may_read = trio.Event()
        self.read = b""

    async def serve(self, client: trio.SocketStream) -> None:
        async with client:
            await self.may_read.wait()
            async for some in client:
                self.read += some


async def tapped_broker(tap: WireTap, nursery: trio.Nursery) -> Broker:
    broker = Broker()
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, broker.serve, [listener])
    nursery.start_soon(tap.run, listener.socket.getsockname()[1])
    return broker


async def say(tap: WireTap, *said: bytes) -> None:
    """And go at once."""
    async with await trio.open_tcp_stream("127.0.0.1", tap.port) as client:
        for some in said:
            await client.send_all(some)


async def test_there_is_silence_once_the_broker_has_all_that_a_client_sent_before_it_went(
    nursery: trio.Nursery,
) -> None:
    """A producer with acks=0 may be gone long before that."""
    tap, sent = WireTap(), produce(Codec.GZIP)
    broker = await tapped_broker(tap, nursery)
    await say(tap, sent)
    assert not await tap.silence(within_s=0.01)
    broker.may_read.set()
    assert await tap.silence(within_s=10)
    assert broker.read == sent
    assert tap.heard == [Heard(ApiKey.PRODUCE, 3, frozenset({(2, Codec.GZIP)}))]


async def test_requests_are_heard_however_they_are_cut_and_pass_unchanged(nursery: trio.Nursery) -> None:
    tap, sent = WireTap(), produce(Codec.NONE) + produce(Codec.LZ4)
    broker = await tapped_broker(tap, nursery)
    broker.may_read.set()
    await say(tap, sent[:3], sent[3:50], sent[50:-1], sent[-1:])
    assert await tap.silence(within_s=10)
    assert broker.read == sent
    assert [each.formats for each in tap.heard] == [{(2, Codec.NONE)}, {(2, Codec.LZ4)}]


async def test_what_cannot_be_understood_is_noted_and_passes_unchanged(nursery: trio.Nursery) -> None:
    tap, nonsense = WireTap(), b"\0\0\0\4\x7f\x7f\0\0"
    broker = await tapped_broker(tap, nursery)
    broker.may_read.set()
    await say(tap, nonsense + produce(Codec.NONE))
    assert await tap.silence(within_s=10)
    assert broker.read == nonsense + produce(Codec.NONE)
    assert len(tap.failures) == len(tap.heard) == 1
