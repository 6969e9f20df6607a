"""Lines of indexes, snapshots and records of internal topics, as Kafka 3.9 printed them for the same bytes."""

from pathlib import Path
from struct import pack
from typing import Any

import pytest

from broker.config.problems import OperatorError
from kproto.messages.consumer_protocol import ConsumerProtocolSubscription
from kproto.messages.internal_topics import (
    GroupMetadataKey,
    GroupMetadataValue,
    MemberMetadata,
    OffsetCommitKey,
    OffsetCommitValue,
    PartitionsSchema,
    TransactionLogKey,
    TransactionLogValue,
)
from kproto.prefixed import key_bytes, versioned
from kproto.records.batch import build_batch
from kproto.records.checksum import crc32c
from kproto.records.record import Record
from tools.dump_log.decoders import decoder, text
from tools.dump_log.findings import Findings
from tools.dump_log.index_text import IndexOptions, index_lines, position_of, time_index_lines
from tools.dump_log.internal_topics import offsets_decoder, transaction_decoder
from tools.dump_log.json_text import json_text
from tools.dump_log.small_files import Damaged, snapshot_lines, transaction_index_lines

NAME = "00000000000000000100"
SIZE = len(build_batch([Record(0, 0, b"k", b"v")]))


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """The index of a segment with a batch at each of the offsets 100 to 104, a second apart."""
    batches = [build_batch([Record(0, 1000 * n, b"k", b"v")], base_offset=100 + n) for n in range(5)]
    (tmp_path / f"{NAME}.log").write_bytes(b"".join(batches))
    (tmp_path / f"{NAME}.index").write_bytes(pack(">iiii", 1, SIZE, 3, 3 * SIZE))
    return tmp_path / f"{NAME}.index"


def offsets(path: Path, *pairs: tuple[int, int], **options: Any) -> list[str]:
    path.write_bytes(b"".join(pack(">ii", *pair) for pair in pairs))
    findings = Findings()
    return [*index_lines(path, 100, IndexOptions(**options), findings), *findings.lines()]


def times(index: Path, *pairs: tuple[int, int], **options: Any) -> list[str]:
    path = index.with_suffix(".timeindex")
    path.write_bytes(b"".join(pack(">qi", *pair) for pair in pairs))
    findings = Findings()
    return [*time_index_lines(path, 100, IndexOptions(**options), findings), *findings.lines()]


def test_entries_of_an_index_are_offsets_and_positions_up_to_its_zeros(segment: Path) -> None:
    entries = [(1, SIZE), (3, 3 * SIZE)]
    lines = [f"offset: 101 position: {SIZE}", f"offset: 103 position: {3 * SIZE}"]
    assert offsets(segment, *entries, (0, 0), (0, 0)) == lines
    assert offsets(segment, *entries, verify_only=True) == []
    assert offsets(segment, *entries, sanity_only=True) == [f"{segment} passed sanity check."]
    assert offsets(segment) == [f"{segment} is empty."]


def test_an_entry_that_points_at_another_batch_is_told_newest_first(segment: Path) -> None:
    assert offsets(segment, (1, 0), (3, SIZE), verify_only=True) == [
        f"Mismatches in :{segment}",
        "  Index offset: 103, log offset: 101",
        "  Index offset: 101, log offset: 100",
    ]


@pytest.mark.parametrize(
    ("pairs", "options", "why"),
    [
        ([(1, 6 * SIZE)], {}, "exceeds end position"),
        ([(1, 5 * SIZE)], {}, "No batch"),
        ([(1, 0)], {"max_message_bytes": SIZE - 1}, "No batch of at most"),
        ([(-1, 0)], {"sanity_only": True}, "the last offset is 99 which is less than the base offset 100"),
    ],
)
def test_an_index_that_cannot_be_one_ends_the_dump(
    segment: Path, pairs: list[tuple[int, int]], options: dict[str, Any], why: str
) -> None:
    with pytest.raises(OperatorError, match=why):
        offsets(segment, *pairs, **options)


