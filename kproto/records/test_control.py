"""Transaction markers, byte for byte as Kafka writes them."""

import pytest
from kafka.record.default_records import DefaultRecordBatch

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import build_batch, read_header, read_records
from kproto.records.control import EndTxnMarker, MarkerType, build_marker, read_marker
from kproto.records.record import Record


@pytest.mark.parametrize("kind", MarkerType)
def test_a_marker_comes_back_and_its_header_says_what_it_is(kind: MarkerType) -> None:
    marker = EndTxnMarker(kind, 12)
    batch = build_marker(marker, producer_id=4_000, producer_epoch=7, timestamp_ms=99, base_offset=5, leader_epoch=2)
    header = read_header(batch)
    assert (header.is_control, header.is_transactional, header.count) == (True, True, 1)
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (4_000, 7, -1)
    assert (header.base_offset, header.leader_epoch, header.max_timestamp) == (5, 2, 99)
    assert read_marker(batch) == marker


def test_key_and_value_are_those_of_kafka() -> None:
    batch = build_marker(EndTxnMarker(MarkerType.COMMIT, 258), producer_id=1, producer_epoch=0, timestamp_ms=0)
    (record,) = read_records(batch)
    assert (record.key, record.value) == (bytes.fromhex("00000001"), bytes.fromhex("000000000102"))


def test_kafka_python_sees_a_commit_and_an_abort() -> None:
    for kind, commit in ((MarkerType.COMMIT, True), (MarkerType.ABORT, False)):
        batch = build_marker(EndTxnMarker(kind, 0), producer_id=1, producer_epoch=0, timestamp_ms=0)
        theirs = DefaultRecordBatch(batch)
        assert theirs.is_control_batch
        (record,) = theirs
        assert (record.commit, record.abort) == (commit, not commit)


def test_other_control_records_are_no_markers() -> None:
    leader_change = Record(0, 0, bytes.fromhex("00000002"), b"")
    assert read_marker(build_batch([leader_change], control=True)) is None


@pytest.mark.parametrize(("key", "value"), [(b"\x00\x00\x00", b""), (None, None), (bytes.fromhex("00000001"), b"\x00")])
def test_a_marker_that_is_cut_short_is_refused(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(ApiError) as refused:
        read_marker(build_batch([Record(0, 0, key, value)], control=True))
    assert refused.value.code == ErrorCode.INVALID_RECORD
