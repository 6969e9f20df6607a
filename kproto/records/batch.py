"""Record batches of format v2: 61 bytes of header, then records, compressed or not.

Where everything lies (big endian): base offset int64 at 0, length of the rest int32 at 8, leader epoch int32 at 12,
magic int8 at 16, CRC-32C uint32 at 17 over everything from 21 on, attributes int16 at 21, last offset delta int32 at
23, base timestamp int64 at 27, max timestamp int64 at 35, producer id int64 at 43, producer epoch int16 at 51, base
sequence int32 at 53, record count int32 at 57.  Source: KIP-98.

The older formats, magic 0 and 1, have their magic byte at the same place, so they are recognised here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct

from kproto.errors import ApiError, ErrorCode
from kproto.records.checksum import crc32c
from kproto.records.compression import Codec, compress, decompress
from kproto.records.limits import MAX_INFLATED_BYTES
from kproto.records.record import Record, read_records_of, write_record

HEADER_BYTES = 61
MAGIC_AT = 16
CRC_FROM = 21

_HEADER = Struct(">qiibIhiqqqhii")
_LENGTH = Struct(">i")
_OFFSET = Struct(">q")
_CRC = Struct(">I")
_ATTRIBUTES = Struct(">h")
_SMALLEST_OLD = 14  # what follows the length in an empty message of magic 0
_CODECS = tuple(Codec)
_CODEC, _LOG_APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20

Bytes = bytes | bytearray | memoryview


@dataclass(slots=True)
class BatchHeader:
    """The 61 bytes, in their order; times in ms."""

    base_offset: int
    batch_length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    count: int

    @property
    def size(self) -> int:
        """Bytes of the whole batch."""
        return self.batch_length + 12

    @property
    def last_offset(self) -> int:
        return self.base_offset + self.last_offset_delta

    @property
    def next_offset(self) -> int:
        return self.base_offset + self.last_offset_delta + 1

    @property
    def codec(self) -> Codec:
        """Raises: ApiError UNSUPPORTED_COMPRESSION_TYPE for the ids 5, 6 and 7."""
        codec = self.attributes & _CODEC
        if codec >= len(_CODECS):
            raise ApiError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, f"unknown compression type {codec}")
        return _CODECS[codec]

    @property
    def is_log_append_time(self) -> bool:
        return bool(self.attributes & _LOG_APPEND_TIME)

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & _TRANSACTIONAL)

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & _CONTROL)

    @property
    def last_sequence(self) -> int:
        """-1 without a producer; after 2^31-1 comes 0."""
        if self.base_sequence < 0:
            return -1
        return (self.base_sequence + self.last_offset_delta) & 0x7FFFFFFF


def read_header(view: Bytes, position: int = 0) -> BatchHeader:
    """The header of the batch at `position`; the batch itself may end beyond the bytes at hand.

    Raises: ApiError CORRUPT_MESSAGE: too short, an impossible length or magic; INVALID_RECORD: magic 0 or 1.
    """
    if len(view) - position < HEADER_BYTES:
        raise _no_header(view, position)
    header = BatchHeader(*_HEADER.unpack_from(view, position))
    if header.magic != 2 or header.batch_length < HEADER_BYTES - 12:
        raise _no_header(view, position)
    return header


def _no_header(view: Bytes, position: int) -> ApiError:
    """What is wrong with the bytes where one should be."""
    if len(view) - position > MAGIC_AT:
        (length,) = _LENGTH.unpack_from(view, position + 8)
        magic = view[position + MAGIC_AT]
        if length < _SMALLEST_OLD or (magic == 2 and length < HEADER_BYTES - 12):
            return ApiError(ErrorCode.CORRUPT_MESSAGE, f"a batch has the length {length}")
        if not 0 <= magic <= 2:
            return ApiError(ErrorCode.CORRUPT_MESSAGE, f"a batch has the magic {magic}")
        if magic < 2:
            return ApiError(ErrorCode.INVALID_RECORD, f"a batch has the old magic {magic}")
    return ApiError(ErrorCode.CORRUPT_MESSAGE, "a batch is shorter than its header")


def says_transactional(batch: Bytes) -> bool:
    """By one look at a header that nobody has read yet."""
    return len(batch) >= HEADER_BYTES and batch[MAGIC_AT] == 2 and bool(batch[CRC_FROM + 1] & _TRANSACTIONAL)


def split(batches: memoryview) -> Iterator[tuple[BatchHeader, memoryview]]:
    """Each whole batch with its header; what is cut off at the end is left out, as fetched data may be.

    Raises: ApiError, as `read_header`.
    """
    position, size = 0, len(batches)
    while size - position >= HEADER_BYTES:
        header = read_header(batches, position)
        end = position + header.size
        if end > size:
            return
        yield header, batches[position:end]
        position = end


def stamp(batch: memoryview | bytearray, base_offset: int, leader_epoch: int) -> None:
    """Write what the leader decides, in place; the CRC covers neither."""
    _OFFSET.pack_into(batch, 0, base_offset)
    _LENGTH.pack_into(batch, 12, leader_epoch)


def stamp_max_timestamp(batch: memoryview | bytearray, max_timestamp: int, *, log_append: bool) -> None:
    """Write the largest timestamp and the timestamp type, in place, and the new CRC.

    With `log_append` every record of the batch has this timestamp.  Source: KIP-32.
    """
    (attributes,) = _ATTRIBUTES.unpack_from(batch, CRC_FROM)
    attributes = attributes | _LOG_APPEND_TIME if log_append else attributes & ~_LOG_APPEND_TIME
    _ATTRIBUTES.pack_into(batch, CRC_FROM, attributes)
    _OFFSET.pack_into(batch, 35, max_timestamp)
    _CRC.pack_into(batch, 17, crc32c(memoryview(batch)[CRC_FROM:]))


def crc_is_right(batch: Bytes) -> bool:
    """Whether the checksum of one whole batch is that of its bytes."""
    (crc,) = _CRC.unpack_from(batch, 17)
    return bool(crc == crc32c(memoryview(batch)[CRC_FROM:]))


def build_batch(
    records: Sequence[Record],
    *,
    codec: Codec = Codec.NONE,
    base_offset: int = 0,
    leader_epoch: int = -1,
    producer_id: int = -1,
    producer_epoch: int = -1,
    base_sequence: int = -1,
    transactional: bool = False,
    control: bool = False,
    log_append_ms: int | None = None,
) -> bytes:
    """A batch of at least one record; their offsets count up from `base_offset`.

    With `log_append_ms` all records have this timestamp, and the ones they came with are kept only as deltas.
    """
    base_timestamp = records[0].timestamp_ms
    section = bytearray()
    for index, record in enumerate(records):
        write_record(section, record, record.timestamp_ms - base_timestamp, index)
    max_timestamp = max(record.timestamp_ms for record in records) if log_append_ms is None else log_append_ms
    attributes = (
        codec
        | (_LOG_APPEND_TIME if log_append_ms is not None else 0)
        | (_TRANSACTIONAL if transactional else 0)
        | (_CONTROL if control else 0)
    )
    times = (base_timestamp, max_timestamp)
    producer = (producer_id, producer_epoch, base_sequence)
    last, count = len(records) - 1, len(records)
    header = BatchHeader(base_offset, 0, leader_epoch, 2, 0, attributes, last, *times, *producer, count)
    return bytes(assemble(header, compress(codec, bytes(section))))


def assemble(header: BatchHeader, section: Bytes) -> bytearray:
    """A batch of these fields around a record section that is compressed as they say; length and CRC are put right."""
    header.batch_length = HEADER_BYTES - 12 + len(section)
    batch = bytearray(_HEADER.pack(*(getattr(header, name) for name in BatchHeader.__slots__)))
    batch += section
    header.crc = crc32c(memoryview(batch)[CRC_FROM:])
    _CRC.pack_into(batch, 17, header.crc)
    return batch


def read_records(batch: Bytes, *, max_inflated_bytes: int = MAX_INFLATED_BYTES) -> Iterator[Record]:
    """The records of one whole batch, inflated at the first step; a control batch's too.

    Raises: ApiError, as `read_header` and `decompress`, and INVALID_RECORD where records and count do not add up.
    """
    header = read_header(batch)
    section = decompress(header.codec, memoryview(batch)[HEADER_BYTES : header.size], max_inflated_bytes)
    for record in read_records_of(section, header.count, header.base_offset, header.base_timestamp):
        if header.is_log_append_time:
            record.timestamp_ms = header.max_timestamp
        yield record
