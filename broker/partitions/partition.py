"""One partition as this broker sees it: its log, its leadership, its high watermark.

All that must not be interleaved (do we lead, is it the producer's next, stamp, append) is one plain `def`.
"""

from collections.abc import Callable
from typing import Protocol

from broker.clock import Clock
from broker.metrics import TopicCounts
from broker.purgatory import WaitingRoom
from broker.storage.contract import Log, StorageFailed
from broker.storage.log_settings import LogSettings
from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import BatchHeader
from kproto.values import frozen

NO_LEADER = -1


class PartitionSettings(LogSettings, Protocol):
    """The topic options of a partition and its log; names as in Kafka, dots as underscores."""

    @property
    def max_message_bytes(self) -> int: ...
    @property
    def min_insync_replicas(self) -> int: ...
    @property
    def message_timestamp_type(self) -> str: ...
    @property
    def message_timestamp_before_max_ms(self) -> int: ...
    @property
    def message_timestamp_after_max_ms(self) -> int: ...
    @property
    def message_downconversion_enable(self) -> bool: ...
    @property
    def compression_type(self) -> str: ...
    @property
    def compression_gzip_level(self) -> int: ...
    @property
    def compression_lz4_level(self) -> int: ...
    @property
    def compression_zstd_level(self) -> int: ...


@frozen
class Leadership:
    """What the controller last said of this partition.  Source: LeaderAndIsrRequest."""

    leader: int
    epoch: int
    isr: list[int]
    replicas: list[int]
    partition_epoch: int
    controller_epoch: int


@frozen
class Appended:
    """Where a batch lies and ends; the append time in ms is -1 where the client's times stand."""

    base_offset: int
    append_time_ms: int
    end_offset: int


