"""Batches that guard the log must be refused: each over a real socket, at every version of Produce, with its code.

After each of them the connection goes on, another connection is served, and the log ends where it did.
The numbers are those of our catalogue of bad inputs.
"""

import struct
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import psutil
import pytest

from broker.handlers.table import TABLE
from compat_tests.bad_batches import (
    NOW_MS,
    around,
    at_times,
    old_message,
    old_set,
    raw_record,
    section_of,
    sound,
    with_fields,
)
from compat_tests.broker_process import BrokerProcess
from compat_tests.typed_client import Closed, TypedClient
from kproto.api_keys import ApiKey
from kproto.errors import ErrorCode
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.init_producer_id import InitProducerIdRequest
from kproto.messages.list_groups import ListGroupsRequest
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.records.batch import build_batch
from kproto.records.compression import Codec, compress
from kproto.records.record import Record

LOWEST, HIGHEST = next(row.versions for row in TABLE if row.key is ApiKey.PRODUCE)
BY_ID_SINCE = 13
ONLY_BATCHES_SINCE = 3
ZSTD_SINCE = 7
RECORD_ERRORS_SINCE = 8
MIB = 1 << 20
ACROSS_SLICES = 5_000
"""Records of a batch that is checked in steps."""

CONFIGS: dict[str, dict[str, str]] = {
    "plain": {},
    "small-messages": {"max_message_bytes": "1000"},
    "small-segments": {"segment_bytes": "1000"},
    "compacted": {"cleanup_policy": "compact"},
    "timed": {"message_timestamp_before_max_ms": "60000", "message_timestamp_after_max_ms": "60000"},
}
"""Topics that the cases write to."""


class Bad(NamedTuple):
    """One bad batch. `indexes`: records that are to blame, told since version 8."""

    name: str
    code: ErrorCode
    records: bytes | None
    topic: str = "plain"
    since: int = LOWEST
    until: int = HIGHEST
    indexes: tuple[int, ...] = ()


NOISE = bytes(n * n * 197 % 251 for n in range(4_000))
CODECS = [Codec.GZIP, Codec.SNAPPY, Codec.LZ4, Codec.ZSTD]
OLD_CODECS = CODECS[:3]
REFUSED = ErrorCode.INVALID_RECORD
CORRUPT = ErrorCode.CORRUPT_MESSAGE


def since(codec: Codec) -> int:
    return ZSTD_SINCE if codec is Codec.ZSTD else LOWEST


def damaged(codec: Codec) -> bytes:
    """A stream that was overwritten behind its head; the CRC of the batch is right for it."""
    stream = bytearray(compress(codec, section_of(20, NOISE)))
    stream[30:] = b"\xff" * len(stream[30:])
    return around(b"", 20, codec, compressed=bytes(stream))


