"""Batches that must not get in, each refused with the code that Kafka's clients know."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from trio.lowlevel import checkpoint

from broker.partitions.validation import AT_ONCE_RECORDS, Batch, InvalidRecords, Rules, check, check_in_steps, is_long
from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import CRC_FROM, HEADER_BYTES, build_batch
from kproto.records.checksum import crc32c
from kproto.records.compression import Codec
from kproto.records.record import Record

NOW_MS = 1_700_000_000_000


@dataclass
class Topic:
    max_message_bytes: int = 1_048_588
    segment_bytes: int = 1 << 30
    cleanup_policy: list[str] = field(default_factory=lambda: ["delete"])
    message_timestamp_type: str = "CreateTime"
    message_timestamp_before_max_ms: int = 2**63 - 1
    message_timestamp_after_max_ms: int = 2**63 - 1
    compression_type: str = "producer"
    compression_gzip_level: int = -1
    compression_lz4_level: int = 9
    compression_zstd_level: int = 3


@dataclass
class Broker:
    barnabas_batch_inflated_max_bytes: int = 128 * 1024 * 1024
    barnabas_records_validation: str = "full"


def rules(version: int = 9, broker: Broker | None = None, **topic: object) -> Rules:
    return Rules(Topic(**topic), broker or Broker(), version, NOW_MS)  # type: ignore[arg-type]


def records(count: int = 3, key: bytes | None = b"k") -> list[Record]:
    return [Record(0, NOW_MS + n, key, b"v%d" % n, []) for n in range(count)]


def batch(**options: object) -> bytearray:
    return bytearray(build_batch(records(), **options))  # type: ignore[arg-type]


def with_field(at: int, form: str, value: int, *, seal: bool = True) -> bytearray:
    """A sound batch with one field of its header changed; sealed with the right CRC unless asked otherwise."""
    changed = batch()
    struct.pack_into(form, changed, at, value)
    if seal:
        struct.pack_into(">I", changed, 17, crc32c(memoryview(changed)[CRC_FROM:]))
    return changed


def with_records(section: bytes, count: int = 3) -> bytearray:
    """A batch whose header is right and whose records are these bytes."""
    changed = batch()[:HEADER_BYTES] + section
    struct.pack_into(">i", changed, 8, len(changed) - 12)
    struct.pack_into(">i", changed, 23, count - 1)
    struct.pack_into(">i", changed, 57, count)
    struct.pack_into(">I", changed, 17, crc32c(memoryview(changed)[CRC_FROM:]))
    return changed


def passed_at_once(sent: bytearray, wanted: Rules) -> Batch:
    passed = check(memoryview(sent), wanted)
    assert passed is not None
    return passed


GOOD_RECORDS = bytes(batch()[HEADER_BYTES:])
ONE_RECORD = bytes(build_batch(records(1))[HEADER_BYTES:])

REFUSED: dict[str, tuple[Callable[[], bytearray | None], ErrorCode]] = {
    "44 records null": (lambda: None, ErrorCode.INVALID_RECORD),
    "45 no records": (lambda: bytearray(), ErrorCode.INVALID_RECORD),
    "45 cut off": (lambda: batch()[:-1], ErrorCode.INVALID_RECORD),
    "46 two batches": (lambda: batch() + batch(), ErrorCode.INVALID_RECORD),
    "47 magic 0": (lambda: with_field(16, "b", 0), ErrorCode.INVALID_RECORD),
    "47 magic 1": (lambda: with_field(16, "b", 1), ErrorCode.INVALID_RECORD),
    "48 magic 3": (lambda: with_field(16, "b", 3), ErrorCode.CORRUPT_MESSAGE),
    "48 magic -1": (lambda: with_field(16, "b", -1), ErrorCode.CORRUPT_MESSAGE),
    "49 length too small": (lambda: with_field(8, ">i", 20), ErrorCode.CORRUPT_MESSAGE),
    "49 length negative": (lambda: with_field(8, ">i", -5), ErrorCode.CORRUPT_MESSAGE),
    "50 crc wrong": (lambda: with_field(17, ">I", 1, seal=False), ErrorCode.CORRUPT_MESSAGE),
    "51 base offset 7": (lambda: with_field(0, ">q", 7), ErrorCode.INVALID_RECORD),
    "52 last offset delta": (lambda: with_field(23, ">i", 1), ErrorCode.INVALID_RECORD),
    "52 count 0": (lambda: with_field(57, ">i", 0), ErrorCode.INVALID_RECORD),
    "52 count negative": (lambda: with_field(57, ">i", -3), ErrorCode.INVALID_RECORD),
    "53 fewer than counted": (lambda: with_records(GOOD_RECORDS, 4), ErrorCode.INVALID_RECORD),
    "53 more than counted": (lambda: with_records(GOOD_RECORDS, 2), ErrorCode.INVALID_RECORD),
    "54 size too large": (lambda: with_records(b"\x7e" + ONE_RECORD[1:], 1), ErrorCode.INVALID_RECORD),
    "54 size negative": (lambda: with_records(b"\x01" + ONE_RECORD[1:], 1), ErrorCode.INVALID_RECORD),
    "54 header count negative": (lambda: with_records(ONE_RECORD[:-1] + b"\x01", 1), ErrorCode.INVALID_RECORD),
    "54 header count large": (lambda: with_records(ONE_RECORD[:-1] + b"\x7e", 1), ErrorCode.INVALID_RECORD),
    "54 header key negative": (
        lambda: with_records(bytes([ONE_RECORD[0] + 4]) + ONE_RECORD[1:-1] + b"\x02\x01\x00", 1),
        ErrorCode.INVALID_RECORD,
    ),
    "55 control batch": (lambda: batch(control=True), ErrorCode.INVALID_RECORD),
    "56 producer without sequence": (lambda: batch(producer_id=5, producer_epoch=0), ErrorCode.INVALID_RECORD),
    "59 codec 5": (lambda: with_field(21, ">h", 5), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
    "59 codec 7": (lambda: with_field(21, ">h", 7), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
    "61 damaged gzip": (lambda: with_field(21, ">h", Codec.GZIP), ErrorCode.CORRUPT_MESSAGE),
    "61 damaged zstd": (lambda: with_field(21, ">h", Codec.ZSTD), ErrorCode.CORRUPT_MESSAGE),
    "67 log append time": (lambda: batch(log_append_ms=NOW_MS), ErrorCode.INVALID_TIMESTAMP),
    "70 transactional": (
        lambda: batch(transactional=True, producer_id=1, producer_epoch=0, base_sequence=0),
        ErrorCode.INVALID_TXN_STATE,
    ),
}


@pytest.mark.parametrize(("make", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_batch_is_refused(make: Callable[[], bytearray | None], code: ErrorCode) -> None:
    """Rows 44 to 67 of the bad inputs: the number is the row."""
    made = make()
    with pytest.raises(ApiError) as refusal:
        check(None if made is None else memoryview(made), rules())
    assert refusal.value.code == code


@pytest.mark.parametrize("codec", list(Codec))
def test_a_sound_batch_passes_as_it_is(codec: Codec) -> None:
    """Not a byte changes: stored bytes are the client's bytes."""
    sound = batch(codec=codec)
    before = bytes(sound)
    passed = passed_at_once(sound, rules())
    assert bytes(passed.view) == before
    assert passed.header.count == 3
    assert passed.append_time_ms == -1