class Partition:
    """One replica, of the one broker `broker_id`."""

    __slots__ = (
        "_broker_id",
        "_clock",
        "_want_flush",
        "counts",
        "end_moved",
        "failed",
        "high_watermark_moved",
        "index",
        "leadership",
        "log",
        "settings",
        "topic",
    )

    def __init__(
        self,
        topic: str,
        index: int,
        log: Log,
        settings: PartitionSettings,
        *,
        broker_id: int,
        clock: Clock,
        counts: TopicCounts,
        want_flush: "Callable[[Partition], None]",
    ) -> None:
        self.topic = topic
        self.index = index
        self.log = log
        self.settings = settings
        self.counts = counts
        """Shared with the topic's other partitions."""
        self.leadership = Leadership(NO_LEADER, -1, [], [], -1, -1)
        log.high_watermark = min(max(log.high_watermark, log.start_offset), log.end_offset)
        self.end_moved = WaitingRoom()
        self.high_watermark_moved = WaitingRoom()
        self.failed = False
        self._broker_id = broker_id
        self._clock = clock
        self._want_flush = want_flush

    @property
    def leads(self) -> bool:
        return self.leadership.leader == self._broker_id

    @property
    def leads_on(self) -> bool:
        """Whether waiting here makes sense."""
        return self.leads and not self.failed

    @property
    def high_watermark(self) -> int:
        """Below it records are safe, and shown to consumers; the log keeps it."""
        return self.log.high_watermark

    @property
    def last_stable_offset(self) -> int:
        """Below it every transaction is decided; equal to the high watermark while none is open."""
        return self.log.last_stable_offset(self.high_watermark)

    def must_lead(self) -> None:
        """Raises: ApiError: KAFKA_STORAGE_ERROR or NOT_LEADER_OR_FOLLOWER."""
        if self.failed:
            raise ApiError(ErrorCode.KAFKA_STORAGE_ERROR)
        if self.leadership.leader != self._broker_id:
            raise ApiError(ErrorCode.NOT_LEADER_OR_FOLLOWER)

    def must_take_appends(self, acks: int) -> None:
        """Raises: ApiError, as `must_lead`; NOT_ENOUGH_REPLICAS: too few in sync for acks=-1."""
        self.must_lead()
        if acks == -1 and len(self.leadership.isr) < self.settings.min_insync_replicas:
            raise ApiError(ErrorCode.NOT_ENOUGH_REPLICAS)

    def must_be_in_epoch(self, leader_epoch: int) -> None:
        """Fence a client whose metadata is older or newer than ours; -1 does not care.  Source: KIP-320."""
        if leader_epoch == -1 or leader_epoch == self.leadership.epoch:
            return
        if leader_epoch < self.leadership.epoch:
            raise ApiError(ErrorCode.FENCED_LEADER_EPOCH)
        raise ApiError(ErrorCode.UNKNOWN_LEADER_EPOCH)

    def end_of_epoch(self, epoch: int) -> tuple[int, int]:
        """As its leader: the largest epoch not above `epoch`, and where it ended; (-1, -1) if that is not known.

        Our own epoch ends where the log does, also before its first batch.  Source: KIP-279.
        """
        if epoch == self.leadership.epoch:
            return epoch, self.log.end_offset
        return self.log.end_of_epoch(epoch)

    def append(self, batch: memoryview, header: BatchHeader, acks: int, append_time_ms: int = -1) -> Appended:
        """Append one validated batch as its leader; a repeat of a producer's last five answers with where it lies.

        Args:
            batch: the client's own bytes, writable; they are stamped in place. Or a transaction's marker.
            acks: -1 asks for enough replicas in sync first.
            append_time_ms: the time that validation stamped, -1 where the client's times stand.
        Raises: ApiError: NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS, OUT_OF_ORDER_SEQUENCE_NUMBER,
            INVALID_PRODUCER_EPOCH, KAFKA_STORAGE_ERROR.
        """
        counts = self.counts
        counts.produce_requests += 1
        self.must_take_appends(acks)
        if header.producer_id >= 0 and not header.is_control:
            repeat = self.log.producers.check(header)
            if repeat is not None:
                base_offset, repeat_ms = repeat
                return Appended(base_offset, repeat_ms, base_offset + header.count)
        try:
            base_offset = self.log.append(batch, self.leadership.epoch, self._clock.now_ms())
        except StorageFailed as failure:
            counts.failed_produce_requests += 1
            raise ApiError(ErrorCode.KAFKA_STORAGE_ERROR, str(failure)) from failure
        counts.messages_in += header.count
        counts.bytes_in += len(batch)
        self.end_moved.grow(len(batch))
        self.advance_high_watermark(0 if header.is_control else len(batch))  # a marker may show much at once
        return Appended(base_offset, append_time_ms, self.log.end_offset)

    def advance_high_watermark(self, grown_bytes: int = 0) -> None:
        """Take in what is safe by now: all that was appended, or flushed where `flush.messages` asks for it.

        `grown_bytes` as far as the caller knows by how much that is more; 0: those who count bytes look for themselves.
        """
        if not self.leads:
            return
        log, flush_messages = self.log, self.settings.flush_messages
        end_offset, flushed_offset = log.end_offset, log.flushed_offset
        if end_offset - flushed_offset >= flush_messages:
            self._want_flush(self)
        safe = flushed_offset if flush_messages == 1 else end_offset
        if safe > log.high_watermark:
            log.high_watermark = safe
            if grown_bytes:
                self.high_watermark_moved.grow(grown_bytes)
            else:
                self.high_watermark_moved.wake_all()

    def delete_below(self, offset: int) -> int:
        """Move the log start up to `offset`, -1: to the high watermark. Gives the start, which never goes back.

        Raises: ApiError: POLICY_VIOLATION: the topic is only compacted; OFFSET_OUT_OF_RANGE: above the high watermark,
            or negative; KAFKA_STORAGE_ERROR.
        Source: KIP-107.
        """
        if "delete" not in self.settings.cleanup_policy:
            raise ApiError(ErrorCode.POLICY_VIOLATION)
        offset = self.high_watermark if offset == -1 else offset
        if not 0 <= offset <= self.high_watermark:
            raise ApiError(ErrorCode.OFFSET_OUT_OF_RANGE)
        try:
            self.log.advance_start(offset)
        except StorageFailed as failure:
            raise ApiError(ErrorCode.KAFKA_STORAGE_ERROR, str(failure)) from failure
        return self.log.start_offset

    def is_safe(self, end_offset: int, acks: int) -> bool:
        """Whether what ends at `end_offset` may be acknowledged."""
        return self.high_watermark >= end_offset or (acks != -1 and self.settings.flush_messages != 1)

    def must_be_safe(self, end_offset: int, acks: int) -> None:
        """After a wait. Raises: ApiError, as `must_lead`; REQUEST_TIMED_OUT: we lead, but the time was up."""
        if not self.is_safe(end_offset, acks):
            self.must_lead()
            raise ApiError(ErrorCode.REQUEST_TIMED_OUT)

    def lead(self, leadership: Leadership) -> None:
        """Take what the controller said; in a new epoch, or at a follower, those who wait are told to look again."""
        same_epoch = leadership.epoch == self.leadership.epoch
        self.leadership = leadership
        self.advance_high_watermark()
        if not (self.leads and same_epoch):
            self.wake_everybody()

    def fail(self) -> None:
        """The disk let this replica down: offline here until the broker starts again."""
        self.failed = True
        self.wake_everybody()

    def wake_everybody(self) -> None:
        self.end_moved.wake_all()
        self.high_watermark_moved.wake_all()