def test_a_time_index_is_compared_with_the_batches_that_it_names(segment: Path) -> None:
    assert times(segment, (1000, 1), (3000, 3)) == ["timestamp: 1000 offset: 101", "timestamp: 3000 offset: 103"]
    assert times(segment, (2000, 1), (2000, 2), (9, 7), verify_only=True) == [
        f"Found timestamp mismatch in :{segment.with_suffix('.timeindex')}",
        "  Index timestamp: 2000, log timestamp: 1000",
        f"Found out of order timestamp in :{segment.with_suffix('.timeindex')}",
        "  Index timestamp: 2000, Previously indexed timestamp: 2000",
        "The following indexed offsets are not found in the log.",
        "Indexed offset: 107, found log offset: -1",
    ]
    with pytest.raises(OperatorError, match="the last timestamp is 5 which is less than the first timestamp 6"):
        times(segment, (6, 1), (5, 2), sanity_only=True)
    with pytest.raises(OperatorError, match="the last offset is 98 which is less than the first offset 100"):
        times(segment, (6, 1), (7, -2), sanity_only=True)
    assert times(segment, sanity_only=True) == [f"{segment.with_suffix('.timeindex')} passed sanity check."]


def test_half_an_entry_fails_the_sanity_check(segment: Path) -> None:
    segment.write_bytes(segment.read_bytes() + b"abc")
    with pytest.raises(OperatorError, match="found 19 bytes which is neither positive nor a multiple of 8"):
        list(index_lines(segment, 100, IndexOptions(sanity_only=True), Findings()))


def test_places_are_searched_as_a_broker_does_it() -> None:
    entries = [(101, 10), (105, 50), (109, 90)]
    assert [position_of(entries, offset) for offset in (100, 101, 104, 105, 200)] == [0, 10, 10, 50, 90]
    assert position_of([], 7) == 0


def snapshot(*rows: tuple[int, ...], crc: int | None = None, version: int = 1) -> bytes:
    body = pack(">i", len(rows)) + b"".join(pack(">qhiqiqiq", *row) for row in rows)
    return pack(">hI", version, crc32c(body) if crc is None else crc) + body


