"""Batches as they lie in a file, one after the other, right or wrong; only their lengths must make sense.

What the broker refuses a dump has to show: a wrong CRC is told, not raised; records are opened only when asked for.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import HEADER_BYTES, MAGIC_AT, BatchHeader, crc_is_right
from kproto.records.compression import Codec, decompress
from kproto.records.record import Record, read_records_of
from tools.dump_log.old_messages import MessageSet
from tools.dump_log.problems import unreadable

NO_LIMIT = 2**31 - 1
NO_TIMESTAMP = -1
"""Of a batch without records, and where nothing was found."""
_LENGTH = Struct(">i")
_HEADER = Struct(">qiibIhiqqqhii")
_SMALLEST = 14
_DELETE_HORIZON = 0x40
_MAX_INFLATED_BYTES = NO_LIMIT
_MAX_SEQUENCE = 0x7FFFFFFF


@dataclass(slots=True)
class StoredRecord:
    """A record and what is printed of it: checksum and validity only in magic 0 and 1, the sequence only in magic 2."""

    record: Record
    key_bytes: int
    value_bytes: int
    sequence: int = -1
    checksum: int | None = None
    is_valid: bool = True


class StoredBatch:
    """A batch of magic 2; what claims a newer magic is read the same way."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.header = BatchHeader(*_HEADER.unpack_from(data.ljust(HEADER_BYTES, b"\0")))
        self.magic = self.header.magic
        self.size = len(data)
        self.last_offset = self.header.last_offset
        self.max_timestamp = self.header.max_timestamp
        self.checksum = self.header.crc

    @property
    def timestamp_type(self) -> str:
        return "LogAppendTime" if self.header.is_log_append_time else "CreateTime"

    @property
    def delete_horizon_ms(self) -> int | None:
        """When tombstones in it may go; it stands in the place of the first timestamp.  Source: KIP-534."""
        return self.header.base_timestamp if self.header.attributes & _DELETE_HORIZON else None

    @property
    def is_valid(self) -> bool:
        return self.size >= HEADER_BYTES and crc_is_right(self.data)

    @property
    def codec(self) -> Codec:
        """Raises: ApiError."""
        return self.header.codec

    def records(self) -> Iterator[StoredRecord]:
        """Raises: ApiError at the record that is not sound; of a compressed batch before the first one."""
        header = self.header
        if header.count == 0:
            return  # compaction left only the header
        section = decompress(header.codec, memoryview(self.data)[HEADER_BYTES:], _MAX_INFLATED_BYTES)
        records = read_records_of(section, header.count, header.base_offset, header.base_timestamp)
        for record in list(records) if header.codec else records:
            if header.is_log_append_time:
                record.timestamp_ms = header.max_timestamp
            sequence = (header.base_sequence + record.offset - header.base_offset) & _MAX_SEQUENCE
            yield StoredRecord(
                record, _size(record.key), _size(record.value), -1 if header.base_sequence < 0 else sequence
            )


def _size(data: bytes | None) -> int:
    return -1 if data is None else len(data)


class StoredMessages(MessageSet):
    """A message of magic 0 or 1, which may hold others."""

    def records(self) -> Iterator[StoredRecord]:
        """Raises: ApiError at the message that is not sound."""
        for message in self.messages():
            key, value = message.key, message.value
            record = Record(message.offset, message.timestamp_ms, key.data, value.data)
            yield StoredRecord(record, key.length, value.length, checksum=message.checksum, is_valid=message.is_valid)


Batch = StoredBatch | StoredMessages


class LogFile:
    """A `.log`, open for reading; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Raises: OperatorError: it cannot be opened."""
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as no:
            raise unreadable(f"{path} cannot be read.", str(no)) from None
        self.size = os.fstat(self._file.fileno()).st_size

    def __enter__(self) -> "LogFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def batches(self, position: int = 0, max_bytes: int = NO_LIMIT) -> Iterator[tuple[int, Batch]]:
        """Positions and batches from there on, up to the first that is cut off, or goes on behind `max_bytes`.

        Raises: OperatorError: a length that no batch can have.
        """
        end = min(self.size, position + max_bytes)
        while position < end - MAGIC_AT - 1:
            start = os.pread(self._file.fileno(), MAGIC_AT + 1, position)
            (length,) = _LENGTH.unpack_from(start, 8)
            if length < _SMALLEST:
                raise unreadable(
                    f"Found record size {length} smaller than minimum record overhead ({_SMALLEST})"
                    f" in file {self.path}."
                )
            if position + 12 + length > end:
                return
            data = os.pread(self._file.fileno(), 12 + length, position)
            yield position, StoredMessages(data) if start[MAGIC_AT] < 2 else StoredBatch(data)
            position += 12 + length


def opened(batch: Batch) -> Iterator[StoredRecord]:
    """The records of a batch. Raises: OperatorError where it cannot be read on."""
    try:
        yield from batch.records()
    except ApiError as no:
        raise unreadable(f"The batch with last offset {batch.last_offset} cannot be read.", reason(no)) from None


def reason(no: ApiError) -> str:
    return str(no) or ErrorCode(no.code).name