def test_zstd_is_for_version_7_and_later() -> None:
    """Row 60: consumers of that time could not read it (KIP-110)."""
    with pytest.raises(ApiError) as refusal:
        check(memoryview(batch(codec=Codec.ZSTD)), rules(version=6))
    assert refusal.value.code == ErrorCode.UNSUPPORTED_COMPRESSION_TYPE


def test_a_batch_larger_than_the_topic_allows_is_refused() -> None:
    """Rows 57 and 58."""
    with pytest.raises(ApiError) as too_large:
        check(memoryview(batch()), rules(max_message_bytes=50))
    assert too_large.value.code == ErrorCode.MESSAGE_TOO_LARGE
    with pytest.raises(ApiError) as for_a_segment:
        check(memoryview(batch()), rules(segment_bytes=50))
    assert for_a_segment.value.code == ErrorCode.RECORD_LIST_TOO_LARGE


async def test_a_bomb_is_found_before_it_is_inflated_whole() -> None:
    """Row 63: the cap counts inflated bytes, whatever the stream claims."""
    bomb = bytearray(build_batch([Record(0, NOW_MS, None, bytes(4_000_000), [])], codec=Codec.ZSTD))
    assert len(bomb) < 10_000
    with pytest.raises(ApiError) as at_once:
        check(memoryview(bomb), rules(broker=Broker(barnabas_batch_inflated_max_bytes=100_000)))
    with pytest.raises(ApiError) as in_steps:
        await check_in_steps(
            memoryview(bomb), rules(broker=Broker(barnabas_batch_inflated_max_bytes=3_000_000)), checkpoint
        )
    assert at_once.value.code == in_steps.value.code == ErrorCode.MESSAGE_TOO_LARGE