def test_a_snapshot_has_a_line_per_producer(tmp_path: Path) -> None:
    path = tmp_path / "1.snapshot"
    path.write_bytes(snapshot((5, 0, 34, 44, 4, 1234, 2, -1), (6, 1, -1, -1, 0, 99, 0, 40)))
    assert list(snapshot_lines(path)) == [
        "producerId: 5 producerEpoch: 0 coordinatorEpoch: 2 currentTxnFirstOffset: OptionalLong.empty"
        " lastTimestamp: 1234 firstSequence: 30 lastSequence: 34 lastOffset: 44 offsetDelta: 4 timestamp: 1234",
        "producerId: 6 producerEpoch: 1 coordinatorEpoch: 0 currentTxnFirstOffset: OptionalLong[40] lastTimestamp: 99 ",
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (snapshot(crc=7), r"Snapshot is corrupt \(CRC is no longer valid\). Stored crc: 7. Computed crc: 1214729159"),
        (snapshot(version=9), "Snapshot contained an unknown file version 9"),
        (snapshot()[:-1], "Snapshot failed schema validation: "),
        (b"", "Snapshot failed schema validation: "),
    ],
)
def test_a_damaged_snapshot_says_what_is_wrong(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "1.snapshot"
    path.write_bytes(data)
    with pytest.raises(Damaged, match=why):
        list(snapshot_lines(path))


def test_aborted_transactions_have_a_line_each_up_to_a_torn_end(tmp_path: Path) -> None:
    path = tmp_path / "1.txnindex"
    path.write_bytes(pack(">hqqqq", 0, 5, 6, 11, 12) + b"\0" * 33)
    [line] = transaction_index_lines(path)
    assert line == "version: 0 producerId: 5 firstOffset: 6 lastOffset: 11 lastStableOffset: 12"
    path.write_bytes(pack(">hqqqq", 1, 5, 6, 11, 12))
    with pytest.raises(OperatorError, match="Unexpected aborted transaction version 1"):
        list(transaction_index_lines(path))


def test_offsets_and_groups_are_json_as_kafka_writes_it() -> None:
    key = key_bytes(OffsetCommitKey("g", "t", 0))
    value = versioned(OffsetCommitValue(5, -1, 'meta "q" ü\0', 9), 3)
    assert offsets_decoder(Record(0, 0, key, value)) == (
        '{"type":"1","data":{"group":"g","topic":"t","partition":0}}',
        '{"version":"3","data":{"offset":5,"leaderEpoch":-1,"metadata":"meta \\"q\\" ü\\u0000","commitTimestamp":9}}',
    )
    assert offsets_decoder(Record(0, 0, key))[1] == "<DELETE>"


def test_what_consumers_tell_one_another_is_opened_where_it_can_be() -> None:
    subscribed = versioned(ConsumerProtocolSubscription(["a"], b"", generation_id=-1), 2)
    member = MemberMetadata("m", None, "c", "/h", 3, 4, subscribed, b"\0\7")
    value = GroupMetadataValue("consumer", 2, "range", "m", 77, [member])
    found = offsets_decoder(Record(0, 0, key_bytes(GroupMetadataKey("g")), versioned(value, 3)))
    assert found == (
        '{"type":"2","data":{"group":"g"}}',
        '{"version":"3","data":{"protocolType":"consumer","generation":2,"protocol":"range","leader":"m",'
        '"currentStateTimestamp":77,"members":[{"memberId":"m","groupInstanceId":null,"clientId":"c","clientHost":"/h",'
        '"rebalanceTimeout":3,"sessionTimeout":4,"subscription":{"topics":["a"],"userData":"","ownedPartitions":[],'
        '"generationId":-1},"assignment":"AAc="}]}}',
    )


def test_records_that_are_not_of_the_topic_say_so() -> None:
    assert offsets_decoder(Record(7, 0, b"tx-a0", b"")) == ("Unknown record type 29816 at offset 7, skipping.", None)
    assert (offsets_decoder(Record(7, 0, b"\0\1"))[0] or "").startswith("Error at offset 7, skipping. ")
    with pytest.raises(OperatorError, match="message had a missing key"):
        offsets_decoder(Record(7))
    assert transaction_decoder(Record(7, 0, b"tx-a0", b"")) == ("unknown::version=29816", None)
    with pytest.raises(OperatorError, match="not of a transaction log"):
        transaction_decoder(Record(7))


def test_transactions_are_told_as_kafka_3_9_has_them() -> None:
    value = TransactionLogValue(
        producer_id=7,
        producer_epoch=1,
        transaction_timeout_ms=60_000,
        transaction_status=2,
        transaction_partitions=[PartitionsSchema("t", [0, 3])],
        transaction_last_update_timestamp_ms=99,
        transaction_start_timestamp_ms=90,
    )
    record = Record(0, 0, key_bytes(TransactionLogKey("tx")), versioned(value, 0))
    assert transaction_decoder(record) == (
        "transaction_metadata::transactionalId=tx",
        "producerId:7,producerEpoch:1,state=PrepareCommit,partitions=[t-0,t-3],txnLastUpdateTimestamp=99,"
        "txnTimeoutMs=60000",
    )
    assert transaction_decoder(Record(0, 0, record.key))[1] == "<DELETE>"


def test_tagged_fields_are_json_only_if_they_say_something() -> None:
    value = TransactionLogValue(transaction_partitions=None)
    assert "previousProducerId" not in json_text(value, 1)
    value.previous_producer_id = 8
    assert '"previousProducerId":8,' in json_text(value, 1)
    assert '"transactionPartitions":null,' in json_text(value, 1)


def test_decoders_go_by_kafkas_names() -> None:
    decode = decoder("kafka.serializer.LongDecoder", "org.apache.kafka.tools.api.IntegerDecoder")
    assert decode(Record(0, 0, pack(">q", -5), pack(">i", 6))) == ("-5", "6")
    assert decode(Record()) == (None, None)
    assert decoder("DefaultDecoder", "StringDecoder")(Record(0, 0, b"\1\xff", b"\xff")) == ("01ff", "\ufffd")
    with pytest.raises(OperatorError, match="does not fit"):
        decode(Record(0, 0, b"short"))
    with pytest.raises(OperatorError, match=r"no decoder com\.example\.Mine"):
        decoder("com.example.Mine", "StringDecoder")


def test_a_surrogate_in_utf_8_is_one_wrong_character() -> None:
    """Java says so; Python sees three."""
    assert text(b"a\xed\xa0\x80b") == "a\ufffdb"
    assert text(b"\xed\xbfb\x80") == "\ufffdb\ufffd"
