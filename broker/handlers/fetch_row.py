"""One partition of a Fetch: what was asked, and what was found there."""

from broker.handlers.fetch_asker import Asker
from broker.handlers.storage_errors import FETCH_SINCE, code_told
from broker.partitions.down_conversion import old_messages
from broker.partitions.partition import Leadership, Partition
from broker.purgatory import WaitingRoom
from broker.storage.contract import BatchDamaged, OffsetOutOfRange, StorageFailed
from broker.storage.slices import BytesSlice, Slice
from kproto.errors import ApiError, ErrorCode
from kproto.messages.fetch import AbortedTransaction, EpochEndOffset, FetchPartition, FetchTopic, PartitionData

NO_ERROR = ErrorCode.NONE


class Row:
    """Looked at as often as the fetch looks again; holds a slice of the log until it is answered or released."""

    __slots__ = (
        "_aborted",
        "_asked",
        "_asker",
        "_at_end",
        "_bound",
        "_diverging",
        "_leadership",
        "error",
        "found",
        "partition",
        "topic",
    )

    def __init__(self, asker: Asker, topic: FetchTopic, asked: FetchPartition) -> None:
        self.topic = topic
        self._asker = asker
        self._asked = asked
        self._aborted: list[AbortedTransaction] | None = None
        self._bound = -1
        self._at_end = False
        self._diverging: EpochEndOffset | None = None
        self._leadership: Leadership | None = None
        self.partition: Partition | None = None
        self.found: Slice | None = None
        self.error = NO_ERROR

    @property
    def settled(self) -> bool:
        """Waiting would not help."""
        return self.error is not NO_ERROR or self._diverging is not None

    @property
    def moved(self) -> bool:
        """Whether more became readable since this row was looked at, or the partition's leadership is another."""
        partition = self.partition
        if partition is None:
            return False
        same_leader = partition.leadership is self._leadership and not partition.failed
        return not same_leader or self._asker.end_of(partition) != self._bound

    @property
    def exhausted(self) -> bool:
        """All was read that there is: until something happens in `rooms`, reading again finds nothing."""
        return self._at_end and not self.settled and not self.moved

    @property
    def rooms(self) -> tuple[WaitingRoom, ...]:
        return () if self.partition is None else self._asker.rooms_of(self.partition)

    def look(self) -> bool:
        """Find the partition; True if there is something to read."""
        asked = self._asked
        self.error, self._diverging = NO_ERROR, None
        try:
            partition = self.partition = self._asker.find(self.topic, asked)
            self._leadership = partition.leadership
            partition.counts.fetch_requests += 1
            self._bound = self._asker.end_of(partition)
            if asked.last_fetched_epoch >= 0:
                self._diverging = self._divergence(partition)
        except ApiError as no:
            self._refuse(no.code)
            return False
        if self._diverging is not None:
            return False
        log, offset = partition.log, asked.fetch_offset
        if not log.start_offset <= offset <= log.end_offset:
            self._refuse(ErrorCode.OFFSET_OUT_OF_RANGE)
            return False
        self._at_end = offset >= self._bound
        return not self._at_end

    async def read(self, max_bytes: int) -> int:
        """Take at most `max_bytes`, though a first batch comes whole. The bytes found."""
        assert self.partition is not None
        log, asked, ctx = self.partition.log, self._asked, self._asker.ctx
        try:
            size = min(max_bytes, asked.partition_max_bytes)
            self.found = found = await log.read(asked.fetch_offset, size, self._bound, ctx.breathe)
            self._at_end = not found
            if found and self._asker.committed and not self._asker.is_replica:
                ended = await log.aborted_transactions(asked.fetch_offset, len(found), self._bound)
                self._aborted = [AbortedTransaction(each.producer_id, each.first_offset) for each in ended]
            return len(found)
        except OffsetOutOfRange:
            self._refuse(ErrorCode.OFFSET_OUT_OF_RANGE)
        except StorageFailed as failure:
            self.partition.counts.failed_fetch_requests += 1
            damaged = isinstance(failure, BatchDamaged)
            self._refuse(ErrorCode.CORRUPT_MESSAGE if damaged else ErrorCode.KAFKA_STORAGE_ERROR)
        return 0

    async def convert(self, magic: int) -> None:
        """Put old messages in the place of what was found, no more bytes than that but for a first batch."""
        if self.found is None or self.partition is None:
            return
        limit = len(self.found)
        self.release()
        try:
            messages = await old_messages(
                self.partition.log, self._asked.fetch_offset, self._bound, limit, magic, self._asker.ctx.breathe
            )
            self.found = BytesSlice(messages)
        except ApiError as no:
            self._refuse(no.code)

    def _divergence(self, partition: Partition) -> EpochEndOffset | None:
        """Where the reader's log parted from ours, if it did.

        Raises: ApiError: OFFSET_OUT_OF_RANGE: nothing is left of its epoch nor of those before.  Source: KIP-595.
        """
        last = self._asked.last_fetched_epoch
        epoch, end_offset = partition.end_of_epoch(last)
        if epoch < 0:
            raise ApiError(ErrorCode.OFFSET_OUT_OF_RANGE)
        if epoch == last and end_offset >= self._asked.fetch_offset:
            return None
        return EpochEndOffset(epoch=epoch, end_offset=end_offset)

    def _refuse(self, code: ErrorCode) -> None:
        self.release()
        self.error = code_told(code, self._asker.ctx.version, FETCH_SINCE)

    def release(self) -> None:
        if self.found is not None:
            self.found.release()
            self.found = None

    def answer(self) -> PartitionData:
        partition = self.partition
        if partition is None or self.error is not NO_ERROR:
            return refusal(self._asked, self.error, committed=self._asker.committed)
        data = PartitionData(
            self._asked.partition,
            NO_ERROR,
            partition.high_watermark,
            partition.last_stable_offset,
            partition.log.start_offset,
            self._diverging,
        )
        if not self._asker.committed:
            data.aborted_transactions = None
        elif self._aborted:
            data.aborted_transactions = self._aborted
        if self.found is None:
            data.records = b""
        else:
            data.records = self.found
            partition.counts.bytes_out += len(self.found)
        return data


def refusal(asked: FetchPartition, code: ErrorCode, *, committed: bool) -> PartitionData:
    """`committed`: the reader wants a list of aborted transactions, be it empty."""
    return PartitionData(
        partition_index=asked.partition,
        error_code=code,
        high_watermark=-1,
        aborted_transactions=[] if committed else None,
        records=b"",
    )