def cut(codec: Codec) -> bytes:
    """A stream that ends before the last records."""
    stream = compress(codec, section_of(20, NOISE))
    return around(b"", 20, codec, compressed=stream[: len(stream) * 2 // 3])


def bomb(codec: Codec) -> bytes:
    """Less than 1 MiB that inflates to more than the 128 MiB a batch may."""
    return around(section_of(130, bytes(MIB)), 130, codec)


def claims() -> Iterator[Bad]:
    """Streams that say how much they hold, and lie."""
    chunked = b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1)
    yield Bad(
        "64 snappy chunk of 0xFFFFFFFF bytes", CORRUPT, stream_of(Codec.SNAPPY, chunked + b"\xff" * 4 + b"\0" * 9)
    )
    yield Bad("64 raw snappy that claims 4 GiB", CORRUPT, stream_of(Codec.SNAPPY, b"\xff\xff\xff\xff\x0f" + b"\0" * 9))
    claim = b"\x28\xb5\x2f\xfd" + b"\xe0" + struct.pack("<Q", 1 << 63) + b"\x01\0\0"
    yield Bad("64 zstd frame that claims 2^63 bytes", CORRUPT, stream_of(Codec.ZSTD, claim), since=ZSTD_SINCE)


def stream_of(codec: Codec, stream: bytes) -> bytes:
    return around(b"", 1, codec, compressed=stream)


def bad_old_messages() -> Iterator[Bad]:
    """What only versions 0 to 2 look at, in both formats."""
    for magic in (0, 1):
        message, packed = old_message(magic), old_set(magic, Codec.GZIP)
        yield Bad(f"45 half a message, magic {magic}", REFUSED, message + message[:40])
        yield Bad(f"46 two compressed messages, magic {magic}", REFUSED, packed + packed)
        yield Bad(f"47 a message of the other magic behind, magic {magic}", REFUSED, message + old_message(1 - magic))
        yield Bad(f"49 message length 13, magic {magic}", CORRUPT, message[:8] + struct.pack(">i", 13) + message[12:])
        yield Bad(f"49 message length -1, magic {magic}", CORRUPT, message[:8] + b"\xff" * 4 + message[12:])
        yield Bad(f"50 a flipped bit, magic {magic}", CORRUPT, message[:-1] + bytes([message[-1] ^ 1]))
        yield Bad(f"57 large, magic {magic}", ErrorCode.MESSAGE_TOO_LARGE, message * 20, "small-messages")
        yield Bad(f"65 no key, magic {magic}", REFUSED, message, "compacted", indexes=(0,))
        for number in (4, 7):
            wrong = old_set(magic, codec=number, value=b"stream")
            yield Bad(f"59 compression id {number}, magic {magic}", ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, wrong)
        for codec in OLD_CODECS:
            stream = compress(codec, old_set(magic, codec=0, value=NOISE) * 20)
            damaged = stream[:30] + b"\xff" * len(stream[30:])
            yield Bad(f"61 damaged {codec.name}, magic {magic}", CORRUPT, old_set(magic, codec, damaged))
            yield Bad(f"62 {codec.name} that ends early, magic {magic}", REFUSED, old_set(magic, codec, stream[:-9]))
            twice = compress(codec, old_set(magic, codec))
            yield Bad(
                f"a {codec.name} message in a {codec.name} message, magic {magic}",
                REFUSED,
                old_set(magic, codec, twice),
            )
    yield Bad("66 created long ago, magic 1", ErrorCode.INVALID_TIMESTAMP, old_message(1), "timed", indexes=(0,))


BAD = [
    Bad("44 records null", REFUSED, None),
    Bad("45 records empty", REFUSED, b""),
    Bad("45 the header alone", REFUSED, sound()[:61]),
    Bad("45 less than a header", REFUSED, sound()[:60]),
    Bad("45 the last byte missing", REFUSED, sound()[:-1]),
    Bad("46 two batches", REFUSED, sound() + sound()),
    Bad("46 a batch and a half", REFUSED, sound() + sound()[:70]),
    Bad("47 a message of magic 0", REFUSED, old_message(0), since=ONLY_BATCHES_SINCE),
    Bad("47 a message of magic 1", REFUSED, old_message(1), since=ONLY_BATCHES_SINCE),
    Bad("47 a batch that says magic 1", REFUSED, with_fields(sound(), magic=1), since=ONLY_BATCHES_SINCE),
    Bad("48 magic 3", CORRUPT, with_fields(sound(), magic=3)),
    Bad("48 magic -1", CORRUPT, with_fields(sound(), magic=-1)),
    Bad("49 batch length 48", CORRUPT, with_fields(sound(), batch_length=48)),
    Bad("49 batch length 0", CORRUPT, with_fields(sound(), batch_length=0)),
    Bad("49 batch length -1", CORRUPT, with_fields(sound(), batch_length=-1)),
    Bad("49 batch length -2^31", CORRUPT, with_fields(sound(), batch_length=-(2**31))),
    Bad("50 another CRC", CORRUPT, with_fields(sound(), crc=0x12345678)),
    Bad("50 a flipped bit in a value", CORRUPT, sound()[:-3] + bytes([sound()[-3] ^ 1]) + sound()[-2:]),
    Bad("51 base offset 7", REFUSED, with_fields(sound(), base_offset=7)),
    Bad("51 base offset -1", REFUSED, with_fields(sound(), base_offset=-1)),
    Bad("52 last offset delta one too far", REFUSED, with_fields(sound(3), last_offset_delta=3)),
    Bad("52 last offset delta -1", REFUSED, with_fields(sound(3), last_offset_delta=-1)),
    Bad("52 last offset delta 2^31-1", REFUSED, with_fields(sound(3), last_offset_delta=2**31 - 1)),
    Bad("52 record count 0", REFUSED, with_fields(sound(3), count=0, last_offset_delta=-1)),
    Bad("52 record count -1", REFUSED, with_fields(sound(3), count=-1, last_offset_delta=-2)),
    Bad("53 one record more than there are", REFUSED, with_fields(sound(3), count=4, last_offset_delta=3)),
    Bad("53 one record less than there are", REFUSED, with_fields(sound(3), count=2, last_offset_delta=1)),
    Bad("53 2^31-1 records", REFUSED, with_fields(sound(3), count=2**31 - 1, last_offset_delta=2**31 - 2)),
    Bad(
        "53 one record less than there are, in steps",
        REFUSED,
        around(section_of(ACROSS_SLICES), ACROSS_SLICES - 1),
    ),
    *(
        Bad(
            f"53 one record more than there are, {codec.name}",
            REFUSED,
            around(section_of(3), 4, codec),
            since=since(codec),
        )
        for codec in CODECS
    ),
    *(
        Bad(
            f"53 one record less than there are, {codec.name}",
            REFUSED,
            around(section_of(3), 2, codec),
            since=since(codec),
        )
        for codec in CODECS
    ),
    Bad("54 record size of six bytes", REFUSED, around(b"\xff\xff\xff\xff\xff\x01" + b"\0" * 40)),
    Bad("54 record size -1", REFUSED, around(raw_record(-1, -1, 0, length=-1))),
    Bad("54 record size 0", REFUSED, around(raw_record(-1, -1, 0, length=0))),
    Bad("54 record size beyond the batch", REFUSED, around(raw_record(-1, -1, 0, length=1_000))),
    Bad("54 record size one too small", REFUSED, around(raw_record(-1, -1, 0, length=5))),
    Bad("54 record size one too large", REFUSED, around(raw_record(-1, -1, 0, length=7) + b"\0")),
    Bad("54 key length beyond the record", REFUSED, around(raw_record(100, b"short", -1, 0))),
    Bad("54 value length beyond the record", REFUSED, around(raw_record(-1, 100, b"short", 0))),
    Bad("54 header count negative", REFUSED, around(raw_record(-1, -1, -1))),
    Bad("54 header count beyond the rest", REFUSED, around(raw_record(-1, -1, 1_000))),
    Bad("54 header count 2^31-1", REFUSED, around(raw_record(-1, -1, 2**31 - 1))),
    Bad("54 header key length negative", REFUSED, around(raw_record(-1, -1, 1, -1, -1))),
    Bad("54 header value beyond the rest", REFUSED, around(raw_record(-1, -1, 1, 1, b"k", 99))),
    Bad("54 offset deltas that do not count up", REFUSED, around(raw_record(-1, -1, 0) * 2, 2)),
    Bad("55 control batch", REFUSED, with_fields(sound(1), attributes=0x20)),
    Bad("56 producer id without sequence", REFUSED, with_fields(sound(), producer_id=5, producer_epoch=0)),
    Bad("56 producer id without epoch", REFUSED, with_fields(sound(), producer_id=5, base_sequence=0)),
    Bad(
        "57 larger than max.message.bytes", ErrorCode.MESSAGE_TOO_LARGE, sound(1, value=bytes(1_000)), "small-messages"
    ),
    Bad("57 larger than 1,048,588 bytes", ErrorCode.MESSAGE_TOO_LARGE, sound(1, value=bytes(MIB))),
    Bad("58 larger than a segment", ErrorCode.RECORD_LIST_TOO_LARGE, sound(1, value=bytes(1_000)), "small-segments"),
    *(
        Bad(
            f"59 compression id {number}",
            ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
            with_fields(sound(), attributes=number),
        )
        for number in (5, 6, 7)
    ),
    Bad(
        "60 zstd before version 7",
        ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
        sound(codec=Codec.ZSTD),
        until=ZSTD_SINCE - 1,
    ),
    *(Bad(f"61 damaged {codec.name}", CORRUPT, damaged(codec), since=since(codec)) for codec in CODECS),
    *(Bad(f"62 {codec.name} that ends early", REFUSED, cut(codec), since=since(codec)) for codec in CODECS),
    *claims(),
    Bad("65 no key on a compacted topic", REFUSED, sound(3, key=None), "compacted", indexes=(0, 1, 2)),
    Bad(
        "65 one without key on a compacted topic",
        REFUSED,
        build_batch([Record(0, NOW_MS, key, b"v") for key in (b"a", None, b"c")]),
        "compacted",
        indexes=(1,),
    ),
    Bad("66 created long ago", ErrorCode.INVALID_TIMESTAMP, at_times([NOW_MS]), "timed", indexes=(0,)),
    Bad("66 created in a far future", ErrorCode.INVALID_TIMESTAMP, at_times([4 * 10**12]), "timed", indexes=(0,)),
    Bad("67 log append time set by a client", ErrorCode.INVALID_TIMESTAMP, with_fields(sound(), attributes=8)),
    *(bad._replace(until=ONLY_BATCHES_SINCE - 1) for bad in bad_old_messages()),
]

EACH = [
    pytest.param(case, version, id=f"{case.name} v{version}")
    for case in BAD
    for version in range(case.since, case.until + 1)
]
VERSIONS = range(LOWEST, HIGHEST + 1)
each_version = pytest.mark.parametrize("version", VERSIONS)
each_bomb = pytest.mark.parametrize(
    ("codec", "version"), [(c, v) for c in (Codec.GZIP, Codec.LZ4, Codec.ZSTD) for v in (since(c), HIGHEST)]
)


@pytest.fixture(scope="module")
def ids(broker: BrokerProcess) -> dict[str, UUID]:
    """The topics of `CONFIGS`, made once, by name."""
    with TypedClient(broker.port) as client:
        return {name: client.create(name, 1, **configs) for name, configs in CONFIGS.items()}


@pytest.fixture(scope="module")
def bystander(broker: BrokerProcess, ids: dict[str, UUID]) -> Iterator[TypedClient]:
    """A connection that was there before all bad ones, and is served after each of them."""
    with TypedClient(broker.port) as client:
        yield client


@pytest.fixture(scope="module")
def client(broker: BrokerProcess, ids: dict[str, UUID]) -> Iterator[TypedClient]:
    """The connection that the refused batches come over: a polite no does not close it."""
    with TypedClient(broker.port) as client:
        yield client


def request_for(
    records: bytes | None, version: int, topic: str, topic_id: UUID, *, partition: int = 0, acks: int = -1
) -> ProduceRequest:
    row = PartitionProduceData(index=partition, records=records)
    named = TopicProduceData(name=topic) if version < BY_ID_SINCE else TopicProduceData(topic_id=topic_id)
    named.partition_data.append(row)
    return ProduceRequest(acks=acks, timeout_ms=10_000, topic_data=[named])


def row_of(answer: Any) -> Any:
    [topic] = answer.responses
    [row] = topic.partition_responses
    return row


@pytest.mark.parametrize(("case", "version"), EACH)
def test_a_bad_batch_is_refused_with_its_code(
    client: TypedClient, bystander: TypedClient, ids: dict[str, UUID], case: Bad, version: int
) -> None:
    before = bystander.end_offset(case.topic)
    row = row_of(client.ask(request_for(case.records, version, case.topic, ids[case.topic]), version))
    assert ErrorCode(row.error_code) is case.code, row
    assert row.base_offset == -1
    if version >= RECORD_ERRORS_SINCE:
        assert tuple(error.batch_index for error in row.record_errors) == case.indexes
        assert row.error_message
    assert bystander.end_offset(case.topic) == before


@each_version
def test_a_sound_batch_is_taken(
    client: TypedClient, bystander: TypedClient, ids: dict[str, UUID], version: int
) -> None:
    """So that the refusals above are no accident: the batch that all cases begin with goes in."""
    before = bystander.end_offset("plain")
    row = row_of(client.ask(request_for(sound(3), version, "plain", ids["plain"]), version))
    assert (ErrorCode(row.error_code), row.base_offset) == (ErrorCode.NONE, before)
    assert bystander.end_offset("plain") == before + 3


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_sound_streams_are_taken(client: TypedClient, ids: dict[str, UUID], codec: Codec) -> None:
    """The streams that the cases damage are sound before."""
    batch = around(section_of(20, NOISE), 20, codec)
    assert row_of(client.ask(request_for(batch, HIGHEST, "plain", ids["plain"]), HIGHEST)).error_code == ErrorCode.NONE


@each_version
@pytest.mark.parametrize("acks", [2, -2, 32767, -32768])
def test_43_strange_acks_are_refused_in_every_row(
    client: TypedClient, bystander: TypedClient, ids: dict[str, UUID], acks: int, version: int
) -> None:
    before = bystander.end_offset("plain")
    request = request_for(sound(), version, "plain", ids["plain"], acks=acks)
    other = request_for(sound(), version, "timed", ids["timed"]).topic_data
    request.topic_data += other
    answer = client.ask(request, version)
    rows = [row for topic in answer.responses for row in topic.partition_responses]
    assert [row.error_code for row in rows] == [ErrorCode.INVALID_REQUIRED_ACKS] * 2
    assert bystander.end_offset("plain") == before


@each_bomb
def test_63_a_batch_that_inflates_beyond_the_cap_is_refused_in_bounded_memory(
    broker: BrokerProcess,
    client: TypedClient,
    bystander: TypedClient,
    ids: dict[str, UUID],
    codec: Codec,
    version: int,
) -> None:
    """1 MiB at most on the wire, 130 MiB inflated; and others are served while it is walked."""
    batch = bomb(codec)
    assert len(batch) < 1_048_588
    process = psutil.Process(broker.pid)
    before, resident = bystander.end_offset("plain"), process.memory_info().rss
    client.send(request_for(batch, version, "plain", ids["plain"]), version)
    assert bystander.end_offset("plain") == before
    row = row_of(client.answer())
    assert ErrorCode(row.error_code) is ErrorCode.MESSAGE_TOO_LARGE
    assert bystander.end_offset("plain") == before
    assert process.memory_info().rss - resident < 64 * MIB


@pytest.mark.parametrize("magic", [0, 1])
def test_63_an_old_message_that_inflates_beyond_the_cap_is_refused_in_bounded_memory(
    broker: BrokerProcess, client: TypedClient, bystander: TypedClient, ids: dict[str, UUID], magic: int
) -> None:
    """It is converted while it is inflated, and others are served meanwhile."""
    mib = old_set(magic, codec=0, value=bytes(MIB))
    packed = old_set(magic, Codec.GZIP, compress(Codec.GZIP, mib * 130))
    process = psutil.Process(broker.pid)
    before, resident = bystander.end_offset("plain"), process.memory_info().rss
    client.send(request_for(packed, 2, "plain", ids["plain"]), 2)
    assert bystander.end_offset("plain") == before
    assert ErrorCode(row_of(client.answer()).error_code) is ErrorCode.MESSAGE_TOO_LARGE
    assert process.memory_info().rss - resident < 64 * MIB


@each_version
def test_68_a_gap_and_an_old_epoch_are_refused(
    client: TypedClient, bystander: TypedClient, ids: dict[str, UUID], version: int
) -> None:
    """And a producer that nobody knows (any more) may begin where it likes."""
    numbers = client.ask(InitProducerIdRequest(transactional_id=None), 4)

    def produce(epoch: int, sequence: int) -> tuple[ErrorCode, int]:
        batch = with_fields(sound(2), producer_id=numbers.producer_id, producer_epoch=epoch, base_sequence=sequence)
        row = row_of(client.ask(request_for(batch, version, "plain", ids["plain"]), version))
        return ErrorCode(row.error_code), row.base_offset

    start = bystander.end_offset("plain")
    assert produce(1, 40) == (ErrorCode.NONE, start)
    assert produce(1, 43) == (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, -1)
    assert produce(0, 42) == (ErrorCode.INVALID_PRODUCER_EPOCH, -1)
    assert produce(2, 5) == (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, -1)
    assert bystander.end_offset("plain") == start + 2
    assert produce(1, 42) == (ErrorCode.NONE, start + 2)
    assert produce(2, 0) == (ErrorCode.NONE, start + 4)


@each_version
def test_69_one_of_the_last_five_batches_is_known_again(
    client: TypedClient, bystander: TypedClient, ids: dict[str, UUID], version: int
) -> None:
    """Success with the old offset, nothing appended; the sixth last is not remembered."""
    number = client.ask(InitProducerIdRequest(transactional_id=None), 4).producer_id
    batches = [with_fields(sound(2), producer_id=number, producer_epoch=0, base_sequence=2 * n) for n in range(6)]

    def produce(batch: bytes) -> tuple[ErrorCode, int]:
        row = row_of(client.ask(request_for(batch, version, "plain", ids["plain"]), version))
        return ErrorCode(row.error_code), row.base_offset

    stored = [produce(batch) for batch in batches]
    end = bystander.end_offset("plain")
    assert [produce(batch) for batch in batches[1:]] == stored[1:]
    assert produce(batches[0]) == (ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, -1)
    assert bystander.end_offset("plain") == end


def with_a_transactional_batch(version: int, ids: dict[str, UUID], transactional_id: str | None) -> ProduceRequest:
    """To `plain`; the batch beside it, to `timed`, is of no transaction."""
    batch = with_fields(sound(2), attributes=0x10, producer_id=5, producer_epoch=0, base_sequence=0)
    request = request_for(batch, version, "plain", ids["plain"])
    now = at_times([int(time.time() * 1000)])
    request.topic_data += request_for(now, version, "timed", ids["timed"]).topic_data
    request.transactional_id = transactional_id
    return request


@pytest.mark.parametrize(
    ("transactional_id", "codes"),
    [
        (None, [ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED] * 2),
        ("t", [ErrorCode.INVALID_TXN_STATE, ErrorCode.NONE]),
    ],
    ids=["70 without transactional id", "71 to a partition of no transaction"],
)
@pytest.mark.parametrize("version", range(ONLY_BATCHES_SINCE, HIGHEST + 1))
def test_a_transactional_batch(
    client: TypedClient,
    bystander: TypedClient,
    ids: dict[str, UUID],
    transactional_id: str | None,
    codes: list[ErrorCode],
    version: int,
) -> None:
    """No transaction was ever begun. Without a name the whole request is denied; else the batch beside it is stored."""
    before, beside = bystander.end_offset("plain"), bystander.end_offset("timed")
    answer = client.ask(with_a_transactional_batch(version, ids, transactional_id), version)
    assert [row.error_code for topic in answer.responses for row in topic.partition_responses] == codes
    stored = codes.count(ErrorCode.NONE)
    assert (bystander.end_offset("plain"), bystander.end_offset("timed")) == (before, beside + stored)


@pytest.fixture(scope="module")
def offsets_topic(client: TypedClient) -> UUID:
    """`__consumer_offsets`, which the first question for a coordinator makes."""
    client.ask(FindCoordinatorRequest(key="any", coordinator_keys=["any"]), 4)
    return client.topic_id("__consumer_offsets")


@each_version
def test_72_clients_do_not_write_internal_topics(
    client: TypedClient, bystander: TypedClient, offsets_topic: UUID, version: int
) -> None:
    name = "__consumer_offsets"
    row = row_of(client.ask(request_for(sound(), version, name, offsets_topic), version))
    assert ErrorCode(row.error_code) is ErrorCode.INVALID_TOPIC_EXCEPTION
    assert bystander.end_offset(name) == 0
    assert bystander.ask(ListGroupsRequest(), 0).error_code == ErrorCode.NONE


@each_version
@pytest.mark.parametrize("partition", [1, -1, 2**31 - 1])
def test_73_a_partition_that_is_not_there_is_unknown(
    client: TypedClient, ids: dict[str, UUID], partition: int, version: int
) -> None:
    request = request_for(sound(), version, "plain", ids["plain"], partition=partition)
    assert ErrorCode(row_of(client.ask(request, version)).error_code) is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@each_version
def test_73_a_topic_that_is_not_there_is_unknown(
    client: TypedClient, bystander: TypedClient, ids: dict[str, UUID], version: int
) -> None:
    """By name or by id; Produce creates nothing."""
    request = request_for(sound(), version, "nowhere", UUID(int=0xBAD))
    code = ErrorCode.UNKNOWN_TOPIC_ID if version >= BY_ID_SINCE else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert ErrorCode(row_of(client.ask(request, version)).error_code) is code


SPOILERS: dict[str, Callable[[ProduceRequest], None]] = {
    "wrong CRC": lambda request: spoil(request, records=with_fields(sound(), crc=1)),
    "unknown partition": lambda request: spoil(request, index=99),
    "no batch": lambda request: spoil(request, records=b""),
}


def spoil(request: ProduceRequest, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(request.topic_data[0].partition_data[0], name, value)


@each_version
@pytest.mark.parametrize("spoiler", SPOILERS)
def test_74_without_an_answer_an_error_closes(
    broker: BrokerProcess, bystander: TypedClient, ids: dict[str, UUID], spoiler: str, version: int
) -> None:
    """The only way to say no to acks=0."""
    before = bystander.end_offset("plain")
    request = request_for(sound(), version, "plain", ids["plain"], acks=0)
    SPOILERS[spoiler](request)
    with TypedClient(broker.port) as client:
        client.send(request, version, answered=False)
        with pytest.raises(Closed):
            client.answer()
    assert bystander.end_offset("plain") == before


@each_version
def test_75_a_partition_named_twice_is_refused_in_both_rows(
    client: TypedClient, bystander: TypedClient, ids: dict[str, UUID], version: int
) -> None:
    """Which of the two would come first is promised nowhere; the neighbour goes in."""
    before, beside = bystander.end_offset("plain"), bystander.end_offset("small-messages")
    request = request_for(sound(), version, "plain", ids["plain"])
    request.topic_data[0].partition_data.append(PartitionProduceData(index=0, records=sound()))
    request.topic_data += request_for(sound(), version, "small-messages", ids["small-messages"]).topic_data
    answer = client.ask(request, version)
    codes = [[row.error_code for row in topic.partition_responses] for topic in answer.responses]
    assert codes == [[ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST], [ErrorCode.NONE]]
    assert bystander.end_offset("plain") == before
    assert bystander.end_offset("small-messages") == beside + 3
