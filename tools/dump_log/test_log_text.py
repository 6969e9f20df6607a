"""Lines of `.log` files, as Kafka 3.9 printed them for the same bytes; whole directories are in compat_tests."""

from pathlib import Path

import pytest

from broker.config.problems import OperatorError
from kproto.records.batch import BatchHeader, assemble, build_batch
from kproto.records.compression import Codec
from kproto.records.control import EndTxnMarker, MarkerType, build_marker
from kproto.records.legacy import build_message_set
from kproto.records.record import Record
from tools.dump_log.decoders import STRING, decoder
from tools.dump_log.findings import Findings
from tools.dump_log.log_text import LogOptions, log_lines

ALL = LogOptions(deep=True, decoder=decoder(STRING, STRING))
RECORDS = [Record(0, 1000, b"k", b"v", [("h", b"1"), ("i", None)]), Record(1, 1001, None, b""), Record(2, 1002, b"t")]


def dumped(folder: Path, data: bytes, options: LogOptions = ALL, base_offset: int = 0) -> list[str]:
    path = folder / f"{base_offset:020}.log"
    path.write_bytes(data)
    findings = Findings()
    return [*list(log_lines(path, base_offset, options, findings))[1:], *findings.lines()]


def test_a_batch_and_its_records_have_a_line_each(tmp_path: Path) -> None:
    batch = build_batch(RECORDS, leader_epoch=3, producer_id=7, producer_epoch=1, base_sequence=5)
    assert dumped(tmp_path, batch) == [
        "baseOffset: 0 lastOffset: 2 count: 3 baseSequence: 5 lastSequence: 7 producerId: 7 producerEpoch: 1"
        " partitionLeaderEpoch: 3 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty"
        f" position: 0 CreateTime: 1002 size: {len(batch)} magic: 2 compresscodec: none crc: 1260417146 isvalid: true",
        "| offset: 0 CreateTime: 1000 keySize: 1 valueSize: 1 sequence: 5 headerKeys: [h,i] key: k payload: v",
        "| offset: 1 CreateTime: 1001 keySize: -1 valueSize: 0 sequence: 6 headerKeys: [] payload: ",
        "| offset: 2 CreateTime: 1002 keySize: 1 valueSize: -1 sequence: 7 headerKeys: [] key: t",
    ]


def test_without_metadata_the_bar_stands_before_a_key_only(tmp_path: Path) -> None:
    lines = dumped(tmp_path, build_batch(RECORDS), LogOptions(deep=True, metadata=False, decoder=ALL.decoder))
    assert lines[1:] == ["| key: k payload: v", " payload: ", "| key: t"]


def test_a_marker_tells_how_the_transaction_ended(tmp_path: Path) -> None:
    marker = EndTxnMarker(MarkerType.ABORT, 4)
    lines = dumped(tmp_path, build_marker(marker, producer_id=7, producer_epoch=0, timestamp_ms=9))
    assert lines[1] == (
        "| offset: 0 CreateTime: 9 keySize: 4 valueSize: 6 sequence: -1 headerKeys: []"
        " endTxnMarker: ABORT coordinatorEpoch: 4"
    )


def test_a_compacted_batch_keeps_its_sequences_and_tells_its_delete_horizon(tmp_path: Path) -> None:
    """No records are left, and with the bit 6 of its attributes the first timestamp is when tombstones may go."""
    header = BatchHeader(0, 0, 0, 2, 0, 0x40, 4, 77_000, 5, 7, 0, 2**31 - 3, 0)
    [line] = dumped(tmp_path, bytes(assemble(header, b"")))
    assert "lastOffset: 4 count: 0 baseSequence: 2147483645 lastSequence: 1 " in line
    assert "deleteHorizonMs: OptionalLong[77000] position: 0 CreateTime: 5 size: 61" in line


def test_old_messages_tell_their_own_checksums(tmp_path: Path) -> None:
    """With Kafka's brace too many. Messages inside a compressed one have the offsets of the log."""
    records = [Record(5, 1000, b"k", b"v"), Record(6, 1001, None, b"w")]
    lines = dumped(tmp_path, build_message_set(records, 1, codec=Codec.GZIP), base_offset=5)
    assert lines[0].startswith("offset: 6 position: 0 CreateTime: 1001 size: ")
    assert " magic: 1 compresscodec: gzip crc: " in lines[0]
    assert lines[0].endswith(" isvalid: true")
    assert lines[1].startswith("| offset: 5 CreateTime: 1000 keySize: 1 valueSize: 1 isValid: true crc: ")
    assert lines[1].endswith("} key: k payload: v")
    assert lines[2].startswith("| offset: 6 CreateTime: 1001 keySize: -1 valueSize: 1 isValid: true crc: ")
    [oldest] = dumped(tmp_path, build_message_set(records[:1], 0), LogOptions(), 5)
    assert oldest.startswith("offset: 5 position: 0 NoTimestampType: -1 size: 28 magic: 0 compresscodec: none crc: ")


def test_a_wrong_checksum_is_told_and_the_records_are_shown(tmp_path: Path) -> None:
    batch = bytearray(build_batch(RECORDS))
    batch[17] ^= 1
    lines = dumped(tmp_path, bytes(batch))
    assert lines[0].endswith("isvalid: false")
    assert len(lines) == 4
    old = bytearray(build_message_set(RECORDS[:1], 1))
    old[-1] ^= 1
    [first, second] = dumped(tmp_path, bytes(old))
    assert first.endswith("isvalid: false")
    assert "isValid: false" in second


def test_a_torn_tail_is_counted_unless_only_a_part_was_asked_for(tmp_path: Path) -> None:
    batch = build_batch(RECORDS)
    torn = batch + batch[:-1]
    told = f"Found {len(batch) - 1} invalid bytes at the end of {0:020}.log"
    assert dumped(tmp_path, torn, LogOptions())[1:] == [told]
    assert len(dumped(tmp_path, torn, LogOptions(max_bytes=len(batch) + 70))) == 1


def test_a_gap_is_told_at_the_end_newest_first(tmp_path: Path) -> None:
    log = b"".join(build_batch(RECORDS[:1], base_offset=offset) for offset in (3, 5, 6, 9))
    told = dumped(tmp_path, log, LogOptions(deep=True))[-3:]
    assert told[0] == f"Non-consecutive offsets in {tmp_path}/{0:020}.log"
    assert told[1:] == ["  6 is followed by 9", "  3 is followed by 5"]


def test_what_cannot_be_read_on_ends_the_dump_with_a_reason(tmp_path: Path) -> None:
    batch = build_batch(RECORDS)
    with pytest.raises(OperatorError, match=r"Found record size 0 smaller than minimum record overhead \(14\) in file"):
        dumped(tmp_path, batch + bytes(100))
    no_gzip, codec_7 = bytearray(batch), bytearray(batch)
    no_gzip[22], codec_7[22] = 1, 7
    for damaged in (no_gzip, codec_7, batch[:58] + b"\x7f" * 4 + batch[62:]):
        with pytest.raises(OperatorError, match="The batch with last offset 2 cannot be read"):
            dumped(tmp_path, bytes(damaged))
    with pytest.raises(OperatorError, match="cannot be read"):
        list(log_lines(tmp_path / "1.log", 1, ALL, Findings()))
