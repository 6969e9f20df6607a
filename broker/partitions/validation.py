"""May this batch be appended? Header, CRC, and one walk over its records, as Kafka's LogValidator.

A client author must hear of a bad record, and no consumer may be poisoned. Everything here only looks, but for the
timestamp that a topic of log append time stamps. A short batch is checked at once, where it lies; a long one in steps
of about half a millisecond, over a copy, so that others have their turn.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Protocol

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import HEADER_BYTES, BatchHeader, crc_is_right, read_header, stamp_max_timestamp
from kproto.records.check import SLICE_RECORDS, RecordCheck, check_of
from kproto.records.compression import Codec
from kproto.records.walk import MAX_TIMESTAMP, Walk

AT_ONCE_SLICES = 2
AT_ONCE_RECORDS, AT_ONCE_COMPRESSED_BYTES = AT_ONCE_SLICES * SLICE_RECORDS, 32 * 1024
"""More takes steps, as far as the header tells; a compressed batch may turn out to be more than two slices."""
ZSTD_SINCE = 7
COUNT, COUNT_AT = Struct(">i"), 57
NO_TIMESTAMP = -1


class TopicRules(Protocol):
    @property
    def max_message_bytes(self) -> int: ...
    @property
    def segment_bytes(self) -> int: ...
    @property
    def cleanup_policy(self) -> Sequence[str]: ...
    @property
    def message_timestamp_type(self) -> str: ...
    @property
    def message_timestamp_before_max_ms(self) -> int: ...
    @property
    def message_timestamp_after_max_ms(self) -> int: ...
    @property
    def compression_type(self) -> str: ...
    @property
    def compression_gzip_level(self) -> int: ...
    @property
    def compression_lz4_level(self) -> int: ...
    @property
    def compression_zstd_level(self) -> int: ...


class BrokerRules(Protocol):
    @property
    def barnabas_batch_inflated_max_bytes(self) -> int: ...
    @property
    def barnabas_records_validation(self) -> str: ...


class InvalidRecords(ApiError):
    """Some records of a batch are not as the topic wants them; `indexes` count from 0.  Source: KIP-467."""

    def __init__(self, code: ErrorCode, message: str, indexes: list[int]) -> None:
        super().__init__(code, message)
        self.indexes = indexes


@dataclass(slots=True)
class Rules:
    """What one batch has to meet: the topic's options, the broker's, the request's version, and the time."""

    topic: TopicRules
    broker: BrokerRules
    version: int
    now_ms: int

    @property
    def log_append_time(self) -> bool:
        return self.topic.message_timestamp_type == "LogAppendTime"

    @property
    def headers_only(self) -> bool:
        return self.broker.barnabas_records_validation == "header"

    @property
    def need_keys(self) -> bool:
        return "compact" in self.topic.cleanup_policy

    @property
    def bounds(self) -> tuple[int, int]:
        """The earliest and latest timestamp in ms that a record may have."""
        if self.log_append_time:
            return -MAX_TIMESTAMP, MAX_TIMESTAMP
        earliest = self.now_ms - self.topic.message_timestamp_before_max_ms
        return earliest, self.now_ms + self.topic.message_timestamp_after_max_ms

    def walk(self, view: memoryview, header: BatchHeader) -> RecordCheck:
        """The walk over the records, not begun; it knows what to note."""
        earliest, latest = self.bounds
        return check_of(
            view,
            header,
            need_keys=self.need_keys,
            earliest=earliest,
            latest=latest,
            max_inflated_bytes=self.broker.barnabas_batch_inflated_max_bytes,
        )


@dataclass(slots=True)
class Batch:
    """A batch that may be appended; `append_time_ms` is -1 where the client's times stand."""

    view: memoryview
    header: BatchHeader
    append_time_ms: int


def is_long(records: memoryview | None) -> bool:
    """Whether the check takes steps for sure, by what the header says."""
    if records is None or len(records) < HEADER_BYTES:
        return False
    compressed = records[22] & 7
    (count,) = COUNT.unpack_from(records, COUNT_AT)
    return count > AT_ONCE_RECORDS or (bool(compressed) and len(records) > AT_ONCE_COMPRESSED_BYTES)


