"""One partition's batch on its way through Produce: found, checked, appended, safe; or refused on the way."""

from broker.cluster.authorizer import Operation
from broker.cluster.topic_rules import INTERNAL_TOPICS
from broker.handlers.storage_errors import PRODUCE_SINCE, code_told
from broker.handlers.topic_rows import topic_of
from broker.partitions.partition import Appended, Partition
from broker.partitions.rewriting import check_or_rewrite, takes_steps
from broker.partitions.validation import Batch, InvalidRecords, Rules, check
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.produce import (
    BatchIndexAndErrorMessage,
    PartitionProduceData,
    PartitionProduceResponse,
    TopicProduceData,
)
from kproto.records.batch import says_transactional


class Row:
    """What the batch has become so far. Each step raises ApiError when it refuses; the caller keeps it in `refusal`."""

    __slots__ = ("_batch", "_data", "_topic", "_version", "partition", "refusal", "stored")

    def __init__(self, topic: TopicProduceData, data: PartitionProduceData) -> None:
        self._topic = topic
        self._data = data
        self._batch: Batch | None = None
        self._version = PRODUCE_SINCE  # nothing failed yet
        self.partition: Partition
        self.stored: Appended | None = None
        self.refusal: ApiError | None = None

    def refuse(self, no: ApiError) -> None:
        """Keep the refusal, but not the frames it came through: they hold views of the read buffer."""
        no.__traceback__ = no.__context__ = no.__cause__ = None
        self.refusal = no

    @property
    def place(self) -> tuple[object, ...]:
        """What the client calls this partition."""
        return self._topic.name, self._topic.topic_id, self._data.index

    @property
    def is_transactional(self) -> bool:
        return self._data.records is not None and says_transactional(self._data.records)

    @property
    def takes_steps(self) -> bool:
        """Not checked at once: it is long, or is not stored as it came."""
        return self.refusal is None and self._batch is None

    def find(self, ctx: Context) -> None:
        self._version = ctx.version
        topic = topic_of(ctx, Operation.WRITE, self._topic.name, self._topic.topic_id)
        if topic.name in INTERNAL_TOPICS:
            raise ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION)
        self.partition = ctx.rooms.partitions.leading(topic, self._data.index)

    def _rules(self, ctx: Context) -> Rules:
        return Rules(self.partition.settings, ctx.rooms.settings, ctx.version, ctx.rooms.clock.now_ms())

    def check(self, ctx: Context) -> None:
        if not takes_steps(self._data.records, self.partition.settings):
            self._batch = check(self._data.records, self._rules(ctx))

    def keep_copy(self) -> None:
        """Own the records, before a wait sends the read buffer home."""
        if self._data.records is None:
            return
        self._data.records = memoryview(bytearray(self._data.records))
        if self._batch is not None:
            self._batch.view = self._data.records

    async def check_in_steps(self, ctx: Context) -> None:
        self._batch = await check_or_rewrite(self._data.records, self._rules(ctx), ctx.breathe)

    def append(self, acks: int) -> None:
        batch = self._batch
        assert batch is not None
        self.stored = self.partition.append(batch.view, batch.header, acks, batch.append_time_ms)

    @property
    def end_offset(self) -> int:
        """Behind what is stored of it; 0 if nothing is."""
        return 0 if self.stored is None else self.stored.end_offset

    def is_safe(self, acks: int) -> bool:
        """Nothing has to be waited for: it may be acknowledged, or was refused."""
        return self.stored is None or self.partition.is_safe(self.stored.end_offset, acks)

    def confirm(self, acks: int) -> None:
        self.partition.must_be_safe(self.end_offset, acks)

    def answer(self) -> PartitionProduceResponse:
        answer = PartitionProduceResponse(index=self._data.index, base_offset=-1)
        if self.refusal is not None:
            answer.error_code = code_told(self.refusal.code, self._version, PRODUCE_SINCE)
            answer.error_message = self.refusal.message
            if isinstance(self.refusal, InvalidRecords):
                answer.record_errors = [BatchIndexAndErrorMessage(batch_index=at) for at in self.refusal.indexes]
        elif self.stored is not None:
            answer.base_offset = self.stored.base_offset
            answer.log_append_time_ms = self.stored.append_time_ms
            answer.log_start_offset = self.partition.log.start_offset
        return answer
