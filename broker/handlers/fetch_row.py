"""One partition of a Fetch: what was asked, and what was found there."""

from broker.cluster.authorizer import Operation, Resource
from broker.handlers.fetch_versions import ZSTD_SINCE, must_be_readable
from broker.handlers.storage_errors import FETCH_SINCE, code_told
from broker.handlers.topic_rows import topic_of
from broker.partitions.down_conversion import old_messages
from broker.partitions.partition import Leadership, Partition
from broker.purgatory import WaitingRoom
from broker.requests.context import Context
from broker.storage.contract import BatchDamaged, Log, OffsetOutOfRange, Slice, StorageFailed
from broker.storage.slices import BytesSlice
from kproto.errors import ApiError, ErrorCode
from kproto.messages.fetch import (
    AbortedTransaction,
    EpochEndOffset,
    FetchPartition,
    FetchRequest,
    FetchTopic,
    PartitionData,
)

READ_UNCOMMITTED, READ_COMMITTED = 0, 1


def replica_id(request: FetchRequest) -> int:
    """Who fetches: a broker's id, or -1 for a consumer; since version 15 it stands in a tag."""
    state = request.replica_state
    return request.replica_id if state is None else max(request.replica_id, state.replica_id)


class Row:
    """Read as often as the fetch looks again; holds a slice of the log until it is answered or released."""

    __slots__ = (
        "_aborted",
        "_asked",
        "_bound",
        "_diverging",
        "_leadership",
        "_request",
        "error",
        "found",
        "partition",
        "topic",
    )

    def __init__(self, request: FetchRequest, topic: FetchTopic, asked: FetchPartition) -> None:
        self.topic = topic
        self._request = request
        self._asked = asked
        self._aborted: list[AbortedTransaction] = []
        self._bound = -1
        self._diverging: EpochEndOffset | None = None
        self._leadership: Leadership | None = None
        self.partition: Partition | None = None
        self.found: Slice | None = None
        self.error = ErrorCode.NONE

    @property
    def settled(self) -> bool:
        """Waiting would not help."""
        return self.error != ErrorCode.NONE or self._diverging is not None

    @property
    def moved(self) -> bool:
        """Whether more became readable since this row was read, or the partition's leadership is another."""
        partition = self.partition
        if partition is None:
            return False
        same_leader = partition.leadership is self._leadership and not partition.failed
        return not same_leader or self._end_of_view(partition) != self._bound

    @property
    def exhausted(self) -> bool:
        """All was read that there is: until something happens in `rooms`, reading again finds nothing."""
        return self.found is not None and not self.found and not self.settled and not self.moved

    @property
    def rooms(self) -> tuple[WaitingRoom, ...]:
        """Where all that would change the answer is announced."""
        if self.partition is None:
            return ()
        readable, log_start = self.partition.high_watermark_moved, self.partition.log.start_moved
        if replica_id(self._request) >= 0:
            return self.partition.end_moved, readable, log_start
        return readable, log_start

    async def read(self, max_bytes: int, ctx: Context) -> int:
        """Look, and take at most `max_bytes`, though a first batch comes whole; 0 only looks. The bytes found."""
        self._diverging, self.error = None, ErrorCode.NONE
        try:
            partition = self.partition = self._find(ctx)
            self._leadership = partition.leadership
            partition.counts.fetch_requests += 1
            self._bound = self._end_of_view(partition)
            self._diverging = self._divergence(partition)
            if self._diverging is None:
                if max_bytes > 0:
                    size = min(max_bytes, self._asked.partition_max_bytes)
                    self.found = await partition.log.read(self._asked.fetch_offset, size, self._bound, ctx.breathe)
                    await self._find_aborted(partition.log)
                    return len(self.found)
                if not partition.log.start_offset <= self._asked.fetch_offset <= partition.log.end_offset:
                    self.error = ErrorCode.OFFSET_OUT_OF_RANGE
        except ApiError as no:
            self.error = code_told(no.code, ctx.version, FETCH_SINCE)
        except OffsetOutOfRange:
            self.error = ErrorCode.OFFSET_OUT_OF_RANGE
        except BatchDamaged:
            self.error = ErrorCode.CORRUPT_MESSAGE
        except StorageFailed:
            self.release()
            self.error = code_told(ErrorCode.KAFKA_STORAGE_ERROR, ctx.version, FETCH_SINCE)
        return 0

    async def _find_aborted(self, log: Log) -> None:
        """Which of the batches found a reader of committed records has to leave out."""
        self._aborted = []
        if self.found and self._request.isolation_level == READ_COMMITTED and replica_id(self._request) < 0:
            ended = await log.aborted_transactions(self._asked.fetch_offset, len(self.found), self._bound)
            self._aborted = [AbortedTransaction(each.producer_id, each.first_offset) for each in ended]

    def _find(self, ctx: Context) -> Partition:
        """Raises: ApiError: unknown, denied, led elsewhere, fenced; or a replica that is none."""
        replica = replica_id(self._request)
        if replica >= 0 and not ctx.allowed(Operation.CLUSTER_ACTION, Resource.cluster()):
            raise ApiError(ErrorCode.TOPIC_AUTHORIZATION_FAILED)  # as Kafka: this answer knows no other denial
        topic = topic_of(ctx, None if replica >= 0 else Operation.READ, self.topic.topic, self.topic.topic_id)
        partition = ctx.rooms.partitions.leading(topic, self._asked.partition)
        partition.must_be_in_epoch(self._asked.current_leader_epoch)
        if replica >= 0 and (replica == ctx.rooms.broker_id or replica not in partition.leadership.replicas):
            raise ApiError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        if ctx.version < ZSTD_SINCE and replica < 0:
            must_be_readable(partition.settings, ctx.version)
        return partition

    async def convert(self, magic: int, ctx: Context) -> None:
        """Put old messages in the place of what was found, no more bytes than that but for a first batch."""
        if self.found is None or self.partition is None:
            return
        limit = len(self.found)
        self.release()
        try:
            messages = await old_messages(
                self.partition.log, self._asked.fetch_offset, self._bound, limit, magic, ctx.breathe
            )
            self.found = BytesSlice(messages)
        except ApiError as no:
            self.error = code_told(no.code, ctx.version, FETCH_SINCE)

    def _end_of_view(self, partition: Partition) -> int:
        """Where this reader's view of the log ends."""
        if replica_id(self._request) >= 0:
            return partition.log.end_offset
        if self._request.isolation_level == READ_COMMITTED:
            return partition.last_stable_offset
        return partition.high_watermark

    def _divergence(self, partition: Partition) -> EpochEndOffset | None:
        """Where the reader's log parted from ours, if it did.

        Raises: ApiError: OFFSET_OUT_OF_RANGE: nothing is left of its epoch nor of those before.  Source: KIP-595.
        """
        last = self._asked.last_fetched_epoch
        if last < 0:
            return None
        epoch, end_offset = partition.end_of_epoch(last)
        if epoch < 0:
            raise ApiError(ErrorCode.OFFSET_OUT_OF_RANGE)
        if epoch == last and end_offset >= self._asked.fetch_offset:
            return None
        return EpochEndOffset(epoch=epoch, end_offset=end_offset)

    def release(self) -> None:
        if self.found is not None:
            self.found.release()
            self.found = None

    def answer(self) -> PartitionData:
        data = PartitionData(partition_index=self._asked.partition, error_code=self.error, high_watermark=-1)
        data.records = b"" if self.found is None else self.found
        if self._request.isolation_level == READ_UNCOMMITTED:
            data.aborted_transactions = None
        else:
            data.aborted_transactions = self._aborted
        if self.partition is not None and self.error == ErrorCode.NONE:
            data.high_watermark = self.partition.high_watermark
            data.last_stable_offset = self.partition.last_stable_offset
            data.log_start_offset = self.partition.log.start_offset
            data.diverging_epoch = self._diverging
            self.partition.counts.bytes_out += len(data.records)
        return data