def check(records: memoryview | None, rules: Rules) -> Batch | None:
    """Everything at once; None if that would take long after all.

    Raises: ApiError: CORRUPT_MESSAGE, INVALID_RECORD, INVALID_TIMESTAMP, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE,
        UNSUPPORTED_COMPRESSION_TYPE; its child InvalidRecords where single records are to blame.
    """
    view, header = check_header(records, rules)
    if rules.headers_only:
        return stamped(view, header, rules, header.max_timestamp)
    walk = rules.walk(view, header)
    for done, _ in enumerate(walk.slices(), 1):
        if done == AT_ONCE_SLICES:
            return None
    return found_sound(view, header, rules, walk.walk)


async def check_in_steps(records: memoryview | None, rules: Rules, breathe: Callable[[], Awaitable[None]]) -> Batch:
    """As `check`, with a breath after each slice; `records` must outlive the waits."""
    view, header = check_header(records, rules)
    if rules.headers_only:
        return stamped(view, header, rules, header.max_timestamp)
    walk = rules.walk(view, header)
    for _ in walk.slices():
        await breathe()
    return found_sound(view, header, rules, walk.walk)


def check_header(records: memoryview | None, rules: Rules) -> tuple[memoryview, BatchHeader]:
    """What the 61 bytes and the CRC tell. Raises: ApiError."""
    if records is None or len(records) < HEADER_BYTES:
        raise ApiError(ErrorCode.INVALID_RECORD, "no whole batch")
    header = read_header(records)
    if header.size > len(records):
        raise ApiError(ErrorCode.INVALID_RECORD, "the batch is cut off")
    if header.size < len(records):
        raise ApiError(ErrorCode.INVALID_RECORD, "more than one batch for one partition")
    if header.codec == Codec.ZSTD and rules.version < ZSTD_SINCE:
        raise ApiError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, f"zstd before version {ZSTD_SINCE}")
    if header.base_offset != 0:
        raise ApiError(ErrorCode.INVALID_RECORD, "the base offset of a new batch is not 0")
    must_fit(header.size, rules)
    if not crc_is_right(records):
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, "wrong checksum")
    if header.count <= 0 or header.last_offset_delta != header.count - 1:
        raise ApiError(ErrorCode.INVALID_RECORD, "record count and last offset do not fit")
    if header.is_control:
        raise ApiError(ErrorCode.INVALID_RECORD, "clients write no control batches")
    if header.is_log_append_time:
        raise ApiError(ErrorCode.INVALID_TIMESTAMP, "log append time is the broker's to set")
    if header.is_transactional:
        raise ApiError(ErrorCode.INVALID_TXN_STATE, "this broker serves no transactions")
    if header.producer_id >= 0 and (header.base_sequence < 0 or header.producer_epoch < 0):
        raise ApiError(ErrorCode.INVALID_RECORD, "a producer id without sequence or epoch")
    return records, header


def must_fit(size: int, rules: Rules) -> None:
    """Raises: ApiError: MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE."""
    if size > rules.topic.max_message_bytes:
        raise ApiError(ErrorCode.MESSAGE_TOO_LARGE, f"{size} bytes, max.message.bytes allows less")
    if size > rules.topic.segment_bytes:
        raise ApiError(ErrorCode.RECORD_LIST_TOO_LARGE, f"{size} bytes, segment.bytes allows less")


def found_sound(view: memoryview, header: BatchHeader, rules: Rules, found: Walk) -> Batch:
    """What the topic has to say of records that are sound in themselves.  Raises: InvalidRecords."""
    refuse_noted(found)
    return stamped(view, header, rules, found.max_timestamp)


def stamped(view: memoryview, header: BatchHeader, rules: Rules, max_timestamp: int) -> Batch:
    """With the time of appending where the topic asks for it, and the largest timestamp put right, as Kafka does."""
    if rules.log_append_time:
        stamp_max_timestamp(view, rules.now_ms, log_append=True)
        return Batch(view, read_header(view), rules.now_ms)
    if header.max_timestamp != max_timestamp:
        stamp_max_timestamp(view, max_timestamp, log_append=False)
        header = read_header(view)
    return Batch(view, header, NO_TIMESTAMP)


def refuse_noted(state: Walk) -> None:
    """The sound records that the topic does not want. Raises: InvalidRecords."""
    if state.without_key:
        message = "a compacted topic takes no record without key"
        raise InvalidRecords(ErrorCode.INVALID_RECORD, message, state.without_key)
    if state.out_of_time:
        message = "a timestamp is further from now than the topic allows"
        raise InvalidRecords(ErrorCode.INVALID_TIMESTAMP, message, state.out_of_time)
