"""A set of old messages becomes one batch of format v2, in steps; what its records are, a `Walk` takes in.

    conversion = UpConversion(message_set, Walk(0, 0, need_keys=True))
    for _ in conversion.slices():
        await ctx.breathe()
    conversion.batch, conversion.found.max_timestamp, ...

As Kafka's LogValidator: plain messages together make one batch; a compressed one has to be alone. The offsets that a
producer wrote are not kept, as a broker gives new ones; times are, and magic 0 has none.  Source: LogValidator.java.
"""

from collections.abc import Iterator

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import BatchHeader, assemble
from kproto.records.compression import Codec, deflate
from kproto.records.legacy import Message, Messages, inner_messages, messages
from kproto.records.limits import MAX_INFLATED_BYTES
from kproto.records.record import Record, write_record
from kproto.records.walk import Walk

SLICE_RECORDS, SLICE_BYTES = 60, 32 * 1024
"""About half a millisecond of plain Python."""


class UpConversion:
    """One conversion, as far as it has come. `batch` is there when `slices` has ended."""

    def __init__(
        self,
        message_set: bytes,
        found: Walk,
        *,
        codec: Codec | None = None,
        level: int | None = None,
        max_inflated_bytes: int = MAX_INFLATED_BYTES,
    ) -> None:
        """`codec`: of the batch, None for that of the messages; `level`: as `deflate` takes it."""
        self.batch = bytearray()
        self.found = found
        self._message_set = message_set
        self._codec = codec
        self._level = level
        self._max_inflated_bytes = max_inflated_bytes
        self._base_timestamp: int | None = None

    def slices(self) -> Iterator[None]:
        """Raises: ApiError: what `legacy.inner_messages` raises; INVALID_RECORD: mixed magics, a compressed message
        that is not alone, no message at all; INVALID_TIMESTAMP: the client claims the time of the broker."""
        outer = messages((self._message_set,))
        first = next(filter(None, outer), None)
        if first is None:
            raise ApiError(ErrorCode.INVALID_RECORD, "no message")
        codec = first.codec if self._codec is None else self._codec
        section = bytearray()
        for piece in deflate(codec, self._written(self._flat(first, outer)), self._level):
            section += piece
            yield
        self.batch = assemble(self._header(codec), section)

    def _flat(self, first: Message, following: Messages) -> Messages:
        """The messages that are records."""
        refuse_broker_time(first)
        if first.codec:
            yield from inner_messages(first, self._max_inflated_bytes)
            if next(filter(None, following), None) is not None:
                raise ApiError(ErrorCode.INVALID_RECORD, "a compressed message is not alone")
            return
        yield first
        for message in following:
            if message is not None:
                refuse_broker_time(message)
                if message.magic != first.magic or message.codec:
                    raise ApiError(ErrorCode.INVALID_RECORD, "messages of several kinds together")
            yield message

    def _written(self, flat: Messages) -> Iterator[bytes]:
        """Records of format v2, a slice's worth at a time."""
        out = bytearray()
        for message in flat:
            if message is not None:
                self._write(out, message)
            if message is None or self.found.index % SLICE_RECORDS == 0 or len(out) > SLICE_BYTES:
                yield bytes(out)
                out.clear()
        yield bytes(out)

    def _write(self, out: bytearray, message: Message) -> None:
        if self._base_timestamp is None:
            self._base_timestamp = message.timestamp_ms
        record = Record(0, message.timestamp_ms, message.key, message.value)
        write_record(out, record, message.timestamp_ms - self._base_timestamp, self.found.index)
        self.found.take(message.timestamp_ms, message.key is not None)

    def _header(self, codec: Codec) -> BatchHeader:
        found = self.found
        times = (self._base_timestamp or 0, found.max_timestamp)
        return BatchHeader(0, 0, -1, 2, 0, codec, found.index - 1, *times, -1, -1, -1, found.index)


def refuse_broker_time(message: Message) -> None:
    if message.is_log_append_time:
        raise ApiError(ErrorCode.INVALID_TIMESTAMP, "log append time is the broker's to set")