def test_a_compacted_topic_names_the_records_without_key() -> None:
    """Row 65, with the index of each (KIP-467)."""
    mixed = [Record(0, NOW_MS, key, b"v", []) for key in (b"a", None, b"c", None)]
    with pytest.raises(InvalidRecords) as refusal:
        check(memoryview(bytearray(build_batch(mixed))), rules(cleanup_policy=["compact"]))
    assert (refusal.value.code, refusal.value.indexes) == (ErrorCode.INVALID_RECORD, [1, 3])


def test_timestamps_too_far_from_now_are_named() -> None:
    """Row 66."""
    mixed = [Record(0, NOW_MS + shift, b"k", b"v", []) for shift in (0, 5_000, -5_000)]
    limits = {"message_timestamp_before_max_ms": 1_000, "message_timestamp_after_max_ms": 1_000}
    with pytest.raises(InvalidRecords) as refusal:
        check(memoryview(bytearray(build_batch(mixed))), rules(**limits))  # type: ignore[arg-type]
    assert (refusal.value.code, refusal.value.indexes) == (ErrorCode.INVALID_TIMESTAMP, [1, 2])


def test_log_append_time_stamps_the_header_alone() -> None:
    """KIP-32: the broker's time counts; the CRC is made right again."""
    stamped = passed_at_once(batch(), rules(message_timestamp_type="LogAppendTime"))
    assert stamped.append_time_ms == stamped.header.max_timestamp == NOW_MS
    assert stamped.header.is_log_append_time
    assert stamped.header.crc == crc32c(stamped.view[CRC_FROM:])


def test_a_wrong_largest_timestamp_is_put_right() -> None:
    """Or the index of times would send readers astray; Kafka rewrites it too."""
    passed = passed_at_once(with_field(35, ">q", 5), rules())
    assert passed.header.max_timestamp == NOW_MS + 2
    assert passed.header.crc == crc32c(passed.view[CRC_FROM:])


def test_only_headers_are_looked_at_if_the_operator_says_so() -> None:
    """`barnabas.records.validation=header`: the 61 bytes and the CRC."""
    torn = with_records(b"\x01" + ONE_RECORD[1:], 1)
    assert passed_at_once(torn, rules(broker=Broker(barnabas_records_validation="header"))).header.count == 1


async def breaths_of(records: bytearray) -> int:
    """Between the steps of a batch that passes."""
    breaths = 0

    async def breathe() -> None:
        nonlocal breaths
        breaths += 1

    passed = await check_in_steps(memoryview(records), rules(max_message_bytes=len(records)), breathe)
    assert passed.view == records
    return breaths


async def test_a_long_walk_breathes() -> None:
    """Others have their turn between the steps; the verdict is the same."""
    long = bytearray(build_batch(records(10 * AT_ONCE_RECORDS)))
    assert is_long(memoryview(long))
    assert await breaths_of(long) >= 10


@pytest.mark.parametrize("codec", [Codec.GZIP, Codec.LZ4, Codec.ZSTD])
async def test_what_inflates_to_much_takes_steps_after_all(codec: Codec) -> None:
    """Its header told nothing of that."""
    few, many = (
        bytearray(build_batch([Record(0, NOW_MS, None, bytes(1_000), [])] * count, codec=codec)) for count in (100, 900)
    )
    assert not is_long(memoryview(many))
    assert check(memoryview(few), rules()) is not None
    assert check(memoryview(many), rules()) is None
    assert await breaths_of(many) >= 2
